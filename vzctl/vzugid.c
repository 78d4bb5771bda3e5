/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vzugid VEID: answers the quota calls of a VE's processes, which come over the
 * listener of their system call filter, descriptor 3. Begun by the supervisor, or by
 * who has brought the processes into the VE, when the first call comes; it ends with
 * the last of those processes.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/num.h"
#include "ve/ugidserve.h"

#define LISTENER 3

int main(int argc, char **argv)
{
	struct vz_ugidserver server;
	vz_autove struct vz_ve ve = { 0 };
	struct vz_err err = { 0 };
	struct vz_ctx ctx;
	uint32_t veid;
	int r;

	if (argc != 2 || vz_parse_veid(argv[1], &veid) ||
	    fcntl(LISTENER, F_SETFD, FD_CLOEXEC))
		return 2;
	prctl(PR_SET_DUMPABLE, 0);
	vz_ctx_init(&ctx);
	r = vz_ve_open(&ctx, veid, &ve, &err);
	if (!r)
		r = vz_ugidserver_init(&ve, &server, &err);
	if (r)
		return 1;
	r = vz_ugidserver_run(&server, LISTENER);
	vz_ugidserver_done(&server);
	return r ? 1 : 0;
}
