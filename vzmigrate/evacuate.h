/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZMIGRATE_EVACUATE_H
#define VZMIGRATE_EVACUATE_H

#include "base/str.h"
#include "vzmigrate/report.h"

/* `vzmigrate --all`: all VEs of this node, to the nodes that are named. */
struct evacuate {
	const struct vz_ctx *ctx;
	const struct vz_strv *dests;
	const struct vz_strv *options; /* what each vzmigrate of one VE is given */
	const char *ssh_opts;
	unsigned int parallel;
	bool plan_only;
	bool check_only; /* say of each, too, whether it could go */
	bool overcommit; /* where none has room the emptiest takes it */
	struct report *report;
};

/*
 * Plan, show the plan, do it. What fails is told and does not stop the rest; run
 * again it sees to what is still here. The first failure's status, 0: none.
 */
int evacuate(const struct evacuate *how, struct vz_err *err);

#endif
