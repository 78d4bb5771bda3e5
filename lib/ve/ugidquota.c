/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/ugidquota.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/num.h"
#include "base/str.h"
#include "ve/layout.h"
#include "ve/mount.h"

static const char *const type_names[] = {
	[VZ_QUOTA_USER] = "user", [VZ_QUOTA_GROUP] = "group"
};

/* Where the VE writes: below its area, or, in an image, below its root. */
static int open_dir(const struct vz_ve *ve, struct vz_err *err)
{
	vz_autoarea struct vz_area area = VZ_AREA_NONE;
	const struct vz_layout *layout;
	const char *root = vz_ve_root(ve, err);
	int r = root ? vz_layout_open(ve, NULL, &layout, &area, err) : -EINVAL, fd;

	if (r)
		return r;
	fd = layout->quota_dir ? layout->quota_dir(&area) : -ENOTSUP;
	/* What is there of an image that is not mounted is the node's. */
	if (fd == -ENOTSUP && vz_ve_mounted(ve) != 1)
		return vz_err_set(err, VZ_E_DQ_UGID, 0,
				  "VE %u has the layout %s: mount it first", ve->id,
				  layout->name);
	if (fd == -ENOTSUP)
		fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 ? fd
		       : vz_err_set(err, VZ_E_DQ_UGID, errno,
				    "can't look at the files of VE %u", ve->id);
}

int vz_ugid_open_at(const struct vz_ve *ve, int dirfd, struct vz_ugid *ret,
		    struct vz_err *err)
{
	vz_autougid struct vz_ugid u = VZ_UGID_NONE;
	int r;

	u.uid = vz_cfg_u64(ve->cfg, VZ_P_LOCAL_UID);
	u.gid = vz_cfg_u64(ve->cfg, VZ_P_LOCAL_GID);
	if (!u.uid)
		return vz_err_set(err, VZ_E_DQ_UGID, 0,
				  "VE %u is privileged: its users are the node's, and "
				  "have no quotas of their own",
				  ve->id);
	r = vz_quota_open_fd(ve->ctx, dirfd, &u.fs);
	if (r)
		return vz_err_set(err, VZ_E_DQ_UGID, -r,
				  "can't look at the files of VE %u", ve->id);
	if (!vz_quota_enforces(&u.fs, VZ_QUOTA_USER) ||
	    !vz_quota_enforces(&u.fs, VZ_QUOTA_GROUP))
		return vz_err_set(err, VZ_E_DQ_UGID, 0,
				  "no quotas of users and groups can be kept in VE %u: "
				  "its file system (ext4 or xfs) is to be mounted with "
				  "usrquota,grpquota",
				  ve->id);
	*ret = u;
	u = VZ_UGID_NONE;
	return 0;
}

int vz_ugid_open(const struct vz_ve *ve, struct vz_ugid *ret, struct vz_err *err)
{
	vz_autofd int fd = open_dir(ve, err);

	return fd < 0 ? fd : vz_ugid_open_at(ve, fd, ret, err);
}

void vz_ugid_close(struct vz_ugid *u)
{
	vz_quota_close(&u->fs);
}

int vz_ugid_get(const struct vz_ugid *u, enum vz_quota_type type, uint32_t id,
		struct vz_quota *ret)
{
	if (id >= VZ_ID_RANGE)
		return -EINVAL;
	return vz_quota_get(&u->fs, type, vz_ugid_host(u, type, id), ret);
}

int vz_ugid_set(const struct vz_ugid *u, enum vz_quota_type type, uint32_t id,
		const struct vz_quota *q, unsigned int what)
{
	if (id >= VZ_ID_RANGE)
		return -EINVAL;
	return vz_quota_set(&u->fs, type, vz_ugid_host(u, type, id), q, what);
}

int vz_ugid_next(const struct vz_ugid *u, enum vz_quota_type type, uint32_t from,
		 uint32_t *ret_id, struct vz_quota *ret)
{
	uint32_t first = vz_ugid_host(u, type, 0), id;
	int r;

	if (from >= VZ_ID_RANGE)
		return -ENOENT;
	r = vz_quota_next(&u->fs, type, first + from, &id, ret);
	if (r)
		return r;
	/* The next one is another VE's. */
	if (id < first || id - first >= VZ_ID_RANGE)
		return -ENOENT;
	*ret_id = id - first;
	return 0;
}

bool vz_ugid_limited(const struct vz_quota *q)
{
	return q->space_soft || q->space_hard || q->inode_soft || q->inode_hard;
}

typedef int (*each_fn)(const struct vz_ugid *u, enum vz_quota_type type, uint32_t id,
		       const struct vz_quota *q, void *data);

/* All users, then all groups, that have limits. */
static int each_limited(const struct vz_ugid *u, each_fn fn, void *data)
{
	for (int type = VZ_QUOTA_USER; type <= VZ_QUOTA_GROUP; type++) {
		struct vz_quota q;
		uint32_t id = 0;
		int r;

		while (!(r = vz_ugid_next(u, type, id, &id, &q))) {
			if (vz_ugid_limited(&q))
				r = fn(u, type, id, &q, data);
			if (r)
				return r;
			id++;
		}
		if (r != -ENOENT)
			return r;
	}
	return 0;
}

static int count_one(const struct vz_ugid *u, enum vz_quota_type type, uint32_t id,
		     const struct vz_quota *q, void *data)
{
	++*(uint64_t *)data;
	return 0;
}

int vz_ugid_count(const struct vz_ugid *u, uint64_t *ret)
{
	uint64_t n = 0;
	int r = each_limited(u, count_one, &n);

	if (!r)
		*ret = n;
	return r;
}

static int clear_one(const struct vz_ugid *u, enum vz_quota_type type, uint32_t id,
		     const struct vz_quota *q, void *data)
{
	static const struct vz_quota none;

	return vz_ugid_set(u, type, id, &none, VZ_QUOTA_LIMITS);
}

int vz_ugid_clear(const struct vz_ugid *u)
{
	return each_limited(u, clear_one, NULL);
}

static int print_one(const struct vz_ugid *u, enum vz_quota_type type, uint32_t id,
		     const struct vz_quota *q, void *data)
{
	vz_str_addf(data,
		    "%s %u %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
		    " %" PRIu64 "\n",
		    type_names[type], id, q->space_soft, q->space_hard, q->inode_soft,
		    q->inode_hard, q->space_until, q->inode_until);
	return 0;
}

int vz_ugid_export(const struct vz_ugid *u, struct vz_str *out)
{
	int r;

	vz_str_add(out, VZ_UGID_HEADER "\n");
	r = each_limited(u, print_one, out);
	return r ? r : out->failed ? -ENOMEM : 0;
}

int vz_ugid_carry(const struct vz_ve *ve, int mnt, char **ret, struct vz_err *err)
{
	vz_autougid struct vz_ugid u = VZ_UGID_NONE;
	vz_autostr struct vz_str s = { 0 };
	int r;

	*ret = NULL;
	if (vz_ugid_open(ve, &u, NULL) && (mnt < 0 || vz_ugid_open_at(ve, mnt, &u, NULL)))
		return 0;
	r = vz_ugid_export(&u, &s);
	if (r)
		return vz_err_set(err, VZ_E_DQ_USAGE, -r,
				  "can't read the limits of VE %u's users", ve->id);
	*ret = vz_take(s.s);
	return 0;
}

bool vz_ugid_is_empty(const char *text)
{
	const char *end = strchr(text, '\n');

	return !end || !end[1];
}

/* The next word, cut off; NULL: there is none. */
static char *word(char **at)
{
	char *w;

	do
		w = strsep(at, " ");
	while (w && !*w);
	return w;
}

int vz_ugid_parse(const char *line, enum vz_quota_type *ret_type, uint32_t *ret_id,
		  struct vz_quota *ret)
{
	struct vz_quota q = { 0 };
	uint64_t *const to[] = { &q.space_soft, &q.space_hard,	&q.inode_soft,
				 &q.inode_hard, &q.space_until, &q.inode_until };
	char buf[256], *at = buf, *w;
	uint64_t id;
	int type;

	if (strlen(line) >= sizeof(buf))
		return -EINVAL;
	strcpy(buf, line);
	w = word(&at);
	for (type = VZ_QUOTA_GROUP; type >= 0; type--)
		if (w && !strcmp(w, type_names[type]))
			break;
	w = type < 0 ? NULL : word(&at);
	if (!w || vz_parse_u64(w, VZ_ID_RANGE - 1, &id))
		return -EINVAL;
	for (size_t i = 0; i < VZ_ARRAY_SIZE(to); i++) {
		w = word(&at);
		if (!w || vz_parse_u64(w, INT64_MAX, to[i]))
			return -EINVAL;
	}
	if (word(&at))
		return -EINVAL;
	*ret_type = type;
	*ret_id = id;
	*ret = q;
	return 0;
}

/* The ids that a text names. */
struct named {
	unsigned char bits[VZ_QUOTA_GROUP + 1][VZ_ID_RANGE / 8];
};

static bool is_named(const struct named *n, enum vz_quota_type type, uint32_t id)
{
	return n->bits[type][id / 8] & 1u << id % 8;
}

/* With u NULL only look whether all lines are right. *ret_line: where it ended. */
static int import_lines(const struct vz_ugid *u, char *text, struct named *named,
			unsigned int *ret_line)
{
	enum vz_quota_type type;
	struct vz_quota q;
	uint32_t id;
	char *line;
	int r = 0;

	*ret_line = 0;
	while (!r && (line = strsep(&text, "\n"))) {
		++*ret_line;
		if (!*line || *line == '#')
			continue;
		r = vz_ugid_parse(line, &type, &id, &q);
		if (r)
			break;
		named->bits[type][id / 8] |= 1u << id % 8;
		if (u)
			r = vz_ugid_set(u, type, id, &q,
					VZ_QUOTA_LIMITS | (q.space_until || q.inode_until
								   ? VZ_QUOTA_TIMES
								   : 0));
	}
	return r;
}

static int drop_unnamed(const struct vz_ugid *u, enum vz_quota_type type, uint32_t id,
			const struct vz_quota *q, void *data)
{
	return is_named(data, type, id) ? 0 : clear_one(u, type, id, q, NULL);
}

int vz_ugid_import(const struct vz_ugid *u, const char *text, struct vz_err *err)
{
	vz_autofree char *look = strdup(text), *set = strdup(text);
	vz_autofree struct named *named = calloc(1, sizeof(*named));
	const size_t n = sizeof(VZ_UGID_HEADER) - 1;
	unsigned int line;
	int r;

	if (!look || !set || !named)
		return vz_err_set(err, VZ_E_RESOURCES, ENOMEM, "can't read quotas");
	if (strncmp(text, VZ_UGID_HEADER, n) || (text[n] && text[n] != '\n'))
		return vz_err_set(err, VZ_E_BADCONF, 0,
				  "these are no quotas that this version can read: "
				  "expected a first line '" VZ_UGID_HEADER "'");
	if (import_lines(NULL, look, named, &line))
		return vz_err_set(err, VZ_E_BADCONF, 0,
				  "line %u of the quotas: expected user|group, an id, "
				  "four limits and two times",
				  line);
	/* At each moment a user has the limits that he had, or those that he gets. */
	r = import_lines(u, set, named, &line);
	if (!r)
		r = each_limited(u, drop_unnamed, named);
	return r ? vz_err_set(err, VZ_E_DQ_USER, -r,
			      "can't set the quotas of users and groups")
		 : 0;
}

void vz_ugid_give(const struct vz_ve *ve, int dirfd, const char *text)
{
	vz_autougid struct vz_ugid u = VZ_UGID_NONE;
	struct vz_err err = { 0 };
	int r;

	if (!text || vz_ugid_is_empty(text))
		return;
	r = vz_ugid_open_at(ve, dirfd, &u, &err);
	if (!r)
		r = vz_ugid_import(&u, text, &err);
	if (r)
		vz_warn(ve->ctx, "the limits of VE %u's users are lost: %s", ve->id,
			err.text);
}
