/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZMIGRATE_SEND_H
#define VZMIGRATE_SEND_H

#include "ve/ve.h"
#include "vzmigrate/report.h"

/* One migration as the command line wants it. */
struct send {
	const struct vz_ctx *ctx;
	const char *dest;
	uint32_t veid;
	const char *ssh_opts, *rsync_opts; /* NULL: none */
	bool keep_source; /* -r no */
	bool keep_dest; /* --keep-dst */
	bool live;
	bool no_precopy; /* --no-pre-copy */
	bool check_only;
	const char *nodeps; /* kinds of checks that are only warned of; NULL: none */
	struct report *report;
};

/* 0, or -errno with an enum mig_exit in the error. */
int send_ve(const struct send *how, struct vz_err *err);

#endif
