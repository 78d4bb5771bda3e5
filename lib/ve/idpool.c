/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/idpool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/grow.h"
#include "base/num.h"
#include "base/str.h"
#include "conf/conf.h"

/* Below it are the host's own users, whatever UID_POOL says. */
#define FIRST_MIN 65536u
/* The kernel's "no id" is the last one. */
#define LAST_MAX (UINT32_MAX - 1)

/* The ranges that VEs have: first id and VEID. */
struct used {
	struct {
		uint32_t first, veid;
	} * v;
	size_t n, cap;
};

static void used_done(struct used *u)
{
	free(u->v);
}

static int used_add(struct used *u, uint32_t first, uint32_t veid)
{
	if (vz_grow(&u->v, u->n, &u->cap, sizeof(*u->v)))
		return -ENOMEM;
	u->v[u->n].first = first;
	u->v[u->n++].veid = veid;
	return 0;
}

/* A configuration that can't be read has ids that nobody knows: that is an error. */
static int add_config(const struct vz_ctx *ctx, struct used *u, const char *file,
		      struct vz_err *err)
{
	static const char *const keys[] = { "LOCAL_UID", "LOCAL_GID" };
	size_t len = strlen(file), digits = strspn(file, "0123456789");
	vz_autoconf struct vz_conf *conf = NULL;
	vz_autofree char *path = NULL, *word = strndup(file, digits);
	const char *value;
	uint32_t veid;
	uint64_t first;
	int r;

	if (len != digits + 5 || strcmp(file + digits, ".conf") || !word ||
	    vz_parse_veid(word, &veid) || !veid)
		return 0;
	path = vz_strf("%s/conf/%s", ctx->confdir, file);
	r = path ? vz_conf_load(ctx, path, &conf, err) : -ENOMEM;
	if (r == -ENOENT) /* destroyed since the directory was read */
		return 0;
	for (size_t i = 0; !r && i < VZ_ARRAY_SIZE(keys); i++) {
		value = vz_conf_get(conf, keys[i]);
		if (value && !vz_parse_u64(value, LAST_MAX, &first) && first)
			r = used_add(u, first, veid);
	}
	return r;
}

static int read_used(const struct vz_ctx *ctx, struct used *u, struct vz_err *err)
{
	vz_autofree char *path = vz_strf("%s/conf", ctx->confdir);
	vz_autodir DIR *d = path ? opendir(path) : NULL;
	struct dirent *e;
	int r = 0;

	if (!d)
		return errno == ENOENT ? 0
				       : vz_err_set(err, VZ_E_SYSTEM, errno,
						    "can't read %s/conf", ctx->confdir);
	while (!r && (e = readdir(d)))
		r = add_config(ctx, u, e->d_name, err);
	if (r == -ENOMEM)
		vz_err_set(err, VZ_E_SYSTEM, ENOMEM, "can't read %s", path);
	return r;
}

/* The VE, other than `but`, whose range meets the one at first; or 0. */
static uint32_t user_of(const struct used *u, uint32_t first, uint32_t but)
{
	for (size_t i = 0; i < u->n; i++)
		if (u->v[i].veid != but &&
		    first < (uint64_t)u->v[i].first + VZ_ID_RANGE &&
		    u->v[i].first < (uint64_t)first + VZ_ID_RANGE)
			return u->v[i].veid;
	return 0;
}

static int lock_file(const char *path, int op, struct vz_err *err, int *ret_fd)
{
	vz_autofd int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return vz_err_set(err, VZ_E_LOCKDIR, errno, "can't open %s", path);
	while (flock(fd, op)) {
		if (errno == EWOULDBLOCK)
			return -EBUSY;
		if (errno != EINTR)
			return vz_err_set(err, VZ_E_LOCKDIR, errno, "can't lock %s",
					  path);
	}
	*ret_fd = vz_take_fd(&fd);
	return 0;
}

/* Open and lock LOCKDIR/ids.lck: who looks and who chooses is one at a time. */
static int lock_pool(const struct vz_cfg *cfg, const char **ret_dir, int *ret_fd,
		     struct vz_err *err)
{
	const char *dir = vz_cfg_str(cfg, VZ_P_LOCKDIR);
	vz_autofree char *path = dir ? vz_strf("%s/ids.lck", dir) : NULL;
	int r;

	if (!path)
		return vz_err_set(err, VZ_E_LOCKDIR, 0, "LOCKDIR is not set");
	r = vz_mkdir_p(dir, 0755);
	if (r)
		return vz_err_set(err, VZ_E_LOCKDIR, -r, "can't make %s", dir);
	*ret_dir = dir;
	return lock_file(path, LOCK_EX, err, ret_fd);
}

/* The pool is locked, so no one but a dead create's file can be in the way. */
static int reserve(const char *dir, uint32_t first, struct vz_idrange *range,
		   struct vz_err *err)
{
	vz_autofree char *path = vz_strf("%s/ids-%u.lck", dir, first);
	int r;

	if (!path)
		return vz_err_set(err, VZ_E_SYSTEM, ENOMEM, "can't reserve ids");
	r = lock_file(path, LOCK_EX | LOCK_NB, err, &range->fd);
	if (r)
		return r;
	range->first = first;
	range->path = vz_take(path);
	return 0;
}

static int parse_pool(const struct vz_cfg *cfg, uint32_t *ret_first, uint32_t *ret_last,
		      struct vz_err *err)
{
	const char *pool = vz_cfg_str(cfg, VZ_P_UID_POOL);
	const char *colon = pool ? strchr(pool, ':') : NULL;
	vz_autofree char *low = colon ? strndup(pool, colon - pool) : NULL;
	uint64_t first, last;

	if (!low || vz_parse_u64(low, LAST_MAX, &first) ||
	    vz_parse_u64(colon + 1, LAST_MAX, &last) || first < FIRST_MIN ||
	    last < first + VZ_ID_RANGE - 1)
		return vz_err_set(err, VZ_E_BADCONF, 0,
				  "bad UID_POOL \"%s\" in vz.conf: expected "
				  "FIRST:LAST, from %u to %u, %u ids at least",
				  pool ? pool : "", FIRST_MIN, LAST_MAX, VZ_ID_RANGE);
	*ret_first = first;
	*ret_last = last;
	return 0;
}

static int choose(const char *dir, const struct vz_cfg *cfg, const struct used *used,
		  struct vz_idrange *range, struct vz_err *err)
{
	uint32_t first = 0, last = 0;
	int r = parse_pool(cfg, &first, &last, err);

	if (r)
		return r;
	for (uint64_t at = first; at + VZ_ID_RANGE - 1 <= last; at += VZ_ID_RANGE) {
		if (user_of(used, at, 0))
			continue;
		r = reserve(dir, at, range, err);
		if (r != -EBUSY)
			return r;
	}
	return vz_err_set(err, VZ_E_RESOURCES, 0,
			  "no range of ids is left in UID_POOL of vz.conf (%u:%u)", first,
			  last);
}

/* A range that is said and not chosen may meet a reserved one half way. */
static int claim(const char *dir, uint32_t id, uint32_t first, const struct used *used,
		 struct vz_idrange *range, struct vz_err *err)
{
	uint32_t veid = user_of(used, first, id);
	int r;

	if (first < FIRST_MIN || first > LAST_MAX - VZ_ID_RANGE)
		return vz_err_set(err, VZ_E_VALUE, 0,
				  "bad first id %u of the VE: expected 0 or %u to %u",
				  first, FIRST_MIN, LAST_MAX - VZ_ID_RANGE);
	if (veid)
		return vz_err_set(err, VZ_E_VALUE, 0,
				  "ids %u to %u of the host belong to VE %u", first,
				  first + VZ_ID_RANGE - 1, veid);
	r = reserve(dir, first, range, err);
	if (r == -EBUSY)
		vz_err_set(err, VZ_E_VALUE, 0,
			   "ids from %u of the host are being given to another VE",
			   first);
	return r;
}

static int take(const struct vz_ctx *ctx, const struct vz_cfg *cfg, uint32_t veid,
		const uint32_t *first, struct vz_idrange *ret, struct vz_err *err)
{
	vz_autoidrange struct vz_idrange range = VZ_IDRANGE_NONE;
	VZ_CLEANUP(used_done) struct used used = { 0 };
	const char *dir = NULL;
	int r = lock_pool(cfg, &dir, &range.pool_fd, err);

	if (!r)
		r = read_used(ctx, &used, err);
	if (!r)
		r = first ? claim(dir, veid, *first, &used, &range, err)
			  : choose(dir, cfg, &used, &range, err);
	if (r)
		return r;
	flock(range.pool_fd, LOCK_UN);
	*ret = range;
	range = VZ_IDRANGE_NONE;
	return 0;
}

int vz_idrange_take(const struct vz_ctx *ctx, const struct vz_cfg *cfg,
		    struct vz_idrange *ret, struct vz_err *err)
{
	return take(ctx, cfg, 0, NULL, ret, err);
}

int vz_idrange_claim(const struct vz_ctx *ctx, const struct vz_cfg *cfg, uint32_t veid,
		     uint32_t first, struct vz_idrange *ret, struct vz_err *err)
{
	return take(ctx, cfg, veid, &first, ret, err);
}

int vz_idrange_prefer(const struct vz_ctx *ctx, const struct vz_cfg *cfg, uint32_t veid,
		      uint32_t first, struct vz_idrange *ret, struct vz_err *err)
{
	uint32_t low, high;
	int r = parse_pool(cfg, &low, &high, err);

	if (r)
		return r;
	if (first >= low && first - low <= high - low - (VZ_ID_RANGE - 1) &&
	    !(first % VZ_ID_RANGE) && !vz_idrange_claim(ctx, cfg, veid, first, ret, NULL))
		return 0;
	return vz_idrange_take(ctx, cfg, ret, err);
}

/*
 * Under the pool's lock: else one who has read the configurations before ours
 * was written could find the reservation gone, and take the range again.
 */
void vz_idrange_release(struct vz_idrange *range)
{
	if (range->fd >= 0) {
		while (flock(range->pool_fd, LOCK_EX) && errno == EINTR)
			;
		unlink(range->path);
		close(range->fd);
	}
	if (range->pool_fd >= 0)
		close(range->pool_fd);
	free(range->path);
	*range = VZ_IDRANGE_NONE;
}
