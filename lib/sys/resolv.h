/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_RESOLV_H
#define VZ_SYS_RESOLV_H

#include "base/err.h"
#include "base/str.h"

/* What a resolv.conf says that matters here. */
struct vz_resolv {
	struct vz_strv servers;
	struct vz_strv domains; /* the last "search" or "domain" line, as in libc */
};

/* Parse the text of one. 0 or -ENOMEM; lines of no meaning here are skipped. */
int vz_resolv_parse(const char *text, struct vz_resolv *ret);
void vz_resolv_done(struct vz_resolv *r);
#define vz_autoresolv VZ_CLEANUP(vz_resolv_done)

/*
 * The host's own resolvers and search list, for the value `inherit`. A server
 * on a loopback address (the stub of systemd-resolved, a local dnsmasq) is
 * another machine's loopback inside a VE: such are left out, and where none
 * remains the servers behind the stub are taken.
 * `files` ends in NULL; NULL: the places of a usual host.
 */
int vz_resolv_host(const char *const *files, struct vz_resolv *ret, struct vz_err *err);

#endif
