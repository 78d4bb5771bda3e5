/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a VE is slow: groups of both versions, logs and marks that are made up. */
#include "ve/why.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/num.h"
#include "tests/unit/tap.h"
#include "ve/why_priv.h"

static char top[] = "/tmp/vz-why-XXXXXX";

static void put(const char *path, const char *text)
{
	vz_autofree char *full = vz_strf("%s/%s", top, path), *dir = strdup(full);

	*strrchr(dir, '/') = 0;
	if (vz_mkdir_p(dir, 0755) || vz_replace_file(full, text, strlen(text), 0644))
		exit(2);
}

/* --- groups --- */

#define V1 "v1/"
#define V2 "v2/vz/101/"

static void make_v1(void)
{
	static const char *const ctrl[] = { "cpu", "memory", "pids", "blkio" };
	char path[64];

	for (size_t i = 0; i < VZ_ARRAY_SIZE(ctrl); i++) {
		snprintf(path, sizeof(path), V1 "%s/tasks", ctrl[i]);
		put(path, "");
	}
	put(V1 "unified/cgroup.controllers", "\n");
	put(V1 "pids/vz/101/pids.events", "max 17\n");
	put(V1 "pids/vz/101/pids.max", "50\n");
	put(V1 "memory/vz/101/memory.failcnt", "9\n");
	put(V1 "memory/vz/101/memory.memsw.failcnt", "3\n");
	put(V1 "memory/vz/101/memory.oom_control",
	    "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n");
	put(V1 "memory/vz/101/memory.limit_in_bytes", "67108864\n");
	put(V1 "memory/vz/101/memory.memsw.limit_in_bytes", "83886080\n");
	put(V1 "memory/vz/101/memory.stat", "cache 1\nswap 4096\nswapcached 0\n");
	put(V1 "cpu/vz/101/cpu.stat",
	    "nr_periods 200\nnr_throttled 150\nthrottled_time 2500000000\n");
	put(V1 "cpu/vz/101/cpu.cfs_quota_us", "10000\n");
	put(V1 "cpu/vz/101/cpu.cfs_period_us", "100000\n");
	put(V1 "blkio/vz/101/blkio.throttle.read_bps_device", "8:0 1048576\n");
	put(V1 "unified/vz/101/cpu.pressure",
	    "some avg10=12.34 avg60=5.00 avg300=0.10 total=777\n"
	    "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
}

static void make_v2(void)
{
	put("v2/cgroup.controllers", "cpuset cpu io memory pids\n");
	put(V2 "pids.events", "max 1\n");
	put(V2 "exec/pids.events", "max 4\n");
	put(V2 "a/b/pids.events", "max 5\n");
	put(V2 "a/b/c/pids.events", "maximum 100\n");
	put(V2 "pids.max", "max\n");
	put(V2 "memory.events", "low 1\nhigh 2\nmax 3\noom 4\noom_kill 5\n");
	put(V2 "memory.swap.events", "high 0\nmax 6\nfail 7\n");
	put(V2 "memory.max", "67108864\n");
	put(V2 "memory.high", "max\n");
	put(V2 "memory.swap.max", "0\n");
	put(V2 "memory.swap.current", "8192\n");
	put(V2 "cpu.stat", "usage_usec 9\nnr_periods 10\nnr_throttled 8\n"
			   "throttled_usec 12345\n");
	put(V2 "cpu.max", "150000 100000\n");
	put(V2 "io.max", "8:0 rbps=1048576 wbps=1048576 riops=max wiops=max\n"
			 "8:16 rbps=max wbps=max riops=100 wiops=100\n");
	put(V2 "io.pressure", "some avg10=1.50 avg60=0.00 avg300=0.00 total=10\n"
			      "full avg10=99.99 avg60=0.00 avg300=0.00 total=5\n");
}

static void read_host(const char *host, struct vz_why_facts *f)
{
	vz_autofree char *dir = vz_strf("%s/%s", top, host);
	struct vz_ctx ctx = { .cgroupdir = dir, .procdir = "/proc" };
	struct vz_cg_host h;
	struct vz_cg cg = { &h, "vz/101" };

	vz_why_facts_init(f);
	tap_is_int(vz_cg_probe(&ctx, &h, NULL), 0, host);
	vz_why_read_groups(&cg, f);
}

static void is_counter(const struct vz_why_facts *f, int counter, int64_t want)
{
	char buf[48];

	tap_is_int(f->c.v[counter], want, vz_why_counter_key(counter, buf));
}

static void test_v1(void)
{
	struct vz_why_facts f;

	make_v1();
	read_host("v1", &f);
	is_counter(&f, VZ_WHY_C_FORKS, 17);
	is_counter(&f, VZ_WHY_C_MEM_MAX, 9);
	is_counter(&f, VZ_WHY_C_MEM_LOW, VZ_WHY_UNKNOWN);
	is_counter(&f, VZ_WHY_C_MEM_KILLS, 2);
	is_counter(&f, VZ_WHY_C_SWAP_MAX, 3);
	is_counter(&f, VZ_WHY_C_CPU_PERIODS, 200);
	is_counter(&f, VZ_WHY_C_CPU_THROTTLED, 150);
	is_counter(&f, VZ_WHY_C_CPU_LOST, 2500000);
	is_counter(&f, VZ_WHY_C_PSI, 777);
	is_counter(&f, VZ_WHY_C_PSI + 4, VZ_WHY_UNKNOWN);
	tap_is_int(f.pids_max, 50, "pids.max");
	tap_is_int(f.mem_max, 64 << 20, "memory");
	tap_is_int(f.swap_max, 16 << 20, "swap is what is above it");
	tap_is_int(f.swap_used, 4096, "swap in use");
	tap_is_int(f.cpu_max, 10, "CPU in hundredths");
	tap_is_int(f.io_bytes, 1 << 20, "bytes of IO");
	tap_ok(f.io_ops == VZ_UNLIMITED, "no operations");
	tap_ok(f.psi[0].known && !f.psi[1].known, "pressure where there is some");
	tap_is_int(f.psi[0].some[0], 1234, "of 10 s");
	tap_is_int(f.psi[0].some[1], 500, "of 60 s");
	tap_is_int(f.psi[0].some[2], 10, "of 300 s");
}

static void test_v2(void)
{
	struct vz_why_facts f;

	make_v2();
	read_host("v2", &f);
	tap_is_int(f.c.v[VZ_WHY_C_FORKS], 10, "forks refused in groups below");
	is_counter(&f, VZ_WHY_C_MEM_LOW, 1);
	is_counter(&f, VZ_WHY_C_MEM_HIGH, 2);
	is_counter(&f, VZ_WHY_C_MEM_MAX, 3);
	is_counter(&f, VZ_WHY_C_MEM_OOM, 4);
	is_counter(&f, VZ_WHY_C_MEM_KILLS, 5);
	is_counter(&f, VZ_WHY_C_SWAP_MAX, 6);
	is_counter(&f, VZ_WHY_C_CPU_LOST, 12345);
	is_counter(&f, VZ_WHY_C_PSI + 5, 5);
	tap_ok(f.pids_max == VZ_UNLIMITED, "no pids.max");
	tap_is_int(f.mem_max, 64 << 20, "memory");
	tap_is_int(f.swap_max, 0, "no swap");
	tap_is_int(f.swap_used, 8192, "swap in use");
	tap_is_int(f.cpu_max, 150, "CPU in hundredths");
	tap_is_int(f.io_bytes, 1 << 20, "bytes of IO");
	tap_is_int(f.io_ops, 100, "operations");
	tap_is_int(f.psi[2].full[0], 9999, "all of it");
	put(V2 "pids.events.local", "max 1\n");
	read_host("v2", &f);
	tap_is_int(f.c.v[VZ_WHY_C_FORKS], 1, "forks of a newer kernel");
}

static void test_odd_groups(void)
{
	static const char *const texts[] = {
		"",	    "max",     "max \n",
		"max -1\n", "max x\n", "max 99999999999999999999999999\n"
	};
	struct vz_why_facts f;

	for (size_t i = 0; i < VZ_ARRAY_SIZE(texts); i++) {
		put(V1 "pids/vz/101/pids.events", texts[i]);
		put(V1 "unified/vz/101/cpu.pressure", texts[i]);
		put(V1 "cpu/vz/101/cpu.cfs_quota_us", texts[i]);
		read_host("v1", &f);
		tap_ok(f.c.v[VZ_WHY_C_FORKS] == VZ_WHY_UNKNOWN && !f.psi[0].known &&
			       f.cpu_max == VZ_UNLIMITED,
		       "'%.*s' is no number", (int)strcspn(texts[i], "\n"), texts[i]);
	}
	put(V1 "cpu/vz/101/cpu.cfs_quota_us", "-1\n");
	read_host("v1", &f);
	tap_ok(f.cpu_max == VZ_UNLIMITED, "no CPU limit");
	read_host("v1", &f);
}

static void test_pool(void)
{
	vz_autofree char *dir = vz_strf("%s/v2", top);
	struct vz_ctx ctx = { .cgroupdir = dir, .procdir = "/proc" };
	struct vz_cg_host h;
	struct vz_cg cg = { &h, "vz/pool-web/102" };
	struct vz_why_facts f;

	put("v2/vz/pool-web/pids.events", "max 2\n");
	put("v2/vz/pool-web/pids.max", "100\n");
	put("v2/vz/pool-web/memory.events", "low 0\nhigh 0\nmax 3\noom 0\noom_kill 1\n");
	put("v2/vz/pool-web/memory.max", "1073741824\n");
	put("v2/vz/pool-web/cpu.stat",
	    "nr_periods 9\nnr_throttled 4\nthrottled_usec 5\n");
	put("v2/vz/pool-web/cpu.max", "150000 100000\n");
	vz_why_facts_init(&f);
	tap_is_int(vz_cg_probe(&ctx, &h, NULL), 0, "a pool");
	vz_why_read_pool(&cg, &f);
	tap_is_str(f.pool, "web", "its name");
	is_counter(&f, VZ_WHY_C_POOL_MEM_MAX, 3);
	is_counter(&f, VZ_WHY_C_POOL_THROTTLED, 4);
	is_counter(&f, VZ_WHY_C_POOL_LOST, 5);
	is_counter(&f, VZ_WHY_C_POOL_FORKS, VZ_WHY_UNKNOWN);
	is_counter(&f, VZ_WHY_C_MEM_KILLS, VZ_WHY_UNKNOWN);
	tap_ok(f.pool_pids == 100 && f.pool_mem == 1 << 30 && f.pool_cpu == 150,
	       "its limits");
	put("v2/vz/pool-web/pids.events.local", "max 0\n");
	vz_why_read_pool(&cg, &f);
	is_counter(&f, VZ_WHY_C_POOL_FORKS, 2);
	strcpy(cg.name, "vz/102");
	vz_why_facts_init(&f);
	vz_why_read_pool(&cg, &f);
	tap_ok(!*f.pool && f.pool_pids == VZ_UNLIMITED, "in no pool");
}

/* --- the kernel's log --- */

#define KILL(memcg, task_memcg, task, uid)                                               \
	"6,100,5000000,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),"          \
	"cpuset=101,mems_allowed=0-1,3" memcg ",task_memcg=" task_memcg ",task=" task    \
	",pid=77,uid=" uid
#define OURS ",oom_memcg=/vz/101"
#define U "1073741824"

static const struct {
	const char *record, *name; /* NULL: not ours */
	enum vz_why_oom by;
} records[] = {
	{ KILL(OURS, "/vz/101", "httpd", U), "httpd", VZ_WHY_OOM_VE },
	{ KILL(OURS, "/vz/101/a/b", "httpd", "1073741924"), "httpd", VZ_WHY_OOM_VE },
	{ KILL(OURS "/a", "/vz/101/a", "httpd", U), "httpd", VZ_WHY_OOM_VE },
	{ KILL(",oom_memcg=/vz", "/vz/101", "httpd", U), "httpd", VZ_WHY_OOM_POOL },
	{ KILL(",global_oom", "/vz/101", "httpd", U), "httpd", VZ_WHY_OOM_NODE },
	{ KILL(OURS, "/vz/101", "", U), "", VZ_WHY_OOM_VE },
	/* others' */
	{ KILL(",oom_memcg=/vz/102", "/vz/102", "httpd", "1073807360") },
	{ KILL(",oom_memcg=/vz/1012", "/vz/1012", "httpd", "1073807360") },
	{ KILL(",oom_memcg=/vz/1012", "/vz/1012", "httpd", U) },
	{ KILL(",oom_memcg=/vz/10", "/vz/10", "httpd", U) },
	{ KILL(OURS, "/vz/101", "httpd", "1073807360") },
	{ KILL(OURS, "/vz/101", "httpd", "0") },
	{ KILL(OURS, "/user/vz/101", "httpd", U) },
	{ KILL(",global_oom", "/", "httpd", U) },
	/* another VE's names that look like ours */
	{ KILL(",oom_memcg=/vz/102/x,task_memcg=/vz/101", "/vz/102/x,task_memcg=/vz/101",
	       "a", "1073807360") },
	{ KILL(",oom_memcg=/vz/102", "/vz/102", "a,uid=" U, "1073807360") },
	/* our own odd names */
	{ KILL(OURS, "/vz/101", "a,task=b", U), "a,task=b", VZ_WHY_OOM_VE },
	{ KILL(OURS, "/vz/101", "a,pid=1,uid=0", U), "a,pid=1,uid=0", VZ_WHY_OOM_VE },
	{ KILL(OURS, "/vz/101/x,task=long name of a group", "b", U), "b", VZ_WHY_OOM_VE },
	{ KILL(OURS, "/vz/101", "\\x1b[2J\\x0aoom", U), "\\x1b[2J\\x0aoom",
	  VZ_WHY_OOM_VE },
	{ KILL(OURS, "/vz/101", "\033[2J\x80", U), "?[2J?", VZ_WHY_OOM_VE },
	{ KILL(OURS, "/vz/101",
	       "\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff"
	       "\\xff",
	       U),
	  "\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff",
	  VZ_WHY_OOM_VE },
	/* not the kernel's words, or not these */
	{ "14,1,5,-;oom-kill:constraint=X,task_memcg=/vz/101,task=a,pid=1,uid=" U },
	{ "6,1,5,-;x oom-kill:constraint=X,task_memcg=/vz/101,task=a,pid=1,uid=" U },
	{ "oom-kill:constraint=X,task_memcg=/vz/101,task=a,pid=1,uid=" U },
	{ "6,1,5,-;oom-kill:constraint=X,task_memcg=/vz/101,task=a,pid=1,uid=x" },
	{ "6,1,5,-;oom-kill:constraint=X,task_memcg=/vz/101,task=a,pid=,uid=" U },
	{ "6,1,5,-;oom-kill:constraint=X,task_memcg=/vz/101,pid=1,uid=" U },
	{ "6,1,5,-;oom-kill:constraint=X,task=a,pid=1,uid=" U },
	{ "6,1,5,-;oom-kill:constraint=" },
	{ "6,1,5,-;" },
	{ "6,1,5" },
	{ "" },
};

static void test_records(void)
{
	const struct vz_why_whose whose = { "vz/101", 1073741824 };

	for (size_t i = 0; i < VZ_ARRAY_SIZE(records); i++) {
		struct vz_why_kill k = { .name = "none" };
		int64_t us = 0;
		int r = vz_why_parse_kill(records[i].record, &whose, &k, &us);

		tap_is_int(r, records[i].name != NULL, "a record of the log");
		if (!records[i].name)
			continue;
		tap_is_str(k.name, records[i].name, "its name");
		tap_ok(k.by == records[i].by && k.pid == 77 && us == 5000000,
		       "its cause, id and time");
	}
}

static void test_log(void)
{
	static const char line[] = KILL(OURS, "/vz/101", "httpd", U) "\n"
								     " SUBSYSTEM=oom\n";
	const struct vz_why_whose whose = { "vz/101", 1073741824 };
	vz_autofree char *path = vz_strf("%s/kmsg", top);
	vz_autostr struct vz_str text = { 0 };
	struct vz_why_kills l = { 0 };

	for (int i = 0; i < 2000; i++)
		vz_str_add(&text, i == 1 ? "" : line);
	vz_str_addf(&text, "%060000d\n", 1);
	vz_str_add(&text, KILL(OURS, "/vz/101", "last", U) "\n");
	vz_str_add(&text, KILL(OURS, "/vz/101", "cut off", U));
	put("kmsg", text.s);
	tap_is_int(vz_why_read_kmsg(path, &whose, &l), 0, "a long log");
	tap_is_int(l.n, 1024, "the latest of it");
	tap_is_str(l.n ? l.v[l.n - 1].name : "", "last", "up to its last whole line");
	free(l.v);
	tap_is_int(vz_why_read_kmsg("/nowhere/kmsg", &whose, &l), -ENOENT, "no log");
}

/* --- findings --- */

static const struct vz_why *of(const struct vz_whys *l, const char *kind,
			       const char *what)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->v[i].kind, kind) && !strcmp(l->v[i].what, what))
			return &l->v[i];
	return NULL;
}

static void quiet_facts(struct vz_why_facts *f)
{
	vz_why_facts_init(f);
	f->now = 100000;
	f->started = 90000;
	for (int i = 0; i < VZ_WHY_C__COUNT; i++)
		f->c.v[i] = 0;
	for (int i = 0; i < VZ_WHY_PSI__COUNT; i++)
		f->psi[i].known = true;
	f->disk.known = f->inodes.known = true;
	f->disk.total = f->inodes.total = 1000 << 10;
	f->disk.avail = f->inodes.avail = 500 << 10;
}

static void test_quiet(void)
{
	vz_autowhys struct vz_whys l = { 0 };
	struct vz_why_facts f;

	quiet_facts(&f);
	vz_why_find(&f, NULL, 0, &l);
	tap_is_int(l.n, 0, "nothing happened");
	tap_is_int(l.since, 90000, "since the start");
	vz_why_facts_init(&f);
	vz_why_find(&f, NULL, 0, &l);
	tap_is_int(l.n, 1, "nothing is known");
	tap_ok(l.n == 1 && l.v[0].severity == VZ_WHY_NOTE, "of pressure that is said");
}

static void test_all(void)
{
	struct vz_why_kill kills[] = {
		{ "old", 1, 80000, VZ_WHY_OOM_VE },
		{ "httpd", 2, 95000, VZ_WHY_OOM_VE },
		{ "sh", 3, 96000, VZ_WHY_OOM_NODE },
		{ "httpd", 4, 97000, VZ_WHY_OOM_POOL },
	};
	vz_autowhys struct vz_whys l = { 0 };
	const struct vz_why *w;
	struct vz_why_facts f;

	quiet_facts(&f);
	f.kills = (struct vz_why_kills){ kills, 4 };
	f.c.v[VZ_WHY_C_MEM_KILLS] = 3;
	f.c.v[VZ_WHY_C_FORKS] = 17;
	f.c.v[VZ_WHY_C_UBC + VZ_UBC_NUMPROC] = 12;
	f.c.v[VZ_WHY_C_UBC + VZ_UBC_NUMFILE] = 100;
	f.c.v[VZ_WHY_C_UBC + VZ_UBC_PHYSPAGES] = 5;
	f.ubc[VZ_UBC_NUMFILE] = (struct vz_limit){ 1024, 1024 };
	f.ubc_last[VZ_UBC_NUMFILE] = 95000;
	f.c.v[VZ_WHY_C_UBC + VZ_UBC_PRIVVMPAGES] = 1;
	f.ubc[VZ_UBC_PRIVVMPAGES] = (struct vz_limit){ 500, 600 };
	f.pids_max = 50;
	strcpy(f.pool, "web");
	f.pool_mem = 1 << 30;
	f.pool_cpu = 150;
	f.c.v[VZ_WHY_C_POOL_THROTTLED] = 2;
	f.c.v[VZ_WHY_C_POOL_LOST] = 9;
	f.c.v[VZ_WHY_C_CPU_THROTTLED] = 75;
	f.c.v[VZ_WHY_C_CPU_PERIODS] = 100;
	f.c.v[VZ_WHY_C_CPU_LOST] = 5000000;
	f.c.v[VZ_WHY_C_MEM_MAX] = 5;
	f.psi[VZ_WHY_PSI_IO].some[0] = 2500;
	f.io_bytes = 1 << 20;
	f.c.v[VZ_WHY_C_NET_GUARD] = 4;
	f.c.v[VZ_WHY_C_RATE_DROPPED] = 3;
	f.disk.avail = 0;
	f.inodes.avail = 10;
	f.disabled = true;
	vz_why_find(&f, NULL, 0, &l);
	vz_why_sort(&l);
	w = of(&l, "oom", "httpd");
	tap_ok(w == &l.v[0] && w->count == 2 && w->last == 97000 &&
		       !strcmp(w->limit, "physpages") && !strcmp(w->pool, "web") &&
		       w->value == 1 << 30,
	       "killed twice is the worst");
	w = of(&l, "oom", "sh");
	tap_ok(w && w->count == 1 && !strcmp(w->limit, "node"), "killed by the node");
	tap_ok(!of(&l, "oom", "old") && !of(&l, "oom", "(others)"),
	       "of the log only as many as were killed");
	w = of(&l, "beancounter", "numproc");
	tap_ok(w && w->count == 17 && w->value == 50, "forks are counted once");
	w = of(&l, "beancounter", "numfile");
	tap_ok(w && w->count == 100 && w->value == 1024 && w->last == 95000,
	       "a beancounter and its limit");
	w = of(&l, "beancounter", "privvmpages");
	tap_ok(w && w->value == 500 && !strcmp(w->unit, "pages"), "one and its barrier");
	tap_ok(!of(&l, "beancounter", "physpages"), "memory is told once");
	w = of(&l, "memory", "physpages");
	tap_ok(w && w->severity == VZ_WHY_NOTE, "a limit that cost no time is a note");
	w = of(&l, "cpu", "throttled");
	tap_ok(w && w->lost == 5000000 && strstr(w->text, " 75 % of 100"), "CPU");
	w = of(&l, "pool", "throttled");
	tap_ok(w && w->lost == 9 && w->value == 150 && !strcmp(w->pool, "web") &&
		       w->since == VZ_WHY_UNKNOWN,
	       "CPU of the pool, since nobody knows when");
	w = of(&l, "pressure", "io");
	tap_ok(w && !strcmp(w->limit, "iolimit") && strstr(w->text, "25.00 %"), "IO");
	w = of(&l, "disk", "space");
	tap_ok(w && w->severity == VZ_WHY_REFUSED, "a full disk");
	w = of(&l, "disk", "inodes");
	tap_ok(w && w->severity == VZ_WHY_NOTE, "a disk that is nearly full");
	tap_ok(of(&l, "net", "foreign") && of(&l, "net", "rate"), "links");
	tap_ok(of(&l, "ve", "disabled") != NULL, "DISABLED");
	for (size_t i = 1; i < l.n; i++)
		if (l.v[i].severity > l.v[i - 1].severity)
			tap_ok(false, "%s is worse than what is before", l.v[i].what);
}

static void test_kills(void)
{
	struct vz_why_kill kills[] = { { "a", 1, 91000, VZ_WHY_OOM_VE },
				       { "b", 2, 99000, VZ_WHY_OOM_VE } };
	vz_autowhys struct vz_whys more = { 0 }, later = { 0 }, none = { 0 };
	const struct vz_why *w;
	struct vz_why_facts f;

	quiet_facts(&f);
	f.kills = (struct vz_why_kills){ kills, 2 };
	f.c.v[VZ_WHY_C_MEM_KILLS] = 5;
	vz_why_find(&f, NULL, 0, &more);
	w = of(&more, "oom", "(others)");
	tap_ok(w && w->count == 3, "more than the log names");
	f.c.v[VZ_WHY_C_MEM_KILLS] = 2;
	vz_why_find(&f, NULL, 95000, &later);
	tap_ok(!of(&later, "oom", "a") && of(&later, "oom", "b") && later.n == 1,
	       "since a time");
	tap_is_int(later.v[0].since, 95000, "which is said");
	f.c.v[VZ_WHY_C_UBC + VZ_UBC_NUMFILE] = 3;
	f.ubc_last[VZ_UBC_NUMFILE] = 94999;
	vz_whys_done(&later);
	vz_why_find(&f, NULL, 95000, &later);
	tap_ok(!of(&later, "beancounter", "numfile"),
	       "a counter that was refused before");
	f.ubc_last[VZ_UBC_NUMFILE] = 95000;
	vz_whys_done(&later);
	vz_why_find(&f, NULL, 95000, &later);
	tap_ok(of(&later, "beancounter", "numfile"), "and one that was after");
	f.c.v[VZ_WHY_C_MEM_KILLS] = VZ_WHY_UNKNOWN;
	kills[0].time = 89000;
	vz_why_find(&f, NULL, 0, &none);
	tap_ok(!of(&none, "oom", "a") && of(&none, "oom", "b"),
	       "without a number the time decides");
}

/* --- marks --- */

static void test_mark(void)
{
	vz_autofree char *dir = vz_strf("%s/run", top);
	struct vz_ctx ctx = { .rundir = dir };
	vz_autowhys struct vz_whys l = { 0 };
	const struct vz_why *w;
	struct vz_why_mark m;
	struct vz_why_facts f;
	struct vz_err err = { 0 };

	put("run/101/state", "");
	quiet_facts(&f);
	f.c.v[VZ_WHY_C_FORKS] = 17;
	f.c.v[VZ_WHY_C_MEM_LOW] = VZ_WHY_UNKNOWN;
	f.c.v[VZ_WHY_C_UBC + VZ_UBC_NUMFILE] = 7;
	tap_is_int(vz_why_mark_load(&ctx, 101, 5, &m, &err), -EINVAL, "no mark");
	tap_is_int(err.status, VZ_E_VALUE, "it is said");
	tap_is_int(vz_why_mark_save(&ctx, 101, 5, &f, &err), 0, "a mark is saved");
	tap_is_int(vz_why_mark_load(&ctx, 101, 5, &m, &err), 0, "and loaded");
	tap_ok(m.time == f.now && !memcmp(&m.c, &f.c, sizeof(m.c)), "it is the same");
	tap_ok(vz_why_mark_load(&ctx, 101, 6, &m, &err) < 0, "of another run: none");
	f.c.v[VZ_WHY_C_FORKS] = 20;
	f.c.v[VZ_WHY_C_MEM_LOW] = 2;
	f.c.v[VZ_WHY_C_UBC + VZ_UBC_NUMFILE] = 5;
	vz_why_find(&f, &m, 0, &l);
	tap_is_int(l.n, 3, "what grew since");
	w = of(&l, "beancounter", "numproc");
	tap_ok(w && w->count == 3 && w->since == m.time, "by how much");
	w = of(&l, "beancounter", "numfile");
	tap_ok(w && w->count == 5, "one that was set to 0 in between");
	tap_is_int(l.since, m.time, "since when");
	put("run/101/why", "INIT=\"5\"\nTIME=\"x\"\n");
	tap_ok(vz_why_mark_load(&ctx, 101, 5, &m, &err) < 0 && err.status == VZ_E_BADCONF,
	       "a number that is none: %s", err.text);
	put("run/101/why", "INIT=\"5\"\n");
	tap_ok(vz_why_mark_load(&ctx, 101, 5, &m, &err) < 0 && err.status == VZ_E_BADCONF,
	       "half of a mark: %s", err.text);
	put("run/101/why", "\x01\x02[\n=\n");
	tap_ok(vz_why_mark_load(&ctx, 101, 5, &m, &err) < 0 && err.status == VZ_E_BADCONF,
	       "rubbish: %s", err.text);
}

/* --- times --- */

static void test_times(void)
{
	static const struct {
		const char *word;
		int64_t want; /* -1: none */
	} rows[] = {
		{ "@5", 5 },
		{ "30s", 999970 },
		{ "10m", 999400 },
		{ "2h", 992800 },
		{ "1d", 913600 },
		{ "1970-01-02", 86400 },
		{ "1970-01-02 01:00", 90000 },
		{ "1970-01-02T01:00:01", 90001 },
		{ "01:00", 1000000 - 1000000 % 86400 + 3600 },
		{ "01:00:05", 1000000 - 1000000 % 86400 + 3605 },
		{ "", -1 },
		{ "5", -1 },
		{ "5x", -1 },
		{ "5mm", -1 },
		{ "-5m", -1 },
		{ "@", -1 },
		{ "@-1", -1 },
		{ "25:00", -1 },
		{ "1970-01-02 01:00 ", -1 },
		{ "yesterday", -1 },
		{ "9999999999999s", -1 },
	};

	setenv("TZ", "UTC", 1);
	tzset();
	for (size_t i = 0; i < VZ_ARRAY_SIZE(rows); i++) {
		int64_t got = -1;

		vz_why_parse_time(rows[i].word, 1000000, &got);
		tap_is_int(got, rows[i].want, rows[i].word);
	}
}

int main(void)
{
	if (!mkdtemp(top))
		return 2;
	test_v1();
	test_v2();
	test_odd_groups();
	test_pool();
	test_records();
	test_log();
	test_quiet();
	test_all();
	test_kills();
	test_mark();
	test_times();
	vz_remove_tree(AT_FDCWD, top);
	return tap_done();
}
