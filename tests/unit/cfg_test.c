/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Configurations of two files, changes of a command line, and what is saved. */
#include <stdlib.h>

#include "base/num.h"
#include "res/cfg.h"
#include "tests/unit/tap.h"
#include "tool/opt.h"

static struct vz_cfg *load(const char *global, const char *own, struct vz_err *err)
{
	static const struct vz_ctx ctx = { 0 };
	vz_autoconf struct vz_conf *g = NULL, *o = NULL;
	vz_autocfg struct vz_cfg *cfg = NULL;

	if (vz_conf_parse(&ctx, "vz.conf", global, strlen(global), &g, err) ||
	    vz_conf_parse(&ctx, "101.conf", own, strlen(own), &o, err) ||
	    vz_cfg_new(101, &cfg) || vz_cfg_read(cfg, &ctx, g, true, 0, err) ||
	    vz_cfg_read(cfg, &ctx, o, false, 0, err))
		return NULL;
	return vz_take(cfg);
}

static void test_layers(void)
{
	vz_autocfg struct vz_cfg *c =
		load("VE_ROOT=/r/$VEID/${VEID}x\nVE_PRIVATE=/p/$VEID\nCPUUNITS=2000\n"
		     "NAMESERVER=inherit\nLOCAL_UID=100000\nIOPRIO=5\nHOSTNAME=node\n",
		     "CPUUNITS=3000\nVE_PRIVATE=/own/$VEID\nLOCKDIR=/mine\nDCACHE=1:2\n"
		     "IPTENTRIES=5\nNUMIPTENT=6\nNOT_OURS=x\nCPUMASK=\"\"\n",
		     NULL);

	tap_is_int(vz_cfg_u64(c, VZ_P_CPUUNITS), 3000, "the VE's file counts");
	tap_is_int(vz_cfg_u64(c, VZ_P_IOPRIO), 5, "else vz.conf");
	tap_is_int(vz_cfg_u64(c, VZ_P_QUOTATIME), 259200, "else the default");
	tap_ok(vz_cfg_own(c, VZ_P_CPUUNITS) && !vz_cfg_own(c, VZ_P_IOPRIO) &&
		       vz_cfg_has(c, VZ_P_IOPRIO) && !vz_cfg_has(c, VZ_P_QUOTATIME),
	       "and it is known which");
	tap_is_str(vz_cfg_str(c, VZ_P_VE_ROOT), "/r/101/101x", "$VEID is expanded");
	tap_is_str(vz_cfg_str(c, VZ_P_VE_PRIVATE), "/own/101", "in both files");
	tap_ok(!vz_cfg_has(c, VZ_P_LOCAL_UID) && !vz_cfg_has(c, VZ_P_HOSTNAME),
	       "what is a VE's own is not taken from vz.conf");
	tap_is_str(vz_cfg_str(c, VZ_P_LOCKDIR), "/var/lib/vz/lock",
		   "nor the node's from the VE's file");
	tap_is_int(vz_cfg_limit(c, VZ_P_DCACHESIZE).limit, 2, "an alias");
	tap_is_int(vz_cfg_limit(c, VZ_P_NUMIPTENT).limit, 6, "the later spelling counts");
	tap_is_str(vz_cfg_str(c, VZ_P_CPUMASK), "all", "an emptied key is unset");
	tap_is_int(vz_cfg_limit(c, VZ_P_KMEMSIZE).limit, VZ_UNLIMITED,
		   "an unset counter is unlimited");
}

static void test_bad(void)
{
	static const struct {
		const char *file, *want;
	} rows[] = {
		{ "\n\nCPUUNITS=\"abc\"\n",
		  "101.conf:3: CPUUNITS=\"abc\": expected a number from 8 to 500000" },
		{ "DCACHE=x\n", "101.conf:1: DCACHE=\"x\": expected one number or two as "
				"BARRIER[:LIMIT], each with an optional suffix T, G, M, "
				"K, P or B or unlimited" },
		{ "ONBOOT=maybe\n", "101.conf:1: ONBOOT=\"maybe\": expected yes or no" },
		{ "VE_ROOT=x\n", "101.conf:1: VE_ROOT=\"x\": expected an absolute path" },
		{ "NETFILTER=x\n", "101.conf:1: NETFILTER=\"x\": expected one of "
				   "disabled|stateless|stateful|full" },
	};

	for (size_t i = 0; i < VZ_ARRAY_SIZE(rows); i++) {
		struct vz_err err = { 0 };

		tap_ok(!load("", rows[i].file, &err), "refused");
		tap_is_int(err.status, VZ_E_BADCONF, "with its exit status");
		tap_is_str(err.text, rows[i].want, "and a message");
	}
}

static void limit_is(const struct vz_cfg *c, enum vz_param_id id, uint64_t barrier,
		     uint64_t limit)
{
	struct vz_limit v = vz_cfg_limit(c, id);

	tap_ok(v.barrier == barrier && v.limit == limit, "%s %llu:%llu",
	       vz_params[id].key, (unsigned long long)v.barrier,
	       (unsigned long long)v.limit);
}

static void test_vswap(void)
{
	vz_autocfg struct vz_cfg *c =
		load("", "PHYSPAGES=0:1000\nSWAPPAGES=0:500\nVM_OVERCOMMIT=1.5\n", NULL);
	vz_autocfg struct vz_cfg *no =
		load("", "PHYSPAGES=0:1000\nSWAPPAGES=0:500\nLOCKEDPAGES=3\n", NULL);
	vz_autocfg struct vz_cfg *old = load("", "PHYSPAGES=0:unlimited\n", NULL);

	tap_ok(vz_cfg_vswap(c) && !vz_cfg_vswap(old), "ram and swap make a VSwap VE");
	limit_is(c, VZ_P_LOCKEDPAGES, 1000, 1000);
	limit_is(c, VZ_P_OOMGUARPAGES, 1000, VZ_UNLIMITED);
	limit_is(c, VZ_P_VMGUARPAGES, 1500, VZ_UNLIMITED);
	limit_is(c, VZ_P_PRIVVMPAGES, 2250, 2250);
	limit_is(no, VZ_P_PRIVVMPAGES, VZ_UNLIMITED, VZ_UNLIMITED);
	limit_is(no, VZ_P_LOCKEDPAGES, 3, 3);
	limit_is(old, VZ_P_VMGUARPAGES, 0, VZ_UNLIMITED);
	tap_ok(!vz_cfg_has(c, VZ_P_LOCKEDPAGES), "what is implied is not set");
}

/* Parse options and put them into cfg. The exit status. */
static int set(struct vz_cfg *cfg, char **argv, struct vz_err *err)
{
	vz_autochanges struct vz_changes changes = { 0 };
	struct vz_opt_parse how = { .params = VZ_OPT_SET, .changes = &changes };
	int argc = 0;

	while (argv[argc])
		argc++;
	vz_err_clear(err);
	if (!vz_opt_parse(&how, argc, argv, err))
		vz_cfg_change(cfg, &changes, err);
	return err->status;
}

#define SET(...) set(c, (char *[]){ (char *)"set", __VA_ARGS__, NULL }, &err)

static void text_is(const struct vz_cfg *c, enum vz_param_id id, const char *want)
{
	vz_autofree char *text = vz_cfg_text(c, id);

	tap_is_str(text, want, vz_params[id].key);
}

static void test_changes(void)
{
	vz_autocfg struct vz_cfg *c = load(
		"NAMESERVER=1.1.1.1\nCAPABILITY=net_raw:off\n",
		"IP_ADDRESS=\"10.0.0.1 10.0.0.2/24\"\nNETIF=\"ifname=eth0\"\n", NULL);
	struct vz_err err = { 0 };

	tap_is_int(SET("--ipadd", "10.0.0.9", "--ipdel", "all", "--ipadd=a::0"), 0,
		   "ipdel all --ipadd");
	text_is(c, VZ_P_IP_ADDRESS, "10.0.0.9 a::");
	tap_is_int(SET("--ipdel", "A:0::0", "--ipdel", "10.0.0.9/8"), 0, "ipdel");
	text_is(c, VZ_P_IP_ADDRESS, "");
	tap_is_int(SET("--nameserver", "8.8.8.8", "--nameserver", "8.8.4.4"), 0,
		   "lists that are set at once");
	text_is(c, VZ_P_NAMESERVER, "8.8.8.8 8.8.4.4");
	tap_is_int(SET("--nameserver", "9.9.9.9 9.9.9.8"), 0, "and again");
	text_is(c, VZ_P_NAMESERVER, "9.9.9.9 9.9.9.8");
	tap_is_int(SET("--nameserver", ""), 0, "and emptied");
	text_is(c, VZ_P_NAMESERVER, "");
	tap_is_int(SET("--capability", "net_admin:on,net_raw:on"), 0, "switches");
	text_is(c, VZ_P_CAPABILITY, "net_raw:on net_admin:on");
	tap_is_int(SET("--ram", "256M", "--swap", "1G"), 0, "ram and swap");
	text_is(c, VZ_P_PHYSPAGES, "0:65536");
	text_is(c, VZ_P_SWAPPAGES, "0:262144");
	tap_is_int(SET("--ram", "1000"), 0, "ram in bytes");
	text_is(c, VZ_P_PHYSPAGES, "0:1");
	tap_is_int(SET("--physpages", "unlimited"), 0, "physpages unlimited");
	text_is(c, VZ_P_PHYSPAGES, "unlimited:unlimited");
	tap_is_int(SET("--ram", "1:2"), VZ_E_VALUE, "ram is one number");
	tap_is_int(SET("--iolimit", "10"), 0, "iolimit in megabytes");
	text_is(c, VZ_P_IOLIMIT, "10485760");
	tap_is_int(
		SET("--ifname", "eth0", "--bridge", "br0", "--mac", "00:18:51:00:00:01"),
		0, "fields of an interface");
	text_is(c, VZ_P_NETIF, "ifname=eth0,mac=00:18:51:00:00:01,bridge=br0");
	tap_is_int(SET("--ifname", "eth0", "--vlan", "12", "--mac", "", "--mac_filter",
		       "off"),
		   0, "more fields, and one taken away");
	text_is(c, VZ_P_NETIF, "ifname=eth0,bridge=br0,mac_filter=off,vlan=12");
	tap_is_int(SET("--ifname", "eth0", "--vlan", "0", "--bridge", ""), 0,
		   "no VLAN, no bridge");
	text_is(c, VZ_P_NETIF, "ifname=eth0,mac_filter=off");
	tap_is_int(SET("--ifname", "eth", "--bridge", "br0"), VZ_E_VETH, "none such");
	tap_is_int(SET("--bridge", "br0"), VZ_E_SYNTAX, "which interface?");
	tap_is_int(SET("--ifname", "eth0", "--mac", "zz"), VZ_E_VALUE, "a bad field");
	tap_is_int(SET("--netif_add", "eth1,00:18:51:00:00:02", "--netif_del", "eth0"), 0,
		   "interfaces come and go");
	text_is(c, VZ_P_NETIF, "ifname=eth1,mac=00:18:51:00:00:02");
	tap_is_int(SET("--cpuunits", "7"), VZ_E_VALUE, "a bad value");
	tap_is_str(err.text, "--cpuunits \"7\": expected a number from 8 to 500000",
		   "and its message");
	tap_is_int(SET("--ipadd", ""), VZ_E_IP, "nothing to add");
	tap_is_int(SET("--hostname", "a b"), VZ_E_HOSTNAME, "a host name's own status");
}

static void test_options(void)
{
	static const struct vz_opt own[] = { { "save", 0, NULL, "" },
					     { "wait", 'w', "N", "" },
					     { 0 } };
	char *argv[] = { (char *)"set",	  (char *)"--save", (char *)"--cpus=2",
			 (char *)"-w",	  (char *)"5",	    (char *)"--name",
			 (char *)"--odd", (char *)"101",    (char *)"-",
			 (char *)"--",	  (char *)"--cpus", NULL };
	vz_autochanges struct vz_changes changes = { 0 };
	vz_autostrv struct vz_strv words = { 0 };
	const char *values[2] = { 0 };
	struct vz_opt_parse how = { own, values, VZ_OPT_SET, &changes, &words };
	vz_autofree char *joined = NULL;
	struct vz_err err = { 0 };

	tap_is_int(vz_opt_first_word(&how, 11, argv), 7, "the first word");
	tap_is_int(vz_opt_parse(&how, 11, argv, &err), 0, "options and words");
	tap_is_str(values[0], "", "a flag");
	tap_is_str(values[1], "5", "a short option's value");
	tap_is_int(changes.n, 2, "parameters");
	tap_is_str(changes.n == 2 ? changes.v[1].text : NULL, "--odd", "any value");
	joined = vz_strv_join(&words, " ");
	tap_is_str(joined, "101 - --cpus", "words");
	how.words = NULL;
	tap_ok(vz_opt_parse(&how, 11, argv, &err) < 0 && err.status == VZ_E_SYNTAX,
	       "words that are not expected");
	argv[1] = (char *)"--save=x";
	tap_ok(vz_opt_parse(&how, 2, argv, &err) < 0, "a flag with a value");
	argv[1] = (char *)"--cpus";
	tap_ok(vz_opt_parse(&how, 2, argv, &err) < 0, "a value that is missing");
	argv[1] = (char *)"--config";
	tap_ok(vz_opt_parse(&how, 3, argv, &err) < 0, "another command's option");
}

static void test_store(void)
{
	static const struct vz_ctx ctx = { 0 };
	static const char file[] = "# c\nDCACHE=1:1\nCPUUNITS=1000 # w\nX=y\n";
	vz_autocfg struct vz_cfg *old = load("IOPRIO=5\n", file, NULL), *c = NULL;
	vz_autoconf struct vz_conf *conf = NULL;
	vz_autofree char *text = NULL;
	struct vz_err err = { 0 };
	unsigned int n = 99;

	vz_cfg_copy(old, &c);
	vz_conf_parse(&ctx, "f", file, sizeof(file) - 1, &conf, NULL);
	vz_cfg_store(old, c, conf, &n);
	tap_is_int(n, 0, "nothing changed");
	SET("--cpuunits", "1000", "--dcachesize", "2", "--private", "/p/$VEID");
	vz_cfg_store(old, c, conf, &n);
	text = vz_conf_text(conf);
	tap_is_int(n, 2, "what changed is counted");
	tap_is_str(text,
		   "# c\nDCACHE=\"2:2\"\nCPUUNITS=1000 # w\nX=y\n"
		   "VE_PRIVATE=\"/p/$VEID\"\n",
		   "and only that is written");
	vz_cfg_set(c, VZ_P_DCACHESIZE, NULL, NULL);
	vz_cfg_store(old, c, conf, &n);
	tap_ok(!vz_conf_get(conf, "DCACHE"), "what is unset goes");
	tap_ok(!vz_conf_get(conf, "IOPRIO"), "vz.conf's values stay there");
}

static void test_check(void)
{
	static const struct {
		const char *global, *own;
		bool good;
	} rows[] = {
		{ "", "KMEMSIZE=1:2\n", true },
		{ "", "KMEMSIZE=2:1\n", false },
		{ "", "DISKSPACE=2:1\n", false },
		{ "", "PHYSPAGES=0:unlimited\n", true },
		{ "VE_PRIVATE=/p/$VEID\n", "", true },
		{ "VE_PRIVATE=/p\n", "", false },
		{ "", "VE_PRIVATE=/p\n", true },
		{ "", "LOCAL_UID=0\nLOCAL_GID=0\n", true },
		{ "", "LOCAL_UID=0\nLOCAL_GID=5\n", false },
	};

	for (size_t i = 0; i < VZ_ARRAY_SIZE(rows); i++) {
		vz_autocfg struct vz_cfg *c = load(rows[i].global, rows[i].own, NULL);
		struct vz_err err = { 0 };

		tap_ok(!vz_cfg_check(c, &err) == rows[i].good, "rule %zu: %s", i,
		       err.text);
	}
}

int main(void)
{
	test_layers();
	test_bad();
	test_vswap();
	test_changes();
	test_options();
	test_store();
	test_check();
	return tap_done();
}
