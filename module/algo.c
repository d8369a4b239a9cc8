// SPDX-License-Identifier: GPL-2.0
#include <crypto/aead.h>
#include <crypto/authenc.h>
#include <crypto/hash.h>
#include <linux/in.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include "algo.h"

/**
 * struct postern_algo - what the data plane must know of an algorithm
 * @name: of the crypto API
 * @alias: shorter name that ip xfrm and IKE daemons use; NULL for none
 * @kind: where it can be used
 * @key_lens: octets allowed, salt included; ends with 0 or when full
 * @icv_bits: default and only length of the ICV
 * @iv_len: octets of explicit IV
 * @align: block that padding must fill, at least 4 (RFC 4303 section 2.4)
 * @iv_random: as in struct postern_transform
 */
struct postern_algo {
	const char *name;
	const char *alias;
	enum postern_algo_kind kind;
	u8 key_lens[4];
	u16 icv_bits;
	u8 iv_len;
	u8 align;
	bool iv_random;
};

static const struct postern_algo algos[] = {
	{	/* RFC 4106; the salt is the last 4 octets of the key */
		.name = "rfc4106(gcm(aes))",
		.kind = POSTERN_ALGO_AEAD,
		.key_lens = { 20, 28, 36 },
		.icv_bits = 128,
		.iv_len = 8,
		.align = 4,
	}, {	/* RFC 4868 section 2.1.1 fixes the key to the hash's length */
		.name = "hmac(sha256)",
		.alias = "sha256",
		.kind = POSTERN_ALGO_AUTH,
		.key_lens = { 32 },
		.icv_bits = 128,
	}, {	/* RFC 3602 section 3: the IV is chosen at random */
		.name = "cbc(aes)",
		.alias = "aes",
		.kind = POSTERN_ALGO_CRYPT,
		.key_lens = { 16, 24, 32 },
		.iv_len = 16,
		.align = 16,
		.iv_random = true,
	}, {	/* RFC 2410 */
		.name = "ecb(cipher_null)",
		.alias = "cipher_null",
		.kind = POSTERN_ALGO_CRYPT,
		.align = 4,
	},
};

/**
 * postern_algo_find - look an algorithm up
 * @kind: what it is to be used for
 * @name: of the crypto API, or alias
 *
 * Return: row of the table, or NULL.
 */
const struct postern_algo *postern_algo_find(enum postern_algo_kind kind,
					     const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(algos); i++)
		if (algos[i].kind == kind &&
		    (!strcmp(algos[i].name, name) ||
		     (algos[i].alias && !strcmp(algos[i].alias, name))))
			return &algos[i];
	return NULL;
}

const char *postern_algo_name(const struct postern_algo *algo)
{
	return algo->name;
}

/**
 * postern_algo_unknown - say which algorithms there are
 * @kind: what one was to be used for
 * @attr: attribute with a name that is not in the table
 * @extack: takes the message
 */
void postern_algo_unknown(enum postern_algo_kind kind,
			  const struct nlattr *attr,
			  struct netlink_ext_ack *extack)
{
	switch (kind) {
	case POSTERN_ALGO_AEAD:
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "unknown algorithm, aead takes rfc4106(gcm(aes))");
		break;
	case POSTERN_ALGO_AUTH:
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "unknown algorithm, auth takes hmac(sha256)");
		break;
	default:
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "unknown algorithm, crypt takes cbc(aes) or ecb(cipher_null)");
	}
}

static int check_key(const struct postern_algo_key *key,
		     struct netlink_ext_ack *extack)
{
	const struct postern_algo *algo = key->algo;
	unsigned int i;

	if (key->icv_bits && key->icv_bits != algo->icv_bits) {
		NL_SET_ERR_MSG_ATTR(extack, key->attr,
				    "ICV length not supported, this algorithm takes 128 bits");
		return -EINVAL;
	}
	if (!algo->key_lens[0] && !key->key_len)
		return 0;
	for (i = 0; i < ARRAY_SIZE(algo->key_lens) && algo->key_lens[i]; i++)
		if (key->key_len == algo->key_lens[i])
			return 0;

	switch (algo->kind) {
	case POSTERN_ALGO_AEAD:
		NL_SET_ERR_MSG_ATTR(extack, key->attr,
				    "key must have 160, 224 or 288 bits (AES key and 32 bits of salt)");
		break;
	case POSTERN_ALGO_AUTH:
		NL_SET_ERR_MSG_ATTR(extack, key->attr,
				    "authentication key must have 256 bits");
		break;
	default:
		if (algo->key_lens[0])
			NL_SET_ERR_MSG_ATTR(extack, key->attr,
					    "encryption key must have 128, 192 or 256 bits");
		else
			NL_SET_ERR_MSG_ATTR(extack, key->attr,
					    "the null cipher takes no key");
	}
	return -EINVAL;
}

static int check_combination(u8 proto,
			     const struct postern_algo_key keys[POSTERN_ALGO_KINDS],
			     struct netlink_ext_ack *extack)
{
	const struct postern_algo_key *aead = &keys[POSTERN_ALGO_AEAD];
	const struct postern_algo_key *auth = &keys[POSTERN_ALGO_AUTH];
	const struct postern_algo_key *crypt = &keys[POSTERN_ALGO_CRYPT];

	if (proto == IPPROTO_AH) {
		if (aead->algo || crypt->algo) {
			NL_SET_ERR_MSG_ATTR(extack,
					    aead->algo ? aead->attr : crypt->attr,
					    "AH takes an authentication algorithm only");
			return -EINVAL;
		}
		if (!auth->algo) {
			NL_SET_ERR_MSG(extack, "AH needs an authentication algorithm");
			return -EINVAL;
		}
		return 0;
	}
	if (aead->algo && (auth->algo || crypt->algo)) {
		NL_SET_ERR_MSG_ATTR(extack,
				    auth->algo ? auth->attr : crypt->attr,
				    "a combined mode algorithm stands alone");
		return -EINVAL;
	}
	if (!aead->algo && !crypt->algo) {
		NL_SET_ERR_MSG(extack,
			       "ESP needs an encryption or combined mode algorithm");
		return -EINVAL;
	}
	if (!aead->algo && !auth->algo) {
		/* RFC 8221 section 4: never encryption without integrity */
		NL_SET_ERR_MSG(extack, "ESP needs an authentication algorithm");
		return -EINVAL;
	}
	return 0;
}

static int tfm_error(long err, const struct postern_algo_key *key,
		     struct netlink_ext_ack *extack)
{
	if (err == -ENOENT)
		NL_SET_ERR_MSG_ATTR(extack, key->attr,
				    "this kernel's crypto API lacks the algorithm, its module may be missing");
	else
		NL_SET_ERR_MSG_ATTR(extack, key->attr,
				    "the crypto API refused the algorithm or its key");
	return err;
}

/* authenc() takes both keys as one blob: a struct rtattr, then the octets. */
static int set_authenc_key(struct crypto_aead *aead,
			   const struct postern_algo_key *auth,
			   const struct postern_algo_key *crypt)
{
	struct crypto_authenc_key_param *param;
	unsigned int len;
	struct rtattr *rta;
	u8 *blob;
	int err;

	len = RTA_SPACE(sizeof(*param)) + auth->key_len + crypt->key_len;
	blob = kzalloc(len, GFP_KERNEL_ACCOUNT);
	if (!blob)
		return -ENOMEM;
	rta = (struct rtattr *)blob;
	rta->rta_type = CRYPTO_AUTHENC_KEYA_PARAM;
	rta->rta_len = RTA_LENGTH(sizeof(*param));
	param = RTA_DATA(rta);
	param->enckeylen = cpu_to_be32(crypt->key_len);
	memcpy(blob + RTA_SPACE(sizeof(*param)), auth->key, auth->key_len);
	memcpy(blob + RTA_SPACE(sizeof(*param)) + auth->key_len, crypt->key,
	       crypt->key_len);
	err = crypto_aead_setkey(aead, blob, len);
	kfree_sensitive(blob);
	return err;
}

static int init_ah(struct postern_transform *t,
		   const struct postern_algo_key *auth,
		   struct netlink_ext_ack *extack)
{
	struct crypto_shash *shash;
	int err;

	shash = crypto_alloc_shash(auth->algo->name, 0, 0);
	if (IS_ERR(shash))
		return tfm_error(PTR_ERR(shash), auth, extack);
	err = crypto_shash_setkey(shash, auth->key, auth->key_len);
	if (err) {
		crypto_free_shash(shash);
		return tfm_error(err, auth, extack);
	}
	t->shash = shash;
	t->icv_len = auth->algo->icv_bits / 8;
	t->align = 4;
	return 0;
}

static int init_esp(struct postern_transform *t,
		    const struct postern_algo_key keys[POSTERN_ALGO_KINDS],
		    struct netlink_ext_ack *extack)
{
	const struct postern_algo_key *auth = &keys[POSTERN_ALGO_AUTH];
	const struct postern_algo_key *main = &keys[POSTERN_ALGO_AEAD];
	char name[CRYPTO_MAX_ALG_NAME];
	struct crypto_aead *aead;
	int err;

	if (main->algo) {
		auth = main;
		strscpy(name, main->algo->name, sizeof(name));
	} else {
		main = &keys[POSTERN_ALGO_CRYPT];
		snprintf(name, sizeof(name), "authenc(%s,%s)",
			 auth->algo->name, main->algo->name);
	}

	aead = crypto_alloc_aead(name, 0, 0);
	if (IS_ERR(aead))
		return tfm_error(PTR_ERR(aead), main, extack);
	t->iv_len = main->algo->iv_len;
	t->icv_len = auth->algo->icv_bits / 8;
	t->align = main->algo->align;
	t->iv_random = main->algo->iv_random;
	if (auth == main)
		err = crypto_aead_setkey(aead, main->key, main->key_len);
	else
		err = set_authenc_key(aead, auth, main);
	if (!err)
		err = crypto_aead_setauthsize(aead, t->icv_len);
	if (!err && crypto_aead_ivsize(aead) != t->iv_len)
		err = -EINVAL;
	if (err) {
		crypto_free_aead(aead);
		return tfm_error(err, main, extack);
	}
	t->aead = aead;
	return 0;
}

/**
 * postern_transform_init - check what was asked for and make it ready
 * @t: result
 * @proto: IPPROTO_ESP or IPPROTO_AH
 * @keys: algorithms by kind
 * @extack: says which attribute is wrong and why
 *
 * Return: 0, -EINVAL, -ENOENT when the crypto API lacks the algorithm, -ENOMEM.
 * Context: process; may load modules.
 */
int postern_transform_init(struct postern_transform *t, u8 proto,
			   struct postern_algo_key keys[POSTERN_ALGO_KINDS],
			   struct netlink_ext_ack *extack)
{
	int i, err;

	memset(t, 0, sizeof(*t));
	err = check_combination(proto, keys, extack);
	if (err)
		return err;
	for (i = 0; i < POSTERN_ALGO_KINDS; i++) {
		if (!keys[i].algo)
			continue;
		err = check_key(&keys[i], extack);
		if (err)
			return err;
		keys[i].icv_bits = keys[i].algo->icv_bits;
	}
	if (proto == IPPROTO_AH)
		return init_ah(t, &keys[POSTERN_ALGO_AUTH], extack);
	return init_esp(t, keys, extack);
}

/* Context: process. The keys inside are wiped by the crypto API. */
void postern_transform_free(struct postern_transform *t)
{
	if (t->aead)
		crypto_free_aead(t->aead);
	if (t->shash)
		crypto_free_shash(t->shash);
}
