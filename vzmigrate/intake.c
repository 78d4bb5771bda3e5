/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vzmigrate/intake.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/run.h"
#include "base/str.h"
#include "ve/dumpdir.h"
#include "ve/ve.h"
#include "vzmigrate/channel.h"
#include "vzmigrate/child.h"
#include "vzmigrate/images.h"
#include "vzmigrate/pages.h"
#include "vzmigrate/staging.h"

/* From the source's last page, which criu there has had acknowledged, to its end here. */
#define END_MS 60000

static void drop(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void intake_done(struct intake *in)
{
	if (in->server >= 0)
		child_kill(in->server);
	drop(&in->server);
	if (in->early >= 0)
		child_kill(in->early);
	drop(&in->early);
	drop(&in->pages);
	drop(&in->listener);
	vz_await_end(&in->await);
}

bool intake_listen(struct intake *in, const char *id)
{
	int fd = channel_listen(id);

	if (fd >= 0)
		in->listener = fd;
	return fd >= 0;
}

/* Once a migration: asking it costs two processes. */
static int find_criu(struct intake *in, const struct landing *l, struct vz_err *err)
{
	vz_autocfg struct vz_cfg *global = NULL;
	int r;

	if (in->criu.version)
		return 0;
	r = vz_cfg_load_global(l->ctx, &global, err);
	if (!r)
		r = vz_criu_find(l->ctx, vz_cfg_str(global, VZ_P_CRIU), &in->criu, err);
	return r;
}

size_t intake_early_head(struct intake *in, const struct landing *l)
{
	if (!l->j.live || !staging_dump_in_memory(l->staging) || find_criu(in, l, NULL))
		return 0;
	return pages_head_size(in->criu.version);
}

/* Let criu take what comes by the channel into that directory. */
static int serve(struct intake *in, int pages, const struct landing *l, const char *dir,
		 int *ret_server, struct vz_err *err)
{
	int r;

	if (pages < 0)
		return mig_fail(err, MIG_E_CONNECT, -pages, "can't take up the channel");
	r = find_criu(in, l, err);
	if (r)
		return mig_recast(err, MIG_E_VERSION, r);
	r = vz_criu_page_server(&in->criu, dir, pages, ret_server);
	return r ? mig_fail(err, MIG_E_VERSION, -r, "can't run %s", in->criu.path) : 0;
}

int intake_early(struct intake *in, const struct landing *l, struct vz_err *err)
{
	vz_autofree char *dir = vz_strf("%s/dump/" VZ_DUMPDIR_EARLY, l->staging);
	vz_autofd int pages = -1;

	if (in->early >= 0)
		return mig_fail(err, MIG_E_CONNECT, EBUSY, "memory came early already");
	pages = in->listener < 0 ? -ENOTCONN : channel_accept(in->listener);
	if (!dir || (mkdir(dir, 0700) && errno != EEXIST))
		return mig_fail(err, MIG_E_COPY, errno, "can't make a directory");
	return serve(in, pages, l, dir, &in->early, err);
}

/* What came early counts when all of it is there; else it is only in the way. */
static int settle_early(struct intake *in, const char *dump, bool wanted,
			struct vz_err *err)
{
	vz_autofree char *parent = vz_strf("%s/parent", dump);
	vz_autofree char *early = vz_strf("%s/" VZ_DUMPDIR_EARLY, dump);
	int r = parent && early ? 0 : -ENOMEM;

	if (!r && wanted) {
		r = in->early < 0 ? -ENOENT : vz_run_wait(in->early, END_MS);
		if (!r && symlink(VZ_DUMPDIR_EARLY, parent))
			r = -errno;
		if (!r)
			return drop(&in->early), 0;
	}
	if (in->early >= 0)
		child_kill(in->early);
	drop(&in->early);
	if (early)
		vz_remove_tree(AT_FDCWD, early);
	return !wanted ? 0
		       : mig_fail(err, MIG_E_COPY, r < 0 ? -r : 0,
				  "criu could not write the memory that came early");
}

int intake_pages(struct intake *in, const struct landing *l, bool after_early,
		 struct vz_err *err)
{
	vz_autofree char *dir = vz_strf("%s/dump", l->staging);
	int r;

	in->pages = in->listener < 0 ? -ENOTCONN : channel_accept(in->listener);
	drop(&in->listener);
	r = dir ? settle_early(in, dir, after_early, err) : -ENOMEM;
	if (!r)
		r = serve(in, in->pages, l, dir, &in->server, err);
	/* Should criu die, the source is to see that its channel has no other end. */
	drop(&in->pages);
	return r;
}

void intake_await(struct intake *in, const struct landing *l)
{
	vz_autove struct vz_ve ve = { 0 };
	struct vz_err err = { 0 };
	int r = landing_open_ve(l, &ve, &err);

	if (!r)
		r = vz_await_begin(&ve, &in->await, &err);
	if (r)
		vz_warn(l->ctx, "what is sent to VE %u meanwhile is lost: %s", l->veid,
			err.text);
}

void intake_deliver(struct intake *in, const struct landing *l)
{
	const struct vz_ve ve = { .ctx = l->ctx, .id = l->veid };
	unsigned int n;

	if (l->j.state == VZ_MIG_DONE) {
		n = vz_await_deliver(&in->await, &ve);
		vz_info(l->ctx, "VE %u: %u packets had waited for it", l->veid, n);
	}
	vz_await_end(&in->await);
}

int intake_images(struct wire *w, const json_t *ask, const struct landing *l,
		  struct vz_err *err)
{
	vz_autofree char *path = vz_strf("%s/dump", l->staging);
	vz_autofd int dir = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	int r = images_receive(w, ask, dir, err);

	return !r && dir < 0 ? mig_fail(err, MIG_E_COPY, errno, "can't open %s", path)
			     : r;
}

int intake_finish(struct intake *in, struct vz_err *err)
{
	int r = in->server < 0 ? 0 : vz_run_wait(in->server, END_MS);

	drop(&in->server);
	drop(&in->pages);
	return r ? mig_fail(err, MIG_E_COPY, r < 0 ? -r : 0,
			    "criu could not write the VE's memory (out of memory or disk "
			    "space?)")
		 : 0;
}
