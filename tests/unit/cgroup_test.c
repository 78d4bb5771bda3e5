/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Control groups on trees that look like hosts with v1, both, and v2. */
#include "sys/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/num.h"
#include "tests/unit/tap.h"

static char top[] = "/tmp/vz-cgroup-XXXXXX";

static void put(const char *path, const char *text)
{
	char full[512], *slash;
	FILE *f;

	snprintf(full, sizeof(full), "%s/%s", top, path);
	slash = strrchr(full, '/');
	*slash = 0;
	vz_mkdir_p(full, 0755);
	*slash = '/';
	f = fopen(full, "w");
	if (f) {
		fputs(text, f);
		fclose(f);
	}
}

static const char *get(const char *path)
{
	static char buf[4096];
	char full[512];

	snprintf(full, sizeof(full), "%s/%s", top, path);
	return vz_read_small(AT_FDCWD, full, buf, sizeof(buf)) ? "(none)" : buf;
}

static void probe(const char *host, struct vz_cg_host *ret, int want)
{
	char dir[128];
	struct vz_ctx ctx = { .cgroupdir = dir, .procdir = "/proc" };
	struct vz_err err = { 0 };

	snprintf(dir, sizeof(dir), "%s/%s", top, host);
	tap_is_int(vz_cg_probe(&ctx, ret, &err), want, host);
	tap_ok(want ? err.status == VZ_E_KERNEL && err.text[0] : !err.status,
	       "%s: an error that says so, or none", host);
}

static void make_hosts(void)
{
	static const char *const v1[] = { "cpu",   "cpuset",  "memory",	 "pids",
					  "blkio", "devices", "freezer", "systemd" };
	char path[128];

	for (size_t i = 0; i < sizeof(v1) / sizeof(*v1); i++) {
		snprintf(path, sizeof(path), "v1/%s/tasks", v1[i]);
		put(path, "");
		snprintf(path, sizeof(path), "hybrid/%s/tasks", v1[i]);
		put(path, "");
	}
	put("hybrid/unified/cgroup.controllers", "hugetlb\n");
	put("v2/cgroup.controllers", "cpuset cpu io memory hugetlb pids rdma misc\n");
	put("none/readme", "");
}

static void test_probe(void)
{
	struct vz_cg_host h = { .unified = "as it was" };

	probe("none", &h, -ENOENT);
	tap_is_str(h.unified, "as it was", "a failure leaves the result untouched");
	probe("v1", &h, 0);
	tap_is_str(h.unified, "", "v1: no cgroup2");
	tap_ok(!strncmp(vz_cg_mount(&h, VZ_CG_PIDS), top, strlen(top)), "v1: pids");
	tap_ok(!vz_cg_mount(&h, VZ_CG_HUGETLB), "v1: hugetlb is not mounted");
	tap_ok(!vz_cg_is_v2(&h, VZ_CG_FREEZER), "v1: its freezer");
	probe("hybrid", &h, 0);
	tap_ok(!vz_cg_is_v2(&h, VZ_CG_MEMORY), "hybrid: memory is on v1");
	tap_ok(vz_cg_is_v2(&h, VZ_CG_HUGETLB), "hybrid: hugetlb is on v2");
	tap_ok(vz_cg_is_v2(&h, VZ_CG_UNIFIED), "hybrid: there is cgroup2");
	probe("v2", &h, 0);
	tap_ok(vz_cg_is_v2(&h, VZ_CG_CPU) && vz_cg_is_v2(&h, VZ_CG_BLKIO) &&
		       vz_cg_is_v2(&h, VZ_CG_FREEZER) && vz_cg_is_v2(&h, VZ_CG_CPUACCT),
	       "v2: what it controls and what is in its core");
	tap_ok(!vz_cg_is_v2(&h, VZ_CG_DEVICES) && !vz_cg_mount(&h, VZ_CG_SYSTEMD),
	       "v2: no device files, no named hierarchy");
}

static void test_files(void)
{
	struct vz_cg_host h;
	struct vz_cg cg = { .host = &h, .name = "vz/101" };
	struct vz_err err = { 0 };
	char buf[64], small[8];
	uint64_t v = 0;

	probe("v2", &h, 0);
	put("v2/vz/101/pids.max", "max\n");
	put("v2/vz/101/pids.current", "17\n");
	put("v2/vz/101/cpu.weight", "100\n");
	tap_is_int(vz_cg_read(&cg, VZ_CG_CPU, "cpu.weight", buf, sizeof(buf)), 0, "read");
	tap_is_str(buf, "100", "a line without its end");
	tap_is_int(vz_cg_read_u64(&cg, VZ_CG_PIDS, "pids.current", &v), 0, "a number");
	tap_is_int(v, 17, "is what it says");
	tap_is_int(vz_cg_read_u64(&cg, VZ_CG_PIDS, "pids.max", &v), 0, "max");
	tap_ok(v == VZ_UNLIMITED, "is unlimited");
	tap_is_int(vz_cg_read(&cg, VZ_CG_DEVICES, "devices.list", buf, sizeof(buf)),
		   -ENOENT, "a controller that is not there");
	tap_is_int(vz_cg_write(&cg, VZ_CG_CPU, "cpu.weight", "50", &err), 0, "write");
	tap_is_str(get("v2/vz/101/cpu.weight"), "500", "over what was there");
	tap_ok(vz_cg_write(&cg, VZ_CG_CPU, "cpu.none", "50", &err) == -ENOENT &&
		       strstr(err.text, "cpu.none") && strstr(err.text, "'50'"),
	       "a failure names value and file");
	tap_is_int(vz_cg_path(&cg, VZ_CG_CPU, "cpu.weight", small, sizeof(small)),
		   -ENAMETOOLONG, "a path that does not fit");
}

static int count_entry(const struct vz_cg_entry *e)
{
	int n = 0;

	for (int c = 0; c < VZ_CG__COUNT; c++)
		n += e->fd[c] >= 0;
	return n;
}

static void test_entry(void)
{
	static const char *const v1[] = { "cpu",   "cpuset",  "memory",	 "pids",
					  "blkio", "devices", "freezer", "systemd" };
	struct vz_cg_host h;
	struct vz_cg cg = { .host = &h, .name = "vz/101" };
	struct vz_cg_entry e;
	struct vz_err err = { 0 };
	char path[128];
	struct stat st;

	for (size_t i = 0; i < sizeof(v1) / sizeof(*v1); i++) {
		snprintf(path, sizeof(path), "hybrid/%s/vz/101/tasks", v1[i]);
		put(path, "");
	}
	put("hybrid/unified/vz/101/cgroup.procs", "");
	probe("hybrid", &h, 0);
	tap_is_int(vz_cg_entry_open(&cg, ~0u, &e, &err), 0, "hybrid: open the way in");
	tap_is_int(count_entry(&e), 8, "hybrid: a file of each v1 hierarchy");
	tap_ok(e.v2_dir >= 0, "hybrid: and the cgroup2 group");
	tap_is_int(vz_cg_enter(&e), 0, "hybrid: enter");
	vz_cg_entry_close(&e);
	tap_is_int(count_entry(&e), 0, "closed");
	tap_is_str(get("hybrid/memory/vz/101/tasks"), "0", "by writing 0");
	tap_is_int(vz_cg_entry_open_exec(&cg, 0, 0, &e, &err), 0, "hybrid: exec");
	snprintf(path, sizeof(path), "%s/hybrid/unified/vz/101/exec", top);
	tap_ok(stat(path, &st), "hybrid: no leaf, v2 controls nothing of ours");
	vz_cg_entry_close(&e);

	put("hybrid/memory/vz/102/none", "");
	snprintf(cg.name, sizeof(cg.name), "vz/102");
	tap_ok(vz_cg_entry_open(&cg, ~0u, &e, &err) == -ENOENT &&
		       strstr(err.text, "vz/102"),
	       "a group that is missing is an error at start");

	probe("v2", &h, 0);
	snprintf(cg.name, sizeof(cg.name), "vz/101");
	tap_is_int(vz_cg_entry_open_exec(&cg, 1000, 1000, &e, &err), 0, "v2: exec");
	tap_is_int(count_entry(&e), 0, "v2: no tasks files");
	snprintf(path, sizeof(path), "%s/v2/vz/101/exec", top);
	tap_ok(!stat(path, &st), "v2: a leaf");
	tap_ok(geteuid() || st.st_uid == 1000, "v2: of the VE's root");
	vz_cg_entry_close(&e);
	rmdir(path);
	tap_is_int(symlink("/", path), 0, "v2: a link in the leaf's place");
	tap_ok(vz_cg_entry_open_exec(&cg, 1000, 1000, &e, &err) < 0, "is not followed");
	unlink(path);
}

static void test_values(void)
{
	static const struct vz_cg_value cpu = { VZ_CG_CPU, VZ_E_CPU, "cpu.weight" };
	struct vz_cg_values l = { 0 };

	vz_cg_values_add(&l, &cpu, "%d", 7);
	vz_cg_values_add(&l, &cpu, "%s", "8");
	tap_is_int(l.n, 2, "two values");
	tap_is_str(l.v[0].value, "7", "in their order");
	tap_is_str(l.v[1].file, "cpu.weight", "with file");
	vz_cg_values_done(&l);
	tap_ok(!l.n && !l.v, "and none");
}

int main(void)
{
	if (!mkdtemp(top))
		return 2;
	make_hosts();
	test_probe();
	test_files();
	test_entry();
	test_values();
	vz_remove_tree(AT_FDCWD, top);
	return tap_done();
}
