// SPDX-License-Identifier: GPL-2.0
#include "netlink.h"

static int put_lengths(struct sk_buff *skb, int attr, const u16 bits[3])
{
	u32 lengths[3];
	int n;

	for (n = 0; n < 3 && bits[n]; n++)
		lengths[n] = bits[n];
	return n ? nla_put(skb, attr, n * sizeof(u32), lengths) : 0;
}

static int put_algorithm(struct sk_buff *skb, const struct postern_algo *algo)
{
	static const u8 kinds[POSTERN_ALGO_KINDS] = {
		[POSTERN_ALGO_AEAD] = POSTERN_ALGORITHM_KIND_AEAD,
		[POSTERN_ALGO_AUTH] = POSTERN_ALGORITHM_KIND_AUTH,
		[POSTERN_ALGO_CRYPT] = POSTERN_ALGORITHM_KIND_CRYPT,
		[POSTERN_ALGO_COMP] = POSTERN_ALGORITHM_KIND_COMP,
	};
	const char *lacks = postern_algo_lacks(algo);

	if (nla_put_u8(skb, POSTERN_A_ALGORITHM_KIND, kinds[algo->kind]) ||
	    nla_put_string(skb, POSTERN_A_ALGORITHM_NAME, algo->name) ||
	    (algo->alias &&
	     nla_put_string(skb, POSTERN_A_ALGORITHM_ALIAS, algo->alias)) ||
	    put_lengths(skb, POSTERN_A_ALGORITHM_KEY_BITS, algo->key_bits) ||
	    put_lengths(skb, POSTERN_A_ALGORITHM_ICV_BITS, algo->icv_bits) ||
	    nla_put_u32(skb, POSTERN_A_ALGORITHM_SALT_BITS, algo->salt_bits) ||
	    nla_put_u32(skb, POSTERN_A_ALGORITHM_IV_BITS, algo->iv_len * 8) ||
	    nla_put_string(skb, POSTERN_A_ALGORITHM_STATUS, algo->status) ||
	    (algo->weak && nla_put_flag(skb, POSTERN_A_ALGORITHM_WEAK)) ||
	    (lacks && nla_put_string(skb, POSTERN_A_ALGORITHM_LACKS, lacks)))
		return -EMSGSIZE;
	return 0;
}

/* POSTERN_CMD_ALGORITHM_GET: Show all algorithms, and whether this kernel has them. */
int postern_nl_algorithm_get_dumpit(struct sk_buff *skb,
				    struct netlink_callback *cb)
{
	unsigned int *next = (unsigned int *)cb->ctx;
	const struct postern_algo *algo;
	void *hdr;

	for (; (algo = postern_algo_at(*next)); ++*next) {
		hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
				  cb->nlh->nlmsg_seq, &postern_nl_family,
				  NLM_F_MULTI, POSTERN_CMD_ALGORITHM_GET);
		if (!hdr)
			break;
		if (put_algorithm(skb, algo)) {
			genlmsg_cancel(skb, hdr);
			break;
		}
		genlmsg_end(skb, hdr);
	}
	return skb->len;
}
