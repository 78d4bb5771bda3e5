/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/says.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/root.h"

/* Greater ones are somebody's own work: the script is left to read them. */
#define FILE_MAX 65536

#define BLANKS " \t\r"

/*
 * The next line of *text, cut out of it in place, without leading blanks;
 * NULL: no more.
 */
static char *next_line(char **text)
{
	char *line = *text, *end;

	if (!line)
		return NULL;
	end = strchr(line, '\n');
	if (end)
		*end++ = 0;
	*text = end;
	return line + strspn(line, BLANKS);
}

static bool line_names(char *line, const char *name)
{
	char *save, *word;

	line[strcspn(line, "#")] = 0;
	if (!strtok_r(line, BLANKS, &save))
		return false;
	while ((word = strtok_r(NULL, BLANKS, &save)))
		if (!strcmp(word, name))
			return true;
	return false;
}

bool vz_says_hostname(int rootfd, const char *name)
{
	vz_autofree char *hostname = NULL, *hosts = NULL;
	char *text, *line;

	if (vz_root_read(rootfd, "/etc/hostname", FILE_MAX, &hostname) ||
	    vz_root_read(rootfd, "/etc/hosts", FILE_MAX, &hosts))
		return false;
	hostname[strcspn(hostname, "\n")] = 0;
	if (strcmp(hostname, name))
		return false;
	text = hosts;
	while ((line = next_line(&text)))
		if (line_names(line, name))
			return true;
	return false;
}

/* 1: a link, its target in buf; 0: none; or -errno. */
static int read_link(int rootfd, const char *path, char *buf, size_t size)
{
	vz_autofd int fd = vz_root_openat(rootfd, path, O_PATH | O_NOFOLLOW, 0);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = readlinkat(fd, "", buf, size - 1);
	if (n < 0)
		return errno == ENOENT || errno == EINVAL ? 0 : -errno;
	buf[n] = 0;
	return 1;
}

static bool same_list(const struct vz_strv *want, const struct vz_strv *has)
{
	if (!want->n)
		return true;
	if (want->n != has->n)
		return false;
	for (size_t i = 0; i < want->n; i++)
		if (strcmp(want->v[i], has->v[i]))
			return false;
	return true;
}

static bool resolv_file_says(int rootfd, const char *path, const struct vz_resolv *want)
{
	vz_autoresolv struct vz_resolv has = { 0 };
	vz_autofree char *text = NULL;

	return !vz_root_read(rootfd, path, FILE_MAX, &text) &&
	       !vz_resolv_parse(text, &has) && same_list(&want->servers, &has.servers) &&
	       same_list(&want->domains, &has.domains);
}

/* Settings of systemd-resolved: KEY=, which empties a list, or KEY=words. */
static int take_setting(struct vz_strv *l, const char *words)
{
	if (!*words)
		vz_strv_done(l);
	return vz_strv_split(l, words, BLANKS);
}

static bool resolved_says(int rootfd, const struct vz_resolv *want)
{
	vz_autoresolv struct vz_resolv has = { 0 };
	vz_autofree char *text = NULL;
	char *rest, *line;
	int r = 0;

	if (vz_root_read(rootfd, "/etc/systemd/resolved.conf.d/vz.conf", FILE_MAX, &text))
		return false;
	rest = text;
	while (!r && (line = next_line(&rest))) {
		if (!strncmp(line, "DNS=", 4))
			r = take_setting(&has.servers, line + 4);
		else if (!strncmp(line, "Domains=", 8))
			r = take_setting(&has.domains, line + 8);
	}
	return !r && same_list(&want->servers, &has.servers) &&
	       same_list(&want->domains, &has.domains);
}

/* /run is empty at a start: what the host sees in its place says nothing. */
static bool points_into_run(const char *link)
{
	while (*link == '/' || !strncmp(link, "../", 3))
		link += *link == '/' ? 1 : 3;
	return !strncmp(link, "run/", 4) || !strncmp(link, "var/run/", 8);
}

bool vz_says_dns(int rootfd, const struct vz_resolv *want)
{
	char link[4096];
	int r = read_link(rootfd, "/etc/resolv.conf", link, sizeof(link));

	if (r < 0)
		return false;
	if (r && strstr(link, "systemd/resolve/"))
		return resolved_says(rootfd, want);
	if (r && strstr(link, "resolvconf/"))
		return resolv_file_says(rootfd, "/etc/resolvconf/resolv.conf.d/base",
					want);
	if (r && points_into_run(link))
		return false;
	return resolv_file_says(rootfd, "/etc/resolv.conf", want);
}

bool vz_says_addresses(int rootfd, const char *addresses)
{
	vz_autofree char *text = NULL;
	int r = vz_root_read(rootfd, "/etc/vz-addresses", FILE_MAX, &text);

	if (r)
		return r == -ENOENT && !*addresses;
	text[strcspn(text, "\n")] = 0;
	return *addresses && !strcmp(text, addresses);
}

enum terminal { NONE, CONSOLE, ABSENT };

/* Whether s names a terminal that a machine has and a VE has not. */
static bool names_absent(const char *s)
{
	while ((s = strpbrk(s, "th"))) {
		if ((!strncmp(s, "tty", 3) || !strncmp(s, "hvc", 3)) &&
		    (isdigit((unsigned char)s[3]) || isupper((unsigned char)s[3])))
			return true;
		s++;
	}
	return false;
}

/* Which terminal a line of inittab is for; "::respawn:" is the console's. */
static enum terminal line_terminal(const char *line)
{
	const char *getty = strstr(line, "getty");

	if (*line == '#' || (!strstr(line, ":respawn:") && !strstr(line, ":askfirst:")))
		return NONE;
	if (strstr(line, "console") || !strncmp(line, "::", 2))
		return CONSOLE;
	if (!strncmp(line, "tty", 3) || (getty && names_absent(getty)))
		return ABSENT;
	return NONE;
}

bool vz_says_console(int rootfd)
{
	vz_autofree char *text = NULL;
	bool console = false;
	char *rest, *line;
	int r = vz_root_read(rootfd, "/etc/inittab", FILE_MAX, &text);

	if (r)
		return r == -ENOENT;
	rest = text;
	while ((line = next_line(&rest))) {
		switch (line_terminal(line)) {
		case ABSENT:
			return false;
		case CONSOLE:
			console = true;
			break;
		case NONE:
			break;
		}
	}
	return console;
}
