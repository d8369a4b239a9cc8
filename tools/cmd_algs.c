// SPDX-License-Identifier: GPL-2.0
#include "cmd.h"
#include "out.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LENGTHS_MAX	8

struct lengths {
	uint32_t len;			/* octets */
	uint32_t bits[LENGTHS_MAX];
};

struct algorithm {
	uint64_t has;			/* POSTERN_A_ALGORITHM_ */
	uint8_t kind;
	char name[POSTERN_NAME_MAX];
	char alias[POSTERN_NAME_MAX];
	struct lengths key;
	struct lengths icv;
	uint32_t salt_bits;
	uint32_t iv_bits;
	char status[16];
	char lacks[128];
};

static const struct field algorithm_table[] = {
	FIELD(algorithm, FIELD_U8, POSTERN_A_ALGORITHM_KIND, "kind", kind),
	FIELD(algorithm, FIELD_STRING, POSTERN_A_ALGORITHM_NAME, "name", name),
	FIELD(algorithm, FIELD_STRING, POSTERN_A_ALGORITHM_ALIAS, "alias",
	      alias),
	FIELD_BIN(algorithm, POSTERN_A_ALGORITHM_KEY_BITS, "key-bits", key),
	FIELD_BIN(algorithm, POSTERN_A_ALGORITHM_ICV_BITS, "icv-bits", icv),
	FIELD(algorithm, FIELD_U32, POSTERN_A_ALGORITHM_SALT_BITS, "salt-bits",
	      salt_bits),
	FIELD(algorithm, FIELD_U32, POSTERN_A_ALGORITHM_IV_BITS, "iv-bits",
	      iv_bits),
	FIELD(algorithm, FIELD_STRING, POSTERN_A_ALGORITHM_STATUS, "status",
	      status),
	FIELD(algorithm, FIELD_FLAG, POSTERN_A_ALGORITHM_WEAK, "weak", has),
	FIELD(algorithm, FIELD_STRING, POSTERN_A_ALGORITHM_LACKS, "lacks",
	      lacks),
};

static const struct fields algorithm_fields = FIELDS(algorithm, algorithm_table);

/* The words of "state add". */
static const struct name kind_names[] = {
	{ "aead", POSTERN_ALGORITHM_KIND_AEAD },
	{ "auth", POSTERN_ALGORITHM_KIND_AUTH },
	{ "enc", POSTERN_ALGORITHM_KIND_CRYPT },
	{ "comp", POSTERN_ALGORITHM_KIND_COMP },
	{ NULL, 0 }
};

static void lengths_print(const char *key, const char *word,
			  const struct lengths *lengths)
{
	uint32_t i, n = lengths->len / sizeof(lengths->bits[0]);

	out_array(key);
	if (n)
		out_text(" %s", word);
	for (i = 0; i < n; i++)
		out_number(NULL, i ? ",%llu" : " %llu", lengths->bits[i]);
	out_close();
}

static void algorithm_print(const struct algorithm *a)
{
	const char *kind = name_of(kind_names, a->kind);

	out_string("kind", "%-4s ", kind ? kind : "?");
	out_string("name", "%-30s", a->name);
	if (a->alias[0])
		out_string("alias", NULL, a->alias);
	out_string("status", " %-10s", a->status);
	lengths_print("key-bits", "key", &a->key);
	out_number("salt-bits", a->salt_bits ? " salt %llu" : NULL,
		   a->salt_bits);
	lengths_print("icv-bits", "icv", &a->icv);
	out_number("iv-bits", a->iv_bits ? " iv %llu" : NULL, a->iv_bits);
	if (a->has & HAS(POSTERN_A_ALGORITHM_WEAK))
		out_string("needs", " needs %s", "allow-weak");
	if (a->has & HAS(POSTERN_A_ALGORITHM_LACKS))
		out_string("lacks", " lacking: %s", a->lacks);
	if (!options.oneline)
		out_text("\n");
}

static int on_algorithm(uint8_t cmd, const void *attrs, size_t len, void *data)
{
	struct algorithm a;
	int err;

	(void)cmd;
	(void)data;
	err = fields_parse(&algorithm_fields, &a, attrs, len);
	if (err)
		return err;
	out_record();
	algorithm_print(&a);
	out_record_end();
	return 0;
}

void help_algs(void)
{
	puts("Usage: postern [ -j [ -p ] ] algs");
	puts("Algorithms for SAs: kind, name, status by RFC 8221, lengths in bits, and, where this\n"
	     "kernel lacks one, the options that would provide it.");
}

int cmd_algs(struct args *a)
{
	int ret;

	if (a->count && matches(a->word[0], "help")) {
		args_take(a);
		return help_run(a, help_algs);
	}
	if (!words_parse_all(a, no_words))
		return EXIT_USAGE;
	out_begin();
	ret = cmd_dump(POSTERN_CMD_ALGORITHM_GET, &algorithm_fields, NULL,
		       on_algorithm, NULL, NULL);
	out_end(ret == EXIT_OK);
	return ret;
}
