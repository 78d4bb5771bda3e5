/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vztmpl: the OS templates of a node, from which vzctl create makes VEs. */
#include "templates/vztmpl.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "res/cfg.h"
#include "tool/stdio.h"

static const struct tmpl_cmd *const cmds[] = {
	&tmpl_cmd_list,	  &tmpl_cmd_make,   &tmpl_cmd_fetch,
	&tmpl_cmd_verify, &tmpl_cmd_remove, &tmpl_cmd_prune,
};

static void usage(FILE *out)
{
	fprintf(out, "vztmpl version " VZ_VERSION "\n"
		     "Manage the OS templates of this node.\n\n"
		     "Usage: vztmpl [--verbose] COMMAND ...\n"
		     "       vztmpl --help | --version\n\nCommands:\n");
	for (size_t i = 0; i < VZ_ARRAY_SIZE(cmds); i++)
		fprintf(out, "  %s%s%s\n        %s\n", cmds[i]->name,
			*cmds[i]->args ? " " : "", cmds[i]->args, cmds[i]->help);
	fprintf(out, "\nvztmpl(8) has the whole of it.\n");
}

__attribute__((format(printf, 3, 0))) static void
print_log(void *data, enum vz_log_level level, const char *fmt, va_list ap)
{
	const struct tmpl_inv *inv = data;

	if (level == VZ_LOG_DEBUG && !inv->verbose)
		return;
	if (level == VZ_LOG_WARN)
		fputs("Warning: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

static const struct tmpl_cmd *find(const char *word)
{
	for (size_t i = 0; i < VZ_ARRAY_SIZE(cmds); i++)
		if (!strcmp(cmds[i]->name, word))
			return cmds[i];
	return NULL;
}

static int run(struct tmpl_inv *inv)
{
	const struct tmpl_cmd *cmd = find(inv->argv[0]);
	vz_autocfg struct vz_cfg *global = NULL;
	int r;

	if (!cmd)
		return vz_err_set(inv->err, VZ_E_SYNTAX, 0,
				  "unknown command '%s': see vztmpl --help",
				  inv->argv[0]);
	if (geteuid())
		return vz_err_set(inv->err, VZ_E_PERM, 0, "vztmpl must be run by root");
	r = vz_cfg_load_global(inv->ctx, &global, inv->err);
	if (r)
		return r;
	inv->dir = vz_cfg_str(global, VZ_P_TEMPLATE);
	inv->def = vz_cfg_str(global, VZ_P_DEF_OSTEMPLATE);
	if (!inv->dir)
		return vz_err_set(inv->err, VZ_E_NO_TEMPLATE_SET, 0,
				  "TEMPLATE is not set in %s/vz.conf", inv->ctx->confdir);
	return cmd->run(inv);
}

int main(int argc, char **argv)
{
	struct vz_err err = { 0 };
	struct vz_ctx ctx;
	struct tmpl_inv inv = { .ctx = &ctx, .err = &err };
	int at = 1;

	vz_stdio_begin();
	vz_ctx_init(&ctx);
	ctx.log = print_log;
	ctx.log_data = &inv;
	if (at < argc && !strcmp(argv[at], "--verbose")) {
		inv.verbose = true;
		at++;
	}
	if (at == argc || !strcmp(argv[at], "--help")) {
		usage(at == argc ? stderr : stdout);
		return at == argc ? VZ_E_SYNTAX : VZ_OK;
	}
	if (!strcmp(argv[at], "--version"))
		return puts("vztmpl version " VZ_VERSION) < 0;
	inv.argv = argv + at;
	inv.argc = argc - at;
	if (!run(&inv))
		return vz_stdio_end("vztmpl") ? VZ_OK : VZ_E_SYSTEM;
	fprintf(stderr, "vztmpl: %s\n", err.text);
	return err.status;
}
