// SPDX-License-Identifier: GPL-2.0
#include "sa.h"

#include <string.h>
#include <sys/socket.h>

static const struct field algo_table[] = {
	FIELD(algo, FIELD_STRING, POSTERN_A_ALGO_NAME, "name", name),
	FIELD_BIN(algo, POSTERN_A_ALGO_KEY, "key", key),
	FIELD(algo, FIELD_U32, POSTERN_A_ALGO_ICV_BITS, "icv-bits", icv_bits),
	FIELD(algo, FIELD_U32, POSTERN_A_ALGO_KEY_BITS, "key-bits", key_bits),
};

static const struct fields algo_fields = FIELDS(algo, algo_table);

static const struct field selector_table[] = {
	FIELD_BIN(selector, POSTERN_A_SELECTOR_SRC, "src", src),
	FIELD(selector, FIELD_U8, POSTERN_A_SELECTOR_SRC_LEN, "src-len",
	      src_len),
	FIELD_BIN(selector, POSTERN_A_SELECTOR_DST, "dst", dst),
	FIELD(selector, FIELD_U8, POSTERN_A_SELECTOR_DST_LEN, "dst-len",
	      dst_len),
	FIELD(selector, FIELD_U8, POSTERN_A_SELECTOR_PROTO, "proto", proto),
	FIELD(selector, FIELD_U16, POSTERN_A_SELECTOR_SPORT_FIRST,
	      "sport-first", sport_first),
	FIELD(selector, FIELD_U16, POSTERN_A_SELECTOR_SPORT_LAST, "sport-last",
	      sport_last),
	FIELD(selector, FIELD_U16, POSTERN_A_SELECTOR_DPORT_FIRST,
	      "dport-first", dport_first),
	FIELD(selector, FIELD_U16, POSTERN_A_SELECTOR_DPORT_LAST, "dport-last",
	      dport_last),
	FIELD(selector, FIELD_U32, POSTERN_A_SELECTOR_IFINDEX, "ifindex",
	      ifindex),
};

const struct fields selector_fields = FIELDS(selector, selector_table);

static const struct field lifetime_table[] = {
	FIELD(lifetime, FIELD_U64, POSTERN_A_LIFETIME_BYTE_SOFT, "byte-soft",
	      byte_soft),
	FIELD(lifetime, FIELD_U64, POSTERN_A_LIFETIME_BYTE_HARD, "byte-hard",
	      byte_hard),
	FIELD(lifetime, FIELD_U64, POSTERN_A_LIFETIME_PACKET_SOFT,
	      "packet-soft", packet_soft),
	FIELD(lifetime, FIELD_U64, POSTERN_A_LIFETIME_PACKET_HARD,
	      "packet-hard", packet_hard),
	FIELD(lifetime, FIELD_U64, POSTERN_A_LIFETIME_ADD_SOFT, "add-soft",
	      add_soft),
	FIELD(lifetime, FIELD_U64, POSTERN_A_LIFETIME_ADD_HARD, "add-hard",
	      add_hard),
	FIELD(lifetime, FIELD_U64, POSTERN_A_LIFETIME_USE_SOFT, "use-soft",
	      use_soft),
	FIELD(lifetime, FIELD_U64, POSTERN_A_LIFETIME_USE_HARD, "use-hard",
	      use_hard),
};

static const struct fields lifetime_fields = FIELDS(lifetime, lifetime_table);

static const struct field usage_table[] = {
	FIELD(usage, FIELD_U64, POSTERN_A_USAGE_BYTES, "bytes", bytes),
	FIELD(usage, FIELD_U64, POSTERN_A_USAGE_PACKETS, "packets", packets),
	FIELD(usage, FIELD_U64, POSTERN_A_USAGE_ADD_TIME, "add-time",
	      add_time),
	FIELD(usage, FIELD_U64, POSTERN_A_USAGE_USE_TIME, "use-time",
	      use_time),
	FIELD(usage, FIELD_U64, POSTERN_A_USAGE_LAST_USED, "last-used",
	      last_used),
};

const struct fields usage_fields = FIELDS(usage, usage_table);

static const struct field replay_table[] = {
	FIELD(replay, FIELD_U64, POSTERN_A_REPLAY_OSEQ, "oseq", oseq),
	FIELD(replay, FIELD_U64, POSTERN_A_REPLAY_SEQ, "seq", seq),
	FIELD_BIN(replay, POSTERN_A_REPLAY_BITMAP, "bitmap", bitmap),
	FIELD(replay, FIELD_U64, POSTERN_A_REPLAY_LOST, "lost", lost),
};

static const struct fields replay_fields = FIELDS(replay, replay_table);

static const struct field encap_table[] = {
	FIELD(encap, FIELD_U16, POSTERN_A_ENCAP_SPORT, "sport", sport),
	FIELD(encap, FIELD_U16, POSTERN_A_ENCAP_DPORT, "dport", dport),
	FIELD_BIN(encap, POSTERN_A_ENCAP_ORIGINAL, "original", original),
};

static const struct fields encap_fields = FIELDS(encap, encap_table);

static const struct field drop_table[] = {
	FIELD(drop, FIELD_U32, POSTERN_A_DROP_REASON, "reason", reason),
	FIELD(drop, FIELD_STRING, POSTERN_A_DROP_NAME, "name", name),
	FIELD(drop, FIELD_STRING, POSTERN_A_DROP_TEXT, "text", text),
	FIELD(drop, FIELD_U64, POSTERN_A_DROP_PACKETS, "packets", packets),
};

const struct fields drop_fields = FIELDS(drop, drop_table);

static const struct field sa_table[] = {
	FIELD_BIN(sa, POSTERN_A_SA_DST, "dst", dst),
	FIELD_BIN(sa, POSTERN_A_SA_SRC, "src", src),
	FIELD(sa, FIELD_U8, POSTERN_A_SA_PROTO, "proto", proto),
	FIELD(sa, FIELD_U32, POSTERN_A_SA_SPI, "spi", spi),
	FIELD(sa, FIELD_U8, POSTERN_A_SA_MODE, "mode", mode),
	FIELD(sa, FIELD_U8, POSTERN_A_SA_DIR, "dir", dir),
	FIELD(sa, FIELD_U32, POSTERN_A_SA_REQID, "reqid", reqid),
	FIELD(sa, FIELD_U32, POSTERN_A_SA_OWNER, "owner", owner),
	FIELD(sa, FIELD_U32, POSTERN_A_SA_FLAGS, "flags", flags),
	FIELD(sa, FIELD_U32, POSTERN_A_SA_REPLAY_WINDOW, "replay-window",
	      replay_window),
	FIELD_NESTED(sa, POSTERN_A_SA_AEAD, "aead", aead, algo_fields),
	FIELD_NESTED(sa, POSTERN_A_SA_AUTH, "auth", auth, algo_fields),
	FIELD_NESTED(sa, POSTERN_A_SA_CRYPT, "crypt", crypt, algo_fields),
	FIELD_NESTED(sa, POSTERN_A_SA_SELECTOR, "selector", selector,
		     selector_fields),
	FIELD_NESTED(sa, POSTERN_A_SA_LIFETIME, "lifetime", lifetime,
		     lifetime_fields),
	FIELD_NESTED(sa, POSTERN_A_SA_USAGE, "usage", usage, usage_fields),
	FIELD_NESTED(sa, POSTERN_A_SA_REPLAY, "replay", replay, replay_fields),
	FIELD(sa, FIELD_U8, POSTERN_A_SA_STATE, "state", state),
	FIELD_LISTED(sa, POSTERN_A_SA_DROP, "drop", drops, DROPS_MAX,
		     drop_fields),
	FIELD(sa, FIELD_U32, POSTERN_A_SA_SPI_MIN, "spi-min", spi_min),
	FIELD(sa, FIELD_U32, POSTERN_A_SA_SPI_MAX, "spi-max", spi_max),
	FIELD(sa, FIELD_FLAG, POSTERN_A_SA_WITH_KEYS, "with-keys", has),
	FIELD(sa, FIELD_U8, POSTERN_A_SA_HARD, "hard", hard),
	FIELD(sa, FIELD_U64, POSTERN_A_SA_ID, "id", id),
	FIELD(sa, FIELD_U32, POSTERN_A_SA_COUNT, "count", count),
	FIELD(sa, FIELD_U8, POSTERN_A_SA_TTL, "ttl", ttl),
	FIELD(sa, FIELD_U8, POSTERN_A_SA_TOS, "tos", tos),
	FIELD(sa, FIELD_U32, POSTERN_A_SA_FLOW_LABEL, "flow-label", flow_label),
	FIELD(sa, FIELD_U32, POSTERN_A_SA_OUTPUT_MARK, "output-mark",
	      output_mark),
	FIELD(sa, FIELD_U32, POSTERN_A_SA_OUTPUT_MARK_MASK, "output-mark-mask",
	      output_mark_mask),
	FIELD(sa, FIELD_U16, POSTERN_A_SA_TFCPAD, "tfcpad", tfcpad),
	FIELD(sa, FIELD_U16, POSTERN_A_SA_DUMMY_LEN, "dummy-len", dummy_len),
	FIELD(sa, FIELD_U32, POSTERN_A_SA_PATH_MTU, "path-mtu", path_mtu),
	FIELD(sa, FIELD_U32, POSTERN_A_SA_PATH_MTU_EXPIRES, "path-mtu-expires",
	      path_mtu_expires),
	FIELD_NESTED(sa, POSTERN_A_SA_ENCAP, "encap", encap, encap_fields),
	FIELD_BIN(sa, POSTERN_A_SA_NEW_SRC, "new-src", new_src),
	FIELD(sa, FIELD_U16, POSTERN_A_SA_NEW_SPORT, "new-sport", new_sport),
	FIELD(sa, FIELD_U32, POSTERN_A_SA_NAT_KEEPALIVE_INTERVAL,
	      "nat-keepalive-interval", nat_keepalive_interval),
	FIELD_NESTED(sa, POSTERN_A_SA_COMP, "comp", comp, algo_fields),
};

const struct fields sa_fields = FIELDS(sa, sa_table);

void sa_wipe(struct sa *sa)
{
	explicit_bzero(sa, sizeof(*sa));
}

uint32_t addr_len(int family)
{
	return family == AF_INET ? 4 : family == AF_INET6 ? 16 : 0;
}

int addr_family(const struct addr *addr)
{
	return addr->len == 16 ? AF_INET6 : addr->len ? AF_INET : AF_UNSPEC;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return a->len == b->len && !memcmp(a->b, b->b, a->len);
}

bool addr_multicast(const struct addr *addr)
{
	return addr->len == 4 ? (addr->b[0] & 0xf0) == 0xe0 :
				addr->len && addr->b[0] == 0xff;
}

bool addr_within(const struct addr *addr, const struct addr *net,
		 unsigned int bits)
{
	unsigned int octets = bits / 8, rest = bits % 8;

	if (addr->len != net->len || bits > net->len * 8)
		return false;
	if (memcmp(addr->b, net->b, octets))
		return false;
	return !rest || (addr->b[octets] ^ net->b[octets]) >> (8 - rest) == 0;
}
