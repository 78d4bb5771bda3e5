/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/oracle_parse.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The value of "NAME:\tVALUE" at the beginning of a line, or NULL. */
static const char *value_of(const char *text, const char *name)
{
	size_t n = strlen(name);

	for (const char *at = text; at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (!strncmp(at, name, n) && at[n] == ':')
			return at + n + 1 + strspn(at + n + 1, " \t");
	}
	return NULL;
}

static long number_of(const char *text, const char *name, long otherwise)
{
	const char *v = value_of(text, name);

	return v ? strtol(v, NULL, 10) : otherwise;
}

/*
 * Of several numbers in the line the second: the reader's own namespace is first, the
 * VE's follows, and then those within it. The last when there are fewer.
 */
static long inner_number(const char *v)
{
	long n = -1;

	if (!v)
		return n;
	for (int i = 0; i < 2; i++) {
		char *end;
		long is = strtol(v, &end, 10);

		if (end == v)
			break;
		n = is;
		v = end + strspn(end, " \t");
		if (*v == '\n')
			break;
	}
	return n;
}

static uint64_t mask_of(const char *text, const char *name)
{
	const char *v = value_of(text, name);

	return v ? strtoull(v, NULL, 16) : 0;
}

bool vz_parse_proc_status(const char *text, struct vz_proc_status *ret)
{
	/* The first line has the process's own word; it cannot contain a newline. */
	const char *state = value_of(text, "State");

	if (!state)
		return false;
	*ret = (struct vz_proc_status){
		.state = *state,
		.ppid = (pid_t)number_of(text, "PPid", -1),
		.tracer = (pid_t)number_of(text, "TracerPid", 0),
		.vpid = (pid_t)inner_number(value_of(text, "NSpid")),
		.vsid = (pid_t)inner_number(value_of(text, "NSsid")),
		.threads = (uint32_t)number_of(text, "Threads", 1),
		.pending = mask_of(text, "SigPnd") | mask_of(text, "ShdPnd"),
	};
	return ret->ppid >= 0 && ret->vpid > 0;
}

bool vz_parse_proc_stat(const char *text, struct vz_proc_stat *ret)
{
	/* The name before it may have anything in it, also ") R 1". */
	const char *at = strrchr(text, ')');
	int session, tty, foreground;
	uint64_t start;

	if (!at || sscanf(at + 1,
			  " %*c %*d %*d %d %d %d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d "
			  "%*d %*d %*d %" SCNu64,
			  &session, &tty, &foreground, &start) != 4)
		return false;
	*ret = (struct vz_proc_stat){ .tty = (unsigned int)tty,
				      .session = session,
				      .foreground = foreground,
				      .start = start };
	return true;
}

/* "[eventfd]" or "inotify" without brackets. */
static void bare_name(const char *from, char ret[32])
{
	size_t n;

	from += *from == '[';
	n = strlen(from);
	if (n && from[n - 1] == ']')
		n--;
	snprintf(ret, 32, "%.*s", n < 31 ? (int)n : 31, from);
}

static bool parse_inode_link(const char *link, char ret_name[32], uint64_t *ret_ino)
{
	int end = 0;

	return sscanf(link, "%31[a-z_]:[%" SCNu64 "]%n", ret_name, ret_ino, &end) == 2 &&
	       end && !link[end];
}

enum vz_fd_link vz_parse_fd_link(const char *link, char ret_name[32], uint64_t *ret_ino)
{
	*ret_name = 0;
	*ret_ino = 0;
	if (*link == '/')
		return VZ_FD_PATH;
	if (!strncmp(link, "anon_inode:", 11)) {
		bare_name(link + 11, ret_name);
		return VZ_FD_ANON;
	}
	if (!parse_inode_link(link, ret_name, ret_ino))
		return VZ_FD_OTHER;
	if (!strcmp(ret_name, "socket"))
		return VZ_FD_SOCKET;
	if (!strcmp(ret_name, "pipe"))
		return VZ_FD_PIPE;
	/* Of its own file system since 6.9. */
	return !strcmp(ret_name, "pidfd") ? VZ_FD_ANON : VZ_FD_NS;
}

bool vz_parse_fdinfo(const char *text, struct vz_fdinfo *ret)
{
	const char *flags = value_of(text, "flags"), *tun = value_of(text, "iff");

	if (!flags)
		return false;
	*ret = (struct vz_fdinfo){
		.flags = (unsigned int)strtoul(flags, NULL, 8),
		.mnt_id = (int)number_of(text, "mnt_id", -1),
		.pid = (int)number_of(text, "Pid", 0),
		.tty_index = (int)number_of(text, "tty-index", -1),
	};
	if (tun)
		snprintf(ret->tun, sizeof(ret->tun), "%.*s", (int)strcspn(tun, "\n"),
			 tun);
	return true;
}

/* The next line that begins with `word`; *at is after it. NULL: none. */
static const char *next_line(const char **at, const char *word)
{
	size_t n = strlen(word);

	while (**at) {
		const char *line = *at;
		size_t len = strcspn(line, "\n");

		*at = line + len + (line[len] == '\n');
		if (!strncmp(line, word, n))
			return line;
	}
	return NULL;
}

bool vz_next_epoll_line(const char **at, struct vz_epoll_line *ret)
{
	const char *line;

	while ((line = next_line(at, "tfd:"))) {
		int n = sscanf(line, "tfd: %d events: %*x data: %*x pos:%*d ino:%" SCNx64,
			       &ret->fd, &ret->ino);

		ret->has_ino = n == 2;
		if (n >= 1)
			return true;
	}
	return false;
}

static bool parse_handle(const char *hex, struct vz_watch_line *ret)
{
	if (ret->handle_bytes > sizeof(ret->handle) ||
	    strspn(hex, "0123456789abcdef") < 2 * ret->handle_bytes)
		return false;
	for (uint32_t i = 0; i < ret->handle_bytes; i++)
		if (sscanf(hex + 2 * i, "%2hhx", &ret->handle[i]) != 1)
			return false;
	return true;
}

bool vz_next_watch_line(const char **at, struct vz_watch_line *ret)
{
	const char *line;

	while ((line = next_line(at, "inotify wd:"))) {
		int n = 0;

		*ret = (struct vz_watch_line){ 0 };
		if (sscanf(line, "inotify wd:%*x ino:%" SCNx64 " sdev:%x", &ret->ino,
			   &ret->dev) != 2)
			continue;
		line = strstr(line, "fhandle-bytes:");
		/* Half a handle is none. */
		if (!line || line >= *at ||
		    sscanf(line, "fhandle-bytes:%x fhandle-type:%x f_handle:%n",
			   &ret->handle_bytes, (unsigned int *)&ret->handle_type,
			   &n) != 2 ||
		    !n || !parse_handle(line + n, ret))
			ret->handle_bytes = 0;
		return true;
	}
	return false;
}

bool vz_parse_map_line(const char *line, struct vz_map_line *ret)
{
	char perms[5];
	int n = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*x %x:%x %" SCNu64 " %n",
		   &ret->start, &ret->end, perms, &ret->major, &ret->minor, &ret->ino,
		   &n) != 6)
		return false;
	ret->shared = perms[3] == 's';
	ret->path = n ? line + n : "";
	return true;
}

/* "\040" and the like. */
static void unescape(char *s)
{
	char *to = s;
	unsigned int c;

	while (*s) {
		if (*s == '\\' && strlen(s) > 3 && sscanf(s + 1, "%3o", &c) == 1) {
			*to++ = (char)c;
			s += 4;
		} else {
			*to++ = *s++;
		}
	}
	*to = 0;
}

static int tag(const char *line, const char *dash, const char *name)
{
	const char *at = strstr(line, name);

	return at && at < dash ? atoi(at + strlen(name)) : 0;
}

bool vz_parse_mount_line(const char *line, struct vz_mount_line *ret)
{
	const char *dash = strstr(line, " - ");

	if (!dash ||
	    sscanf(line, "%d %d %u:%u %4095s %4095s", &ret->id, &ret->parent, &ret->major,
		   &ret->minor, ret->root, ret->point) != 6 ||
	    sscanf(dash + 3, "%63s", ret->type) != 1)
		return false;
	ret->master = tag(line, dash, " master:");
	ret->shared = tag(line, dash, " shared:");
	unescape(ret->root);
	unescape(ret->point);
	return true;
}

void vz_printable(const char *from, char *to, size_t size)
{
	size_t n = 0;

	if (!size)
		return;
	for (; *from && n + 1 < size; from++)
		to[n++] = *from >= ' ' && *from <= '~' ? *from : '?';
	to[n] = 0;
}
