/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vzctl create VEID [options]: a new VE from a template. */
#include <errno.h>

#include "tool/opt.h"
#include "tool/progress.h"
#include "ve/create.h"
#include "ve/macs.h"
#include "vzctl/cmds.h"

/* --config says what the rest is laid over, so it is sought first. */
static const char *sample_of(const struct vz_changes *changes)
{
	const char *sample = NULL;

	for (size_t i = 0; i < changes->n; i++)
		if (changes->v[i].id == VZ_P_CONFIGFILE)
			sample = changes->v[i].text;
	return sample;
}

static int create(struct vz_inv *inv, const struct vz_create_base *base,
		  const struct vz_cfg *cfg)
{
	struct vz_progress bar;
	struct vz_create how = {
		.base = base,
		.cfg = cfg,
		.lock_fd = inv->lock_fd,
		.progress = vz_progress_update,
		.progress_data = &bar,
	};
	int r;

	vz_progress_start(&bar, inv->quiet);
	r = vz_ve_create(inv->ctx, inv->veid, &how, inv->err);
	vz_progress_end(&bar);
	return r;
}

static int run(struct vz_inv *inv)
{
	vz_autochanges struct vz_changes changes = { 0 };
	struct vz_opt_parse how = { .params = VZ_OPT_CREATE, .changes = &changes };
	vz_autobase struct vz_create_base base = { 0 };
	vz_autocfg struct vz_cfg *cfg = NULL;
	int r = vz_opt_parse(&how, inv->argc, inv->argv, inv->err);

	if (!r)
		r = vz_create_base(inv->ctx, inv->veid, sample_of(&changes), &base,
				   inv->err);
	if (!r && vz_cfg_copy(base.cfg, &cfg))
		r = vz_err_set(inv->err, VZ_E_SYSTEM, ENOMEM, "can't create VE %u",
			       inv->veid);
	if (!r)
		r = vz_cfg_change(cfg, &changes, inv->err);
	if (!r)
		r = vz_macs_fill(inv->ctx, inv->veid, cfg, NULL, NULL, inv->err);
	if (!r)
		r = create(inv, &base, cfg);
	if (r)
		return inv->err->status;
	vz_info(inv->ctx, "VE %u was created", inv->veid);
	return 0;
}

const struct vz_cmd vz_cmd_create = {
	.name = "create",
	.args = "VEID [--ostemplate NAME] [--config SAMPLE] [--PARAMETER VALUE] ...",
	.help = "make a VE from an OS template",
	.flags = VZ_CMD_LOCK | VZ_CMD_NOCONF | VZ_CMD_NEWID,
	.params = VZ_OPT_CREATE,
	.run = run,
};
