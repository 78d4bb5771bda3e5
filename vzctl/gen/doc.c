/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Made and run when vz is built: copies a man page or a completion script to
 * standard output and puts in, where a line is just @PART@, what the tables of
 * parameters, commands and features say.
 */
#include <stdio.h>
#include <string.h>

#include "res/param.h"
#include "sys/feature.h"
#include "ve/apply.h"
#include "vzctl/cmds.h"

/* Text for roff: no control character at a line's start, hyphens that copy. */
static void roff(const char *s)
{
	if (*s == '.' || *s == '\'')
		fputs("\\&", stdout);
	for (; *s; s++) {
		if (*s == '\\')
			fputs("\\e", stdout);
		else if (*s == '-')
			fputs("\\-", stdout);
		else
			putchar(*s);
	}
}

/* The help as a sentence. */
static void sentence(const char *s)
{
	char first[2] = { *s >= 'a' && *s <= 'z' ? *s - 32 : *s };

	roff(first);
	roff(s + 1);
	puts(".");
}

/* In enum order, where a section begins. */
static const struct {
	enum vz_param_id from;
	const char *title;
} sections[] = {
	{ VZ_P_ONBOOT, "General" },
	{ VZ_P_HOSTNAME, "Names and network" },
	{ VZ_P_CAPABILITY, "Security and devices" },
	{ VZ_P_CPUUNITS, "CPU" },
	{ VZ_P_IOPRIO, "Disk transfer" },
	{ VZ_P_DISKSPACE, "Disk space" },
	{ VZ_P_KMEMSIZE, "Memory and other beancounters" },
	{ VZ_P_VIRTUOZZO, "The node" },
};

/* The title that the section of row `id` has, when it was not printed yet. */
static void section(int id, size_t *next)
{
	const char *title = NULL;

	while (*next < VZ_ARRAY_SIZE(sections) && (int)sections[*next].from <= id)
		title = sections[(*next)++].title;
	if (title)
		printf(".SS %s\n", title);
}

static const char *arg_of(const struct vz_param *p, const struct vz_param_opt *o)
{
	return o && o->arg ? o->arg : p->arg ? p->arg : "NUM";
}

static void what_else(const struct vz_param *p)
{
	const char *note = vz_apply_note(p->live);

	if (p->def) {
		fputs("Default: ", stdout);
		roff(p->def);
		puts(".");
	}
	if (note && p->live != VZ_LIVE_NONE) {
		fputs("A new value ", stdout);
		roff(note);
		puts(".");
	}
	if (p->flags & VZ_PF_SAVE_ONLY)
		puts("Needs \\fB\\-\\-save\\fR.");
}

static void param_options(unsigned int cmds)
{
	size_t next = 0;

	for (int i = 0; i < VZ_P__COUNT; i++) {
		const struct vz_param *p = &vz_params[i];

		for (size_t k = 0; k < VZ_PARAM_OPTS && p->opt[k].name; k++) {
			const struct vz_param_opt *o = &p->opt[k];

			if (!(o->cmds & cmds))
				continue;
			if (cmds == VZ_OPT_SET)
				section(i, &next);
			printf(".TP\n\\fB\\-\\-");
			roff(o->name);
			printf("\\fR \\fI");
			roff(arg_of(p, o));
			puts("\\fR");
			if (k && !o->help && p->opt[0].op == o->op) {
				printf("The same as \\fB\\-\\-%s\\fR.\n", p->opt[0].name);
				continue;
			}
			sentence(o->help ? o->help : p->help);
			if (!o->help && cmds == VZ_OPT_SET)
				what_else(p);
		}
	}
}

static void set_options(void)
{
	param_options(VZ_OPT_SET);
}

static void create_options(void)
{
	param_options(VZ_OPT_CREATE);
}

static void pool_options(void)
{
	param_options(VZ_OPT_POOL);
}

static void key(const struct vz_param *p)
{
	printf(".TP\n\\fB%s\\fR=\"\\fI", p->key);
	roff(arg_of(p, NULL));
	puts("\\fR\"");
	sentence(p->help);
	if (p->def) {
		fputs("Default: ", stdout);
		roff(p->def);
		puts(".");
	}
	for (size_t a = 0; a < VZ_ARRAY_SIZE(p->alias); a++)
		if (p->alias[a])
			printf("Also spelt \\fB%s\\fR.\n", p->alias[a]);
	if (p->opt[0].name && p->opt[0].cmds & VZ_OPT_SET) {
		fputs("Option: \\fB\\-\\-", stdout);
		roff(p->opt[0].name);
		puts("\\fR.");
	}
}

static void keys(bool node)
{
	size_t next = 0;

	for (int i = 0; i < VZ_P__COUNT; i++) {
		if ((vz_params[i].scope == VZ_SCOPE_GLOBAL) != node)
			continue;
		if (node)
			next = VZ_ARRAY_SIZE(sections);
		section(i, &next);
		key(&vz_params[i]);
	}
}

static void node_keys(void)
{
	keys(true);
}

static void ve_keys(void)
{
	keys(false);
}

/* Which keys of a VE have their default in vz.conf, too. */
static void shared_keys(void)
{
	const char *sep = "";

	for (int i = 0; i < VZ_P__COUNT; i++) {
		if (vz_params[i].scope != VZ_SCOPE_BOTH)
			continue;
		printf("%s%s", sep, vz_params[i].key);
		sep = ", ";
	}
	puts(".");
}

static void own_options(const struct vz_cmd *c)
{
	if (!c->opts || !c->opts->name)
		return;
	puts(".RS");
	for (const struct vz_opt *o = c->opts; o->name; o++) {
		fputs(".TP\n\\fB\\-\\-", stdout);
		roff(o->name);
		fputs("\\fR", stdout);
		if (o->arg) {
			fputs(" \\fI", stdout);
			roff(o->arg);
			fputs("\\fR", stdout);
		}
		putchar('\n');
		sentence(o->help);
	}
	puts(".RE");
}

static void commands(void)
{
	for (size_t i = 0; vz_cmds[i]; i++) {
		const struct vz_cmd *c = vz_cmds[i];

		if (c->flags & VZ_CMD_HIDDEN)
			continue;
		printf(".TP\n\\fB%s\\fR", c->name);
		if (c->alias)
			printf(" | \\fB%s\\fR", c->alias);
		printf(" \\fI");
		roff(c->args);
		puts("\\fR");
		sentence(c->help);
		own_options(c);
	}
}

static void features(void)
{
	for (size_t i = 0; i < VZ_F__COUNT; i++) {
		printf(".TP\n\\fB%s\\fR%s\n", vz_features[i].name,
		       vz_features[i].on ? " (on by default)" : "");
		sentence(vz_features[i].help);
	}
}

static void words_of(unsigned int cmds)
{
	for (int i = 0; i < VZ_P__COUNT; i++)
		for (size_t k = 0; k < VZ_PARAM_OPTS && vz_params[i].opt[k].name; k++)
			if (vz_params[i].opt[k].cmds & cmds)
				printf(" --%s", vz_params[i].opt[k].name);
}

/* The options that a command without a table names in its synopsis. */
static void words_in(const char *args)
{
	while ((args = strstr(args, "--"))) {
		size_t n = 2 + strspn(args + 2, "abcdefghijklmnopqrstuvwxyz_-");

		if (n > 2)
			printf(" %.*s", (int)n, args);
		args += n;
	}
}

static void completion_words(void)
{
	fputs("_vzctl_commands='", stdout);
	for (size_t i = 0; vz_cmds[i]; i++)
		if (!(vz_cmds[i]->flags & VZ_CMD_HIDDEN))
			printf("%s%s%s%s", i ? " " : "", vz_cmds[i]->name,
			       vz_cmds[i]->alias ? " " : "",
			       vz_cmds[i]->alias ? vz_cmds[i]->alias : "");
	puts("'\ndeclare -A _vzctl_options=(");
	for (size_t i = 0; vz_cmds[i]; i++) {
		const struct vz_opt *o = vz_cmds[i]->opts;

		if (vz_cmds[i]->flags & VZ_CMD_HIDDEN)
			continue;
		printf("\t[%s]='", vz_cmds[i]->name);
		for (; o && o->name; o++)
			printf(" --%s", o->name);
		if (!vz_cmds[i]->opts && !vz_cmds[i]->params)
			words_in(vz_cmds[i]->args);
		words_of(vz_cmds[i]->params);
		puts("'");
	}
	puts(")\n# What options of parameters take, where it is one of a few words.");
	puts("declare -A _vzctl_values=(");
	for (int i = 0; i < VZ_P__COUNT; i++) {
		const struct vz_param *p = &vz_params[i];

		if (!p->opt[0].name || (p->type != VZ_T_BOOL && p->type != VZ_T_ENUM))
			continue;
		printf("\t[--%s]='", p->opt[0].name);
		for (const char *s = p->arg; *s; s++)
			putchar(*s == '|' ? ' ' : *s);
		puts("'");
	}
	puts(")");
}

static const struct {
	const char *name;
	void (*print)(void);
} parts[] = {
	{ "@COMMANDS@", commands },
	{ "@SET_OPTIONS@", set_options },
	{ "@CREATE_OPTIONS@", create_options },
	{ "@POOL_OPTIONS@", pool_options },
	{ "@NODE_KEYS@", node_keys },
	{ "@VE_KEYS@", ve_keys },
	{ "@SHARED_KEYS@", shared_keys },
	{ "@FEATURES@", features },
	{ "@COMPLETION@", completion_words },
};

/* A line of the page, @VERSION@ and @CONFDIR@ in it replaced. */
static void copy(const char *s)
{
	for (; *s; s++) {
		if (!strncmp(s, "@VERSION@", 9)) {
			fputs(VZ_VERSION, stdout);
			s += 8;
		} else if (!strncmp(s, "@CONFDIR@", 9)) {
			fputs(VZ_CONFDIR, stdout);
			s += 8;
		} else {
			putchar(*s);
		}
	}
}

static void line(char *s)
{
	char *nl = strchr(s, '\n');

	if (nl)
		*nl = 0;
	for (size_t i = 0; i < VZ_ARRAY_SIZE(parts); i++)
		if (!strcmp(s, parts[i].name)) {
			parts[i].print();
			return;
		}
	copy(s);
	putchar('\n');
}

int main(int argc, char **argv)
{
	vz_autofile FILE *f = argc == 2 ? fopen(argv[1], "re") : NULL;
	vz_autofree char *s = NULL;
	size_t size = 0;

	if (!f) {
		fprintf(stderr, "usage: doc FILE.in\n");
		return 1;
	}
	while (getline(&s, &size, f) >= 0)
		line(s);
	return fflush(stdout) || ferror(f);
}
