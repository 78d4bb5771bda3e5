/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The node's settings, on a tree that looks like /proc. */
#include "tool/sysctl.h"

#include <fcntl.h>
#include <stdlib.h>

#include "base/fs.h"
#include "tests/unit/tap.h"

static char top[] = "/tmp/vz-sysctl-XXXXXX";

static const struct {
	const char *file, *before, *v4, *v6; /* after, without IPv6 and then with it */
} row[] = {
	{ "net/ipv4/ip_forward", "0", "1", "1" },
	{ "net/ipv6/conf/all/forwarding", "0", "0", "1" },
	{ "net/ipv6/conf/all/accept_ra", "1", "1", "1" },
	{ "net/ipv6/conf/default/accept_ra", "1", "1", "2" },
	{ "net/ipv6/conf/eth0/accept_ra", "1", "1", "2" },
	{ "net/ipv6/conf/eth1/accept_ra", "0", "0", "0" },
	{ "kernel/pid_max", "32768", "4194304", "4194304" },
	{ "kernel/pty/max", "100000", "100000", "100000" },
};

static void path_of(size_t i, char path[512])
{
	snprintf(path, 512, "%s/sys/%s", top, row[i].file);
}

static void make_tree(void)
{
	char path[512], *slash;

	for (size_t i = 0; i < VZ_ARRAY_SIZE(row); i++) {
		path_of(i, path);
		slash = strrchr(path, '/');
		*slash = 0;
		vz_mkdir_p(path, 0755);
		*slash = '/';
		vz_replace_file(path, row[i].before, strlen(row[i].before), 0644);
	}
}

static void check(const struct vz_ctx *ctx, bool v6)
{
	char path[512], now[32];

	vz_sysctls_set(ctx, v6);
	for (size_t i = 0; i < VZ_ARRAY_SIZE(row); i++) {
		path_of(i, path);
		vz_read_small(AT_FDCWD, path, now, sizeof(now));
		tap_is_str(now, v6 ? row[i].v6 : row[i].v4, row[i].file);
	}
}

int main(void)
{
	struct vz_ctx ctx = { .procdir = top };

	if (!mkdtemp(top))
		return 2;
	make_tree();
	check(&ctx, false);
	check(&ctx, true);
	vz_remove_tree(AT_FDCWD, top);
	return tap_done();
}
