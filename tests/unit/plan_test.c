/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Planning: rules of configurations, shares of nodes, what is left and what fits. */
#include "res/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>

#include "base/fs.h"
#include "base/num.h"
#include "res/scale.h"
#include "res/split.h"
#include "res/validate.h"
#include "tests/unit/tap.h"

#define GIB ((uint64_t)1 << 30)
#define PAGE 4096.0

static struct vz_cfg *load(const char *text)
{
	static const struct vz_ctx ctx = { 0 };
	vz_autoconf struct vz_conf *conf = NULL;
	vz_autocfg struct vz_cfg *cfg = NULL;

	if (vz_conf_parse(&ctx, "x", text, strlen(text), &conf, NULL) ||
	    vz_cfg_new(101, &cfg) || vz_cfg_read(cfg, &ctx, conf, false, 0, NULL))
		return NULL;
	return vz_take(cfg);
}

/* -- the machine -- */

static void put(const char *top, const char *path, const char *text)
{
	char full[256], *slash;

	snprintf(full, sizeof(full), "%s/%s", top, path);
	slash = strrchr(full, '/');
	*slash = 0;
	vz_mkdir_p(full, 0755);
	*slash = '/';
	vz_replace_file(full, text, strlen(text), 0644);
}

static void test_machine(void)
{
	char top[] = "/tmp/vz-plan-XXXXXX";
	struct vz_ctx ctx = { .procdir = top };
	struct vz_machine m = { 0 };
	struct vz_err err = { 0 };

	if (!mkdtemp(top))
		return;
	tap_ok(vz_machine_read(&ctx, &m, &err) == -ENOENT && strstr(err.text, "meminfo"),
	       "no files: the error names one");
	put(top, "meminfo", "MemFree: 7 kB\nSwapTotal:  1024 kB\n");
	tap_ok(vz_machine_read(&ctx, &m, &err) && strstr(err.text, "MemTotal"),
	       "no MemTotal");
	put(top, "meminfo",
	    "MemTotal:   2048 kB\nSwapTotal:  1024 kB\nLowTotal: 512 kB\n");
	put(top, "cpuinfo",
	    "processor\t: 0\nmodel name\t: bogomips: 9\nbogomips\t: 4000.50\n\n"
	    "processor\t: 1\nBogoMIPS\t: 4000.5\n");
	put(top, "sys/kernel/threads-max", "nothing\n");
	tap_ok(vz_machine_read(&ctx, &m, &err) && strstr(err.text, "threads-max"),
	       "a file without a number");
	put(top, "sys/kernel/threads-max", "1000\n");
	tap_is_int(vz_machine_read(&ctx, &m, &err), 0, "a whole tree");
	tap_ok(m.ram == 2 << 20 && m.swap == 1 << 20 && m.lowmem == 512 << 10, "memory");
	tap_ok(m.cpus == 2 && m.cpu_power == 200025, "CPUs: (4000.5 + 4000.5) * 25");
	tap_is_int(m.threads_max, 1000, "threads");
	put(top, "meminfo", "MemTotal:   2048 kB\n");
	put(top, "cpuinfo", "processor\t: 0\n");
	tap_ok(!vz_machine_read(&ctx, &m, &err) && !m.swap && !m.lowmem && !m.cpu_power,
	       "no swap, no low memory, no BogoMIPS");
	vz_remove_tree(AT_FDCWD, top);
}

/* -- rules -- */

#define GOOD                                                                             \
	"NUMPROC=100:100\nAVNUMPROC=50:50\nNUMTCPSOCK=100:100\nNUMOTHERSOCK=100:100\n"   \
	"VMGUARPAGES=1000:unlimited\nOOMGUARPAGES=1000:unlimited\n"                      \
	"KMEMSIZE=2662400:3000000\nTCPSNDBUF=65536:321536\nTCPRCVBUF=65536:321536\n"     \
	"OTHERSOCKBUF=132096:388096\nDGRAMRCVBUF=132096:132096\n"                        \
	"PRIVVMPAGES=1000:2000\nLOCKEDPAGES=1:2\nSHMPAGES=5:5\nPHYSPAGES=0:unlimited\n"  \
	"NUMFILE=1600:1600\nNUMFLOCK=1:2\nNUMPTY=10:10\nNUMSIGINFO=256:256\n"            \
	"DCACHESIZE=600000:614400\nNUMIPTENT=4:4\nDISKSPACE=1:2\nDISKINODES=1:2\n"

#define NODE                                                                             \
	{                                                                                \
		.ram = 4096 * 1000, .swap = 4096 * 500                                   \
	}

/* What a line more than GOOD breaks, and what is proposed. */
static const struct {
	const char *line;
	int id; /* -1: nothing */
	enum vz_breach_level level;
	const char *fix;
} breaches[] = {
	{ "", -1 },
	{ "NUMPROC=100:101", VZ_P_NUMPROC, VZ_BREACH_ERROR, "101:101" },
	{ "NUMTCPSOCK=100:99", VZ_P_NUMTCPSOCK, VZ_BREACH_ERROR, "100:100" },
	{ "SHMPAGES=5:6", VZ_P_SHMPAGES, VZ_BREACH_ERROR, "6:6" },
	{ "NUMIPTENT=9:6", VZ_P_NUMIPTENT, VZ_BREACH_ERROR, "9:9" },
	{ "LOCKEDPAGES=3:2", VZ_P_LOCKEDPAGES, VZ_BREACH_ERROR, "3:3" },
	{ "VMGUARPAGES=1000:1000", VZ_P_VMGUARPAGES, VZ_BREACH_ERROR, "1000:unlimited" },
	{ "OOMGUARPAGES=7:8", VZ_P_OOMGUARPAGES, VZ_BREACH_ERROR, "7:unlimited" },
	{ "PHYSPAGES=1:unlimited", VZ_P_PHYSPAGES, VZ_BREACH_ERROR, "0:unlimited" },
	/* 384 * 1600 = 614400 */
	{ "DCACHESIZE=1:614399", VZ_P_DCACHESIZE, VZ_BREACH_WARNING, "1:614400" },
	/* 40 KiB * 50 + 614400 = 2662400 */
	{ "KMEMSIZE=2662399:3000000", VZ_P_KMEMSIZE, VZ_BREACH_ERROR, "2662400:3000001" },
	{ "PRIVVMPAGES=999:2000", VZ_P_PRIVVMPAGES, VZ_BREACH_WARNING, "1000:2000" },
	{ "PRIVVMPAGES=1:2", VZ_P_PRIVVMPAGES, VZ_BREACH_WARNING, "1000:1000" },
	/* 2.5 KiB * 100 = 256000 */
	{ "TCPSNDBUF=65536:321535", VZ_P_TCPSNDBUF, VZ_BREACH_ERROR, "65536:321536" },
	{ "TCPSNDBUF=65535:400000", VZ_P_TCPSNDBUF, VZ_BREACH_WARNING, "65536:400001" },
	{ "TCPRCVBUF=65536:321535", VZ_P_TCPRCVBUF, VZ_BREACH_WARNING, "65536:321536" },
	{ "OTHERSOCKBUF=132096:388095", VZ_P_OTHERSOCKBUF, VZ_BREACH_ERROR,
	  "132096:388096" },
	{ "OTHERSOCKBUF=32767:300000", VZ_P_OTHERSOCKBUF, VZ_BREACH_WARNING,
	  "32768:300001" },
	{ "OTHERSOCKBUF=32768:300000", VZ_P_OTHERSOCKBUF, VZ_BREACH_ADVICE,
	  "132096:399328" },
	{ "DGRAMRCVBUF=32767:32767", VZ_P_DGRAMRCVBUF, VZ_BREACH_WARNING, "32768:32768" },
	{ "DGRAMRCVBUF=32768", VZ_P_DGRAMRCVBUF, VZ_BREACH_ADVICE, "132096:132096" },
	/* max(32 * 50, 100 + 100 + 10) = 1600 */
	{ "NUMFILE=1599", VZ_P_NUMFILE, VZ_BREACH_WARNING, "1600:1600" },
	{ "AVNUMPROC=1\nNUMFILE=209", VZ_P_NUMFILE, VZ_BREACH_WARNING, "210:210" },
	{ "DISKSPACE=3:2", VZ_P_DISKSPACE, VZ_BREACH_ERROR, "3:3" },
	{ "DISKSPACE=3:2\nDISK_QUOTA=no", -1 },
	/* Without limits there is no arithmetic that could go wrong. */
	{ "KMEMSIZE=unlimited\nTCPSNDBUF=unlimited\nTCPRCVBUF=unlimited\nNUMFILE="
	  "unlimited\n"
	  "DCACHESIZE=unlimited\nOTHERSOCKBUF=unlimited\nDGRAMRCVBUF=unlimited",
	  -1 },
	{ "NUMFILE=unlimited", VZ_P_DCACHESIZE, VZ_BREACH_WARNING, "600000:unlimited" },
	/* VSwap */
	{ "PHYSPAGES=0:1000\nSWAPPAGES=0:500\nNUMPROC=1:2", -1 },
	{ "PHYSPAGES=0:1001\nSWAPPAGES=0:500", VZ_P_PHYSPAGES, VZ_BREACH_WARNING,
	  "0:1000" },
	{ "PHYSPAGES=0:1000\nSWAPPAGES=0:501", VZ_P_SWAPPAGES, VZ_BREACH_WARNING,
	  "0:500" },
	{ "PHYSPAGES=5:1000\nSWAPPAGES=0:0", VZ_P_PHYSPAGES, VZ_BREACH_ERROR, "0:1000" },
	{ "PHYSPAGES=0:9\nSWAPPAGES=1:2", VZ_P_SWAPPAGES, VZ_BREACH_ERROR, "0:2" },
	{ "PHYSPAGES=0:9\nSWAPPAGES=0:2\nKMEMSIZE=3:1", VZ_P_KMEMSIZE, VZ_BREACH_ERROR,
	  "3:3" },
};

static void test_rules(void)
{
	static const struct vz_machine node = NODE;

	for (size_t i = 0; i < VZ_ARRAY_SIZE(breaches); i++) {
		vz_autofree char *text = vz_strf("%s%s\n", GOOD, breaches[i].line);
		vz_autocfg struct vz_cfg *cfg = load(text);
		struct vz_validator v = { .cfg = cfg, .machine = &node };
		struct vz_breach b;
		char fix[48];

		v.vswap = vz_validate_vswap(cfg);
		if (breaches[i].id < 0) {
			tap_ok(!vz_validate_next(&v, &b), "row %zu is valid", i);
			continue;
		}
		if (!tap_ok(vz_validate_next(&v, &b) && (int)b.id == breaches[i].id &&
				    b.level == breaches[i].level,
			    "row %zu: %s", i, vz_params[breaches[i].id].key))
			continue;
		vz_breach_value(&b.fix, fix);
		tap_is_str(fix, breaches[i].fix, "is repaired");
	}
}

static void test_missing(void)
{
	vz_autocfg struct vz_cfg *cfg = load("KMEMSIZE=5:1\nPHYSPAGES=0:unlimited\n");
	struct vz_validator v = { .cfg = cfg };
	struct vz_breach b;
	int n = 0;

	while (vz_validate_next(&v, &b))
		n += b.missing ? 1 : 100;
	tap_is_int(n, 18, "what is missing is told, and no more");
}

/* Whatever is wrong: after one walk of repairs nothing is. */
static void test_repair(void)
{
	static const char worst[] =
		"NUMPROC=900:1\nNUMTCPSOCK=7:8000\nNUMOTHERSOCK=1:2\nVMGUARPAGES=90:9\n"
		"OOMGUARPAGES=5:1\nKMEMSIZE=1:0\nTCPSNDBUF=9:1\nTCPRCVBUF=9:1\n"
		"OTHERSOCKBUF=9:1\nDGRAMRCVBUF=9:1\nPRIVVMPAGES=9:1\nLOCKEDPAGES=9:1\n"
		"SHMPAGES=9:1\nPHYSPAGES=9:unlimited\nNUMFILE=9:1\nNUMFLOCK=9:1\n"
		"NUMPTY=9:100\nNUMSIGINFO=9:1\nDCACHESIZE=9:1\nNUMIPTENT=9:1\n"
		"DISKSPACE=9:1\nDISKINODES=9:1\n";
	vz_autocfg struct vz_cfg *cfg = load(worst);
	struct vz_validator v = { .cfg = cfg }, again = { .cfg = cfg };
	struct vz_breach b;

	while (vz_validate_next(&v, &b))
		if (vz_breach_repair(&b, cfg, NULL))
			break;
	tap_ok(!vz_validate_next(&again, &b), "repairs do not break each other");
	tap_is_int(vz_cfg_limit(cfg, VZ_P_NUMFILE).limit, 450 * 32, "numfile by numproc");
	tap_is_int(vz_cfg_limit(cfg, VZ_P_DCACHESIZE).limit, 450 * 32 * 384,
		   "dcachesize");
	tap_is_int(vz_cfg_limit(cfg, VZ_P_KMEMSIZE).barrier, 450 * 40960 + 450 * 32 * 384,
		   "kmemsize");
}

/* -- splitting -- */

static const uint64_t sizes[][3] = {
	/* RAM, swap, low memory in MiB */
	{ 60, 0, 0 },	    { 256, 0, 0 },     { 512, 1024, 0 },
	{ 1024, 100, 896 }, { 4096, 4096, 0 }, { 4096, 0, 896 },
	{ 16384, 8192, 0 }, { 65536, 1, 0 },   { 1 << 20, 512, 0 },
};

static bool split_is_valid(const struct vz_split_node *node, uint64_t n, bool vswap)
{
	vz_autostr struct vz_str text = { 0 };
	vz_autocfg struct vz_cfg *cfg = NULL;
	struct vz_validator v = { .machine = &node->machine, .vswap = vswap };
	struct vz_err err = { 0 };
	struct vz_breach b;
	struct vz_split s;

	/* A refusal is an answer too, but not for a few on a large node. */
	if (vz_split(node, n, vswap, &s, &err))
		return err.status == VZ_E_RESOURCES && (n > 8 || node->machine.ram < GIB);
	vz_split_format(&s, &text);
	cfg = load(text.s);
	v.cfg = cfg;
	if (!cfg || vz_cfg_check(cfg, NULL) || vz_validate_vswap(cfg) != vswap)
		return false;
	while (vz_validate_next(&v, &b))
		if (b.level != VZ_BREACH_ADVICE)
			return false;
	return true;
}

static void test_split_valid(void)
{
	for (size_t i = 0; i < VZ_ARRAY_SIZE(sizes); i++) {
		struct vz_split_node node = {
			{ sizes[i][0] << 20, sizes[i][1] << 20, sizes[i][2] << 20,
			  127000 },
			.disk = 100 << 20,
		};
		uint64_t bad = 0;

		for (uint64_t n = 1; n < 400000 && !bad; n += 1 + n / 9)
			if (!split_is_valid(&node, n, false) ||
			    !split_is_valid(&node, n, true))
				bad = n;
		tap_is_int(bad, 0, "any part of a node is valid");
	}
}

static void limit_is(const struct vz_split *s, enum vz_param_id id, uint64_t barrier,
		     uint64_t limit)
{
	tap_ok(s->v[id].barrier == barrier && s->v[id].limit == limit,
	       "%s is %llu:%llu, got %llu:%llu", vz_params[id].key,
	       (unsigned long long)barrier, (unsigned long long)limit,
	       (unsigned long long)s->v[id].barrier, (unsigned long long)s->v[id].limit);
}

/* 1000 MiB + 50 MiB for the node, 10 VEs: 100 MiB each, 42 MiB of it for the kernel. */
static void test_split(void)
{
	struct vz_split_node node = {
		{ .ram = (uint64_t)1050 << 20, .threads_max = 2000 },
		.disk = 30 << 20, /* 30 GiB: 20 after the node's, 1 GiB each */
		.inodes = 2100000,
	};
	struct vz_err err = { 0 };
	struct vz_split s;

	tap_is_int(vz_split(&node, 10, false, &s, &err), 0, "a node of ten");
	tap_is_int(s.level, VZ_SPLIT_PLENTY, "has plenty");
	/* 0.4 * 1050 MiB / 10 = 44040192, half of it kernel memory */
	limit_is(&s, VZ_P_KMEMSIZE, 22020096, 22020096 + 2202009);
	/* 22020096 / 80 KiB = 268; twice that are more than 2000 / 10 */
	limit_is(&s, VZ_P_AVNUMPROC, 268, 268);
	limit_is(&s, VZ_P_NUMPROC, 536, 536);
	/* a third of the other half, less 4096 for each socket */
	limit_is(&s, VZ_P_TCPSNDBUF, 7340032 - 536 * 4096, 7340032);
	limit_is(&s, VZ_P_NUMFILE, 8576, 8576);
	/* (104857600 - 44040192) / 4096 */
	limit_is(&s, VZ_P_VMGUARPAGES, 14848, VZ_UNLIMITED);
	/* six times that is more than all of the VE's */
	limit_is(&s, VZ_P_PRIVVMPAGES, 14848, 14848 + 1484);
	limit_is(&s, VZ_P_DISKSPACE, 953250, 1 << 20);
	limit_is(&s, VZ_P_DISKINODES, 90909, 100000);
	tap_ok(!s.small_disk && !s.disk_full, "the disk is large enough");
	tap_is_int(vz_split(&node, 10, true, &s, &err), 0, "the same with RAM only");
	limit_is(&s, VZ_P_PHYSPAGES, 0, 25600);
	limit_is(&s, VZ_P_SWAPPAGES, 0, 0);
	node.disk = 1000;
	tap_ok(!vz_split(&node, 10, true, &s, &err) && s.disk_full, "no disk");
	limit_is(&s, VZ_P_DISKSPACE, 204800, 225280);
	/* 1000 MiB / 5542912 */
	tap_ok(vz_split(&node, 190, false, &s, &err) &&
		       strstr(err.text, "189 VEs at most"),
	       "%s", err.text);
	tap_ok(vz_split(&node, 0, false, &s, &err) && err.status == VZ_E_VALUE, "%s",
	       err.text);
	node.machine.ram = 50 << 20;
	tap_ok(vz_split(&node, 1, true, &s, &err) && err.status == VZ_E_RESOURCES, "%s",
	       err.text);
}

/* -- scaling -- */

static const struct {
	const char *s;
	uint64_t want; /* 0: refused */
} factors[] = {
	{ "1", 1000000 },
	{ "1.5", 1500000 },
	{ "0.000001", 1 },
	{ ".5", 500000 },
	{ "1000", 1000000000 },
	{ "1000.1", 0 },
	{ "1001", 0 },
	{ "0", 0 },
	{ "0.0", 0 },
	{ "-1", 0 },
	{ "", 0 },
	{ ".", 0 },
	{ "1.", 0 },
	{ "1.0000001", 0 },
	{ "1e3", 0 },
	{ "nan", 0 },
	{ "99999999999", 0 },
	{ "1.-5", 0 },
	{ " 1", 0 },
	{ "1x", 0 },
};

static void test_factors(void)
{
	for (size_t i = 0; i < VZ_ARRAY_SIZE(factors); i++) {
		uint64_t v = 0;

		vz_scale_parse(factors[i].s, &v);
		tap_ok(v == factors[i].want, "the factor '%s'", factors[i].s);
	}
}

static void test_scale(void)
{
	vz_autocfg struct vz_cfg *cfg = load(
		"NUMPROC=240:241\nKMEMSIZE=100:unlimited\nCPUUNITS=400000\nCPULIMIT=50\n"
		"DISKSPACE=1000:1100\nRATE=*:1:1000:64\nNUMPTY=1\nAVNUMPROC=10\n");
	struct vz_scale s = { { [VZ_SCALE_COUNTS] = 100000,
				[VZ_SCALE_MEMORY] = 1100000,
				[VZ_SCALE_CPU] = 1500000,
				[VZ_SCALE_NETWORK] = 2000000 } };
	vz_autofree char *rate = NULL;

	tap_is_int(vz_scale(cfg, &s, NULL), 0, "scaled");
	tap_ok(vz_cfg_limit(cfg, VZ_P_NUMPROC).barrier == 24 &&
		       vz_cfg_limit(cfg, VZ_P_NUMPROC).limit == 24,
	       "counts, rounded down");
	tap_is_int(vz_cfg_limit(cfg, VZ_P_NUMPTY).limit, 1, "nothing becomes nothing");
	tap_is_int(vz_cfg_limit(cfg, VZ_P_AVNUMPROC).limit, 1, "avnumproc is a count");
	tap_ok(vz_cfg_limit(cfg, VZ_P_KMEMSIZE).barrier == 110 &&
		       vz_cfg_limit(cfg, VZ_P_KMEMSIZE).limit == VZ_UNLIMITED,
	       "memory; unlimited stays so");
	tap_is_int(vz_cfg_u64(cfg, VZ_P_CPUUNITS), 500000, "CPU units in their range");
	tap_is_int(vz_cfg_u64(cfg, VZ_P_CPULIMIT), 75, "and the limit");
	tap_is_int(vz_cfg_limit(cfg, VZ_P_DISKSPACE).limit, 1100, "0 leaves alone");
	rate = vz_cfg_text(cfg, VZ_P_RATE);
	tap_is_str(rate, "*:1:2000:64", "bandwidth without the burst");
	tap_ok(!vz_cfg_has(cfg, VZ_P_NUMFILE), "what is not given stays so");
}

/* -- plans -- */

static bool near(double got, double want)
{
	return isnan(want)   ? isnan(got)
	       : isinf(want) ? isinf(got)
			     : fabs(got - want) < 1e-9 * (1 + fabs(want));
}

static void figures(const struct vz_plan *p, enum vz_plan_res res, double current,
		    double promised, double max, const char *name)
{
	if (tap_ok(near(p->v[res][VZ_PLAN_CURRENT], current) &&
			   near(p->v[res][VZ_PLAN_PROMISED], promised) &&
			   near(p->v[res][VZ_PLAN_MAX], max),
		   "%s", name))
		return;
	printf("# got %g %g %g, expected %g %g %g\n", p->v[res][VZ_PLAN_CURRENT],
	       p->v[res][VZ_PLAN_PROMISED], p->v[res][VZ_PLAN_MAX], current, promised,
	       max);
}

static const char ubc_text[] =
	"Version: 2.5\n uid resource held maxheld barrier limit failcnt\n"
	"101: kmemsize 1000 2000 3000 4000 0\n"
	" privvmpages 50 60 70 80 0\n numproc 7 8 100 100 0\n"
	" physpages 20 30 0 9223372036854775807 0\n"
	" vmguarpages 0 0 40 9223372036854775807 0\n"
	" oomguarpages 10 15 30 9223372036854775807 0\n"
	" tcpsndbuf 100 200 300 400 0\n tcprcvbuf 10 20 30 40 0\n"
	" othersockbuf 1 2 3 4 0\n dgramrcvbuf 1 2 3 6 0\n"
	"Version: 2.5\n uid resource held maxheld barrier limit failcnt\n"
	"102: kmemsize - - 3000 4000 0\n";

static void test_ubc(void)
{
	struct vz_plan_node node = { .v = { 10000, 1e6, 2e6, 2e6, 1000, NAN, NAN } };
	vz_autofree struct vz_ubc *u = NULL;
	struct vz_plan p, sum;
	size_t n = 0;

	if (!tap_ok(!vz_ubc_parse(ubc_text, &u, &n) && n == 2, "two VEs"))
		return;
	vz_plan_of_ubc(&u[0], &p);
	/* K: 1112 held, 4450 limit */
	figures(&p, VZ_PLAN_LOWMEM, 1112, 4450, 4450, "low memory is K");
	figures(&p, VZ_PLAN_RAM, 20 * PAGE + 1112, NAN, INFINITY, "physpages + K");
	figures(&p, VZ_PLAN_MEMSWAP, 10 * PAGE + 1112, 30 * PAGE + 4450, NAN,
		"oomguarpages + K");
	figures(&p, VZ_PLAN_ALLOC, 50 * PAGE + 1112, 40 * PAGE + 4450, 80 * PAGE + 4450,
		"privvmpages and vmguarpages + K");
	figures(&p, VZ_PLAN_PROC, 7, NAN, 100, "processes");
	/* low memory: 11.12 %, 44.5 %; allocated: 205912 of 2e6 are 10.3 % */
	tap_ok(near(vz_plan_largest(&p, &node, VZ_PLAN_CURRENT), 0.1112), "current");
	tap_ok(near(vz_plan_largest(&p, &node, VZ_PLAN_PROMISED), 0.445), "promised");
	node.v[VZ_PLAN_LOWMEM] = NAN;
	tap_ok(near(vz_plan_largest(&p, &node, VZ_PLAN_CURRENT), 205912 / 2e6),
	       "without low memory");
	tap_ok(near(vz_plan_largest(&p, &node, VZ_PLAN_MAX), 332130 / 2e6), "max");
	vz_plan_init(&sum);
	vz_plan_add(&sum, &p);
	vz_plan_add(&sum, &p);
	tap_ok(near(sum.v[VZ_PLAN_PROC][VZ_PLAN_CURRENT], 14), "two of them");
	vz_plan_of_ubc(&u[1], &p);
	vz_plan_add(&sum, &p);
	tap_ok(isnan(p.v[VZ_PLAN_RAM][VZ_PLAN_CURRENT]) &&
		       isnan(vz_plan_largest(&p, &node, VZ_PLAN_CURRENT)) &&
		       isnan(sum.v[VZ_PLAN_ALLOC][VZ_PLAN_CURRENT]),
	       "what nobody knows stays unknown");
}

static void test_cfg(void)
{
	vz_autocfg struct vz_cfg *c = load(GOOD "CPUUNITS=500\nCPULIMIT=150\nCPUS=1\n"
						"CPURESERVE=20\n");
	vz_autocfg struct vz_cfg *v =
		load("PHYSPAGES=0:100\nSWAPPAGES=0:50\nMEMRESERVE=60\n");
	const double k = 3000000 + 2 * 321536 + 388096 + 132096;
	struct vz_plan p;

	vz_plan_of_cfg(c, &p);
	figures(&p, VZ_PLAN_LOWMEM, NAN, k, k, "K of a configuration");
	figures(&p, VZ_PLAN_MEMSWAP, NAN, 1000 * PAGE + k, NAN, "oomguarpages");
	figures(&p, VZ_PLAN_ALLOC, NAN, 1000 * PAGE + k, 2000 * PAGE + k, "allocated");
	figures(&p, VZ_PLAN_PROC, NAN, NAN, 100, "processes");
	figures(&p, VZ_PLAN_CPUUNITS, NAN, 500, NAN, "CPU units");
	figures(&p, VZ_PLAN_CPUTIME, NAN, 20, 100, "CPU time: a reserve, and one CPU");
	figures(&p, VZ_PLAN_RAM, NAN, 0, INFINITY, "nothing is reserved");
	vz_plan_of_cfg(v, &p);
	figures(&p, VZ_PLAN_LOWMEM, NAN, 0, 0, "VSwap: K is in RAM");
	figures(&p, VZ_PLAN_RAM, NAN, 60 * PAGE, 100 * PAGE, "VSwap: RAM");
	figures(&p, VZ_PLAN_MEMSWAP, NAN, 100 * PAGE, NAN, "VSwap: oomguarpages are RAM");
	figures(&p, VZ_PLAN_ALLOC, NAN, 150 * PAGE, 150 * PAGE, "VSwap: RAM and swap");
	figures(&p, VZ_PLAN_PROC, NAN, NAN, INFINITY, "VSwap: processes");
}

static void test_fits(void)
{
	struct vz_plan_node node = { .v = { NAN, 1000, 2000, 2000, 100, NAN, NAN } };
	struct vz_plan sum, one;
	enum vz_plan_res end = VZ_PLAN__COUNT;

	vz_plan_init(&sum);
	vz_plan_init(&one);
	tap_is_int(vz_plan_fits(&node, &sum, &one, &end), -1, "nothing fits for ever");
	one.v[VZ_PLAN_ALLOC][VZ_PLAN_PROMISED] = 300;
	one.v[VZ_PLAN_MEMSWAP][VZ_PLAN_PROMISED] = 100;
	tap_ok(vz_plan_fits(&node, &sum, &one, &end) == 6 && end == VZ_PLAN_ALLOC,
	       "2000 / 300");
	sum.v[VZ_PLAN_ALLOC][VZ_PLAN_PROMISED] = 1400;
	tap_is_int(vz_plan_fits(&node, &sum, &one, &end), 2, "600 are left");
	node.keep[VZ_PLAN_ALLOC] = 100;
	tap_is_int(vz_plan_fits(&node, &sum, &one, &end), 1, "the node keeps 100");
	node.keep[VZ_PLAN_ALLOC] = 0;
	one.v[VZ_PLAN_PROC][VZ_PLAN_MAX] = 60;
	tap_ok(vz_plan_fits(&node, &sum, &one, &end) == 1 && end == VZ_PLAN_PROC,
	       "threads end first");
	one.v[VZ_PLAN_PROC][VZ_PLAN_MAX] = INFINITY;
	tap_is_int(vz_plan_fits(&node, &sum, &one, &end), 2, "no limit is no promise");
	sum.v[VZ_PLAN_ALLOC][VZ_PLAN_PROMISED] = 5000;
	tap_is_int(vz_plan_fits(&node, &sum, &one, &end), 0, "a node that is full");
	sum.v[VZ_PLAN_ALLOC][VZ_PLAN_PROMISED] = INFINITY;
	tap_is_int(vz_plan_fits(&node, &sum, &one, &end), 0, "or promised without end");
}

static void test_node(void)
{
	struct vz_machine m = { 1000, 500, 100, 77, 2, 4000 };
	struct vz_plan_node n;

	vz_plan_node(&m, &n);
	tap_ok(near(n.v[VZ_PLAN_LOWMEM], 40) && near(n.v[VZ_PLAN_RAM], 1000) &&
		       near(n.v[VZ_PLAN_ALLOC], 1500) && near(n.v[VZ_PLAN_PROC], 77) &&
		       near(n.v[VZ_PLAN_CPUUNITS], 4000) &&
		       near(n.v[VZ_PLAN_CPUTIME], 200),
	       "what a node has");
	m.lowmem = m.cpu_power = 0;
	vz_plan_node(&m, &n);
	tap_ok(isnan(n.v[VZ_PLAN_LOWMEM]) && isnan(n.v[VZ_PLAN_CPUUNITS]), "or has not");
}

int main(void)
{
	test_machine();
	test_rules();
	test_missing();
	test_repair();
	test_split_valid();
	test_split();
	test_factors();
	test_scale();
	test_ubc();
	test_cfg();
	test_fits();
	test_node();
	return tap_done();
}
