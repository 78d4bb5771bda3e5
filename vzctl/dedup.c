/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vzctl dedup VEID... | --all: identical files of VEs share their blocks again. */
#include "ve/dedup.h"

#include <inttypes.h>

#include "tool/progress.h"
#include "vzctl/cmds.h"

enum { OPT_ALL, OPT__COUNT };

static const struct vz_opt options[] = {
	[OPT_ALL] = { "all", 'a', NULL, "between all VEs of layout simfs" },
	{ 0 },
};

static int find_ids(struct vz_inv *inv, const struct vz_strv *words, bool all,
		    struct vz_ids *ids)
{
	int r = all ? vz_ids_defined(inv->ctx, ids) : 0;
	uint32_t id;

	if (!all == !words->n)
		return vz_err_set(inv->err, VZ_E_SYNTAX, 0,
				  "of which VEs? dedup VEID... | --all");
	for (size_t i = 0; !r && i < words->n; i++) {
		r = vz_ve_lookup(inv->ctx, words->v[i], &id, inv->err);
		if (r)
			return r;
		r = vz_ids_add(ids, id);
	}
	vz_ids_sort(ids);
	return r ? vz_err_set(inv->err, VZ_E_SYSTEM, -r, "can't list the VEs") : 0;
}

static void say(struct vz_inv *inv, const struct vz_dedupe_sum *s)
{
	vz_info(inv->ctx,
		"%" PRIu64 " files were looked at: %" PRIu64 " KiB in %" PRIu64
		" of them are shared now, %" PRIu64 " KiB in %" PRIu64 " were before",
		s->files, s->shared_bytes / 1024, s->shared_files, s->were_bytes / 1024,
		s->were_files);
	if (s->changed)
		vz_info(inv->ctx,
			"%" PRIu64 " changed meanwhile, or can't be changed: they are as "
			"they were",
			s->changed);
	if (s->left)
		vz_warn(inv->ctx, "%" PRIu64 " lie too deep, or are too many", s->left);
}

static int run(struct vz_inv *inv)
{
	const char *given[OPT__COUNT] = { NULL };
	vz_autostrv struct vz_strv words = { 0 };
	struct vz_opt_parse parse = { .own = options,
				      .ret_values = given,
				      .words = &words };
	vz_autoids struct vz_ids ids = { 0 };
	struct vz_dedupe_sum sum;
	struct vz_progress bar;
	struct vz_dedup how = { .ids = &ids,
				.progress = vz_progress_update,
				.progress_data = &bar };
	int r = vz_opt_parse(&parse, inv->argc, inv->argv, inv->err);

	if (!r)
		r = find_ids(inv, &words, given[OPT_ALL], &ids);
	if (r)
		return inv->err->status;
	how.all = given[OPT_ALL];
	vz_progress_start(&bar, inv->quiet);
	r = vz_dedup(inv->ctx, &how, &sum, inv->err);
	vz_progress_end(&bar);
	if (!r || sum.files)
		say(inv, &sum);
	return r ? inv->err->status : 0;
}

const struct vz_cmd vz_cmd_dedup = {
	.name = "dedup",
	.args = "VEID... | --all",
	.help = "let identical files of VEs of layout simfs share their blocks again",
	.flags = VZ_CMD_NOVE,
	.opts = options,
	.run = run,
};
