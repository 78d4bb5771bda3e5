/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TEMPLATES_VZTMPL_H
#define TEMPLATES_VZTMPL_H

#include <stdbool.h>

#include "base/ctx.h"
#include "base/err.h"

/* One invocation of vztmpl. */
struct tmpl_inv {
	const struct vz_ctx *ctx;
	const char *dir; /* TEMPLATE */
	const char *def; /* DEF_OSTEMPLATE; may be NULL */
	int argc; /* argv[0] is the command */
	char **argv;
	bool verbose;
	struct vz_err *err;
};

/* A command: one file, one of these. run() returns 0 or -errno, err being set. */
struct tmpl_cmd {
	const char *name;
	const char *args; /* for --help */
	const char *help; /* one line */
	int (*run)(struct tmpl_inv *inv);
};

extern const struct tmpl_cmd tmpl_cmd_list;
extern const struct tmpl_cmd tmpl_cmd_make;
extern const struct tmpl_cmd tmpl_cmd_fetch;
extern const struct tmpl_cmd tmpl_cmd_verify;
extern const struct tmpl_cmd tmpl_cmd_remove;
extern const struct tmpl_cmd tmpl_cmd_prune;

#endif
