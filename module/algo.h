/* SPDX-License-Identifier: GPL-2.0 */
/* The one table of algorithms, and their life in the crypto API. */
#ifndef _POSTERN_ALGO_H
#define _POSTERN_ALGO_H

#include <linux/types.h>
#include "postern.h"

struct crypto_aead;
struct crypto_shash;
struct netlink_ext_ack;
struct nlattr;

enum postern_algo_kind {
	POSTERN_ALGO_AEAD,
	POSTERN_ALGO_AUTH,
	POSTERN_ALGO_CRYPT,
	POSTERN_ALGO_COMP,
	POSTERN_ALGO_KINDS
};

/**
 * struct postern_algo - what the data plane must know of an algorithm
 * @name: of the crypto API
 * @alias: shorter name that ip xfrm and IKE daemons use; NULL for none
 * @needs: options of the kernel that provide it
 * @status: by RFC 8221; what it does not list is a MAY (section 8)
 * @kind: where it can be used
 * @key_bits: lengths allowed, salt included; ends with 0 or when full; none for no key
 * @salt_bits: of the key
 * @icv_bits: lengths of the ICV, the default first; ends with 0 or when full
 * @iv_len: octets of explicit IV
 * @align: block that padding must fill, at least 4 (RFC 4303 section 2.4)
 * @iv_random: as in struct postern_transform
 * @weak: only for who asks for it
 * @iiv: defined with an implicit IV too, with the longest ICV
 * @ah: of kind AEAD: defined for AH too
 */
struct postern_algo {
	const char *name;
	const char *alias;
	const char *needs;
	const char *status;
	enum postern_algo_kind kind;
	u16 key_bits[3];
	u16 salt_bits;
	u16 icv_bits[3];
	u8 iv_len;
	u8 align;
	bool iv_random;
	bool weak;
	bool iiv;
	bool ah;
};

/**
 * struct postern_algo_key - an algorithm as somebody asked for it
 * @algo: row of the table; NULL when none of this kind is used
 * @attr: netlink attribute that asked, for errors; NULL once the SA is made
 * @icv_bits: length of the truncated ICV in bits, 0 for the algorithm's default
 * @key_len: octets
 * @key: salt included
 */
struct postern_algo_key {
	const struct postern_algo *algo;
	const struct nlattr *attr;
	u32 icv_bits;
	u32 key_len;
	u8 key[POSTERN_KEY_MAX];
};

/**
 * struct postern_transform - a ready-made algorithm or combination
 * @aead: ESP; combined mode, or encryption with a separate ICV.  AH: GMAC, or NULL
 * @shash: AH; NULL with GMAC
 * @iv_len: octets of explicit IV in each packet of ESP
 * @icv_len: octets; of AH with GMAC its IV too
 * @align: octets to which the plaintext, its trailer included, is padded
 * @iv_implicit: octets of IV that packets do not carry (RFC 8750)
 * @iv_random: the IV must be unpredictable, not merely unique
 * @esn: numbers have 64 bits, and the ICV covers all of them
 * @deflate: IPComp; a user of deflate.c
 */
struct postern_transform {
	struct crypto_aead *aead;
	struct crypto_shash *shash;
	u8 iv_len;
	u8 iv_implicit;
	u8 icv_len;
	u8 align;
	bool iv_random;
	bool esn;
	bool deflate;
};

void postern_algo_init(void);
const struct postern_algo *postern_algo_find(enum postern_algo_kind kind,
					     const char *name);
const struct postern_algo *postern_algo_at(unsigned int i);
const char *postern_algo_lacks(const struct postern_algo *algo);
void postern_algo_unknown(enum postern_algo_kind kind,
			  const struct nlattr *attr,
			  struct netlink_ext_ack *extack);
int postern_transform_init(struct postern_transform *t, u8 proto, u32 flags,
			   struct postern_algo_key keys[POSTERN_ALGO_KINDS],
			   struct netlink_ext_ack *extack);
const struct postern_algo_key *
postern_transform_number_key(const struct postern_algo_key keys[POSTERN_ALGO_KINDS]);
void postern_transform_free(struct postern_transform *t);

#endif
