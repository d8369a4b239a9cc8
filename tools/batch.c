// SPDX-License-Identifier: GPL-2.0
#include "batch.h"

#include "cmd.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX	256
/* Of a line that need not grow: what realloc() leaves is not wiped. */
#define LINE_ROOM	65536

int batch_split(char *line, char **word, int max)
{
	char *in = line, *to, quote;
	int n = 0;

	for (;;) {
		while (isspace((unsigned char)*in))
			in++;
		if (!*in || *in == '#')
			return n;
		if (n == max)
			return -1;
		to = in;
		word[n++] = to;
		quote = '\0';
		for (; *in && (quote || !isspace((unsigned char)*in)); in++) {
			if (*in == quote)
				quote = '\0';
			else if (!quote && (*in == '"' || *in == '\''))
				quote = *in;
			else
				*to++ = *in;
		}
		if (quote)
			return -1;
		if (*in)
			in++;
		*to = '\0';
	}
}

static int run_line(char *line, size_t len)
{
	struct options before = options;
	char *word[WORDS_MAX];
	struct args a = { .word = word };
	int ret = EXIT_OK;

	if (memchr(line, '\0', len)) {
		fputs("Error: a NUL octet in a line.\n", stderr);
		return EXIT_USAGE;
	}
	a.count = batch_split(line, word, WORDS_MAX);
	if (a.count < 0) {
		fputs("Error: an open quote, or too many words in a line.\n",
		      stderr);
		return EXIT_USAGE;
	}
	/* Files for "ip -batch" name the object "xfrm" first. */
	if (a.count > 1 && !strcmp(a.word[0], "xfrm"))
		args_take(&a);
	while (a.count && option_take(&a))
		;
	if (a.count)
		ret = cmd_run(&a);
	options = before;
	return ret;
}

/*
 * A line that ends in a backslash goes on with the next one.
 *
 * Return: octets, 0 at the end of the file, or a negative errno.
 */
static ssize_t read_line(FILE *f, char **line, size_t *size,
			 unsigned int *number)
{
	size_t more_size = LINE_ROOM;
	char *more = NULL;
	ssize_t len, n;

	len = getline(line, size, f);
	if (len < 0)
		return feof(f) ? 0 : -errno;
	++*number;
	while (len >= 2 && !strcmp(*line + len - 2, "\\\n")) {
		if (!more)
			more = malloc(more_size);
		n = more ? getline(&more, &more_size, f) : -1;
		if (n < 0) {
			if (!more)
				len = -ENOMEM;
			else if (!feof(f))
				len = -errno;
			break;
		}
		++*number;
		len -= 2;
		if ((size_t)(len + n + 1) > *size) {
			char *bigger = malloc(len + n + 1);

			if (!bigger) {
				len = -ENOMEM;
				break;
			}
			memcpy(bigger, *line, len);
			explicit_bzero(*line, *size);
			free(*line);
			*line = bigger;
			*size = len + n + 1;
		}
		memcpy(*line + len, more, n + 1);
		len += n;
	}
	if (more)
		explicit_bzero(more, more_size);
	free(more);
	return len;
}

int batch_run(const char *file)
{
	FILE *f = strcmp(file, "-") ? fopen(file, "re") : stdin;
	static char buffer[BUFSIZ];	/* standard input outlives this */
	unsigned int line_number = 0;
	int ret = EXIT_OK, err;
	size_t size = LINE_ROOM;
	char *line = NULL;
	ssize_t len;

	if (f)
		line = malloc(size);
	if (!line) {
		fprintf(stderr, "Error: cannot open \"%s\": %s.\n", file,
			strerror(errno));
		return EXIT_USAGE;
	}
	setvbuf(f, buffer, _IOFBF, sizeof(buffer));
	while ((len = read_line(f, &line, &size, &line_number)) > 0) {
		err = run_line(line, len);
		/* Lines carry keys. */
		explicit_bzero(line, size);
		if (!err)
			continue;
		fflush(stdout);
		fprintf(stderr, "Command failed %s:%u\n", file, line_number);
		if (!ret)
			ret = err;
		if (!options.force)
			break;
	}
	if (len < 0) {
		fprintf(stderr, "Error: cannot read \"%s\": %s.\n", file,
			strerror(-len));
		if (!ret)
			ret = EXIT_USAGE;
		explicit_bzero(line, size);
	}
	free(line);
	if (f != stdin)
		fclose(f);
	explicit_bzero(buffer, sizeof(buffer));
	return ret;
}
