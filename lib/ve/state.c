/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/state.h"

#include <errno.h>
#include <fcntl.h>
#include <iniparser.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/num.h"
#include "base/str.h"

/* What the state file says, one row each, so that save and load agree. */
static const struct {
	const char *key; /* section:key */
	enum { INT32, INT64, BOOL, TEXT } type;
	size_t offset, size;
} fields[] = {
#define FIELD(key, type, member)                                                         \
	{                                                                                \
		key, type, offsetof(struct vz_state, member),                            \
			sizeof(((struct vz_state *)0)->member)                           \
	}
	FIELD("init:pid", INT32, init),	     FIELD("init:start", INT64, init_start),
	FIELD("init:pidns", INT64, pidns),   FIELD("init:kind", TEXT, init_name),
	FIELD("ve:started", INT64, started), FIELD("ve:uid", INT32, uid),
	FIELD("ve:gid", INT32, gid),	     FIELD("ve:cgroup", TEXT, cgroup),
	FIELD("ve:caps", INT64, caps),	     FIELD("ve:seccomp", INT32, seccomp),
	FIELD("ve:tool", BOOL, tool),	     FIELD("ve:reboots", INT32, reboots),
#undef FIELD
};

static void path_of(const struct vz_ctx *ctx, uint32_t veid, const char *name,
		    char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/%u%s%s", ctx->rundir, veid, *name ? "/" : "", name);
}

static int read_field(dictionary *ini, size_t i, struct vz_state *st)
{
	const char *s = iniparser_getstring(ini, fields[i].key, NULL);
	void *at = (char *)st + fields[i].offset;
	uint64_t v = 0;

	if (!s)
		return -EINVAL;
	if (fields[i].type == TEXT) {
		snprintf(at, fields[i].size, "%s", s);
		return 0;
	}
	if (vz_parse_u64(s, fields[i].type == INT64 ? UINT64_MAX : UINT32_MAX, &v))
		return -EINVAL;
	if (fields[i].type == BOOL)
		*(bool *)at = v;
	else if (fields[i].type == INT32)
		*(uint32_t *)at = v;
	else
		*(uint64_t *)at = v;
	return 0;
}

int vz_state_load(const struct vz_ctx *ctx, uint32_t veid, struct vz_state *ret,
		  struct vz_err *err)
{
	struct vz_state st = { 0 };
	char path[PATH_MAX];
	dictionary *ini;
	int r = 0;

	path_of(ctx, veid, "state", path);
	/* iniparser reports a missing file on stderr. */
	if (access(path, F_OK))
		return errno == ENOENT ? -ENOENT
				       : vz_err_set(err, VZ_E_SYSTEM, errno,
						    "can't read %s", path);
	ini = iniparser_load(path);
	if (!ini)
		return vz_err_set(err, VZ_E_SYSTEM, EIO, "can't read %s", path);
	for (size_t i = 0; i < VZ_ARRAY_SIZE(fields) && !r; i++) {
		r = read_field(ini, i, &st);
		if (r)
			vz_err_set(err, VZ_E_SYSTEM, 0,
				   "%s has no valid '%s': it is of another version, or "
				   "damaged",
				   path, fields[i].key);
	}
	iniparser_freedict(ini);
	if (!r)
		*ret = st;
	return r;
}

static void write_fields(struct vz_str *b, const struct vz_state *st)
{
	const char *section = "";
	size_t n;

	for (size_t i = 0; i < VZ_ARRAY_SIZE(fields); i++) {
		const void *at = (const char *)st + fields[i].offset;

		n = strcspn(fields[i].key, ":");
		if (strncmp(section, fields[i].key, n + 1))
			vz_str_addf(b, "[%.*s]\n", (int)n, fields[i].key);
		section = fields[i].key;
		vz_str_addf(b, "%s = ", fields[i].key + n + 1);
		if (fields[i].type == TEXT)
			vz_str_addf(b, "%s\n", (const char *)at);
		else if (fields[i].type == BOOL)
			vz_str_addf(b, "%d\n", *(const bool *)at);
		else if (fields[i].type == INT32)
			vz_str_addf(b, "%u\n", *(const uint32_t *)at);
		else
			vz_str_addf(b, "%llu\n",
				    (unsigned long long)*(const uint64_t *)at);
	}
}

int vz_state_save(const struct vz_ctx *ctx, uint32_t veid, const struct vz_state *st,
		  struct vz_err *err)
{
	vz_autostr struct vz_str b = { 0 };
	char path[PATH_MAX];
	int r;

	path_of(ctx, veid, "state", path);
	write_fields(&b, st);
	r = b.failed ? -ENOMEM : vz_replace_volatile(path, b.s, b.len);
	return r ? vz_err_set(err, VZ_E_SYSTEM, -r, "can't write %s", path) : 0;
}

void vz_state_remove(const struct vz_ctx *ctx, uint32_t veid)
{
	char path[PATH_MAX];

	path_of(ctx, veid, "", path);
	vz_remove_tree(AT_FDCWD, path);
}

static void down_path(const struct vz_ctx *ctx, uint32_t veid, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/down-%u", ctx->rundir, veid);
}

void vz_state_set_down(const struct vz_ctx *ctx, uint32_t veid, const char *why)
{
	char path[PATH_MAX];

	down_path(ctx, veid, path);
	if (!why || vz_replace_volatile(path, why, strlen(why)))
		unlink(path);
}

int vz_state_get_down(const struct vz_ctx *ctx, uint32_t veid, char *ret, size_t size)
{
	char path[PATH_MAX];

	down_path(ctx, veid, path);
	return vz_read_small(AT_FDCWD, path, ret, size);
}

/* Field 22 of /proc/PID/stat: the name in field 2 may hold anything. */
static int start_time(const char *procdir, pid_t pid, uint64_t *ret)
{
	char path[PATH_MAX], buf[1024], *s;
	unsigned long long v;
	int r;

	snprintf(path, sizeof(path), "%s/%d/stat", procdir, pid);
	r = vz_read_small(AT_FDCWD, path, buf, sizeof(buf));
	if (r)
		return r;
	s = strrchr(buf, ')');
	for (int field = 2; s && field < 22; field++) {
		s = strchr(s, ' ');
		s = s ? s + 1 : NULL;
	}
	if (!s || sscanf(s, "%llu", &v) != 1)
		return -EIO;
	*ret = v;
	return 0;
}

int vz_state_identify(const struct vz_ctx *ctx, pid_t init, struct vz_state *st)
{
	char path[PATH_MAX];
	struct stat ns;
	uint64_t start;
	int r = start_time(ctx->procdir, init, &start);

	if (r)
		return r;
	snprintf(path, sizeof(path), "%s/%d/ns/pid", ctx->procdir, init);
	if (stat(path, &ns))
		return -errno;
	st->init = init;
	st->init_start = start;
	st->pidns = ns.st_ino;
	return 0;
}

/* A process that has ended is a zombie until its parent reaped it. */
static bool has_ended(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

int vz_state_open_init(const struct vz_ctx *ctx, uint32_t veid,
		       struct vz_state *ret_state, int *ret_pidfd, struct vz_err *err)
{
	struct vz_state st, now = { 0 };
	vz_autofd int fd = -1;
	int r = vz_state_load(ctx, veid, &st, err);

	if (r)
		return r == -ENOENT ? -ESRCH : r;
	fd = syscall(SYS_pidfd_open, st.init, 0);
	/* The pidfd first: what /proc says after it is of this process, or none. */
	if (fd < 0 || vz_state_identify(ctx, st.init, &now) || has_ended(fd))
		return -ESRCH;
	if (now.init_start != st.init_start || now.pidns != st.pidns)
		return -ESRCH;
	if (ret_state)
		*ret_state = st;
	if (ret_pidfd)
		*ret_pidfd = vz_take_fd(&fd);
	return 0;
}

bool vz_state_supervised(const struct vz_ctx *ctx, uint32_t veid)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	vz_autofd int fd = -1;
	char path[PATH_MAX];

	path_of(ctx, veid, "super", path);
	fd = open(path, O_RDWR | O_CLOEXEC);
	/* Asking, not trying: a try would keep a supervisor from its lock. */
	return fd >= 0 && !fcntl(fd, F_OFD_GETLK, &lock) && lock.l_type != F_UNLCK;
}

int vz_state_running(const struct vz_ctx *ctx, uint32_t veid)
{
	struct vz_err err = { 0 };
	char path[PATH_MAX];
	struct vz_state st;
	int r;

	path_of(ctx, veid, "state", path);
	if (access(path, F_OK))
		return errno == ENOENT ? 0 : -errno;
	/* A supervisor lets its lock go when init has ended. */
	if (vz_state_supervised(ctx, veid))
		return 1;
	r = vz_state_open_init(ctx, veid, &st, NULL, &err);
	if (r)
		return r == -ESRCH ? 0 : r;
	return !st.tool;
}

int vz_state_lock_super(const struct vz_ctx *ctx, uint32_t veid, int *ret_fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	vz_autofd int fd = -1;
	char path[PATH_MAX];

	path_of(ctx, veid, "", path);
	if (mkdir(path, 0700) && errno != EEXIST) {
		int r = errno == ENOENT ? vz_mkdir_p(path, 0700) : -errno;

		if (r)
			return r;
	}
	path_of(ctx, veid, "super", path);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (fcntl(fd, F_OFD_SETLK, &lock))
		return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
	*ret_fd = vz_take_fd(&fd);
	return 0;
}

static void ids_path(const struct vz_ctx *ctx, uid_t first, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/uid/%u", ctx->rundir, first);
}

/* Whom the link names; 0 when it is not one of ours. */
static uint32_t ids_owner(const char *path)
{
	char to[32];
	ssize_t n = readlink(path, to, sizeof(to) - 1);
	uint32_t id;

	if (n < 0)
		return 0;
	to[n] = 0;
	return vz_parse_veid(to, &id) ? 0 : id;
}

bool vz_state_alive(const struct vz_ctx *ctx, uint32_t veid)
{
	return vz_state_supervised(ctx, veid) ||
	       !vz_state_open_init(ctx, veid, NULL, NULL, NULL);
}

/* Of RUNDIR/uid: two that take over a dead VE's range must not both get it. */
static int lock_ids(const struct vz_ctx *ctx)
{
	char path[PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "%s/uid", ctx->rundir);
	r = vz_mkdir_p(path, 0755);
	if (r)
		return r;
	snprintf(path, sizeof(path), "%s/uid.lock", ctx->rundir);
	return vz_lock_wait(path);
}

int vz_state_claim_ids(const struct vz_ctx *ctx, uint32_t veid, uid_t first,
		       uint32_t *ret_other)
{
	vz_autofd int lock = lock_ids(ctx);
	char path[PATH_MAX], me[16];
	uint32_t other;

	if (lock < 0)
		return lock;
	ids_path(ctx, first, path);
	other = ids_owner(path);
	if (other && other != veid && vz_state_alive(ctx, other)) {
		*ret_other = other;
		return -EBUSY;
	}
	if (other == veid)
		return 0;
	snprintf(me, sizeof(me), "%u", veid);
	unlink(path);
	return symlink(me, path) ? -errno : 0;
}

void vz_state_release_ids(const struct vz_ctx *ctx, uint32_t veid, uid_t first)
{
	char path[PATH_MAX];

	ids_path(ctx, first, path);
	if (ids_owner(path) == veid)
		unlink(path);
}
