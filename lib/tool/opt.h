/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_TOOL_OPT_H
#define VZ_TOOL_OPT_H

#include "base/err.h"
#include "res/cfg.h"

/*
 * An option of a command that is no parameter, in a static table that a NULL
 * name ends. Parsing, --help, man pages and completion read it.
 */
struct vz_opt {
	const char *name; /* without the dashes */
	char letter; /* its short form, or 0 */
	const char *arg; /* "SECONDS"; NULL: a flag */
	const char *help;
};

/*
 * Parse argv[1] to argv[argc - 1]: `--opt value`, `--opt=value`, `-o value`,
 * `-ovalue`, flags, `-ab` for `-a -b`, `--` before what is no option, in any order
 * with words.
 *
 * own: the command's options; ret_values[i] is what own[i] was given, "" for
 * a flag, untouched when it was not. params: which rows' options it takes
 * too (VZ_OPT_SET, VZ_OPT_CREATE; 0: none); they go to changes in order.
 * words: gets what is no option; NULL: there must be none. VZ_E_SYNTAX.
 */
struct vz_opt_parse {
	const struct vz_opt *own;
	const char **ret_values;
	unsigned int params;
	struct vz_changes *changes;
	struct vz_strv *words;
};
int vz_opt_parse(const struct vz_opt_parse *how, int argc, char **argv,
		 struct vz_err *err);

/*
 * The index of the first argument from argv[1] on that is neither an option
 * nor the value of one; argc when there is none. For what comes before a VEID.
 */
int vz_opt_first_word(const struct vz_opt_parse *how, int argc, char **argv);

#endif
