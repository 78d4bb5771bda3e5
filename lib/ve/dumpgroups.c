/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/dumpgroups.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/fs.h"
#include "ve/dumpdir.h"

#define FILE_NAME "groups"
/* A VE that has more of them, or deeper, has not got them by any init. */
#define GROUPS_MAX 20000
#define DEPTH_MAX 64

/* Hierarchies in which a VE makes groups. */
static const struct {
	const char *name;
	enum vz_cg_ctrl ctrl;
} trees[] = { { "unified", VZ_CG_UNIFIED }, { "systemd", VZ_CG_SYSTEMD } };

/* What inits set; the rest is as a new group has it. */
static const char *const values[] = {
	"cpu.weight",	    "cpu.max",	   "cpu.idle",	      "memory.min", "memory.low",
	"memory.high",	    "memory.max",  "memory.swap.max", "pids.max",   "io.weight",
	"memory.oom.group", "cpuset.cpus", "cpuset.mems",
};

static int open_tree(const struct vz_cg *cg, enum vz_cg_ctrl ctrl)
{
	char path[PATH_MAX];
	int r = vz_cg_path(cg, ctrl, NULL, path, sizeof(path)), fd;

	if (r)
		return r;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* -- save -- */

struct saver {
	struct vz_str out;
	size_t n;
	bool too_many;
};

static void save_values(struct saver *s, int dir, const char *path)
{
	char value[512];

	if (!vz_read_small(dir, "cgroup.subtree_control", value, sizeof(value)) && *value)
		vz_str_addf(&s->out, "S %s:%s\n", value, path);
	/* The VE's own group has the host's limits. */
	for (size_t i = 0; *path && i < VZ_ARRAY_SIZE(values); i++)
		if (!vz_read_small(dir, values[i], value, sizeof(value)) && *value &&
		    !strpbrk(value, ":\n"))
			vz_str_addf(&s->out, "V %s %s:%s\n", values[i], value, path);
}

/* dir is closed. */
static void save_group(struct saver *s, int dir, const char *path, int depth)
{
	vz_autodir DIR *d = fdopendir(dir);
	struct dirent *e;
	struct stat st;

	if (!d || fstat(dir, &st)) {
		if (!d)
			close(dir);
		return;
	}
	if (++s->n > GROUPS_MAX || depth > DEPTH_MAX) {
		s->too_many = true;
		return;
	}
	vz_str_addf(&s->out, "D %o %u %u %s\n", st.st_mode & 07777, st.st_uid, st.st_gid,
		    path);
	save_values(s, dir, path);
	while ((e = readdir(d)) && !s->too_many) {
		vz_autofree char *below = NULL;
		int fd;

		if (e->d_type != DT_DIR || !strcmp(e->d_name, ".") ||
		    !strcmp(e->d_name, ".."))
			continue;
		fd = openat(dir, e->d_name,
			    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		below = vz_strf("%s%s%s", path, *path ? "/" : "", e->d_name);
		if (fd >= 0 && below)
			save_group(s, fd, below, depth + 1);
		else if (fd >= 0)
			close(fd);
	}
}

int vz_dumpgroups_save(const struct vz_cg *cg, int dir, struct vz_err *err)
{
	struct saver s = { 0 };
	int r = 0;

	for (size_t i = 0; i < VZ_ARRAY_SIZE(trees); i++) {
		int fd = open_tree(cg, trees[i].ctrl);

		if (fd < 0)
			continue;
		vz_str_addf(&s.out, "T %s\n", trees[i].name);
		save_group(&s, fd, "", 0);
	}
	if (s.too_many)
		r = vz_err_set(err, VZ_E_CHECKPOINT, 0,
			       "the VE has more than %d control groups, or deeper ones "
			       "than %d",
			       GROUPS_MAX, DEPTH_MAX);
	else
		r = vz_dumpdir_write(dir, FILE_NAME, &s.out, err);
	vz_str_done(&s.out);
	return r;
}

/* -- make them again -- */

struct maker {
	int tree; /* the VE's group in the hierarchy that the lines are of; -1 */
	const struct vz_cg *cg;
	char kind; /* of the lines that count: 'D', or the others */
};

/* A group below the VE's own, whatever path says. */
static int open_below(int tree, const char *path)
{
	struct open_how how = { .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
					   RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV };
	int fd = (int)syscall(SYS_openat2, tree, *path ? path : ".", &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

/* Each file of a group that the VE's root has made is his. */
static int chown_files(int dir, uid_t uid, gid_t gid)
{
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	vz_autodir DIR *d = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (e->d_type == DT_REG &&
		    fchownat(dir, e->d_name, uid, gid, AT_SYMLINK_NOFOLLOW))
			return -errno;
	return d ? 0 : -errno;
}

static int make_group(struct maker *m, const char *line)
{
	unsigned int mode, uid, gid;
	vz_autofree char *up = NULL;
	vz_autofd int dir = -1, parent = -1;
	const char *path, *name;
	int n = 0;

	if (sscanf(line, "%o %u %u %n", &mode, &uid, &gid, &n) != 3 || !n)
		return -EBADMSG;
	path = line + n;
	if (!*path)
		return 0; /* the VE's own, which is there */
	name = strrchr(path, '/');
	up = name ? strndup(path, name - path) : strdup("");
	name = name ? name + 1 : path;
	parent = up ? open_below(m->tree, up) : -ENOMEM;
	if (parent < 0)
		return parent;
	if (mkdirat(parent, name, mode & 0777) && errno != EEXIST)
		return -errno;
	dir = open_below(parent, name);
	if (dir < 0)
		return dir;
	if (fchown(dir, uid, gid) || fchmod(dir, mode & 0777))
		return -errno;
	return uid ? chown_files(dir, uid, gid) : 0;
}

static int hand_down(struct maker *m, char *line)
{
	char *path = strchr(line, ':'), *at, *word;
	vz_autofd int dir = -1;
	int r = 0;

	if (!path)
		return -EBADMSG;
	*path++ = 0;
	dir = open_below(m->tree, path);
	for (word = strtok_r(line, " ", &at); word && dir >= 0 && !r;
	     word = strtok_r(NULL, " ", &at)) {
		char plus[64];

		snprintf(plus, sizeof(plus), "+%s", word);
		r = vz_write_small(dir, "cgroup.subtree_control", plus);
	}
	return dir < 0 ? dir : r;
}

/* A value that this host does not take is none to lose a VE for. */
static int set_value(struct maker *m, char *line)
{
	char *path = strchr(line, ':'), *value = strchr(line, ' ');
	vz_autofd int dir = -1;

	if (!path || !value || value > path)
		return -EBADMSG;
	*path++ = 0;
	*value++ = 0;
	dir = open_below(m->tree, path);
	if (dir < 0)
		return 0;
	for (size_t i = 0; i < VZ_ARRAY_SIZE(values); i++)
		if (!strcmp(values[i], line))
			vz_write_small(dir, line, value);
	return 0;
}

static void change_tree(struct maker *m, const char *name)
{
	if (m->tree >= 0)
		close(m->tree);
	m->tree = -1;
	for (size_t i = 0; i < VZ_ARRAY_SIZE(trees); i++)
		if (!strcmp(trees[i].name, name))
			m->tree = open_tree(m->cg, trees[i].ctrl);
}

static int do_line(struct maker *m, char *line)
{
	if (strlen(line) < 2)
		return 0;
	if (*line == 'T')
		change_tree(m, line + 2);
	if (m->tree < 0 || *line == 'T' || (*line == 'D') != (m->kind == 'D'))
		return 0;
	return *line == 'D'   ? make_group(m, line + 2)
	       : *line == 'S' ? hand_down(m, line + 2)
	       : *line == 'V' ? set_value(m, line + 2)
			      : -EBADMSG;
}

static int do_lines(const struct vz_cg *cg, int dir, char kind, struct vz_err *err)
{
	struct maker m = { .tree = -1, .cg = cg, .kind = kind };
	vz_autofree char *text = NULL, *shown = NULL;
	char *at, *line;
	int r = vz_dumpdir_read(dir, FILE_NAME, &text, err);

	if (r)
		return r;
	for (line = strtok_r(text, "\n", &at); line && !r;
	     line = strtok_r(NULL, "\n", &at)) {
		free(shown);
		shown = strdup(line);
		r = do_line(&m, line);
	}
	if (m.tree >= 0)
		close(m.tree);
	return r ? vz_err_set(err, VZ_E_RESTORE, -r,
			      "can't make the VE's control group again ('%s')",
			      shown ?: "")
		 : 0;
}

int vz_dumpgroups_make(const struct vz_cg *cg, int dir, struct vz_err *err)
{
	return do_lines(cg, dir, 'D', err);
}

int vz_dumpgroups_finish(const struct vz_cg *cg, int dir, struct vz_err *err)
{
	return do_lines(cg, dir, 'S', err);
}
