/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What control groups count, on trees that look like hosts with v1 and v2. */
#include "ve/ubcgroups.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/num.h"
#include "tests/unit/tap.h"

static char top[] = "/tmp/vz-ubcgroups-XXXXXX";

static void put(const char *path, const char *text)
{
	char full[512], *slash;

	snprintf(full, sizeof(full), "%s/%s", top, path);
	slash = strrchr(full, '/');
	*slash = 0;
	vz_mkdir_p(full, 0755);
	*slash = '/';
	tap_ok(!vz_replace_volatile(full, text, strlen(text)), "%s", path);
}

static void read_host(const char *name, struct vz_ubc *ret)
{
	char dir[128];
	struct vz_ctx ctx = { .cgroupdir = dir, .procdir = "/proc" };
	struct vz_cg_host host;
	struct vz_cg cg = { .host = &host, .name = "vz/101" };

	snprintf(dir, sizeof(dir), "%s/%s", top, name);
	tap_ok(!vz_cg_probe(&ctx, &host, NULL), "host %s", name);
	vz_ubc_of_group(&cg, 101, ret);
	tap_is_int(ret->veid, 101, name);
}

static void is_value(const struct vz_ubc *u, enum vz_ubc_id id, int64_t held, int64_t max,
		     int64_t barrier, int64_t limit, int64_t failcnt)
{
	const struct vz_ubc_value *v = &u->v[id];

	tap_is_int(v->held, held, "held");
	tap_is_int(v->maxheld, max, "maxheld");
	tap_is_int(v->barrier, barrier, "barrier");
	tap_is_int(v->limit, limit, "limit");
	tap_is_int(v->failcnt, failcnt, vz_ubc_descs[id].name);
}

static void old(void)
{
	const int64_t no = VZ_UBC_UNKNOWN;
	struct vz_ubc u;

	put("v1/pids/tasks", "");
	put("v1/memory/tasks", "");
	put("v1/pids/vz/101/pids.current", "7\n");
	put("v1/pids/vz/101/pids.max", "max\n");
	put("v1/pids/vz/101/pids.events", "max 3\n");
	put("v1/memory/vz/101/memory.usage_in_bytes", "8192\n");
	put("v1/memory/vz/101/memory.max_usage_in_bytes", "16384\n");
	put("v1/memory/vz/101/memory.limit_in_bytes", "9223372036854771712\n");
	read_host("v1", &u);
	is_value(&u, VZ_UBC_NUMPROC, 7, no, VZ_UNLIMITED, VZ_UNLIMITED, 3);
	is_value(&u, VZ_UBC_PHYSPAGES, 2, 4, 0, VZ_UNLIMITED, no);
	is_value(&u, VZ_UBC_SWAPPAGES, no, no, 0, no, no);
	is_value(&u, VZ_UBC_NUMTCPSOCK, no, no, no, no, no);
}

static void new (void)
{
	const int64_t no = VZ_UBC_UNKNOWN;
	struct vz_ubc u;

	put("v2/cgroup.controllers", "cpu memory pids\n");
	put("v2/vz/101/pids.current", "7\n");
	put("v2/vz/101/pids.peak", "9\n");
	put("v2/vz/101/pids.max", "20\n");
	put("v2/vz/101/pids.events", "other 1\nmax 4\n");
	put("v2/vz/101/memory.current", "40960\n");
	put("v2/vz/101/memory.max", "81920\n");
	put("v2/vz/101/memory.swap.current", "0\n");
	put("v2/vz/101/memory.swap.max", "max\n");
	read_host("v2", &u);
	is_value(&u, VZ_UBC_NUMPROC, 7, 9, 20, 20, 4);
	is_value(&u, VZ_UBC_PHYSPAGES, 10, no, 0, 20, no);
	is_value(&u, VZ_UBC_SWAPPAGES, 0, no, 0, VZ_UNLIMITED, no);
}

int main(void)
{
	if (!mkdtemp(top))
		return 1;
	old();
	new ();
	vz_remove_tree(AT_FDCWD, top);
	return tap_done();
}
