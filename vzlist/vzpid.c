/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vzpid: whose a process is. A VE's processes are in its control groups. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/ctx.h"
#include "base/fs.h"
#include "base/num.h"
#include "conf/peek.h"
#include "res/param.h"
#include "tool/stdio.h"

#define PROC_FILE_MAX 65536

static const char usage[] =
	"Usage: vzpid [-p] PID...\n"
	"       vzpid [-p] -\n"
	"\n"
	"Show which VE each process belongs to; those of the node itself are 0.\n"
	"\n"
	"  -            read the PIDs from standard input\n"
	"  -p           show also the PID that the process has in its VE\n"
	"  -h, --help\n"
	"      --version\n";

struct finder {
	struct vz_ctx ctx;
	char group[64]; /* the one above those of all VEs */
	bool with_inner;
	bool failed;
};

static void find_group(struct finder *f)
{
	const char *key = vz_params[VZ_P_CGROUP].key, *value = NULL;
	struct vz_peek peek = { 0 };
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/vz.conf", f->ctx.confdir);
	if (vz_peek_read(&peek, AT_FDCWD, path, &key, 1, &value))
		value = NULL;
	snprintf(f->group, sizeof(f->group), "%s", value ?: vz_params[VZ_P_CGROUP].def);
	vz_peek_done(&peek);
}

/*
 * The VE of a group's path, 0: none. It is the first number below our group;
 * what comes after it, the VE has made.
 */
static uint32_t ve_of_path(const struct finder *f, char *path)
{
	size_t len = strlen(f->group);
	char *save, *word;
	uint32_t id;

	if (*path++ != '/' || strncmp(path, f->group, len) || path[len] != '/')
		return 0;
	word = strtok_r(path + len, "/", &save);
	for (; word; word = strtok_r(NULL, "/", &save))
		if (!vz_parse_veid(word, &id))
			return id;
	return 0;
}

/* The text of /proc/PID/cgroup: cgroup2's line is `0::PATH`; it is asked first. */
static uint32_t ve_of_groups(const struct finder *f, char *text)
{
	uint32_t unified = 0, other = 0;
	char *save, *line = strtok_r(text, "\n", &save);

	for (; line; line = strtok_r(NULL, "\n", &save)) {
		char *names = strchr(line, ':');
		char *path = names ? strchr(names + 1, ':') : NULL;

		if (!path)
			continue;
		if (path == names + 1)
			unified = ve_of_path(f, path + 1);
		else if (!other)
			other = ve_of_path(f, path + 1);
	}
	return unified ?: other;
}

/* The rest of the line that begins with the key; NULL: there is none. */
static char *status_value(char *text, const char *key)
{
	size_t len = strlen(key);
	char *line = text;

	while (line && strncmp(line, key, len)) {
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return line ? line + len + strspn(line + len, " \t") : NULL;
}

/* A control character, U+0080 to U+009F in UTF-8 included. */
static bool controls(const unsigned char *c)
{
	return iscntrl(*c) || (*c == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0);
}

/* A process of a VE chooses its name: it must not talk to our terminal. */
static void print_name(const char *text)
{
	const unsigned char *c = (const unsigned char *)text;

	for (; c && *c && *c != '\n'; c++) {
		bool control = controls(c);

		putchar(control ? '?' : *c);
		c += control && *c == 0xc2;
	}
	putchar('\n');
}

/* NSpid has the PID on the node first, then those of the namespaces inside. */
static void print_inner(char *nspid, bool in_ve)
{
	size_t n;

	if (nspid && in_ve) {
		nspid += strspn(nspid, "0123456789");
		nspid += strspn(nspid, "\t ");
	}
	n = nspid ? strspn(nspid, "0123456789") : 0;
	printf("%.*s\t", n ? (int)n : 1, n ? nspid : "-");
}

static int read_proc(const struct finder *f, uint64_t pid, const char *file, char **ret)
{
	char path[PATH_MAX];
	size_t len;
	int r;

	snprintf(path, sizeof(path), "%s/%ju/%s", f->ctx.procdir, (uintmax_t)pid, file);
	r = vz_read_file(path, PROC_FILE_MAX, ret, &len);
	/* One that ends while it is read. */
	return r == -ESRCH ? -ENOENT : r;
}

static void show(struct finder *f, const char *word)
{
	vz_autofree char *groups = NULL, *status = NULL;
	uint64_t pid;
	uint32_t veid;
	int r;

	if (vz_parse_u64(word, INT_MAX, &pid)) {
		fprintf(stderr, "vzpid: bad PID '%s': expected a number\n", word);
		f->failed = true;
		return;
	}
	r = read_proc(f, pid, "cgroup", &groups);
	if (!r)
		r = read_proc(f, pid, "status", &status);
	if (r) {
		fprintf(stderr, "vzpid: can't tell whose process %ju is: %s\n",
			(uintmax_t)pid, r == -ENOENT ? "there is none" : strerror(-r));
		f->failed = true;
		return;
	}
	veid = ve_of_groups(f, groups);
	printf("%ju\t", (uintmax_t)pid);
	if (f->with_inner)
		print_inner(status_value(status, "NSpid:"), veid);
	printf("%u\t", veid);
	print_name(status_value(status, "Name:"));
}

static void show_input(struct finder *f)
{
	vz_autofree char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, stdin) > 0) {
		char *save, *word = strtok_r(line, " \t\r\n", &save);

		for (; word; word = strtok_r(NULL, " \t\r\n", &save))
			show(f, word);
	}
	if (ferror(stdin)) {
		fprintf(stderr, "vzpid: can't read standard input: %s\n",
			strerror(errno));
		f->failed = true;
	}
}

static int end(bool failed)
{
	return !vz_stdio_end("vzpid") || failed;
}

static int bad_usage(const char *option)
{
	if (option)
		fprintf(stderr, "vzpid: unknown option %s\n", option);
	fputs(usage, stderr);
	return 1;
}

int main(int argc, char **argv)
{
	struct finder f = { 0 };
	int i = 1;

	vz_stdio_begin();
	for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
		if (!strcmp(argv[i], "-h") || !strcmp(argv[i], "--help")) {
			fputs(usage, stdout);
			return end(false);
		}
		if (!strcmp(argv[i], "--version")) {
			puts("vzpid version " VZ_VERSION);
			return end(false);
		}
		if (strcmp(argv[i], "-p"))
			return bad_usage(argv[i]);
		f.with_inner = true;
	}
	if (i == argc)
		return bad_usage(NULL);
	vz_ctx_init(&f.ctx);
	find_group(&f);
	puts(f.with_inner ? "Pid\tCT/Pid\tCTID\tName" : "Pid\tCTID\tName");
	for (; i < argc; i++)
		if (strcmp(argv[i], "-"))
			show(&f, argv[i]);
		else
			show_input(&f);
	return end(f.failed);
}
