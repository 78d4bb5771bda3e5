/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/repair.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/num.h"
#include "sys/rtnl.h"
#include "ve/dump.h"
#include "ve/life.h"
#include "ve/lxcfs.h"
#include "ve/net.h"
#include "ve/state.h"

static int lock(const struct vz_ctx *ctx, uint32_t veid, int *ret_fd, struct vz_err *err)
{
	vz_autocfg struct vz_cfg *global = NULL;
	int r = vz_cfg_load_global(ctx, &global, err);

	return r ? r : vz_ve_lock(ctx, global, veid, ret_fd, err);
}

int vz_repair_ve(const struct vz_ctx *ctx, uint32_t veid, struct vz_err *err)
{
	vz_autove struct vz_ve ve = { 0 };
	vz_autofd int fd = -1;
	int r = lock(ctx, veid, &fd, err);

	if (!r)
		r = vz_ve_open(ctx, veid, &ve, err);
	/* It may stand still, as who suspended or restored it was killed. */
	if (!r && vz_state_running(ctx, veid) == 1)
		r = vz_dump_mend(&ve, err);
	if (!r)
		r = vz_net_repair(&ve, err);
	return !r && vz_state_running(ctx, veid) == 1 ? vz_lxcfs_mend(&ve, err) : r;
}

/* Numbers of VEs, each once or more. */
struct veids {
	uint32_t *v;
	size_t n;
};

static int add_veid(struct veids *ids, uint32_t veid)
{
	uint32_t *v = reallocarray(ids->v, ids->n + 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	ids->v = v;
	v[ids->n++] = veid;
	return 0;
}

/* RUNDIR has a directory for each VE that runs, or has left something. */
static int find_ves(const struct vz_ctx *ctx, struct veids *ret, struct vz_err *err)
{
	vz_autodir DIR *dir = opendir(ctx->rundir);
	struct dirent *e;
	uint32_t veid;
	int r = 0;

	if (!dir)
		return errno == ENOENT ? 0
				       : vz_err_set(err, VZ_E_SYSTEM, errno,
						    "can't read %s", ctx->rundir);
	while (!r && (e = readdir(dir)))
		if (!vz_parse_veid(e->d_name, &veid) && veid)
			r = add_veid(ret, veid);
	return r ? vz_err_set(err, VZ_E_RESOURCES, -r, "can't list VEs") : 0;
}

/* Whose a device is, by its alias; 0: none of ours. */
static uint32_t owner(const struct vz_link *link)
{
	vz_autofree char *number = NULL;
	uint32_t veid;

	if (strncmp(link->alias, "vz ", 3))
		return 0;
	number = strndup(link->alias + 3, strcspn(link->alias + 3, " "));
	return number && !vz_parse_veid(number, &veid) ? veid : 0;
}

static int see_owner(const struct vz_link *link, void *data)
{
	uint32_t veid = owner(link);

	return veid ? add_veid(data, veid) : 0;
}

static int find_owners(struct veids *ret, struct vz_err *err)
{
	vz_autortnl struct vz_rtnl *nl = NULL;
	int r = vz_rtnl_open(&nl, err);

	return r ? r : vz_rtnl_links(nl, see_owner, ret, err);
}

struct sweep {
	const struct vz_ctx *ctx;
	uint32_t veid;
	struct veids index; /* of devices */
};

static int see_stale(const struct vz_link *link, void *data)
{
	struct sweep *s = data;

	if (owner(link) != s->veid)
		return 0;
	vz_info(s->ctx, "VE %u does not run: its device %s is removed", s->veid,
		link->name);
	return add_veid(&s->index, link->index);
}

/* With its lock, so that it is not about to start. */
static int sweep(const struct vz_ctx *ctx, uint32_t veid, struct vz_err *err)
{
	vz_autortnl struct vz_rtnl *nl = NULL;
	struct sweep s = { .ctx = ctx, .veid = veid };
	vz_autofd int fd = -1;
	int r = lock(ctx, veid, &fd, err);

	if (r || vz_state_running(ctx, veid))
		return r;
	r = vz_rtnl_open(&nl, err);
	if (!r)
		r = vz_rtnl_links(nl, see_stale, &s, err);
	for (size_t i = 0; !r && i < s.index.n; i++)
		r = vz_rtnl_link_del(nl, s.index.v[i], err);
	free(s.index.v);
	return r;
}

typedef int (*one_fn)(const struct vz_ctx *ctx, uint32_t veid, struct vz_err *err);

/* All of them; the first failure is returned. */
static int each(const struct vz_ctx *ctx, const struct veids *ids, one_fn fn,
		struct vz_err *ret_first)
{
	struct vz_err err;
	int first = 0, r;

	for (size_t i = 0; i < ids->n; i++) {
		vz_err_clear(&err);
		r = fn(ctx, ids->v[i], &err);
		if (!r)
			continue;
		vz_warn(ctx, "VE %u: %s", ids->v[i], err.text);
		if (!first && ret_first)
			*ret_first = err;
		first = first ? first : r;
	}
	return first;
}

/* Those that do not run, each once. */
static void drop_running(const struct vz_ctx *ctx, struct veids *ids)
{
	size_t kept = 0;

	for (size_t i = 0; i < ids->n; i++) {
		bool known = vz_state_running(ctx, ids->v[i]);

		for (size_t j = 0; !known && j < kept; j++)
			known = ids->v[j] == ids->v[i];
		if (!known)
			ids->v[kept++] = ids->v[i];
	}
	ids->n = kept;
}

int vz_repair_all(const struct vz_ctx *ctx, struct vz_err *err)
{
	struct veids ves = { 0 }, owners = { 0 };
	int r = find_ves(ctx, &ves, err), s;

	if (!r)
		r = each(ctx, &ves, vz_repair_ve, err);
	s = find_owners(&owners, r ? NULL : err);
	drop_running(ctx, &owners);
	if (!s)
		s = each(ctx, &owners, sweep, r ? NULL : err);
	free(ves.v);
	free(owners.v);
	return r ? r : s;
}

/* How long nobody has seen to the end of a VE until nobody will. */
#define UNSEEN_S 30

/*
 * RUNDIR/VEID/unseen says since when. It goes with the directory when the VE is ended or
 * started by anybody.
 */
static bool is_unseen_for_long(const struct vz_ctx *ctx, uint32_t veid)
{
	vz_autofree char *path = vz_strf("%s/%u/unseen", ctx->rundir, veid);
	vz_autofd int fd = -1;
	struct stat st;

	if (!path)
		return false;
	if (!stat(path, &st))
		return time(NULL) - st.st_mtime >= UNSEEN_S;
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	return false;
}

/*
 * It has a state and does not run. With its lock, so that no command is at it; but a
 * supervisor whose VE reboots may not have it yet.
 */
static void end_unseen(const struct vz_ctx *ctx, uint32_t veid)
{
	vz_autove struct vz_ve ve = { 0 };
	struct vz_err err = { 0 };
	vz_autofd int fd = -1;
	struct vz_state st;

	if (vz_state_load(ctx, veid, &st, NULL) || vz_state_running(ctx, veid) ||
	    !is_unseen_for_long(ctx, veid) || lock(ctx, veid, &fd, NULL) ||
	    vz_ve_open(ctx, veid, &ve, NULL))
		return;
	if (vz_ve_ended(&ve, false, -1, &err))
		vz_warn(ctx, "VE %u has ended, and what it left can't be removed: %s",
			veid, err.text);
}

void vz_repair_ended(const struct vz_ctx *ctx)
{
	struct veids ves = { 0 };

	if (!find_ves(ctx, &ves, NULL))
		for (size_t i = 0; i < ves.n; i++)
			end_unseen(ctx, ves.v[i]);
	free(ves.v);
}
