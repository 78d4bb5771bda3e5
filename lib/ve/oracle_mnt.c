/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mounts of all the mount namespaces that the VE's processes are in. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/root.h"
#include "ve/dumpmounts.h"
#include "ve/oracle_priv.h"

#define MOUNTINFO_MAX (16 << 20)

static int add_mount(struct oracle *o, const struct vz_mount_line *l, int space)
{
	struct oracle_mount *m;

	if (o->n_mounts == ORACLE_MOUNTS)
		return -E2BIG;
	m = &o->mounts[o->n_mounts];
	*m = (struct oracle_mount){
		.space = space,
		.id = l->id,
		.parent = l->parent,
		.major = l->major,
		.minor = l->minor,
		.master = l->master,
		.shared = l->shared,
		.root = strdup(l->root),
		.point = strdup(l->point),
		.node = vz_dumpmounts_is_node(o->ve, l->point, l->type),
	};
	snprintf(m->type, sizeof(m->type), "%s", l->type);
	if (!m->root || !m->point)
		return -ENOMEM;
	o->n_mounts++;
	return 0;
}

static int read_mounts(struct oracle *o, int dir, int space)
{
	vz_autofree struct vz_mount_line *l = malloc(sizeof(*l));
	vz_autofree char *text = NULL;
	char *at, *line;
	int r = l ? oracle_read(dir, "mountinfo", MOUNTINFO_MAX, &text) : -ENOMEM;

	/* Its process is gone, and the namespace perhaps with it. */
	if (r)
		return r == -ENOMEM || r == -EFBIG ? r : 0;
	for (line = strtok_r(text, "\n", &at); line && !r;
	     line = strtok_r(NULL, "\n", &at))
		if (vz_parse_mount_line(line, l))
			r = add_mount(o, l, space);
	return r;
}

/* --- how they lie --- */

struct oracle_mount *oracle_mount_of(const struct oracle *o, int id)
{
	for (size_t i = 0; i < o->n_mounts; i++)
		if (o->mounts[i].id == id)
			return &o->mounts[i];
	return NULL;
}

/* Whether path is dir or below it. */
static bool is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	if (n == 1)
		return true;
	return !strncmp(path, dir, n) && (!path[n] || path[n] == '/');
}

/* A mount of the same parent, or on this one, covers it. */
static bool is_covered(const struct oracle *o, const struct oracle_mount *m)
{
	for (size_t i = 0; i < o->n_mounts; i++) {
		const struct oracle_mount *t = &o->mounts[i];

		if (t == m || t->space != m->space)
			continue;
		if (t->parent == m->parent && is_below(m->point, t->point))
			return true;
		if (t->parent == m->id && !strcmp(t->point, m->point))
			return true;
	}
	return false;
}

static bool any_is_covered(const struct oracle *o, const struct oracle_mount *m)
{
	/* As deep as there are mounts, at most. */
	for (size_t depth = 0; m && depth < 1000; depth++) {
		if (is_covered(o, m))
			return true;
		m = m->parent == m->id ? NULL : oracle_mount_of(o, m->parent);
	}
	return false;
}

bool oracle_overmounted(const struct oracle *o, struct oracle_mount *m)
{
	if (m->over == ORACLE_UNSEEN)
		m->over = any_is_covered(o, m) ? ORACLE_COVERED : ORACLE_OPEN;
	return m->over == ORACLE_COVERED;
}

static bool same_fs(const struct oracle_mount *a, const struct oracle_mount *b)
{
	return a->major == b->major && a->minor == b->minor;
}

/* The root of the VE's own namespace, which restore has to begin with. */
static const struct oracle_mount *root_of(const struct oracle *o)
{
	for (size_t i = 0; i < o->n_mounts; i++)
		if (!o->mounts[i].space && o->mounts[i].point &&
		    !strcmp(o->mounts[i].point, "/"))
			return &o->mounts[i];
	return NULL;
}

/* --- what CRIU makes again --- */

static bool is_kept_type(const char *type)
{
	static const char *const kept[] = {
		"proc",	   "sysfs",  "devtmpfs", "binfmt_misc", "tmpfs",   "devpts",
		"simfs",   "pstore", "mqueue",	 "securityfs",	"fusectl", "debugfs",
		"tracefs", "cgroup", "cgroup2",	 "aufs",	"overlay", "autofs",
	};

	for (size_t i = 0; i < VZ_ARRAY_SIZE(kept); i++)
		if (!strcmp(kept[i], type))
			return true;
	return false;
}

static bool has_whole(const struct oracle *o, const struct oracle_mount *m)
{
	for (size_t i = 0; i < o->n_mounts; i++)
		if (same_fs(m, &o->mounts[i]) && !strcmp(o->mounts[i].root, "/"))
			return true;
	return false;
}

/* A control group, or a file of one, mounted by itself: CRIU would mount them all. */
static bool is_part_of_groups(const struct oracle *o, const struct oracle_mount *m)
{
	if (strncmp(m->type, "cgroup", 6) != 0)
		return false;
	for (size_t i = 0; i < o->n_mounts; i++)
		if (same_fs(m, &o->mounts[i]) &&
		    strlen(o->mounts[i].root) < strlen(m->root))
			return true;
	return false;
}

static void check_type(struct oracle *o, const struct oracle_mount *m)
{
	if (!strncmp(m->type, "fuse", 4) && strcmp(m->type, "fusectl"))
		oracle_tell(o, NULL,
			    ORACLE_WORD("mount", "CRIU can't keep FUSE file systems",
					"unmount it, and end the program that serves it"),
			    "%s on %s", m->type, m->point);
	else if (!strcmp(m->type, "nsfs"))
		oracle_tell(o, NULL,
			    ORACLE_WORD("mount", "CRIU can't keep a mounted namespace",
					"unmount it (ip netns delete)"),
			    "a namespace on %s", m->point);
	else if (!strcmp(m->root, "/") && !is_kept_type(m->type))
		oracle_tell(o, NULL,
			    ORACLE_WORD("mount", "CRIU can't keep such a file system",
					"unmount it"),
			    "%s on %s", m->type, m->point);
	else if (is_part_of_groups(o, m))
		oracle_tell(o, NULL,
			    ORACLE_WORD("mount",
					"CRIU can't mount a part of the control groups "
					"again",
					"unmount it (systemd: MemoryPressureWatch=off)"),
			    "%s on %s", m->type, m->point);
	else if (strcmp(m->root, "/") && strncmp(m->type, "cgroup", 6) &&
		 !has_whole(o, m))
		oracle_tell(o, NULL,
			    ORACLE_WORD("mount",
					"it is a part of a file system that is not "
					"mounted in the VE",
					"unmount it"),
			    "%s on %s", m->type, m->point);
}

/* A queue of POSIX messages, say. */
static bool is_empty(const struct oracle *o, struct oracle_mount *m)
{
	vz_autodir DIR *d = NULL;
	struct dirent *e;
	int fd;

	/* Its path leads there only in the VE's own namespace, and if nothing covers it. */
	if (m->space || oracle_overmounted(o, m))
		return true;
	fd = vz_root_openat(o->root, m->point, O_RDONLY | O_DIRECTORY, 0);
	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d)
		return fd < 0 || close(fd) || true;
	while ((e = readdir(d)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			return false;
	return true;
}

static bool has_master(const struct oracle *o, const struct oracle_mount *m)
{
	for (size_t i = 0; i < o->n_mounts; i++)
		if (o->mounts[i].shared == m->master)
			return true;
	return false;
}

/* What of the node is mounted was removed there, as mountinfo has it. */
static bool is_removed(const struct oracle_mount *m)
{
	static const char suffix[] = "//deleted";
	size_t n = strlen(m->root), s = sizeof(suffix) - 1;

	return n > s && !strcmp(m->root + n - s, suffix);
}

static void check_mount(struct oracle *o, struct oracle_mount *m,
			const struct oracle_mount *root)
{
	if (m->node && is_removed(m))
		oracle_tell(o, NULL,
			    ORACLE_WORD("mount", "the node has it no more",
					"restart the VE, or unmount it there"),
			    "%s on %s", m->root, m->point);
	/* The node's are declared; the VE's root, and binds of it, are there first. */
	if (m->node || (same_fs(m, root) && is_below(m->root, root->root)))
		return;
	check_type(o, m);
	if ((!strcmp(m->type, "mqueue") || !strcmp(m->type, "pstore")) && !is_empty(o, m))
		oracle_tell(o, NULL,
			    ORACLE_WORD("mount", "CRIU keeps it only when it is empty",
					"remove the queues in it"),
			    "%s on %s", m->type, m->point);
	if (!strcmp(m->type, "overlay"))
		oracle_tell(o, NULL,
			    ORACLE_WORD("mount",
					"CRIU can't mount an overlay of the VE's again",
					"unmount it, or stop the container it is of"),
			    "overlay on %s", m->point);
	if (m->master && !has_master(o, m))
		oracle_tell(o, NULL,
			    ORACLE_WORD("mount",
					"mounts come to it from outside of the VE",
					"mount --make-private it"),
			    "%s on %s", m->type, m->point);
}

int oracle_scan_mounts(struct oracle *o)
{
	uint64_t seen[64];
	size_t n = 0;
	const struct oracle_mount *root;
	int r = 0;

	o->mounts = calloc(ORACLE_MOUNTS, sizeof(*o->mounts));
	if (!o->mounts)
		return -ENOMEM;
	for (size_t i = 0; i < o->n_tasks && !r; i++) {
		vz_autofd int dir = oracle_open_task(o, &o->tasks[i]);
		uint64_t ino = dir < 0 ? 0 : oracle_ns_of(dir, ORACLE_MNT);
		size_t k = 0;

		while (k < n && seen[k] != ino)
			k++;
		if (!ino || k < n)
			continue;
		if (n == VZ_ARRAY_SIZE(seen))
			return -E2BIG;
		seen[n] = ino;
		r = read_mounts(o, dir, (int)n++);
	}
	root = root_of(o);
	for (size_t i = 0; i < o->n_mounts && root && !r; i++)
		check_mount(o, &o->mounts[i], root);
	return r;
}
