// SPDX-License-Identifier: GPL-2.0
#include <crypto/aead.h>
#include <crypto/authenc.h>
#include <crypto/hash.h>
#include <crypto/skcipher.h>
#include <linux/in.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include "algo.h"
#include "deflate.h"

/*
 * The ICV of the RFC comes first.  XFRM takes 96 bits of SHA-256 when it is not told
 * otherwise, which RFC 8221 section 6 calls a common bug; it is there for who needs it.
 */
static const struct postern_algo algos[] = {
	{	/* RFC 4106; the salt is the last 4 octets of the key, here and below */
		.name = "rfc4106(gcm(aes))",
		.needs = "CRYPTO_GCM, CRYPTO_AES",
		.status = "MUST",
		.kind = POSTERN_ALGO_AEAD,
		.key_bits = { 160, 224, 288 },
		.salt_bits = 32,
		.icv_bits = { 128, 96, 64 },
		.iv_len = 8,
		.iiv = true,
		.align = 4,
	}, {	/* RFC 4309: 3 octets of salt */
		.name = "rfc4309(ccm(aes))",
		.needs = "CRYPTO_CCM, CRYPTO_AES",
		.status = "SHOULD",
		.kind = POSTERN_ALGO_AEAD,
		.key_bits = { 152, 216, 280 },
		.salt_bits = 24,
		.icv_bits = { 128, 96, 64 },
		.iv_len = 8,
		.iiv = true,
		.align = 4,
	}, {	/* RFC 7634 */
		.name = "rfc7539esp(chacha20,poly1305)",
		.needs = "CRYPTO_CHACHA20POLY1305",
		.status = "SHOULD",
		.kind = POSTERN_ALGO_AEAD,
		.key_bits = { 288 },
		.salt_bits = 32,
		.icv_bits = { 128 },
		.iv_len = 8,
		.iiv = true,
		.align = 4,
	}, {	/* RFC 4543: integrity without encryption */
		.name = "rfc4543(gcm(aes))",
		.needs = "CRYPTO_GCM, CRYPTO_AES",
		.status = "MAY",
		.kind = POSTERN_ALGO_AEAD,
		.key_bits = { 160, 224, 288 },
		.salt_bits = 32,
		.icv_bits = { 128 },
		.iv_len = 8,
		.ah = true,
		.align = 4,
	}, {	/* RFC 4868 section 2.1.1 fixes the key to the hash's length */
		.name = "hmac(sha256)",
		.alias = "sha256",
		.needs = "CRYPTO_HMAC, CRYPTO_SHA256",
		.status = "MUST",
		.kind = POSTERN_ALGO_AUTH,
		.key_bits = { 256 },
		.icv_bits = { 128, 96, 256 },
	}, {
		.name = "hmac(sha384)",
		.alias = "sha384",
		.needs = "CRYPTO_HMAC, CRYPTO_SHA512",
		.status = "MAY",
		.kind = POSTERN_ALGO_AUTH,
		.key_bits = { 384 },
		.icv_bits = { 192, 384 },
	}, {
		.name = "hmac(sha512)",
		.alias = "sha512",
		.needs = "CRYPTO_HMAC, CRYPTO_SHA512",
		.status = "SHOULD",
		.kind = POSTERN_ALGO_AUTH,
		.key_bits = { 512 },
		.icv_bits = { 256, 512 },
	}, {	/* RFC 2404 section 3 */
		.name = "hmac(sha1)",
		.alias = "sha1",
		.needs = "CRYPTO_HMAC, CRYPTO_SHA1",
		.status = "MUST-",
		.kind = POSTERN_ALGO_AUTH,
		.key_bits = { 160 },
		.icv_bits = { 96, 160 },
	}, {	/* RFC 3566 */
		.name = "xcbc(aes)",
		.needs = "CRYPTO_XCBC, CRYPTO_AES",
		.status = "MAY",
		.kind = POSTERN_ALGO_AUTH,
		.key_bits = { 128 },
		.icv_bits = { 96, 128 },
	}, {	/* RFC 4494 */
		.name = "cmac(aes)",
		.needs = "CRYPTO_CMAC, CRYPTO_AES",
		.status = "MAY",
		.kind = POSTERN_ALGO_AUTH,
		.key_bits = { 128 },
		.icv_bits = { 96, 128 },
	}, {	/* as in XFRM: there is no RFC */
		.name = "hmac(sm3)",
		.alias = "sm3",
		.needs = "CRYPTO_HMAC, CRYPTO_SM3",
		.status = "MAY",
		.kind = POSTERN_ALGO_AUTH,
		.key_bits = { 256 },
		.icv_bits = { 256, 128 },
	}, {	/* RFC 2403 section 3 */
		.name = "hmac(md5)",
		.alias = "md5",
		.needs = "CRYPTO_HMAC, CRYPTO_MD5",
		.status = "MUST NOT",
		.kind = POSTERN_ALGO_AUTH,
		.key_bits = { 128 },
		.icv_bits = { 96, 128 },
		.weak = true,
	}, {	/* RFC 3602 section 3: the IV is chosen at random */
		.name = "cbc(aes)",
		.alias = "aes",
		.needs = "CRYPTO_CBC, CRYPTO_AES",
		.status = "MUST",
		.kind = POSTERN_ALGO_CRYPT,
		.key_bits = { 128, 192, 256 },
		.iv_len = 16,
		.align = 16,
		.iv_random = true,
	}, {	/* RFC 3686 */
		.name = "rfc3686(ctr(aes))",
		.needs = "CRYPTO_CTR, CRYPTO_AES",
		.status = "MAY",
		.kind = POSTERN_ALGO_CRYPT,
		.key_bits = { 160, 224, 288 },
		.salt_bits = 32,
		.iv_len = 8,
		.align = 4,
	}, {	/* RFC 4312 */
		.name = "cbc(camellia)",
		.alias = "camellia",
		.needs = "CRYPTO_CBC, CRYPTO_CAMELLIA",
		.status = "MAY",
		.kind = POSTERN_ALGO_CRYPT,
		.key_bits = { 128, 192, 256 },
		.iv_len = 16,
		.align = 16,
		.iv_random = true,
	}, {	/* as in XFRM: there is no RFC */
		.name = "cbc(sm4)",
		.alias = "sm4",
		.needs = "CRYPTO_CBC, CRYPTO_SM4_GENERIC",
		.status = "MAY",
		.kind = POSTERN_ALGO_CRYPT,
		.key_bits = { 128 },
		.iv_len = 16,
		.align = 16,
		.iv_random = true,
	}, {	/* RFC 2410 */
		.name = "ecb(cipher_null)",
		.alias = "cipher_null",
		.needs = "CRYPTO_NULL",
		.status = "MUST",
		.kind = POSTERN_ALGO_CRYPT,
		.align = 4,
	}, {	/* RFC 2451 */
		.name = "cbc(des3_ede)",
		.alias = "des3_ede",
		.needs = "CRYPTO_CBC, CRYPTO_DES",
		.status = "SHOULD NOT",
		.kind = POSTERN_ALGO_CRYPT,
		.key_bits = { 192 },
		.iv_len = 8,
		.align = 8,
		.iv_random = true,
		.weak = true,
	}, {	/* RFC 2394 */
		.name = "deflate",
		.needs = "ZLIB_DEFLATE, ZLIB_INFLATE",
		.status = "MAY",
		.kind = POSTERN_ALGO_COMP,
	},
};

/* What an extended ACK says must stay: older kernels take no format. */
static char unknown_text[POSTERN_ALGO_KINDS][320];
static struct {
	char key[96];
	char icv[96];
	char weak[96];
	char missing[96];
} texts[ARRAY_SIZE(algos)];

/* "64, 96 or 128" */
static void list_bits(char *buf, size_t size, const u16 bits[3])
{
	size_t n = 0;
	int i;

	buf[0] = '\0';
	for (i = 0; i < 3 && bits[i]; i++)
		n += scnprintf(buf + n, size - n, "%s%u", !i ? "" :
			       i == 2 || !bits[i + 1] ? " or " : ", ", bits[i]);
}

static void make_texts(unsigned int i)
{
	const struct postern_algo *algo = &algos[i];
	char bits[24], salt[24] = "";

	list_bits(bits, sizeof(bits), algo->key_bits);
	if (algo->salt_bits)
		snprintf(salt, sizeof(salt), " (%u of salt)", algo->salt_bits);
	if (bits[0])
		snprintf(texts[i].key, sizeof(texts[i].key),
			 "key of %s must have %s bits%s", algo->name, bits,
			 salt);
	else
		snprintf(texts[i].key, sizeof(texts[i].key), "%s takes no key",
			 algo->name);
	list_bits(bits, sizeof(bits), algo->icv_bits);
	if (bits[0])
		snprintf(texts[i].icv, sizeof(texts[i].icv),
			 "ICV of %s must have %s bits", algo->name, bits);
	else
		snprintf(texts[i].icv, sizeof(texts[i].icv), "%s has no ICV",
			 algo->name);
	snprintf(texts[i].weak, sizeof(texts[i].weak),
		 "%s needs flag allow-weak: RFC 8221 says %s", algo->name,
		 algo->status);
	snprintf(texts[i].missing, sizeof(texts[i].missing),
		 "this kernel lacks %s, of %s", algo->name, algo->needs);
}

void postern_algo_init(void)
{
	static const char * const words[POSTERN_ALGO_KINDS] = {
		[POSTERN_ALGO_AEAD] = "aead",
		[POSTERN_ALGO_AUTH] = "auth",
		[POSTERN_ALGO_CRYPT] = "crypt",
		[POSTERN_ALGO_COMP] = "comp",
	};
	unsigned int i, kind;
	size_t used;

	for (kind = 0; kind < POSTERN_ALGO_KINDS; kind++)
		snprintf(unknown_text[kind], sizeof(unknown_text[kind]),
			 "unknown algorithm, %s takes", words[kind]);
	for (i = 0; i < ARRAY_SIZE(algos); i++) {
		char *text = unknown_text[algos[i].kind];

		make_texts(i);
		used = strlen(text);
		snprintf(text + used, sizeof(unknown_text[0]) - used, " %s",
			 algos[i].name);
	}
}

/* NL_SET_ERR_MSG() takes literals only. */
static void refuse(struct netlink_ext_ack *extack, const struct nlattr *attr,
		   const char *text)
{
	if (!extack)
		return;
	extack->_msg = text;
	NL_SET_BAD_ATTR(extack, attr);
}

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

/* Row @i of the table, or NULL behind its end. */
const struct postern_algo *postern_algo_at(unsigned int i)
{
	return i < ARRAY_SIZE(algos) ? &algos[i] : NULL;
}

static bool has_aead(const char *name)
{
	struct crypto_aead *aead = crypto_alloc_aead(name, 0, 0);

	if (IS_ERR(aead))
		return false;
	crypto_free_aead(aead);
	return true;
}

/**
 * postern_algo_lacks - what keeps an algorithm from being used here?
 * @algo: row of the table
 *
 * Return: options of the kernel, or NULL when it can be used.
 * Context: process; may load modules.
 */
const char *postern_algo_lacks(const struct postern_algo *algo)
{
	switch (algo->kind) {
	case POSTERN_ALGO_AEAD:
		return has_aead(algo->name) ? NULL : algo->needs;
	case POSTERN_ALGO_AUTH:
		return crypto_has_ahash(algo->name, 0, 0) ? NULL : algo->needs;
	case POSTERN_ALGO_COMP:
		return postern_deflate_works() ? NULL : algo->needs;
	default:
		if (!crypto_has_skcipher(algo->name, 0, 0))
			return algo->needs;
		return has_aead("authenc(hmac(sha256),ecb(cipher_null))") ?
		       NULL : "CRYPTO_AUTHENC";
	}
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
	refuse(extack, attr, unknown_text[kind]);
}

static bool has_bits(const u16 allowed[3], u32 bits)
{
	return bits && (bits == allowed[0] || bits == allowed[1] ||
			bits == allowed[2]);
}

static int check_key(struct postern_algo_key *key, bool weak,
		     struct netlink_ext_ack *extack)
{
	const struct postern_algo *algo = key->algo;

	if (algo->weak && !weak) {
		refuse(extack, key->attr, texts[algo - algos].weak);
		return -EINVAL;
	}
	if (!key->icv_bits) {
		key->icv_bits = algo->icv_bits[0];
	} else if (!has_bits(algo->icv_bits, key->icv_bits)) {
		refuse(extack, key->attr, texts[algo - algos].icv);
		return -EINVAL;
	}
	if (algo->key_bits[0] ? !has_bits(algo->key_bits, key->key_len * 8) :
				key->key_len) {
		refuse(extack, key->attr, texts[algo - algos].key);
		return -EINVAL;
	}
	return 0;
}

/* RFC 8750 section 1 */
static int check_iiv(const struct postern_algo_key keys[POSTERN_ALGO_KINDS],
		     struct netlink_ext_ack *extack)
{
	const struct postern_algo_key *aead = &keys[POSTERN_ALGO_AEAD];

	if (aead->algo && aead->algo->iiv && aead->icv_bits == 128)
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, aead->algo ? aead->attr :
			    keys[POSTERN_ALGO_AUTH].attr,
			    "flag iiv (RFC 8750) is for AES-GCM, AES-CCM and ChaCha20-Poly1305 with an ICV of 128 bits");
	return -EINVAL;
}

static int check_combination(u8 proto,
			     const struct postern_algo_key keys[POSTERN_ALGO_KINDS],
			     struct netlink_ext_ack *extack)
{
	const struct postern_algo_key *aead = &keys[POSTERN_ALGO_AEAD];
	const struct postern_algo_key *auth = &keys[POSTERN_ALGO_AUTH];
	const struct postern_algo_key *crypt = &keys[POSTERN_ALGO_CRYPT];
	const struct postern_algo_key *comp = &keys[POSTERN_ALGO_COMP];

	if (proto == IPPROTO_COMP) {
		if (comp->algo && !aead->algo && !auth->algo && !crypt->algo)
			return 0;
		NL_SET_ERR_MSG(extack, "IPComp takes comp, and no other algorithm");
		return -EINVAL;
	}
	if (comp->algo) {
		NL_SET_ERR_MSG_ATTR(extack, comp->attr,
				    "comp is of proto 108 (IPComp)");
		return -EINVAL;
	}
	if (proto == IPPROTO_AH) {
		if ((aead->algo && (!aead->algo->ah || auth->algo)) || crypt->algo) {
			NL_SET_ERR_MSG_ATTR(extack,
					    aead->algo ? aead->attr : crypt->attr,
					    "AH takes one authentication algorithm, or rfc4543(gcm(aes)), only");
			return -EINVAL;
		}
		if (!aead->algo && !auth->algo) {
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

static int no_tfm(long err, const struct postern_algo_key *key,
		  struct netlink_ext_ack *extack)
{
	if (err == -ENOENT)
		refuse(extack, key->attr, texts[key->algo - algos].missing);
	else
		NL_SET_ERR_MSG_ATTR(extack, key->attr,
				    "the crypto API refused the algorithm");
	return err;
}

/* Of a combination the crypto API does not say what it lacks. */
static int no_authenc(long err, const struct postern_algo_key *auth,
		      const struct postern_algo_key *crypt,
		      struct netlink_ext_ack *extack)
{
	if (err != -ENOENT || !crypto_has_skcipher(crypt->algo->name, 0, 0))
		return no_tfm(err, crypt, extack);
	if (!crypto_has_ahash(auth->algo->name, 0, 0))
		return no_tfm(err, auth, extack);
	NL_SET_ERR_MSG(extack, "this kernel lacks authenc, of CRYPTO_AUTHENC");
	return err;
}

static int bad_key(int err, const struct postern_algo_key *key,
		   struct netlink_ext_ack *extack)
{
	NL_SET_ERR_MSG_ATTR(extack, key->attr,
			    "the crypto API refused the key, it may be a weak one");
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
		return no_tfm(PTR_ERR(shash), auth, extack);
	err = crypto_shash_setkey(shash, auth->key, auth->key_len);
	if (err) {
		crypto_free_shash(shash);
		return bad_key(err, auth, extack);
	}
	t->shash = shash;
	t->icv_len = auth->icv_bits / 8;
	t->align = 4;
	return 0;
}

/* GMAC: the field of the ICV begins with the IV (RFC 4543 section 4). */
static int init_ah_aead(struct postern_transform *t,
			const struct postern_algo_key *key,
			struct netlink_ext_ack *extack)
{
	struct crypto_aead *aead;
	int err;

	aead = crypto_alloc_aead(key->algo->name, 0, 0);
	if (IS_ERR(aead))
		return no_tfm(PTR_ERR(aead), key, extack);
	err = crypto_aead_setkey(aead, key->key, key->key_len) ?:
	      crypto_aead_setauthsize(aead, key->icv_bits / 8);
	if (err) {
		crypto_free_aead(aead);
		return bad_key(err, key, extack);
	}
	t->aead = aead;
	t->icv_len = key->algo->iv_len + key->icv_bits / 8;
	t->align = 4;
	return 0;
}

static int init_esp(struct postern_transform *t, u32 flags,
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
		snprintf(name, sizeof(name), "%s(%s,%s)",
			 t->esn ? "authencesn" : "authenc", auth->algo->name,
			 main->algo->name);
	}

	aead = crypto_alloc_aead(name, 0, 0);
	if (IS_ERR(aead))
		return auth == main ? no_tfm(PTR_ERR(aead), main, extack) :
				      no_authenc(PTR_ERR(aead), auth, main,
						 extack);
	if (flags & POSTERN_SA_FLAG_IIV)
		t->iv_implicit = main->algo->iv_len;
	else
		t->iv_len = main->algo->iv_len;
	t->icv_len = auth->icv_bits / 8;
	t->align = main->algo->align;
	t->iv_random = main->algo->iv_random;
	crypto_aead_set_flags(aead, CRYPTO_TFM_REQ_FORBID_WEAK_KEYS);
	if (auth == main)
		err = crypto_aead_setkey(aead, main->key, main->key_len);
	else
		err = set_authenc_key(aead, auth, main);
	if (!err)
		err = crypto_aead_setauthsize(aead, t->icv_len);
	if (!err && crypto_aead_ivsize(aead) != main->algo->iv_len)
		err = -EINVAL;
	if (err) {
		crypto_free_aead(aead);
		return bad_key(err, main, extack);
	}
	t->aead = aead;
	return 0;
}

/**
 * postern_transform_init - check what was asked for and make it ready
 * @t: result
 * @proto: IPPROTO_ESP or IPPROTO_AH
 * @flags: POSTERN_SA_FLAG_*
 * @keys: algorithms by kind; lengths of ICVs are filled in
 * @extack: says which attribute is wrong and why
 *
 * Return: 0, -EINVAL, -ENOENT when the crypto API lacks the algorithm, -ENOMEM.
 * Context: process; may load modules.
 */
int postern_transform_init(struct postern_transform *t, u8 proto, u32 flags,
			   struct postern_algo_key keys[POSTERN_ALGO_KINDS],
			   struct netlink_ext_ack *extack)
{
	int i, err;

	memset(t, 0, sizeof(*t));
	t->esn = flags & POSTERN_SA_FLAG_ESN;
	err = check_combination(proto, keys, extack);
	if (err)
		return err;
	for (i = 0; i < POSTERN_ALGO_KINDS; i++) {
		if (!keys[i].algo)
			continue;
		err = check_key(&keys[i], flags & POSTERN_SA_FLAG_ALLOW_WEAK,
				extack);
		if (err)
			return err;
	}
	err = flags & POSTERN_SA_FLAG_IIV ? check_iiv(keys, extack) : 0;
	if (err)
		return err;
	if (proto == IPPROTO_COMP) {
		err = postern_deflate_get();
		t->deflate = !err;
		return err ? no_tfm(err, &keys[POSTERN_ALGO_COMP], extack) : 0;
	}
	if (proto == IPPROTO_AH && keys[POSTERN_ALGO_AEAD].algo)
		return init_ah_aead(t, &keys[POSTERN_ALGO_AEAD], extack);
	if (proto == IPPROTO_AH)
		return init_ah(t, &keys[POSTERN_ALGO_AUTH], extack);
	return init_esp(t, flags, keys, extack);
}

/**
 * postern_transform_number_key - whose numbers must never repeat
 * @keys: of a valid SA
 *
 * Return: the key that takes the number as IV, or else the one that makes ICVs.
 */
const struct postern_algo_key *
postern_transform_number_key(const struct postern_algo_key keys[POSTERN_ALGO_KINDS])
{
	const struct postern_algo_key *crypt = &keys[POSTERN_ALGO_CRYPT];

	if (keys[POSTERN_ALGO_AEAD].algo)
		return &keys[POSTERN_ALGO_AEAD];
	if (crypt->algo && crypt->algo->iv_len && !crypt->algo->iv_random)
		return crypt;
	return &keys[POSTERN_ALGO_AUTH];
}

/* Context: process. The keys inside are wiped by the crypto API. */
void postern_transform_free(struct postern_transform *t)
{
	if (t->aead)
		crypto_free_aead(t->aead);
	if (t->shash)
		crypto_free_shash(t->shash);
	if (t->deflate)
		postern_deflate_put();
}
