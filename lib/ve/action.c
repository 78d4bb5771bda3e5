/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/action.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/run.h"
#include "ve/exec.h"

#define SCRIPT_MAX (1 << 20)

/* Where a script runs and which comes first, by its name. */
static const struct {
	const char *name;
	bool inside; /* in the VE: the VE's own script only */
	bool global_last;
} actions[] = {
	{ "premount" },
	{ "mount" },
	{ "umount", .global_last = true },
	{ "postumount", .global_last = true },
	{ "start", .inside = true },
	{ "stop", .inside = true },
};

static int script_path(const struct vz_ve *ve, bool global, const char *name,
		       char path[PATH_MAX])
{
	char id[16] = "vps";
	int n;

	if (!global)
		snprintf(id, sizeof(id), "%u", ve->id);
	n = snprintf(path, PATH_MAX, "%s/conf/%s.%s", ve->ctx->confdir, id, name);
	return n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int failed(const char *path, int status, struct vz_err *err)
{
	if (status > 255)
		return vz_err_set(err, VZ_E_ACTION, 0,
				  "the action script %s was killed by signal %d", path,
				  status - 256);
	return vz_err_set(err, VZ_E_ACTION, 0, "the action script %s failed with %d",
			  path, status);
}

static int run_outside(const struct vz_ve *ve, const char *path, struct vz_err *err)
{
	char veid[32], conf[PATH_MAX + 32], term[96];
	const char *const env[] = {
		veid, conf, "PATH=" VZ_RUN_PATH, "HOME=/", term, NULL
	};
	const char *const argv[] = { path, NULL };
	const struct vz_run run = { .argv = argv, .env = env, .fd = { -1, 1, 2 } };
	const char *t = getenv("TERM");
	int r;

	snprintf(veid, sizeof(veid), "VEID=%u", ve->id);
	snprintf(conf, sizeof(conf), "VE_CONFFILE=%s/conf/%u.conf", ve->ctx->confdir,
		 ve->id);
	snprintf(term, sizeof(term), "TERM=%s", t ? t : "linux");
	vz_debug(ve->ctx, "running %s", path);
	r = vz_run(&run);
	if (r < 0)
		return vz_err_set(err, VZ_E_NOSCRIPT, -r,
				  "can't run the action script %s", path);
	return r ? failed(path, r, err) : 0;
}

static int run_inside(const struct vz_ve *ve, const char *path, struct vz_err *err)
{
	vz_autofree char *text = NULL;
	char veid[32];
	const char *const env[] = { veid, NULL };
	int r = vz_read_file(path, SCRIPT_MAX, &text, NULL);

	if (r)
		return vz_err_set(err, VZ_E_NOSCRIPT, -r,
				  "can't read the action script %s", path);
	snprintf(veid, sizeof(veid), "VEID=%u", ve->id);
	r = vz_exec_script(ve->ctx, ve->id, text, env, ve->ctx->script_timeout_ms, err);
	if (r < 0)
		vz_err_prefix(err, "the action script %s", path);
	return r > 0 ? failed(path, r, err) : r;
}

static int run_one(const struct vz_ve *ve, size_t action, bool global, struct vz_err *err)
{
	char path[PATH_MAX];
	int r = script_path(ve, global, actions[action].name, path);

	if (r)
		return vz_err_set(err, VZ_E_NOSCRIPT, -r, "%s", ve->ctx->confdir);
	if (access(path, F_OK))
		return errno == ENOENT ? 0
				       : vz_err_set(err, VZ_E_NOSCRIPT, errno,
						    "the action script %s", path);
	return actions[action].inside ? run_inside(ve, path, err)
				      : run_outside(ve, path, err);
}

int vz_action_run(const struct vz_ve *ve, const char *name, struct vz_err *err)
{
	size_t i = 0;
	int r;

	while (i < VZ_ARRAY_SIZE(actions) && strcmp(actions[i].name, name))
		i++;
	if (i == VZ_ARRAY_SIZE(actions))
		return vz_err_set(err, VZ_E_NOSCRIPT, EINVAL, "no action '%s'", name);
	if (actions[i].inside)
		return run_one(ve, i, false, err);
	r = run_one(ve, i, !actions[i].global_last, err);
	return r ? r : run_one(ve, i, actions[i].global_last, err);
}
