/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Locks that criu left in a network namespace go; tables of others stay. */
#include "sys/criulock.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "base/run.h"
#include "tests/unit/tap.h"

static int nft(const char *verb, const char *family, const char *name)
{
	const char *const argv[] = { "nft", verb, "table", family, name, NULL };
	const struct vz_run run = { .argv = argv, .fd = { -1, -1, -1 } };

	return vz_run(&run);
}

static bool there(const char *family, const char *name)
{
	return !nft("list", family, name);
}

static void expect(const char *family, const char *name, bool want)
{
	tap_ok(there(family, name) == want, "%s %s %s", family, name,
	       want ? "stays" : "goes");
}

int main(void)
{
	static const char *const locks[] = { "CRIU-1", "CRIU-645", "CRIU-4194304" };
	static const char *const others[] = { "CRIU-", "CRIU-x", "CRIU-1x", "filter" };
	int ns;

	if (geteuid() || unshare(CLONE_NEWNET)) {
		tap_skip("locks", "not root");
		return tap_done();
	}
	ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	tap_is_int(vz_criulock_clear(ns), 0, "where there are none");
	if (nft("add", "ip", "CRIU-1")) {
		tap_skip("locks", "no nft, or no nftables in the kernel");
		return tap_done();
	}
	for (size_t i = 0; i < sizeof(locks) / sizeof(*locks); i++)
		tap_is_int(nft("add", "inet", locks[i]), 0, locks[i]);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		nft("add", "inet", others[i]);
	tap_is_int(vz_criulock_clear(ns), 0, "clear");
	for (size_t i = 0; i < sizeof(locks) / sizeof(*locks); i++)
		expect("inet", locks[i], false);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		expect("inet", others[i], true);
	expect("ip", "CRIU-1", true);
	tap_is_int(vz_criulock_clear(ns), 0, "again");
	close(ns);
	return tap_done();
}
