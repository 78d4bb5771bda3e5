/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/dumpmounts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "base/fs.h"
#include "sys/lxcfs.h"
#include "ve/dumpdir.h"
#include "ve/lxcfs.h"

#define FILE_NAME "mounts"
#define MOUNTINFO_MAX (4 << 20)

/* A line of mountinfo, as far as it matters. */
struct mount_line {
	char root[PATH_MAX], point[PATH_MAX], type[64];
};

/* "\040" and the like. */
static void unescape(char *s)
{
	char *to = s;
	unsigned int c;

	while (*s) {
		if (*s == '\\' && sscanf(s + 1, "%3o", &c) == 1 && strlen(s) > 3) {
			*to++ = (char)c;
			s += 4;
		} else {
			*to++ = *s++;
		}
	}
	*to = 0;
}

static bool parse_line(const char *line, struct mount_line *ret)
{
	const char *dash = strstr(line, " - ");

	if (!dash ||
	    sscanf(line, "%*d %*d %*s %4095s %4095s", ret->root, ret->point) != 2 ||
	    sscanf(dash + 3, "%63s", ret->type) != 1)
		return false;
	unescape(ret->root);
	unescape(ret->point);
	return true;
}

/* Whether BIND= puts something there; its number among them. */
static int find_bind(const struct vz_ve *ve, const char *point)
{
	const struct vz_strv *list = vz_cfg_list(ve->cfg, VZ_P_BIND);
	size_t n = strlen(point);

	for (size_t i = 0; i < list->n; i++) {
		const char *dst = strchr(list->v[i], ':');

		if (dst && !strncmp(dst + 1, point, n) &&
		    (!dst[1 + n] || dst[1 + n] == ':'))
			return (int)i;
	}
	return -1;
}

/* "KIND WHAT" of what is the node's, or NULL. */
static char *describe(const struct vz_ve *ve, const struct mount_line *m)
{
	int bind = find_bind(ve, m->point);

	if (bind >= 0)
		return vz_strf("bind %s", vz_cfg_list(ve->cfg, VZ_P_BIND)->v[bind]);
	if (!strcmp(m->type, "devtmpfs"))
		return vz_strf("dev %s", m->root);
	if (!strcmp(m->type, "fuse.lxcfs"))
		return vz_strf("lxcfs %s", m->root);
	if (!strcmp(m->type, "bpf"))
		return strdup("counters -");
	return NULL;
}

bool vz_dumpmounts_is_node(const struct vz_ve *ve, const char *point, const char *type)
{
	return find_bind(ve, point) >= 0 || !strcmp(type, "devtmpfs") ||
	       !strcmp(type, "fuse.lxcfs") || !strcmp(type, "bpf");
}

int vz_dumpmounts_save(const struct vz_ve *ve, pid_t init, int dir,
		       struct vz_strv *external, struct vz_err *err)
{
	vz_autofree char *path = vz_strf("%s/%d/mountinfo", ve->ctx->procdir, init);
	vz_autofree struct mount_line *m = malloc(sizeof(*m));
	vz_autostr struct vz_str out = { 0 };
	vz_autofree char *text = NULL;
	char *at, *line;
	int key = 0;
	int r = path && m ? vz_read_file(path, MOUNTINFO_MAX, &text, NULL) : -ENOMEM;

	if (r)
		return vz_err_set(err, VZ_E_CHECKPOINT, -r,
				  "can't see what is mounted in the VE");
	for (line = strtok_r(text, "\n", &at); line; line = strtok_r(NULL, "\n", &at)) {
		vz_autofree char *what = NULL, *ext = NULL;

		/* CRIU takes a name apart at these; it will say what it can't do. */
		if (!parse_line(line, m) || strpbrk(m->point, "]:\n"))
			continue;
		what = describe(ve, m);
		if (!what || strchr(what, '\n'))
			continue;
		ext = vz_strf("mnt[%s]:vz-%d", m->point, key);
		vz_str_addf(&out, "%d %s\n", key++, what);
		if (!ext || vz_strv_add(external, ext))
			return vz_err_set(err, VZ_E_CHECKPOINT, ENOMEM, "mounts");
	}
	return vz_dumpdir_write(dir, FILE_NAME, &out, err);
}

/* A file of ours that is empty, where the node does not have what it should be. */
static char *placeholder(const struct vz_ve *ve)
{
	vz_autofree char *path = vz_strf("%s/%u/absent", ve->ctx->rundir, ve->id);
	vz_autofd int fd = path ? open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0444) : -1;

	return fd < 0 ? NULL : vz_take(path);
}

static char *counters_path(const struct vz_ve *ve)
{
	vz_autofree char *link = vz_strf("%s/proc/user_beancounters", ve->ctx->rundir);

	return link && !access(link, F_OK) ? realpath(link, NULL) : placeholder(ve);
}

/* Where lxcfs does not run: what the kernel itself shows, as in any VE without it. */
static char *lxcfs_path(const struct vz_ve *ve, const char *what)
{
	vz_autofree char *path = vz_strf("%s/lxcfs%s", ve->ctx->rundir, what);

	for (int i = 0; i < VZ_LXCFS__COUNT; i++)
		if (*what == '/' && !strcmp(what + 1, vz_lxcfs_files[i].path))
			return path && vz_lxcfs_device(ve) ? vz_take(path) : strdup(what);
	return NULL;
}

static char *bind_path(const char *what)
{
	return strndup(what, strcspn(what, ":"));
}

/* Where on this node a "KIND WHAT" is; NULL: out of memory, or no such kind. */
static char *source(const struct vz_ve *ve, const char *kind, const char *what,
		    bool *ret_lxcfs)
{
	if (!strcmp(kind, "dev"))
		return vz_strf("/dev%s", what);
	if (!strcmp(kind, "counters"))
		return counters_path(ve);
	if (!strcmp(kind, "bind"))
		return bind_path(what);
	if (strcmp(kind, "lxcfs"))
		return NULL;
	*ret_lxcfs = true;
	return lxcfs_path(ve, what);
}

/* As the launch has it: see count.c, lxcfs.c, binds.c. */
static uint64_t attributes(const char *kind, const char *what)
{
	const char *option = strrchr(what, ':');

	if (!strcmp(kind, "dev"))
		return 0;
	if (strcmp(kind, "bind"))
		return MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
	return MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
	       (option && !strcmp(option, ":ro") ? MOUNT_ATTR_RDONLY : 0);
}

static int load_line(const struct vz_ve *ve, const char *line, struct vz_strv *external,
		     struct vz_criu_mounts *mounts, bool *ret_lxcfs, struct vz_err *err)
{
	vz_autofree char *from = NULL, *ext = NULL;
	char kind[16];
	int key, n = 0;

	if (sscanf(line, "%d %15s %n", &key, kind, &n) != 2 || !n)
		return vz_err_set(err, VZ_E_RESTORE, 0,
				  "the dump has a bad line about mounts: '%s'", line);
	from = source(ve, kind, line + n, ret_lxcfs);
	if (!from)
		return vz_err_set(err, VZ_E_RESTORE, 0,
				  "the dump has an unknown mount: '%s'", line);
	if (access(from, F_OK))
		return vz_err_set(err, VZ_E_RESTORE, errno,
				  "the VE has %s of the node, which is not there", from);
	ext = vz_strf("mnt[vz-%d]:" VZ_CRIU_STAGE "/%zu", key, mounts->n);
	return ext && !vz_strv_add(external, ext) &&
			       !vz_criu_mounts_add(mounts, from,
						   attributes(kind, line + n))
		       ? 0
		       : vz_err_set(err, VZ_E_RESTORE, ENOMEM, "mounts");
}

int vz_dumpmounts_load(const struct vz_ve *ve, int dir, struct vz_strv *external,
		       struct vz_criu_mounts *mounts, bool *ret_lxcfs, struct vz_err *err)
{
	vz_autofree char *text = NULL;
	char *at, *line;
	int r = vz_dumpdir_read(dir, FILE_NAME, &text, err);

	*ret_lxcfs = false;
	if (r)
		return r;
	for (line = strtok_r(text, "\n", &at); line && !r;
	     line = strtok_r(NULL, "\n", &at))
		r = load_line(ve, line, external, mounts, ret_lxcfs, err);
	return r;
}
