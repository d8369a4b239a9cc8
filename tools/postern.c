// SPDX-License-Identifier: GPL-2.0
/* The postern command: global options, dispatch, batch files. */
#include "batch.h"
#include "cmd.h"

#include "postern_version.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A dump that must be whole is begun again when it was not, so many times. */
#define DUMP_TRIES	8

struct options options;

static struct nl socket_of_tool;
static bool socket_open;

struct nl *cmd_nl(void)
{
	int err;

	if (socket_open)
		return &socket_of_tool;
	err = nl_open(&socket_of_tool);
	if (err == -ENOENT) {
		fputs("Error: postern: the kernel has no family \"postern\": the module is not loaded and could not be; \"modprobe postern\" says why.\n",
		      stderr);
		return NULL;
	}
	if (err) {
		nl_perror(&socket_of_tool, err);
		return NULL;
	}
	socket_open = true;
	return &socket_of_tool;
}

int cmd_send(uint8_t cmd, const struct fields *fields, const void *object,
	     nl_msg_cb cb, void *data)
{
	struct nl *nl = cmd_nl();
	int err;

	if (!nl)
		return EXIT_REFUSED;
	err = nl_send(nl, cmd, 0, fields, object, cb, data);
	if (!err)
		return EXIT_OK;
	nl_perror(nl, err);
	return EXIT_REFUSED;
}

int cmd_delete(uint8_t cmd, const struct fields *fields, const void *object)
{
	int err = nl_send(cmd_nl(), cmd, 0, fields, object, NULL, NULL);

	if (!err || err == -ENOENT)
		return EXIT_OK;
	nl_perror(cmd_nl(), err);
	return EXIT_REFUSED;
}

int cmd_dump(uint8_t cmd, const struct fields *fields, const void *object,
	     nl_msg_cb cb, void *data, void (*again)(void *data))
{
	int err, tries = again ? DUMP_TRIES : 1;
	struct nl *nl = cmd_nl();

	if (!nl)
		return EXIT_REFUSED;
	do {
		if (again)
			again(data);
		err = nl_send(nl, cmd, NLM_F_DUMP, fields, object, cb, data);
	} while (err == -EINTR && --tries);
	if (err == -EINTR && again) {
		fputs("Error: postern: others change the database all the time; try again.\n",
		      stderr);
		return EXIT_REFUSED;
	}
	if (err == -EINTR) {
		fputs("Dump was interrupted and may be inconsistent.\n",
		      stderr);
		return EXIT_OK;
	}
	if (!err)
		return EXIT_OK;
	nl_perror(nl, err);
	return EXIT_REFUSED;
}

static int run_bridge(struct args *a)
{
#ifdef HAVE_BRIDGE
	return cmd_bridge(a->count + 1, a->word - 1);
#else
	(void)a;
	fputs("Error: this postern was built without the bridge.\n", stderr);
	return EXIT_USAGE;
#endif
}

static void help(void)
{
	puts("Usage: postern [ OPTIONS ] [ OBJECT { COMMAND | help } ]\n"
	     "       postern [ -force ] [ -replace ] -batch FILE\n"
	     "Without an object: a page with SAs, policies, traffic and drops.\n"
	     "\n"
	     "OBJECT := state      SAs, in the words of \"ip xfrm state\"\n"
	     "          policy     policies, in the words of \"ip xfrm policy\"\n"
	     "          guard      devices by which nothing leaves past the policies\n"
	     "          monitor    show what changes, as it happens\n"
	     "          stats      packets and, by reason, drops\n"
	     "          algs       algorithms, and what this kernel lacks\n"
	     "          bridge     take over what an IKE daemon negotiates\n"
	     "\n"
	     "OPTIONS := -s[tatistics]  more details\n"
	     "           -j[son]        JSON; -p[retty] indents it\n"
	     "           -k[eys]        show keys\n"
	     "           -o[neline]     one record on a line\n"
	     "           -4 | -6        one address family\n"
	     "           -n[etns] NAME  in another network namespace\n"
	     "           -b[atch] FILE  commands from a file, - for standard input\n"
	     "           -force         go on after a failed line of a batch\n"
	     "           -replace       a policy that is added takes the place of another\n"
	     "           -V[ersion]     of this tool and of the loaded module\n"
	     "           -h[elp]        this; also after an object\n"
	     "\n"
	     "Exit status: 0 done, 1 wrong usage, 2 refused by the kernel.");
}

static int run_help(struct args *a)
{
	return help_run(a, help);
}

static const struct command objects[] = {
	{ "state", cmd_state },
	{ "policy", cmd_policy },
	{ "guard", cmd_guard },
	{ "monitor", cmd_monitor },
	{ "stats", cmd_stats },
	{ "algs", cmd_algs },
	{ "bridge", run_bridge },
	{ "help", run_help },
	{ NULL, NULL }
};

static const struct {
	const char *name;
	void (*help)(void);
} helps[] = {
	{ "state", help_state },
	{ "policy", help_policy },
	{ "guard", help_guard },
	{ "monitor", help_monitor },
	{ "stats", help_stats },
	{ "algs", help_algs },
};

/* "--help" anywhere behind an object asks about that object. */
static bool help_asked(const struct args *a)
{
	unsigned int i;
	int n;

	for (n = 1; n < a->count; n++)
		if (!strcmp(a->word[n], "--help") ||
		    !strcmp(a->word[n], "-help") || !strcmp(a->word[n], "-h"))
			break;
	if (n >= a->count)
		return false;
	for (i = 0; i < sizeof(helps) / sizeof(helps[0]); i++) {
		if (!matches(a->word[0], helps[i].name))
			continue;
		helps[i].help();
		return true;
	}
	return false;
}

int cmd_run(struct args *a)
{
	const struct command *c;

	if (!a->count)
		return cmd_status(a);
	if (help_asked(a))
		return EXIT_OK;
	c = command_find(objects, "postern", a->word[0]);
	if (!c)
		return EXIT_USAGE;
	args_take(a);
	return c->run(a);
}

/* "-json", "--json" and abbreviations of them. */
static bool is_option(const char *word, const char *name)
{
	if (word[0] != '-')
		return false;
	word += word[1] == '-' ? 2 : 1;
	return matches(word, name);
}

bool option_take(struct args *a)
{
	const char *s = a->word[0];

	if (is_option(s, "statistics") || is_option(s, "stats"))
		options.stats = true;
	else if (is_option(s, "json"))
		options.json = true;
	else if (is_option(s, "pretty"))
		options.pretty = true;
	else if (is_option(s, "keys"))
		options.keys = true;
	else if (is_option(s, "oneline"))
		options.oneline = true;
	else if (is_option(s, "4"))
		options.family = AF_INET;
	else if (is_option(s, "6"))
		options.family = AF_INET6;
	else if (is_option(s, "force"))
		options.force = true;
	else if (is_option(s, "replace"))
		options.replace = true;
	else
		return false;
	args_take(a);
	return true;
}

static int version(void)
{
	char loaded[32] = "";
	FILE *f = fopen("/sys/module/postern/version", "re");

	if (f) {
		if (!fgets(loaded, sizeof(loaded), f))
			loaded[0] = '\0';
		fclose(f);
	}
	loaded[strcspn(loaded, "\n")] = '\0';
	printf("postern %s, module %s\n", POSTERN_VERSION,
	       loaded[0] ? loaded : "not loaded");
	return EXIT_OK;
}

static bool enter_netns(const char *name)
{
	char path[PATH_MAX];
	int fd, n;

	n = snprintf(path, sizeof(path), "%s%s",
		     strchr(name, '/') ? "" : "/run/netns/", name);
	if (n < 0 || (size_t)n >= sizeof(path)) {
		fprintf(stderr, "Error: the name of the network namespace is too long.\n");
		return false;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		fprintf(stderr, "Error: cannot open network namespace \"%s\": %s.\n",
			name, strerror(errno));
		return false;
	}
	if (setns(fd, CLONE_NEWNET)) {
		fprintf(stderr, "Error: cannot enter network namespace \"%s\": %s.\n",
			name, strerror(errno));
		close(fd);
		return false;
	}
	close(fd);
	return true;
}

/* All global options. Returns an exit status. */
static int take_options(struct args *a, const char **batch)
{
	const char *s;

	while (a->count && a->word[0][0] == '-') {
		if (option_take(a))
			continue;
		s = args_take(a);
		if (is_option(s, "help")) {
			help();
			exit(EXIT_OK);
		}
		if (is_option(s, "Version") || is_option(s, "version"))
			exit(version());
		if (is_option(s, "batch")) {
			*batch = args_value(a, s);
			if (!*batch)
				return EXIT_USAGE;
			continue;
		}
		if (is_option(s, "netns")) {
			s = args_value(a, s);
			if (!s || !enter_netns(s))
				return EXIT_USAGE;
			continue;
		}
		fprintf(stderr,
			"Error: option \"%s\" is unknown; try \"postern --help\".\n",
			s);
		return EXIT_USAGE;
	}
	return EXIT_OK;
}

int main(int argc, char **argv)
{
	struct args a = { .count = argc - 1, .word = argv + 1 };
	const char *batch = NULL;
	int ret;

	ret = take_options(&a, &batch);
	if (ret)
		return ret;
	if (batch && a.count) {
		fprintf(stderr, "Error: argument \"%s\" does not go with -batch.\n",
			a.word[0]);
		return EXIT_USAGE;
	}
	ret = batch ? batch_run(batch) : cmd_run(&a);
	if (socket_open)
		nl_close(&socket_of_tool);
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "Error: cannot write the output: %s.\n",
			strerror(errno));
		if (!ret)
			ret = EXIT_REFUSED;
	}
	return ret;
}
