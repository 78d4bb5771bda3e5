/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/bpffs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/bpf.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"

static int need_mount(const char *dir)
{
	struct statfs fs;

	if (!statfs(dir, &fs) && fs.f_type == BPF_FS_MAGIC)
		return 0;
	return mount("bpf", dir, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=700")
		       ? -errno
		       : 0;
}

int vz_bpffs_lock(const struct vz_ctx *ctx, const char *kind, char *ret_dir, size_t size,
		  int *ret_lock, struct vz_err *err)
{
	char dir[PATH_MAX], lock[PATH_MAX];
	vz_autofd int fd = -1;
	int r;

	snprintf(dir, sizeof(dir), "%s/bpf", ctx->rundir);
	snprintf(lock, sizeof(lock), "%s/bpf.lock", ctx->rundir);
	r = vz_mkdir_p(dir, 0700);
	if (!r)
		fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (!r && (fd < 0 || flock(fd, LOCK_EX)))
		r = -errno;
	if (r)
		return vz_err_set(err, VZ_E_SYSTEM, -r, "can't make %s", dir);
	r = need_mount(dir);
	if (r)
		return vz_err_set(err, VZ_E_KERNEL, -r, "can't mount a bpffs on %s", dir);
	snprintf(ret_dir, size, "%s/bpf/%s", ctx->rundir, kind);
	if (mkdir(ret_dir, 0700) && errno != EEXIST)
		return vz_err_set(err, VZ_E_KERNEL, errno, "can't make %s", ret_dir);
	*ret_lock = vz_take_fd(&fd);
	return 0;
}

int vz_bpf(int cmd, union bpf_attr *attr)
{
	int r = syscall(SYS_bpf, cmd, attr, sizeof(*attr));

	return r < 0 ? -errno : r;
}

int vz_bpffs_get(const struct vz_ctx *ctx, const char *kind, const char *name)
{
	union bpf_attr attr = { 0 };
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/bpf/%s/%s", ctx->rundir, kind, name);
	attr.pathname = (uintptr_t)path;
	return vz_bpf(BPF_OBJ_GET, &attr);
}

int vz_bpffs_pin(const char *dir, const char *name, int fd)
{
	union bpf_attr attr = { 0 };
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	/* Of one that was killed before its seal. */
	unlink(path);
	attr.pathname = (uintptr_t)path;
	attr.bpf_fd = fd;
	return vz_bpf(BPF_OBJ_PIN, &attr);
}

int vz_bpf_iterator(int prog, union bpf_iter_link_info *info)
{
	union bpf_attr attr = { .link_create = { .prog_fd = prog,
						 .attach_type = BPF_TRACE_ITER,
						 .iter_info = (uintptr_t)info,
						 .iter_info_len = sizeof(*info) } };

	return vz_bpf(BPF_LINK_CREATE, &attr);
}

static void pin_path(const struct vz_ctx *ctx, const char *kind, const char *name,
		     uint32_t veid, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/bpf/%s/%s-%u", ctx->rundir, kind, name, veid);
}

int vz_bpffs_show(const struct vz_ctx *ctx, const char *kind, int prog, const char *name,
		  uint32_t veid, int group_dir)
{
	union bpf_iter_link_info info = { .cgroup = { .order = BPF_CGROUP_ITER_SELF_ONLY,
						      .cgroup_fd = group_dir } };
	vz_autofd int link = vz_bpf_iterator(prog, &info);
	char path[PATH_MAX], at[PATH_MAX];
	union bpf_attr attr = { 0 };
	int r;

	if (link < 0)
		return link;
	pin_path(ctx, kind, name, veid, path);
	unlink(path);
	attr.pathname = (uintptr_t)path;
	attr.bpf_fd = link;
	r = vz_bpf(BPF_OBJ_PIN, &attr);
	snprintf(at, sizeof(at), "%s/proc/bc/%u", ctx->rundir, veid);
	if (!r)
		r = vz_mkdir_p(at, 0755);
	snprintf(at, sizeof(at), "%s/proc/bc/%u/%s", ctx->rundir, veid, name);
	if (!r && symlink(path, at) && errno != EEXIST)
		r = -errno;
	return r;
}

void vz_bpffs_hide(const struct vz_ctx *ctx, const char *kind, const char *name,
		   uint32_t veid)
{
	char path[PATH_MAX];

	pin_path(ctx, kind, name, veid, path);
	unlink(path);
	snprintf(path, sizeof(path), "%s/proc/bc/%u/%s", ctx->rundir, veid, name);
	unlink(path);
	snprintf(path, sizeof(path), "%s/proc/bc/%u", ctx->rundir, veid);
	rmdir(path);
}
