/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vzctl/record.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ll + ts.tv_nsec / 1000000;
}

/* The options by their names alone: a value may be a password. */
static void add_options(struct vz_str *s, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "--", 2) || !argv[i][2])
			continue;
		vz_str_add(s, " ");
		vz_str_addn(s, argv[i], strcspn(argv[i], "="));
	}
}

void record_begin(struct vz_inv *inv, const struct vz_cmd *cmd)
{
	vz_autostr struct vz_str options = { 0 };

	if (!(cmd->flags & VZ_CMD_LOCK))
		return;
	inv->recorded = cmd->name;
	inv->began = now_ms();
	add_options(&options, inv->argc, inv->argv);
	vz_logfile_write(&inv->log, VZ_LOG_INFO, inv->veid, "%s%s: begin (pid %d)",
			 cmd->name, options.s ?: "", getpid());
}

void record_end(struct vz_inv *inv, int status)
{
	if (!inv->recorded)
		return;
	if (!status)
		vz_logfile_write(&inv->log, VZ_LOG_INFO, inv->veid, "%s: done in %lld ms",
				 inv->recorded, (long long)(now_ms() - inv->began));
	else
		vz_logfile_write(&inv->log, VZ_LOG_ERR, inv->veid,
				 "%s: exit status %d%s%s", inv->recorded, status,
				 inv->err->text[0] ? ": " : "", inv->err->text);
}
