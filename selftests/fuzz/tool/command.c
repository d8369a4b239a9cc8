// SPDX-License-Identifier: GPL-2.0
/*
 * The command: words of a command line, or lines of a batch, and behind an octet 0 what
 * the kernel answers. What it prints under -j must be JSON.
 */
#include "kernel.h"

#include <json-c/json.h>
#include <sched.h>
#include <setjmp.h>
#include <sys/mman.h>

/* It leaves through exit() for help and version. */
static jmp_buf left;
#define exit(status)	((void)(status), longjmp(left, 1))
#define main		command_main
#define setns(fd, type)	(-1)
#include "../../../tools/postern.c"
#undef main
#undef exit

static FILE *devnull;

static void must_be_json(const char *text, size_t len)
{
	struct json_tokener *tok = json_tokener_new();
	struct json_object *o;
	size_t at = 0;

	while (at < len) {
		o = json_tokener_parse_ex(tok, text + at, len - at);
		if (!o && json_tokener_get_error(tok) == json_tokener_continue)
			break;
		if (json_tokener_get_error(tok) != json_tokener_success)
			abort();
		json_object_put(o);
		at += json_tokener_get_parse_end(tok);
	}
	json_tokener_free(tok);
}

static int run(char *text)
{
	char *newline = strchr(text, '\n'), *word[256] = { "postern" };
	int n, fd, ret;
	char path[64];

	if (!newline) {
		n = batch_split(text, word + 1, 254);
		return n < 0 ? EXIT_USAGE : command_main(n + 1, word);
	}
	fd = memfd_create("batch", 0);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ret = command_main(4, (char *[]){ "postern", "-force", "-batch", path, NULL });
	close(fd);
	return ret;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t len = strnlen((const char *)data, size), out_len = 0;
	FILE *out = stdout, *err = stderr;
	char *text = strndup((const char *)data, len), *printed = NULL;
	volatile int ret = EXIT_USAGE;

	if (!devnull)
		devnull = fopen("/dev/null", "w");
	if (strstr(text, "/dev/") || strstr(text, "-b")) {
		/* files of the host that have no end */
		free(text);
		return 0;
	}
	if (len < size)
		len++;
	kernel_feed(data + len, size - len);
	memset(&options, 0, sizeof(options));
	socket_open = false;
	stdout = open_memstream(&printed, &out_len);
	stderr = devnull;
	if (!setjmp(left))
		ret = run(text);
	else if (socket_open)
		nl_close(&socket_of_tool);
	fclose(stdout);
	stdout = out;
	stderr = err;
	if (!ret && options.json && out_len && strncmp(printed, "Usage", 5))
		must_be_json(printed, out_len);
	free(printed);
	free(text);
	return 0;
}
