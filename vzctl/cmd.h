/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZCTL_CMD_H
#define VZCTL_CMD_H

#include <stdbool.h>

#include "tool/log.h"
#include "tool/opt.h"
#include "ve/ve.h"

/* One invocation of vzctl: what main() has read before a command runs. */
struct vz_inv {
	const struct vz_ctx *ctx;
	uint32_t veid;
	int argc; /* what stands after COMMAND VEID; argv[0] is the command */
	char **argv;
	bool quiet;
	int verbose;
	bool skip_lock;
	int lock_fd; /* -1 when the command takes no lock */
	struct vz_ve ve; /* loaded unless VZ_CMD_NOCONF */
	struct vz_err *err;
	struct vz_logfile log;
	const char *recorded; /* the command whose begin is in the log; NULL: none */
	int64_t began; /* ms */
};

enum vz_cmd_flags {
	VZ_CMD_LOCK = 1 << 0, /* main takes the VE's lock */
	VZ_CMD_NOCONF = 1 << 1, /* the VE need not have a configuration */
	VZ_CMD_NEWID = 1 << 2, /* takes a number only, no name (create) */
	VZ_CMD_HIDDEN = 1 << 3, /* not in --help */
	VZ_CMD_NOVE = 1 << 4, /* takes no VEID */
	VZ_CMD_VE0 = 1 << 5, /* works on the node itself, too */
	VZ_CMD_VEID_LAST = 1 << 6, /* the VEID is the second word, not the first */
};

/*
 * A command: one file, one of these. run() returns the exit status; on
 * failure it leaves the words in inv->err and main prints them.
 */
struct vz_cmd {
	const char *name;
	const char *alias; /* another name, or NULL */
	const char *args; /* for --help: "VEID [--fast]" */
	const char *help; /* one line */
	unsigned int flags;
	const struct vz_opt *opts; /* its own options; NULL: none */
	unsigned int params; /* and those of parameters: VZ_OPT_SET … */
	int (*run)(struct vz_inv *inv);
};

#endif
