/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/num.h"

/* Names of the controllers: of v1 directories, and in cgroup.controllers. */
static const struct {
	const char *v1, *v2;
} names[] = {
	[VZ_CG_CPU] = { "cpu", "cpu" },
	[VZ_CG_CPUACCT] = { "cpuacct", NULL },
	[VZ_CG_CPUSET] = { "cpuset", "cpuset" },
	[VZ_CG_MEMORY] = { "memory", "memory" },
	[VZ_CG_PIDS] = { "pids", "pids" },
	[VZ_CG_BLKIO] = { "blkio", "io" },
	[VZ_CG_DEVICES] = { "devices", NULL },
	[VZ_CG_FREEZER] = { "freezer", NULL },
	[VZ_CG_HUGETLB] = { "hugetlb", "hugetlb" },
	[VZ_CG_SYSTEMD] = { "systemd", NULL },
	[VZ_CG_UNIFIED] = { NULL, NULL },
};
_Static_assert(VZ_ARRAY_SIZE(names) == VZ_CG__COUNT, "a name for each controller");

static bool exists(const char *dir, const char *sub, const char *file)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s/%s", dir, sub, file);
	return !access(path, F_OK);
}

static void probe_v1(const char *top, struct vz_cg_host *h)
{
	for (int c = 0; c < VZ_CG__COUNT; c++)
		if (names[c].v1 && exists(top, names[c].v1, "tasks"))
			snprintf(h->v1[c], sizeof(h->v1[c]), "%s/%s", top, names[c].v1);
	if (exists(top, "unified", "cgroup.controllers"))
		snprintf(h->unified, sizeof(h->unified), "%s/unified", top);
}

static int probe_v2(struct vz_cg_host *h)
{
	char path[96], list[256], *save, *word;
	int r;

	snprintf(path, sizeof(path), "%s/cgroup.controllers", h->unified);
	r = vz_read_small(AT_FDCWD, path, list, sizeof(list));
	if (r)
		return r;
	for (word = strtok_r(list, " ", &save); word; word = strtok_r(NULL, " ", &save))
		for (int c = 0; c < VZ_CG__COUNT; c++)
			if (names[c].v2 && !strcmp(names[c].v2, word))
				h->v2_controllers |= 1u << c;
	return 0;
}

int vz_cg_probe(const struct vz_ctx *ctx, struct vz_cg_host *ret, struct vz_err *err)
{
	const char *top = ctx->cgroupdir;
	struct vz_cg_host h = { 0 };
	bool any = false;
	int r = 0;

	if (strlen(top) + sizeof("/unified") > sizeof(h.unified))
		return vz_err_set(err, VZ_E_SYSTEM, ENAMETOOLONG, "%s", top);
	if (exists(top, ".", "cgroup.controllers"))
		snprintf(h.unified, sizeof(h.unified), "%s", top);
	else
		probe_v1(top, &h);
	if (*h.unified)
		r = probe_v2(&h);
	if (r)
		return vz_err_set(err, VZ_E_SYSTEM, -r,
				  "can't read %s/cgroup.controllers", h.unified);
	for (int c = 0; c < VZ_CG__COUNT; c++)
		any |= *h.v1[c];
	if (!any && !*h.unified)
		return vz_err_set(err, VZ_E_KERNEL, ENOENT,
				  "no control groups on %s: mount cgroup2 there", top);
	*ret = h;
	return 0;
}

const char *vz_cg_mount(const struct vz_cg_host *host, enum vz_cg_ctrl ctrl)
{
	if (*host->v1[ctrl])
		return host->v1[ctrl];
	return vz_cg_is_v2(host, ctrl) ? host->unified : NULL;
}

bool vz_cg_is_v2(const struct vz_cg_host *host, enum vz_cg_ctrl ctrl)
{
	if (*host->v1[ctrl] || !*host->unified)
		return false;
	/* Part of every cgroup2 group, with and without controllers. */
	if (ctrl == VZ_CG_UNIFIED || ctrl == VZ_CG_FREEZER || ctrl == VZ_CG_CPUACCT)
		return true;
	return host->v2_controllers & 1u << ctrl;
}

int vz_cg_path(const struct vz_cg *cg, enum vz_cg_ctrl ctrl, const char *file, char *buf,
	       size_t size)
{
	const char *mount = vz_cg_mount(cg->host, ctrl);
	int n;

	if (!mount)
		return -ENOENT;
	n = snprintf(buf, size, "%s/%s%s%s", mount, cg->name, file ? "/" : "",
		     file ? file : "");
	return (size_t)n < size ? 0 : -ENAMETOOLONG;
}

int vz_cg_read(const struct vz_cg *cg, enum vz_cg_ctrl ctrl, const char *file, char *buf,
	       size_t size)
{
	char path[256];
	int r = vz_cg_path(cg, ctrl, file, path, sizeof(path));

	return r ? r : vz_read_small(AT_FDCWD, path, buf, size);
}

int vz_cg_read_u64(const struct vz_cg *cg, enum vz_cg_ctrl ctrl, const char *file,
		   uint64_t *ret)
{
	char buf[32];
	int r = vz_cg_read(cg, ctrl, file, buf, sizeof(buf));

	if (r)
		return r;
	if (!strcmp(buf, "max")) {
		*ret = VZ_UNLIMITED;
		return 0;
	}
	return vz_parse_u64(buf, UINT64_MAX, ret);
}

int vz_cg_write(const struct vz_cg *cg, enum vz_cg_ctrl ctrl, const char *file,
		const char *value, struct vz_err *err)
{
	char path[256];
	int r = vz_cg_path(cg, ctrl, file, path, sizeof(path));

	if (!r)
		r = vz_write_small(AT_FDCWD, path, value);
	else
		snprintf(path, sizeof(path), "%s of %s", file, cg->name);
	return r ? vz_err_set(err, VZ_E_SYSTEM, -r, "can't write '%s' to %s", value, path)
		 : 0;
}

void vz_cg_values_add(struct vz_cg_values *l, const struct vz_cg_value *proto,
		      const char *fmt, ...)
{
	struct vz_cg_value *v = realloc(l->v, (l->n + 1) * sizeof(*v));
	va_list ap;

	if (!v) {
		l->failed = true;
		return;
	}
	l->v = v;
	v[l->n] = *proto;
	va_start(ap, fmt);
	if (vasprintf(&v[l->n].value, fmt, ap) < 0)
		l->failed = true;
	else
		l->n++;
	va_end(ap);
}

void vz_cg_values_done(struct vz_cg_values *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i].value);
	free(l->v);
	*l = (struct vz_cg_values){ 0 };
}

static int entry_error(const struct vz_cg *cg, const char *path, int errnum,
		       struct vz_err *err)
{
	return vz_err_set(err, VZ_E_ENV, errnum, "can't open the group %s of %s", path,
			  cg->name);
}

/* Controllers that share a mount (cpu,cpuacct) are entered once. */
static bool is_first_of_mount(const struct vz_cg_host *host, int ctrl)
{
	struct stat a, b;

	if (ctrl != VZ_CG_CPUACCT || !*host->v1[VZ_CG_CPU])
		return true;
	return stat(host->v1[VZ_CG_CPU], &a) || stat(host->v1[VZ_CG_CPUACCT], &b) ||
	       a.st_dev != b.st_dev || a.st_ino != b.st_ino;
}

static int open_v1(const struct vz_cg *cg, uint32_t which, bool exec,
		   struct vz_cg_entry *e, struct vz_err *err)
{
	char path[256];

	for (int c = 0; c < VZ_CG__COUNT; c++) {
		if (!(which & 1u << c) || !*cg->host->v1[c] ||
		    !is_first_of_mount(cg->host, c))
			continue;
		vz_cg_path(cg, c, "tasks", path, sizeof(path));
		e->fd[c] = open(path, O_WRONLY | O_CLOEXEC);
		/* A controller mounted after the VE's start has no group of it. */
		if (e->fd[c] < 0 && !(exec && errno == ENOENT))
			return entry_error(cg, path, errno, err);
	}
	return 0;
}

static int open_v2(const struct vz_cg *cg, const char *leaf, struct vz_cg_entry *e,
		   struct vz_err *err)
{
	char path[256];

	if (!*cg->host->unified)
		return 0;
	vz_cg_path(cg, VZ_CG_UNIFIED, leaf, path, sizeof(path));
	e->v2_dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return e->v2_dir < 0 ? entry_error(cg, path, errno, err) : 0;
}

static int entry_open(const struct vz_cg *cg, uint32_t which, bool exec, const char *leaf,
		      struct vz_cg_entry *ret, struct vz_err *err)
{
	struct vz_cg_entry e = { .v2_dir = -1 };
	int r;

	for (int c = 0; c < VZ_CG__COUNT; c++)
		e.fd[c] = -1;
	r = open_v1(cg, which, exec, &e, err);
	if (!r && which & 1u << VZ_CG_UNIFIED)
		r = open_v2(cg, leaf, &e, err);
	if (r)
		vz_cg_entry_close(&e);
	else
		*ret = e;
	return r;
}

int vz_cg_entry_open(const struct vz_cg *cg, uint32_t which, struct vz_cg_entry *ret,
		     struct vz_err *err)
{
	return entry_open(cg, which, false, NULL, ret, err);
}

/*
 * The leaf belongs to the VE, which may fill it with groups of its own or
 * remove it: nothing here trusts it beyond its being below the VE's group.
 */
static int make_leaf(const struct vz_cg *cg, uid_t uid, gid_t gid, struct vz_err *err)
{
	static const char *const owned[] = { "", "cgroup.procs", "cgroup.threads",
					     "cgroup.subtree_control" };
	vz_autofd int fd = -1;
	char path[256];

	vz_cg_path(cg, VZ_CG_UNIFIED, "exec", path, sizeof(path));
	if (mkdir(path, 0755))
		return errno == EEXIST ? 0 : entry_error(cg, path, errno, err);
	fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return entry_error(cg, path, errno, err);
	for (size_t i = 0; i < VZ_ARRAY_SIZE(owned); i++)
		if (fchownat(fd, owned[i], uid, gid, AT_EMPTY_PATH) && errno != ENOENT)
			return entry_error(cg, path, errno, err);
	return 0;
}

int vz_cg_entry_open_exec(const struct vz_cg *cg, uid_t uid, gid_t gid,
			  struct vz_cg_entry *ret, struct vz_err *err)
{
	/* hugetlb alone is what a hybrid host may have here; we don't pass it on. */
	bool leaf = cg->host->v2_controllers & ~(1u << VZ_CG_HUGETLB);
	int r = leaf ? make_leaf(cg, uid, gid, err) : 0;

	return r ? r : entry_open(cg, ~0u, true, leaf ? "exec" : NULL, ret, err);
}

int vz_cg_enter(const struct vz_cg_entry *e)
{
	for (int c = 0; c < VZ_CG__COUNT; c++)
		if (e->fd[c] >= 0 && write(e->fd[c], "0", 1) != 1)
			return -errno;
	return 0;
}

void vz_cg_entry_close(struct vz_cg_entry *e)
{
	for (int c = 0; c < VZ_CG__COUNT; c++) {
		if (e->fd[c] >= 0)
			close(e->fd[c]);
		e->fd[c] = -1;
	}
	if (e->v2_dir >= 0)
		close(e->v2_dir);
	e->v2_dir = -1;
}
