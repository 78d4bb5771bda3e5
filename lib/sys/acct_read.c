/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All but loading: by vz_bpf(2) itself, since libbpf is half a megabyte of which
 * a list of VEs and a start of one have no use.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "sys/acct.h"
#include "sys/bpffs.h"

#define KIND VZ_ACCT_VERSION

/* The pins; what may be missing, is where another way counts. */
static const struct pin {
	const char *name;
	bool optional;
} pins[VZ_ACCT_FD__COUNT] = {
	[VZ_ACCT_FD_ROWS] = { "rows" },
	[VZ_ACCT_FD_COMMAND] = { "command" },
	[VZ_ACCT_FD_LEARN] = { "learn" },
	[VZ_ACCT_FD_RESOURCES] = { "resources", true },
	[VZ_ACCT_FD_OPTION_SET] = { "group_option_set", true },
	[VZ_ACCT_FD_SYSCTL_SET] = { "group_sysctl_set", true },
	[VZ_ACCT_FD_SOCK_CREATE] = { "group_socket_made", true },
	[VZ_ACCT_FD_SOCK_RELEASE] = { "group_socket_freed", true },
	[VZ_ACCT_FD_SOCK_OPS] = { "group_socket_state", true },
	[VZ_ACCT_FD_INGRESS] = { "group_connection_asked", true },
	[VZ_ACCT_FD_GROUP_OF] = { "own_group", true },
};

void vz_acct_close(struct vz_acct *a)
{
	for (int i = 0; i < VZ_ACCT_FD__COUNT; i++) {
		if (a->fd[i] >= 0)
			close(a->fd[i]);
		a->fd[i] = -1;
	}
}

int vz_acct_find(const struct vz_ctx *ctx, struct vz_acct *ret)
{
	struct vz_acct a;
	int seal = vz_bpffs_get(ctx, KIND, "seal"), r = 0;

	if (seal < 0)
		return -ENOENT;
	close(seal);
	for (int i = 0; i < VZ_ACCT_FD__COUNT; i++) {
		a.fd[i] = vz_bpffs_get(ctx, KIND, pins[i].name);
		if (a.fd[i] < 0 && !pins[i].optional)
			r = -ENOENT;
	}
	if (r)
		vz_acct_close(&a);
	else
		*ret = a;
	return r;
}

/* -- a VE -- */

int vz_acct_group(int group_dir, uint64_t *ret)
{
	struct stat st;

	if (fstat(group_dir, &st))
		return -errno;
	/* kernfs: the inode is the group's number. */
	*ret = st.st_ino;
	return 0;
}

static int attach_to_group(int prog, int group_dir, enum bpf_attach_type type)
{
	union bpf_attr attr = { .target_fd = group_dir,
				.attach_bpf_fd = prog,
				.attach_type = type,
				.attach_flags = BPF_F_ALLOW_MULTI };

	return prog < 0 ? 0 : vz_bpf(BPF_PROG_ATTACH, &attr);
}

/* The programs are told on which group they are put, by what it has for them. */
static int name_group(int map, uint64_t group)
{
	union bpf_attr attr = { .map_fd = map,
				.key = (uintptr_t)&group,
				.value = (uintptr_t)&group,
				.flags = BPF_EXIST };

	return vz_bpf(BPF_MAP_UPDATE_ELEM, &attr);
}

static int attach_all(const struct vz_acct *a, int dir, uint64_t group)
{
	static const struct {
		int fd;
		enum bpf_attach_type type;
	} how[] = {
		/* What frees before what charges: nothing is held for ever. */
		{ VZ_ACCT_FD_SOCK_RELEASE, BPF_CGROUP_INET_SOCK_RELEASE },
		{ VZ_ACCT_FD_SOCK_OPS, BPF_CGROUP_SOCK_OPS },
		{ VZ_ACCT_FD_SOCK_CREATE, BPF_CGROUP_INET_SOCK_CREATE },
		{ VZ_ACCT_FD_INGRESS, BPF_CGROUP_INET_INGRESS },
		{ VZ_ACCT_FD_OPTION_SET, BPF_CGROUP_SETSOCKOPT },
		{ VZ_ACCT_FD_SYSCTL_SET, BPF_CGROUP_SYSCTL },
	};
	int r = 0;

	for (size_t i = 0; i < VZ_ARRAY_SIZE(how) && !r; i++)
		r = attach_to_group(a->fd[how[i].fd], dir, how[i].type);
	/* Of what an older version has pinned there may be no program of groups. */
	if (!r &&
	    (a->fd[VZ_ACCT_FD_SOCK_CREATE] >= 0 || a->fd[VZ_ACCT_FD_OPTION_SET] >= 0))
		r = name_group(a->fd[VZ_ACCT_FD_GROUP_OF], group);
	return r;
}

static bool wants_buffers(const struct vz_acct_command *limits)
{
	return limits->limit[VZ_UBC_OTHERSOCKBUF] < INT64_MAX ||
	       limits->limit[VZ_UBC_DGRAMRCVBUF] < INT64_MAX;
}

/* The programs are to look for it; those for each message begin to, by its limits. */
static int tell(const struct vz_acct *a, const struct vz_acct_command *limits,
		uint64_t group)
{
	struct vz_acct_command begin = { .op = VZ_ACCT_BEGIN, .group = group };
	struct vz_acct_command cmd = *limits;
	int r = vz_acct_command(a, &begin);

	cmd.group = group;
	return r || !wants_buffers(limits) ? r : vz_acct_command(a, &cmd);
}

int vz_acct_begin(const struct vz_acct *a, uint32_t veid, int group_dir,
		  const struct vz_acct_command *limits, uint32_t cgroup1,
		  struct vz_err *err)
{
	struct vz_acct_row row = { .veid = veid, .cgroup1 = cgroup1 };
	union bpf_attr attr = { 0 };
	uint64_t group;
	int r = vz_acct_group(group_dir, &group);

	for (int i = 0; i < VZ_UBC__COUNT; i++) {
		row.c[i].barrier = limits->barrier[i];
		row.c[i].limit = limits->limit[i];
	}
	/* Until they have been counted for the first time. */
	row.c[VZ_UBC_NUMIPTENT].held = row.c[VZ_UBC_NUMIPTENT].maxheld = VZ_ACCT_UNKNOWN;
	attr.map_fd = a->fd[VZ_ACCT_FD_ROWS];
	attr.key = (uintptr_t)&group;
	attr.value = (uintptr_t)&row;
	if (!r)
		r = vz_bpf(BPF_MAP_UPDATE_ELEM, &attr);
	if (!r)
		r = tell(a, limits, group);
	return r ? vz_err_set(err, VZ_E_KERNEL, -r,
			      "can't count what VE %u uses: its counters show `-`", veid)
		 : 0;
}

int vz_acct_attach(const struct vz_ctx *ctx, const struct vz_acct *a, uint32_t veid,
		   int group_dir, struct vz_err *err)
{
	uint64_t group;
	int r = vz_acct_group(group_dir, &group);

	if (!r)
		r = attach_all(a, group_dir, group);
	if (!r && a->fd[VZ_ACCT_FD_RESOURCES] >= 0)
		r = vz_bpffs_show(ctx, KIND, a->fd[VZ_ACCT_FD_RESOURCES], "resources",
				  veid, group_dir);
	return r ? vz_err_set(err, VZ_E_KERNEL, -r, "can't count VE %u's sockets", veid)
		 : 0;
}

/* Read an iterator to its end, for what it does. */
static int run_through(int fd)
{
	char buf[512];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0 || (n < 0 && errno == EAGAIN))
		;
	return n < 0 ? -errno : 0;
}

int vz_acct_learn(const struct vz_acct *a, pid_t init, struct vz_err *err)
{
	union bpf_iter_link_info info = { .task = { .tid = init } };
	vz_autofd int link = vz_bpf_iterator(a->fd[VZ_ACCT_FD_LEARN], &info);
	vz_autofd int fd = -1;
	union bpf_attr attr = { .iter_create = { .link_fd = link } };
	int r = link;

	if (r >= 0)
		r = fd = vz_bpf(BPF_ITER_CREATE, &attr);
	if (r >= 0)
		r = run_through(fd);
	return r ? vz_err_set(err, VZ_E_KERNEL, -r,
			      "can't find where the kernel counts for the VE")
		 : 0;
}

void vz_acct_end(const struct vz_ctx *ctx, uint32_t veid, uint64_t group)
{
	vz_autofd int rows = vz_bpffs_get(ctx, KIND, "rows");
	union bpf_attr attr = { .map_fd = rows, .key = (uintptr_t)&group };

	if (rows >= 0)
		vz_bpf(BPF_MAP_DELETE_ELEM, &attr);
	vz_bpffs_hide(ctx, KIND, "resources", veid);
}

static int run_program(int prog, void *ctx, size_t size)
{
	union bpf_attr attr = {
		.test = { .prog_fd = prog, .ctx_in = (uintptr_t)ctx, .ctx_size_in = size }
	};
	int r = vz_bpf(BPF_PROG_TEST_RUN, &attr);

	return r ? r : (int)attr.test.retval;
}

int vz_acct_command(const struct vz_acct *a, const struct vz_acct_command *cmd)
{
	return run_program(a->fd[VZ_ACCT_FD_COMMAND], (void *)cmd, sizeof(*cmd));
}

/* -- all of them -- */

static int open_pin(const struct vz_ctx *ctx, const char *name)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/bpf/" KIND "/%s", ctx->rundir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int vz_acct_read(const struct vz_ctx *ctx, struct vz_acct_record **ret, size_t *ret_n)
{
	vz_autofd int fd = open_pin(ctx, "dump");
	vz_autofree char *buf = NULL;
	size_t size = 0, used = 0;
	ssize_t n;

	if (fd < 0)
		return fd;
	do {
		if (size - used < 65536) {
			size = size ? size * 2 : 131072;
			char *more = realloc(buf, size);

			if (!more)
				return -ENOMEM;
			buf = more;
		}
		n = read(fd, buf + used, size - used);
		used += n > 0 ? n : 0;
	} while (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)));
	if (n < 0)
		return -errno;
	*ret_n = used / sizeof(**ret);
	*ret = (void *)vz_take(buf);
	return 0;
}

#define FORGET 1024

/* What the walk has seen is of no use any more. */
static void forget_seen(int map)
{
	uint64_t keys[FORGET], token = 0;
	uint32_t values[FORGET];
	union bpf_attr attr = { 0 };
	bool first = true;
	int r;

	do {
		memset(&attr, 0, sizeof(attr));
		attr.batch.map_fd = map;
		attr.batch.keys = (uintptr_t)keys;
		attr.batch.values = (uintptr_t)values;
		attr.batch.in_batch = first ? 0 : (uintptr_t)&token;
		attr.batch.out_batch = (uintptr_t)&token;
		attr.batch.count = FORGET;
		r = vz_bpf(BPF_MAP_LOOKUP_AND_DELETE_BATCH, &attr);
		first = false;
	} while (!r);
}

static int walk(const struct vz_ctx *ctx, const char *name)
{
	vz_autofd int fd = open_pin(ctx, name);

	return fd < 0 ? fd : run_through(fd);
}

int vz_acct_sample(const struct vz_ctx *ctx)
{
	vz_autofd int begin = vz_bpffs_get(ctx, KIND, "sample_begin");
	vz_autofd int end = vz_bpffs_get(ctx, KIND, "sample_end");
	vz_autofd int seen = vz_bpffs_get(ctx, KIND, "seen");
	vz_autofd int lock = -1;
	char path[PATH_MAX];
	int r;

	if (begin < 0 || end < 0 || seen < 0)
		return -ENOENT;
	/* Two at once would add up to twice as much. */
	snprintf(path, sizeof(path), "%s/sample.lock", ctx->rundir);
	lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (lock < 0 || flock(lock, LOCK_EX))
		return -errno;
	r = run_program(begin, NULL, 0);
	if (!r)
		r = walk(ctx, "walk_tasks");
	if (!r)
		r = walk(ctx, "walk_files");
	if (!r)
		r = run_program(end, NULL, 0);
	forget_seen(seen);
	return r;
}
