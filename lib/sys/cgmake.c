/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Groups are made and values set through libcgroup, with these exceptions
 * (libcgroup 2.0.2):
 *  - it asks cgroup.controllers and writes cgroup.subtree_control anew at each
 *    level for each controller: here all controllers go in one write a level;
 *  - it gives every file of a group to one owner; delegation is three files;
 *  - it does not know of a cgroup2 group without controllers;
 *  - a failed value is reported without the file's name: see create_v1().
 */
#include <errno.h>
#include <fcntl.h>
#include <libcgroup.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "sys/cgroup.h"

/* Names by which libcgroup knows the controllers, and for subtree_control. */
static const struct {
	const char *v1, *v2;
} names[VZ_CG__COUNT] = {
	[VZ_CG_CPU] = { "cpu", "cpu" },		 [VZ_CG_CPUACCT] = { "cpuacct", NULL },
	[VZ_CG_CPUSET] = { "cpuset", "cpuset" }, [VZ_CG_MEMORY] = { "memory", "memory" },
	[VZ_CG_PIDS] = { "pids", "pids" },	 [VZ_CG_BLKIO] = { "blkio", "io" },
	[VZ_CG_DEVICES] = { "devices", NULL },	 [VZ_CG_FREEZER] = { "freezer", NULL },
};

static const char *lib_name(const struct vz_cg *cg, enum vz_cg_ctrl ctrl)
{
	return vz_cg_is_v2(cg->host, ctrl) ? names[ctrl].v2 : names[ctrl].v1;
}

static void free_group(struct cgroup **g)
{
	cgroup_free(g);
}

/* libcgroup's numbers as errno. */
static int lib_errno(int r)
{
	switch (r) {
	case ECGOTHER:
		return cgroup_get_last_errno() ? cgroup_get_last_errno() : EIO;
	case ECGROUPVALUENOTEXIST:
	case ECGROUPNOTEXIST:
	case ECGROUPSUBSYSNOTMOUNTED:
		return ENOENT;
	case ECGROUPNOTALLOWED:
		return EPERM;
	default:
		return EIO;
	}
}

/*
 * Run a call of libcgroup, which reads the mount table when it is first asked
 * for something; it costs half a millisecond, so not before.
 */
static int lib_call(int (*call)(struct cgroup *), struct cgroup *g)
{
	int r = call(g);

	if (r == ECGROUPNOTINITIALIZED) {
		r = cgroup_init();
		if (!r)
			r = call(g);
	}
	return r ? -lib_errno(r) : 0;
}

static int lib_modify(struct cgroup *g)
{
	return cgroup_modify_cgroup(g);
}

static int add_value(const struct vz_cg *cg, struct cgroup *g,
		     const struct vz_cg_value *v)
{
	const char *name = lib_name(cg, v->ctrl);
	struct cgroup_controller *c;

	if (!name || !vz_cg_mount(cg->host, v->ctrl))
		return -ENOENT;
	c = cgroup_get_controller(g, name);
	if (!c)
		c = cgroup_add_controller(g, name);
	return c && !cgroup_add_value_string(c, v->file, v->value) ? 0 : -ENOMEM;
}

static int set_error(const struct vz_cg *cg, const struct vz_cg_value *v, int r,
		     struct vz_err *err)
{
	char path[256];

	if (vz_cg_path(cg, v->ctrl, v->file, path, sizeof(path)))
		return vz_err_set(err, v->status, ENOENT,
				  "%s can't be set: this host has no controller for it",
				  v->file);
	return vz_err_set(err, v->status, -r, "can't write '%s' to %s", v->value, path);
}

static bool has_file(const struct vz_cg *cg, const struct vz_cg_value *v)
{
	char path[256];

	return !vz_cg_path(cg, v->ctrl, v->file, path, sizeof(path)) &&
	       !access(path, F_OK);
}

/*
 * An empty list means all that the level above has. v2 says so itself, but in
 * an empty line, which libcgroup leaves out; v1 needs the list.
 */
static int set_to_parents(const struct vz_cg *cg, const struct vz_cg_value *v,
			  struct vz_err *err)
{
	struct vz_cg parent = *cg;
	char list[512], *slash = strrchr(parent.name, '/');
	int r;

	if (vz_cg_is_v2(cg->host, v->ctrl))
		return vz_cg_write(cg, v->ctrl, v->file, "\n", err);
	if (slash)
		*slash = 0;
	r = vz_cg_read(&parent, v->ctrl, v->file, list, sizeof(list));
	return r ? set_error(cg, v, r, err)
		 : vz_cg_write(cg, v->ctrl, v->file, list, err);
}

static int set_one(const struct vz_cg *cg, const struct vz_cg_value *v,
		   struct vz_err *err)
{
	VZ_CLEANUP(free_group) struct cgroup *g = NULL;
	int r;

	if (v->optional && !has_file(cg, v))
		return 0;
	if (!*v->value)
		return set_to_parents(cg, v, err);
	g = cgroup_new_cgroup(cg->name);
	r = g ? add_value(cg, g, v) : -ENOMEM;
	if (!r)
		r = lib_call(lib_modify, g);
	return r ? set_error(cg, v, r, err) : 0;
}

int vz_cg_set(const struct vz_cg *cg, const struct vz_cg_values *values,
	      struct vz_err *err)
{
	int r = 0;

	if (values->failed)
		return vz_err_set(err, VZ_E_SYSTEM, ENOMEM, "the groups %s", cg->name);
	for (size_t i = 0; i < values->n && !r; i++)
		r = set_one(cg, &values->v[i], err);
	return r;
}

/*
 * A cpuset group of v1 begins empty and takes no process: fill each level
 * above the VE from the one above it.
 */
static int fill_cpuset(int parent, int dir)
{
	static const char *const files[] = { "cpuset.cpus", "cpuset.mems" };
	char have[512], want[512];
	int r = 0;

	for (size_t i = 0; i < VZ_ARRAY_SIZE(files) && !r; i++) {
		r = vz_read_small(dir, files[i], have, sizeof(have));
		if (r || *have)
			continue;
		r = vz_read_small(parent, files[i], want, sizeof(want));
		if (!r)
			r = vz_write_small(dir, files[i], want);
	}
	return r;
}

static bool has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = list; (at = strstr(at, word)); at += len)
		if ((at == list || at[-1] == ' ') && (!at[len] || at[len] == ' '))
			return true;
	return false;
}

/* Let the groups below dir have the controllers that limits need. */
static int enable_controllers(const struct vz_cg_host *host, int dir)
{
	char now[256], want[128] = "";
	size_t len = 0;
	int r = vz_read_small(dir, "cgroup.subtree_control", now, sizeof(now));

	if (r)
		return r;
	for (int c = 0; c < VZ_CG__COUNT; c++)
		if (names[c].v2 && vz_cg_is_v2(host, c) && !has_word(now, names[c].v2))
			len += snprintf(want + len, sizeof(want) - len, "%s+%s",
					len ? " " : "", names[c].v2);
	return len ? vz_write_small(dir, "cgroup.subtree_control", want) : 0;
}

/* Make and open `name` in dir. */
static int make_dir(int dir, const char *name)
{
	int fd;

	if (mkdirat(dir, name, 0755) && errno != EEXIST)
		return -errno;
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/*
 * Walk from a mount to the group, making what is missing and what each level
 * must hand down to the next. Returns the group's fd, or -errno.
 */
static int walk(const struct vz_cg *cg, enum vz_cg_ctrl ctrl)
{
	bool v2 = vz_cg_is_v2(cg->host, ctrl);
	int dir = open(vz_cg_mount(cg->host, ctrl), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char name[sizeof(cg->name)], *save, *word;
	int r = dir < 0 ? -errno : 0;

	snprintf(name, sizeof(name), "%s", cg->name);
	word = strtok_r(name, "/", &save);
	while (!r && word) {
		int below;

		if (v2)
			r = enable_controllers(cg->host, dir);
		below = r ? -1 : make_dir(dir, word);
		if (!r && below < 0)
			r = below;
		if (!r && ctrl == VZ_CG_CPUSET && !v2)
			r = fill_cpuset(dir, below);
		close(dir);
		dir = below;
		word = strtok_r(NULL, "/", &save);
	}
	if (r && dir >= 0)
		close(dir);
	return r ? r : dir;
}

/* The documented delegation: the directory and what moves processes below it. */
static int delegate(int dir, bool v2, uid_t uid, gid_t gid)
{
	static const char *const v1_files[] = { "cgroup.procs", "tasks", NULL };
	static const char *const v2_files[] = { "cgroup.procs", "cgroup.threads",
						"cgroup.subtree_control", NULL };
	const char *const *f = v2 ? v2_files : v1_files;

	if (fchown(dir, uid, gid))
		return -errno;
	for (; *f; f++)
		if (fchownat(dir, *f, uid, gid, AT_SYMLINK_NOFOLLOW))
			return -errno;
	return 0;
}

static int make_delegated(const struct vz_cg *cg, enum vz_cg_ctrl ctrl, uid_t uid,
			  gid_t gid, struct vz_err *err)
{
	vz_autofd int dir = -1;
	int r;

	if (!vz_cg_mount(cg->host, ctrl))
		return 0;
	dir = walk(cg, ctrl);
	r = dir < 0 ? dir : delegate(dir, ctrl == VZ_CG_UNIFIED, uid, gid);
	return r ? vz_err_set(err, VZ_E_ENV, -r, "can't make the group %s/%s",
			      vz_cg_mount(cg->host, ctrl), cg->name)
		 : 0;
}

/* A file of device rules takes one a write. */
static int write_lines(const struct vz_cg *cg, const struct vz_cg_value *v)
{
	vz_autofree char *copy = strdup(v->value);
	char *save, *line = copy ? strtok_r(copy, "\n", &save) : NULL;
	int r = copy ? 0 : -ENOMEM;

	for (; !r && line; line = strtok_r(NULL, "\n", &save))
		r = vz_cg_write(cg, v->ctrl, v->file, line, NULL);
	return r;
}

/*
 * Of new groups, without libcgroup: that reads the mount table and makes each
 * level of the path anew for every controller and value, at every start.
 * `which`: bits 1 << VZ_CG_….
 */
static int create_v1(const struct vz_cg *cg, uint32_t which,
		     const struct vz_cg_values *values, struct vz_err *err)
{
	int r = 0;

	for (int c = 0; c < VZ_CG__COUNT; c++) {
		int dir;

		if (!(which & 1u << c) || !names[c].v1 || !*cg->host->v1[c])
			continue;
		dir = walk(cg, c);
		if (dir < 0)
			return vz_err_set(err, VZ_E_ENV, -dir,
					  "can't make the group %s/%s", cg->host->v1[c],
					  cg->name);
		close(dir);
	}
	for (size_t i = 0; i < values->n && !r; i++) {
		const struct vz_cg_value *v = &values->v[i];

		if (!(which & 1u << v->ctrl) || !*v->value ||
		    (v->optional && !has_file(cg, v)))
			continue;
		r = write_lines(cg, v);
		if (r)
			set_error(cg, v, r, err);
	}
	return r;
}

static bool has_v1(const struct vz_cg_host *host)
{
	for (int c = 0; c < VZ_CG__COUNT; c++)
		if (names[c].v1 && *host->v1[c])
			return true;
	return false;
}

int vz_cg_create_home(struct vz_cg *cg, const struct vz_cg_values *values, uid_t uid,
		      gid_t gid, struct vz_err *err)
{
	int r;

	if (values->failed)
		return vz_err_set(err, VZ_E_SYSTEM, ENOMEM, "the groups %s", cg->name);
	r = make_delegated(cg, VZ_CG_UNIFIED, uid, gid, err);
	if (!r)
		r = has_v1(cg->host) ? create_v1(cg, VZ_CG_HOME, values, err)
				     : vz_cg_set(cg, values, err);
	if (r)
		vz_cg_remove(cg, NULL);
	return r;
}

int vz_cg_create_rest(struct vz_cg *cg, const struct vz_cg_values *values, uid_t uid,
		      gid_t gid, struct vz_err *err)
{
	int r = make_delegated(cg, VZ_CG_SYSTEMD, uid, gid, err);

	return !r && has_v1(cg->host) ? create_v1(cg, VZ_CG_REST, values, err) : r;
}

int vz_cg_create_parent(const struct vz_cg *cg, struct vz_err *err)
{
	for (int c = 0; c < VZ_CG__COUNT; c++) {
		int dir;

		/* A cgroup2 controller's group is the group of VZ_CG_UNIFIED. */
		if (!vz_cg_mount(cg->host, c) ||
		    (c != VZ_CG_UNIFIED && !*cg->host->v1[c]))
			continue;
		dir = walk(cg, c);
		if (dir < 0)
			return vz_err_set(err, VZ_E_ENV, -dir,
					  "can't make the group %s/%s",
					  vz_cg_mount(cg->host, c), cg->name);
		close(dir);
	}
	return 0;
}

int vz_cg_create_plain(const struct vz_cg *cg, struct vz_err *err)
{
	static const enum vz_cg_ctrl where[] = { VZ_CG_UNIFIED, VZ_CG_SYSTEMD };

	for (size_t i = 0; i < VZ_ARRAY_SIZE(where); i++) {
		int dir;

		if (!vz_cg_mount(cg->host, where[i]))
			continue;
		dir = walk(cg, where[i]);
		if (dir < 0)
			return vz_err_set(err, VZ_E_ENV, -dir,
					  "can't make the group %s/%s",
					  vz_cg_mount(cg->host, where[i]), cg->name);
		close(dir);
	}
	return 0;
}
