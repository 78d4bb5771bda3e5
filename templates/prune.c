/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vztmpl prune: unpacked templates that no VE lies over go. */
#include <stdio.h>

#include "templates/vztmpl.h"
#include "tool/opt.h"
#include "ve/unpacked.h"

static void removed(void *data, const struct vz_unpacked_version *v)
{
	size_t *n = data;

	printf("Removed %.12s (%s)\n", v->digest, v->template ? v->template : "-");
	++*n;
}

static int run(struct tmpl_inv *inv)
{
	struct vz_opt_parse how = { 0 };
	size_t n = 0;
	int r = vz_opt_parse(&how, inv->argc, inv->argv, inv->err);

	if (!r)
		r = vz_unpacked_prune(inv->ctx, inv->dir, removed, &n, inv->err);
	if (!r && !n)
		puts("Nothing to remove: each unpacked template is used");
	return r;
}

const struct tmpl_cmd tmpl_cmd_prune = {
	.name = "prune",
	.args = "",
	.help = "remove unpacked templates that no VE uses",
	.run = run,
};
