/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tool/sysctl.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "base/num.h"

/* Kernel limits that all VEs of a node share, and what many VEs take. */
static const struct limit {
	const char *name;
	uint64_t want;
} limits[] = {
	{ "fs/inotify/max_user_instances", 1048576 },
	{ "fs/inotify/max_user_watches", 1048576 },
	{ "fs/aio-max-nr", 1048576 },
	{ "kernel/keys/maxkeys", 2000 },
	{ "kernel/keys/maxbytes", 2000000 },
	{ "kernel/pid_max", 4194304 },
	{ "kernel/pty/max", 65536 },
	/* An entry for each address of a VE that somebody talks to. */
	{ "net/ipv4/neigh/default/gc_thresh2", 16384 },
	{ "net/ipv4/neigh/default/gc_thresh3", 32768 },
	{ "net/ipv6/neigh/default/gc_thresh2", 16384 },
	{ "net/ipv6/neigh/default/gc_thresh3", 32768 },
	{ "net/ipv6/route/max_size", 262144 },
};

/* Raise them, never lower one, and say so. */
static void raise_limits(const struct vz_ctx *ctx)
{
	for (size_t i = 0; i < VZ_ARRAY_SIZE(limits); i++) {
		const struct limit *l = &limits[i];
		vz_autofree char *path = vz_strf("%s/sys/%s", ctx->procdir, l->name);
		char now[32], want[32];
		uint64_t v;
		int r;

		if (!path || vz_read_small(AT_FDCWD, path, now, sizeof(now)) ||
		    vz_parse_u64(now, UINT64_MAX, &v) || v >= l->want)
			continue;
		snprintf(want, sizeof(want), "%llu", (unsigned long long)l->want);
		r = vz_write_small(AT_FDCWD, path, want);
		if (r)
			vz_warn(ctx, "can't raise %s from %s to %s: %s", path, now, want,
				strerror(-r));
		else
			vz_info(ctx, "%s: raised from %s to %s", path, now, want);
	}
}

static void set_sysctl(const struct vz_ctx *ctx, const char *name, const char *from,
		       const char *to)
{
	vz_autofree char *path = vz_strf("%s/sys/%s", ctx->procdir, name);
	char now[32];
	int r;

	if (!path || vz_read_small(AT_FDCWD, path, now, sizeof(now)) || strcmp(now, from))
		return;
	r = vz_write_small(AT_FDCWD, path, to);
	if (r)
		vz_warn(ctx, "can't set %s to %s: %s", path, to, strerror(-r));
	else
		vz_info(ctx, "%s: set to %s", path, to);
}

/*
 * A node that forwards takes no router's advertisements by itself, and would
 * lose the addresses and the default route that it has from them.
 */
static void keep_advertised(const struct vz_ctx *ctx)
{
	vz_autofree char *top = vz_strf("%s/sys/net/ipv6/conf", ctx->procdir);
	vz_autodir DIR *dir = top ? opendir(top) : NULL;
	const struct dirent *d;

	while (dir && (d = readdir(dir))) {
		vz_autofree char *name = NULL;

		if (*d->d_name == '.' || !strcmp(d->d_name, "all"))
			continue;
		name = vz_strf("net/ipv6/conf/%s/accept_ra", d->d_name);
		if (name)
			set_sysctl(ctx, name, "1", "2");
	}
}

void vz_sysctls_set(const struct vz_ctx *ctx, bool v6)
{
	raise_limits(ctx);
	set_sysctl(ctx, "net/ipv4/ip_forward", "0", "1");
	if (!v6)
		return;
	keep_advertised(ctx);
	set_sysctl(ctx, "net/ipv6/conf/all/forwarding", "0", "1");
}
