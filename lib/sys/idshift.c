/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/idshift.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <linux/capability.h>
#include <linux/posix_acl_xattr.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"

/* The kernel's tags in the attribute; its headers do not export them. */
enum { ACL_USER = 0x02, ACL_GROUP = 0x08 };
/* An attribute's value can't be longer. */
enum { VALUE_MAX = 65536 };

static bool move(uint32_t *id, uint32_t from, uint32_t to, uint32_t count)
{
	if (from == to || *id - from >= count)
		return false;
	*id = *id - from + to;
	return true;
}

bool vz_idshift_acl(const struct vz_idshift *s, void *value, size_t len)
{
	struct posix_acl_xattr_header head;
	struct posix_acl_xattr_entry e;
	bool changed = false;

	if (len < sizeof(head) || (len - sizeof(head)) % sizeof(e))
		return false;
	memcpy(&head, value, sizeof(head));
	if (le32toh(head.a_version) != POSIX_ACL_XATTR_VERSION)
		return false;
	for (size_t at = sizeof(head); at < len; at += sizeof(e)) {
		uint32_t id;
		bool moved = false;

		memcpy(&e, (char *)value + at, sizeof(e));
		id = le32toh(e.e_id);
		if (le16toh(e.e_tag) == ACL_USER)
			moved = move(&id, s->uid, s->to_uid, s->count);
		else if (le16toh(e.e_tag) == ACL_GROUP)
			moved = move(&id, s->gid, s->to_gid, s->count);
		e.e_id = htole32(id);
		memcpy((char *)value + at, &e, sizeof(e));
		changed |= moved;
	}
	return changed;
}

bool vz_idshift_cap(const struct vz_idshift *s, void *value, size_t len)
{
	struct vfs_ns_cap_data cap;
	uint32_t root;

	if (len != XATTR_CAPS_SZ_3)
		return false;
	memcpy(&cap, value, len);
	root = le32toh(cap.rootid);
	if ((le32toh(cap.magic_etc) & VFS_CAP_REVISION_MASK) != VFS_CAP_REVISION_3 ||
	    !move(&root, s->uid, s->to_uid, s->count))
		return false;
	cap.rootid = htole32(root);
	memcpy(value, &cap, len);
	return true;
}

/* A file, never through a link: /proc's way to it. */
struct at {
	int fd; /* O_PATH */
	char path[40]; /* /proc/self/fd/N */
};

static const struct {
	const char *name;
	bool (*shift)(const struct vz_idshift *s, void *value, size_t len);
} attrs[] = {
	{ "system.posix_acl_access", vz_idshift_acl },
	{ "system.posix_acl_default", vz_idshift_acl },
	/* Also what chown has just taken away: it is read before. */
	{ "security.capability", vz_idshift_cap },
};

struct values {
	char *v[VZ_ARRAY_SIZE(attrs)]; /* NULL: there is none */
	ssize_t len[VZ_ARRAY_SIZE(attrs)];
};

static void values_done(struct values *all)
{
	for (size_t i = 0; i < VZ_ARRAY_SIZE(attrs); i++)
		free(all->v[i]);
}

/* Most files have none: one call says so. */
static int read_values(const struct at *at, struct values *all)
{
	if (listxattr(at->path, NULL, 0) <= 0)
		return 0;
	for (size_t i = 0; i < VZ_ARRAY_SIZE(attrs); i++) {
		ssize_t n = getxattr(at->path, attrs[i].name, NULL, 0);

		if (n <= 0 || n > VALUE_MAX)
			continue;
		all->v[i] = malloc(n);
		if (!all->v[i])
			return -ENOMEM;
		all->len[i] = getxattr(at->path, attrs[i].name, all->v[i], n);
		if (all->len[i] < 0)
			return -errno;
	}
	return 0;
}

static int write_values(const struct vz_idshift *s, const struct at *at,
			struct values *all, bool owner_changed)
{
	for (size_t i = 0; i < VZ_ARRAY_SIZE(attrs); i++) {
		bool changed;

		if (!all->v[i])
			continue;
		changed = attrs[i].shift(s, all->v[i], all->len[i]);
		if (!changed && !(owner_changed && attrs[i].shift == vz_idshift_cap))
			continue;
		if (setxattr(at->path, attrs[i].name, all->v[i], all->len[i], 0))
			return -errno;
	}
	return 0;
}

static int shift_owner(const struct vz_idshift *s, const struct at *at,
		       const struct stat *st, bool *ret_changed)
{
	uint32_t uid = st->st_uid, gid = st->st_gid;
	bool changed = move(&uid, s->uid, s->to_uid, s->count);

	changed |= move(&gid, s->gid, s->to_gid, s->count);
	*ret_changed = changed;
	if (!changed)
		return 0;
	if (fchownat(at->fd, "", uid, gid, AT_EMPTY_PATH))
		return -errno;
	/* chown takes these bits away, as it does for anybody. */
	if (S_ISREG(st->st_mode) && st->st_mode & (S_ISUID | S_ISGID) &&
	    chmod(at->path, st->st_mode & 07777))
		return -errno;
	return 0;
}

static int shift_one(const struct vz_idshift *s, const struct at *at,
		     const struct stat *st)
{
	VZ_CLEANUP(values_done) struct values all = { 0 };
	bool changed;
	int r = S_ISLNK(st->st_mode) ? 0 : read_values(at, &all);

	if (!r)
		r = shift_owner(s, at, st, &changed);
	return r ? r : write_values(s, at, &all, changed);
}

static int shift_path(const struct vz_idshift *s, const char *path)
{
	vz_autofd int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct at at = { .fd = fd };
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return -errno;
	snprintf(at.path, sizeof(at.path), "/proc/self/fd/%d", fd);
	return shift_one(s, &at, &st);
}

/* Directories before what is in them, but the top last: its owner says that all is done. */
static bool is_due(const FTSENT *e)
{
	return e->fts_level ? e->fts_info != FTS_DP : e->fts_info == FTS_DP;
}

static int shift_all(const struct vz_idshift *s, FTS *fts, struct vz_err *err)
{
	FTSENT *e;

	while ((errno = 0, e = fts_read(fts))) {
		bool bad = e->fts_info == FTS_ERR || e->fts_info == FTS_DNR ||
			   e->fts_info == FTS_NS;
		int r = bad ? -e->fts_errno : 0;

		if (!r && is_due(e))
			r = shift_path(s, e->fts_accpath);
		if (r)
			return vz_err_set(err, VZ_E_SYSTEM, -r,
					  "can't change the owner of %.500s",
					  e->fts_path);
	}
	return errno ? vz_err_set(err, VZ_E_SYSTEM, errno, "can't read all files") : 0;
}

/* Then a file of two names would be moved twice. */
static bool overlap(uint32_t a, uint32_t b, uint32_t count)
{
	return a != b && (a - b < count || b - a < count);
}

int vz_idshift_tree(const struct vz_idshift *s, const char *path, struct vz_err *err)
{
	char *const roots[] = { (char *)path, NULL };
	FTS *fts;
	int r;

	if (s->uid == s->to_uid && s->gid == s->to_gid)
		return 0;
	if (overlap(s->uid, s->to_uid, s->count) || overlap(s->gid, s->to_gid, s->count))
		return vz_err_set(err, VZ_E_SYSTEM, 0,
				  "ids can't change from %u to %u on, for these ranges "
				  "overlap: see UID_POOL in vz.conf",
				  s->uid, s->to_uid);
	/* It goes by changing directory: any depth is fine. */
	fts = fts_open(roots, FTS_PHYSICAL | FTS_XDEV, NULL);
	if (!fts)
		return vz_err_set(err, VZ_E_SYSTEM, errno, "can't read %s", path);
	r = shift_all(s, fts, err);
	fts_close(fts);
	return r;
}
