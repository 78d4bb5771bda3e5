/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vzcfgvalidate: whether a configuration's beancounters agree with each other. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "res/validate.h"
#include "tool/cfgfile.h"
#include "tool/main.h"

enum { REPAIR, ASK, VSWAP };

static const struct vz_opt opts[] = {
	[REPAIR] = { "repair", 'r', NULL, "put right what is wrong, in the file" },
	[ASK] = { "interactive", 'i', NULL, "the same, and ask before each change" },
	[VSWAP] = { "vswap", 'v', "yes|no", "judge it as one with RAM and swap, or not" },
	{ 0 },
};

#define EXIT_BROKEN 2

/* Whether to make the change: Enter is yes, the end of the input is no. */
static bool confirmed(const char *fix)
{
	char line[64];

	fflush(stdout);
	do {
		fprintf(stderr, "  Change it to %s? [Y/n] ", fix);
		if (!fgets(line, sizeof(line), stdin)) {
			fputc('\n', stderr);
			return false;
		}
		if (strchr("yY\n", line[0]))
			return true;
	} while (!strchr("nN", line[0]));
	return false;
}

static void print_breach(const struct vz_breach *b)
{
	static const char *const levels[] = {
		[VZ_BREACH_ERROR] = "Error",
		[VZ_BREACH_WARNING] = "Warning",
		[VZ_BREACH_ADVICE] = "Recommendation",
	};
	char now[48];

	vz_breach_value(&b->now, now);
	printf("%s: %s: %s", levels[b->level], vz_params[b->id].opt[0].name, b->text);
	if (!b->missing)
		printf(" (it is %s)", now);
	putchar('\n');
}

/* What could be done about one breach. 1: it is repaired; 0: it stays. */
static int handle(struct vz_tool_run *run, const struct vz_breach *b, struct vz_cfg *cfg)
{
	char fix[48];
	int r;

	if (b->missing || !(run->value[REPAIR] || run->value[ASK]))
		return 0;
	vz_breach_value(&b->fix, fix);
	if (run->value[ASK] && !confirmed(fix))
		return 0;
	if (!run->value[ASK])
		printf("  changed to %s\n", fix);
	r = vz_breach_repair(b, cfg, run->err);
	return r ? r : 1;
}

/* The rules, one after the other; what stays broken and what was changed. */
static int judge(struct vz_tool_run *run, struct vz_validator *v, struct vz_cfg *cfg,
		 unsigned int *ret_broken, unsigned int *ret_changed)
{
	struct vz_breach b;
	int r;

	while (vz_validate_next(v, &b)) {
		print_breach(&b);
		r = handle(run, &b, cfg);
		if (r < 0)
			return r;
		*ret_changed += r;
		*ret_broken += !r && b.level != VZ_BREACH_ADVICE;
	}
	return 0;
}

static int find_mode(struct vz_tool_run *run, const struct vz_cfg *cfg, bool *ret)
{
	const char *word = run->value[VSWAP];

	*ret = word ? !strcmp(word, "yes") : vz_validate_vswap(cfg);
	if (!word || *ret || !strcmp(word, "no"))
		return 0;
	return vz_err_set(run->err, VZ_E_SYNTAX, 0, "--vswap %s: expected yes or no",
			  word);
}

static int validate(struct vz_tool_run *run)
{
	vz_autocfgfile struct vz_cfgfile file = { 0 };
	unsigned int broken = 0, changed = 0;
	vz_autocfg struct vz_cfg *cfg = NULL;
	struct vz_validator v = { 0 };
	struct vz_machine machine;
	int r;

	r = vz_cfgfile_load(run->ctx, run->words.v[0], &file, run->err);
	if (!r)
		r = find_mode(run, file.cfg, &v.vswap);
	if (!r)
		r = vz_machine_read(run->ctx, &machine, run->err);
	if (!r && vz_cfg_copy(file.cfg, &cfg))
		r = vz_err_set(run->err, VZ_E_RESOURCES, ENOMEM, "can't judge it");
	if (r)
		return r;
	v.cfg = cfg;
	v.machine = &machine;
	r = judge(run, &v, cfg, &broken, &changed);
	if (!r && changed)
		r = vz_cfgfile_save(&file, cfg, NULL, run->err);
	if (r)
		return r;
	if (broken)
		printf("%s: %u of the rules %s broken\n", run->words.v[0], broken,
		       broken == 1 ? "is" : "are");
	else
		printf("%s: valid\n", run->words.v[0]);
	return broken ? EXIT_BROKEN : 0;
}

int main(int argc, char **argv)
{
	static const struct vz_tool tool = {
		.name = "vzcfgvalidate",
		.args = "[-r | -i] [-v yes|no] FILE",
		.about = "Check that the beancounters of a configuration agree with each "
			 "other.\nExits with 2 when they do not.",
		.opts = opts,
		.words_min = 1,
		.words_max = 1,
		.plans = true,
		.run = validate,
	};

	return vz_tool_main(&tool, argc, argv);
}
