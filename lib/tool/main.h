/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_TOOL_MAIN_H
#define VZ_TOOL_MAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "tool/opt.h"

/* The main() of a small tool: options, --help, --version, one line of error. */
struct vz_tool_run {
	const char *name;
	const struct vz_ctx *ctx; /* its warnings go to stderr */
	const char **value; /* of the tool's options, see tool/opt.h */
	struct vz_strv words;
	struct vz_err *err;
};

struct vz_tool {
	const char *name;
	const char *args; /* of the synopsis */
	const char *about; /* a sentence */
	const struct vz_opt *opts; /* --help, -h and --version come of themselves */
	size_t words_min, words_max;
	bool plans; /* takes --proc DIR: the /proc of another node, saved */
	/* The exit status; negative: an error, which is in run->err. */
	int (*run)(struct vz_tool_run *run);
};

/* Any error is exit status 1, as with OpenVZ's tools of this kind. */
int vz_tool_main(const struct vz_tool *tool, int argc, char **argv);

#endif
