/* SPDX-License-Identifier: GPL-2.0 */
/* Words of the command line: strict, and every refusal says what is allowed. */
#ifndef POSTERN_TOOL_PARSE_H
#define POSTERN_TOOL_PARSE_H

#include "policy.h"

#include <stdbool.h>
#include <stdint.h>

struct args {
	int count;
	char **word;
};

/* A name and its number. Tables end with a NULL name. */
struct name {
	const char *name;
	uint32_t value;
};

struct word;

/* Called behind the word @w; steps over the words that it takes. */
typedef bool (*word_parse)(struct args *a, const struct word *w, void *object);

/*
 * One word that a command takes. Tables end with a NULL word. A row without
 * a parser is a word that "ip xfrm" knows and this version does not.
 */
struct word {
	const char *word;
	word_parse parse;
	const char *usage;		/* for help, after the word */
	uint32_t offset;		/* of the value in the object */
	uint16_t attr;			/* bit of "has" to set; 0 for none */
	uint8_t width;			/* octets of a number */
	uint64_t min;
	uint64_t max;
	const struct name *names;	/* for parse_name() */
};

/* A table and the structure, beginning with "has", that its words fill. */
struct word_set {
	const struct word *table;
	void *object;
};

extern const struct name mode_names[];
extern const struct name level_names[];
extern const struct name dir_names[];
extern const struct name sa_dir_names[];
extern const struct name sa_state_names[];
#define SA_FLAGS_OF_ALL	2
extern const struct name sa_flag_names[];
extern const struct name sa_extra_flag_names[];
extern const struct name policy_flag_names[];
extern const struct name xfrm_proto_names[];
extern const struct name upper_names[];

/* Name of @value, or NULL. */
const char *name_of(const struct name *names, uint32_t value);

/* True when @word is @name or an abbreviation of it, as in iproute2. */
bool matches(const char *word, const char *name);

/* Step over a word; there must be one. */
char *args_take(struct args *a);

/**
 * args_value() - step over the value after a word
 *
 * Return: the value, or NULL with an error printed that names @word.
 */
char *args_value(struct args *a, const char *word);

/* Print that @value is wrong, and what would be right. Returns false. */
bool wrong(const char *value, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
bool duplicate(const char *word);
bool unsupported(const char *word);

/* Numbers as strtoull() base 0 takes them, but whole words and no signs. */
bool number(const char *s, uint64_t min, uint64_t max, uint64_t *value);
bool address(const char *s, struct addr *addr);

/* Parsers for rows of a word table. */
bool parse_presence(struct args *a, const struct word *w, void *object);
bool parse_number(struct args *a, const struct word *w, void *object);
bool parse_time(struct args *a, const struct word *w, void *object);
bool parse_name(struct args *a, const struct word *w, void *object);
bool parse_flags(struct args *a, const struct word *w, void *object);
bool parse_spi(struct args *a, const struct word *w, void *object);
bool parse_addr(struct args *a, const struct word *w, void *object);
bool parse_comp(struct args *a, const struct word *w, void *object);
bool parse_device(struct args *a, const struct word *w, void *object);
bool parse_algo(struct args *a, const struct word *w, void *object);

/**
 * words_parse() - take words as long as the table knows them
 * @taken: receives how many rows were used; may be NULL
 *
 * Return: false when a word or value was wrong; an error was printed then.
 */
bool words_parse(struct args *a, const struct word *table, void *object,
		 unsigned int *taken);

/* Take one row's words; @before, the word before them, is for the error. */
bool words_parse_one(struct args *a, const struct word *table, void *object,
		     const char *before);

/* Take all words; each must be in the table of a set. NULL ends @sets. */
bool words_parse_all(struct args *a, const struct word_set *sets);

/* For words_parse_all(): nothing but options may follow. */
extern const struct word_set no_words[];

/* Print "[ word VALUE ]" of each row to @indent, wrapped. */
void words_usage(const struct word *table, unsigned int indent);

extern const struct word selector_words[];

/**
 * selector_finish() - check a selector and complete it
 * @sel: what selector_words parsed
 * @family: AF_INET or AF_INET6, the family of a selector without addresses
 */
bool selector_finish(struct selector *sel, int family);

#endif
