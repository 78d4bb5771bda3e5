/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of parameters: that each is whole, and reads back what it writes. */
#include <glob.h>
#include <stdlib.h>

#include "base/fs.h"
#include "res/cfg.h"
#include "res/value.h"
#include "tests/unit/tap.h"

/* A value that a row takes, as a file has it. */
static const char *sample(enum vz_param_id id)
{
	static const char *const texts[VZ_P__COUNT] = {
		[VZ_P_RATE] = "*:1:8000:128",
		[VZ_P_BIND] = "/srv:/mnt /a:/b:ro",
		[VZ_P_NAMESERVER] = "10.0.0.1 fd00::1",
		[VZ_P_IP_ADDRESS] = "10.0.0.1 10.0.0.2/24 fd00::1/64",
		[VZ_P_NETIF] = "ifname=eth0,mac=00:18:51:AA:BB:CC,bridge=br0;ifname=eth1",
		[VZ_P_CAPABILITY] = "net_admin:on sys_time:off",
		[VZ_P_FEATURES] = "fuse:on nfs:off",
		[VZ_P_DEVNODES] = "fuse:rw sdb:none",
		[VZ_P_DEVICES] = "c:10:229:rw b:8:all:none",
		[VZ_P_PCI] = "0000:03:00.0",
		[VZ_P_CPUMASK] = "0-2,7",
		[VZ_P_NODEMASK] = "0",
		[VZ_P_MEMINFO] = "pages:1000",
		[VZ_P_LXCFS_FILES] = "meminfo stat",
		[VZ_P_VE_LAYOUT] = "overlay",
		[VZ_P_UID_POOL] = "100000:200000",
	};
	const struct vz_param *p = &vz_params[id];

	if (texts[id])
		return texts[id];
	switch (p->type) {
	case VZ_T_BOOL:
		return "yes";
	case VZ_T_NUM:
		return p->min > 3 ? "8" : "3";
	case VZ_T_SIZE:
		return "12345";
	case VZ_T_MILLI:
		return "1.25";
	case VZ_T_LIMIT:
		return "12:unlimited";
	case VZ_T_ENUM:
		return p->words[0];
	case VZ_T_PATH:
		return "/a/$VEID/b";
	case VZ_T_STR:
		return "text";
	case VZ_T_LIST:
		return "one two";
	}
	return "";
}

static bool has_option(const struct vz_param *p)
{
	return p->opt[0].name;
}

static void test_whole(void)
{
	for (int i = 0; i < VZ_P__COUNT; i++) {
		const struct vz_param *p = &vz_params[i];

		if (!tap_ok(p->key && p->help, "row %d has a key and help", i))
			continue;
		tap_ok(p->live < VZ_LIVE__COUNT, "%s has a live group", p->key);
		tap_ok(vz_param_by_key(p->key) == i, "%s is found by its key", p->key);
		tap_ok(p->type != VZ_T_LIST || (p->sep && p->word_fn),
		       "%s: a list has separators and a check", p->key);
		tap_ok(p->type != VZ_T_ENUM || (p->words && p->arg),
		       "%s: an enum has its words", p->key);
		tap_ok(!p->word_fn || p->expected, "%s says what it expects", p->key);
		tap_ok(p->scope != VZ_SCOPE_GLOBAL || p->live == VZ_LIVE_NONE,
		       "%s: what is the node's has no live group", p->key);
		tap_ok(p->help[strlen(p->help) - 1] != '.', "%s: help is a phrase",
		       p->key);
	}
}

/* No key, alias or option means two things. */
static void test_unique(void)
{
	for (int i = 0; i < VZ_P__COUNT; i++) {
		const struct vz_param *p = &vz_params[i];

		for (size_t a = 0; a < VZ_ARRAY_SIZE(p->alias); a++)
			if (p->alias[a])
				tap_ok(vz_param_by_key(p->alias[a]) == i, "alias %s",
				       p->alias[a]);
		for (size_t o = 0; o < VZ_PARAM_OPTS && p->opt[o].name; o++) {
			enum vz_param_id id = VZ_P__COUNT;
			const struct vz_param_opt *found =
				vz_param_by_opt(p->opt[o].name, p->opt[o].cmds, &id);

			tap_ok(found == &p->opt[o] && (int)id == i, "--%s is %s's",
			       p->opt[o].name, p->key);
			tap_ok(p->opt[o].op != VZ_OP_DEL || p->opt[o].help,
			       "--%s has a help of its own", p->opt[o].name);
		}
	}
}

static void test_round_trip(void)
{
	for (int i = 0; i < VZ_P__COUNT; i++) {
		const struct vz_param *p = &vz_params[i];
		vz_autovalue struct vz_value v = { 0 }, again = { 0 };
		vz_autofree char *text = NULL;

		tap_is_int(vz_value_parse(p, 0, sample(i), &v), 0, p->key);
		text = vz_value_format(p, &v);
		tap_is_str(text, sample(i), p->key);
		tap_is_int(text ? vz_value_parse(p, 0, text, &again) : -1, 0, p->key);
		tap_ok(vz_value_equal(&v, &again), "%s comes back", p->key);
		if (p->def)
			tap_is_int(vz_value_parse(p, 0, p->def, &again), 0, p->key);
	}
}

static void test_values(void)
{
	static const struct {
		enum vz_param_id id;
		uint64_t bare;
		const char *text, *want; /* NULL: refused */
	} rows[] = {
		{ VZ_P_CPUUNITS, 0, "8", "8" },
		{ VZ_P_CPUUNITS, 0, "7", NULL },
		{ VZ_P_CPUUNITS, 0, "500000", "500000" },
		{ VZ_P_CPUUNITS, 0, "500001", NULL },
		{ VZ_P_CPUUNITS, 0, "abc", NULL },
		{ VZ_P_CPUUNITS, 0, "-8", NULL },
		{ VZ_P_CPUUNITS, 0, " 8", NULL },
		{ VZ_P_CPUUNITS, 0, "8 ", NULL },
		{ VZ_P_CPUUNITS, 0, "0x10", NULL },
		{ VZ_P_CPUUNITS, 0, "", NULL },
		{ VZ_P_IOPRIO, 0, "8", NULL },
		{ VZ_P_CPULIMIT, 0, "101%", NULL },
		{ VZ_P_CPULIMIT, 0, "50x", NULL },
		{ VZ_P_ONBOOT, 0, "YES", "yes" },
		{ VZ_P_ONBOOT, 0, "on", NULL },
		{ VZ_P_IOLIMIT, 0, "100", "100" },
		{ VZ_P_IOLIMIT, 1 << 20, "10", "10485760" },
		{ VZ_P_IOLIMIT, 1 << 20, "10K", "10240" },
		{ VZ_P_IOLIMIT, 1 << 20, "unlimited", "0" },
		{ VZ_P_IOPSLIMIT, 0, "unlimited", "0" },
		{ VZ_P_LOG_LEVEL, 0, "-1", "-1" },
		{ VZ_P_DISKSPACE, 0, "1000", "1000:1000" },
		{ VZ_P_DISKSPACE, 0, "2G:2.2G", "2097152:2306868" },
		{ VZ_P_DISKSPACE, 0, "1G:unlimited", "1048576:unlimited" },
		{ VZ_P_DISKSPACE, 0, "1:2:3", NULL },
		{ VZ_P_DISKSPACE, 0, ":", NULL },
		{ VZ_P_DISKSPACE, 0, "1.5", NULL },
		{ VZ_P_PHYSPAGES, 0, "100:200", "100:200" },
		{ VZ_P_PHYSPAGES, 0, "0:256M", "0:65536" },
		{ VZ_P_PHYSPAGES, 0, "0:9223372036854775807", "0:unlimited" },
		{ VZ_P_PHYSPAGES, 0, "0:18446744073709551615", "0:unlimited" },
		{ VZ_P_PRIVVMPAGES, 0, "5M:6M", "1280:1536" },
		{ VZ_P_PRIVVMPAGES, 0, "10P", "10:10" },
		{ VZ_P_PRIVVMPAGES, 0, "4097B", "2:2" },
		{ VZ_P_KMEMSIZE, 0, "1K:2p", "1024:8192" },
		{ VZ_P_NUMPROC, 0, "10", "10:10" },
		{ VZ_P_NUMPROC, 0, "unlimited", "unlimited:unlimited" },
		{ VZ_P_NUMPROC, 0, "10K", NULL },
		{ VZ_P_VM_OVERCOMMIT, 0, "1.5", "1.5" },
		{ VZ_P_VM_OVERCOMMIT, 0, "2", "2" },
		{ VZ_P_VM_OVERCOMMIT, 0, "0.001", "0.001" },
		{ VZ_P_VM_OVERCOMMIT, 0, "1.", NULL },
		{ VZ_P_VM_OVERCOMMIT, 0, ".5", NULL },
		{ VZ_P_NETFILTER, 0, "full", "full" },
		{ VZ_P_NETFILTER, 0, "none", NULL },
		{ VZ_P_VE_PRIVATE, 0, "relative", NULL },
		{ VZ_P_IP_ADDRESS, 0, "FD00:0:0::1/64,10.0.0.1", "fd00::1/64 10.0.0.1" },
		{ VZ_P_IP_ADDRESS, 0, "10.0.0.1/255.255.255.0", "10.0.0.1/24" },
		{ VZ_P_IP_ADDRESS, 0, "10.0.0.1/255.0.255.0", NULL },
		{ VZ_P_IP_ADDRESS, 0, "10.0.0.1/33", NULL },
		{ VZ_P_IP_ADDRESS, 0, "10.0.0", NULL },
		{ VZ_P_IP_ADDRESS, 0, "10.0.0.1 10.0.0.1/8", "10.0.0.1/8" },
		{ VZ_P_NAMESERVER, 0, "inherit", "inherit" },
		{ VZ_P_NAMESERVER, 0, "10.0.0.1/8", NULL },
		{ VZ_P_CAPABILITY, 0, "NET_ADMIN:on,net_admin:off", "net_admin:off" },
		{ VZ_P_CAPABILITY, 0, "ve_admin:on", "ve_admin:on" },
		{ VZ_P_CAPABILITY, 0, "net_admin", NULL },
		{ VZ_P_CAPABILITY, 0, "root:on", NULL },
		{ VZ_P_CAPABILITY, 0, "net_admin:maybe", NULL },
		{ VZ_P_FEATURES, 0, "nfs:on bridge:on", "nfs:on bridge:on" },
		{ VZ_P_FEATURES, 0, "magic:on", NULL },
		{ VZ_P_NETIF, 0, "eth0", "ifname=eth0" },
		{ VZ_P_NETIF, 0, "eth0,00:18:51:aa:bb:cc,veth1.0.,,br0",
		  "ifname=eth0,mac=00:18:51:AA:BB:CC,host_ifname=veth1.0.,bridge=br0" },
		{ VZ_P_NETIF, 0, "eth0,zz", NULL },
		{ VZ_P_NETIF, 0, "eth0,,,fe:ff:ff:ff:ff:ff",
		  "ifname=eth0,host_mac=FE:FF:FF:FF:FF:FF" },
		{ VZ_P_NETIF, 0, "eth0,01:00:5e:00:00:01", NULL },
		{ VZ_P_NETIF, 0, "eth0,00:00:00:00:00:00", NULL },
		{ VZ_P_NETIF, 0, "lo", NULL },
		{ VZ_P_NETIF, 0, "venet0", NULL },
		{ VZ_P_NETIF, 0, "eth0,,,,,on", NULL },
		{ VZ_P_NETIF, 0, "vlan=4,ifname=eth0,mac_filter=on",
		  "ifname=eth0,vlan=4" },
		{ VZ_P_NETIF, 0, "eth0,vlan=4095", NULL },
		{ VZ_P_NETIF, 0, "eth0,type=macvlan", NULL },
		{ VZ_P_NETIF, 0, "eth0,type=macvlan,link=eth1,mode=vepa",
		  "ifname=eth0,type=macvlan,link=eth1,mode=vepa" },
		{ VZ_P_NETIF, 0, "eth0,type=macvlan,link=eth1",
		  "ifname=eth0,type=macvlan,link=eth1,mode=private" },
		{ VZ_P_NETIF, 0, "eth0,type=macvlan,link=eth1,bridge=br0", NULL },
		{ VZ_P_NETIF, 0, "eth0,link=eth1", NULL },
		{ VZ_P_NETIF, 0, "mac=00:18:51:aa:bb:cc", NULL },
		{ VZ_P_NETIF, 0, "ifname=eth0,mac_filter=maybe", NULL },
		{ VZ_P_NETIF, 0, "ifname=a-name-that-is-too-long", NULL },
		{ VZ_P_DEVNODES, 0, "../sda:rw", NULL },
		{ VZ_P_DEVNODES, 0, "sda", NULL },
		{ VZ_P_DEVICES, 0, "b:8:16:rw", "b:8:16:rw" },
		{ VZ_P_DEVICES, 0, "x:8:16:rw", NULL },
		{ VZ_P_PCI, 0, "03:00.0", "0000:03:00.0" },
		{ VZ_P_PCI, 0, "03:00", NULL },
		{ VZ_P_BIND, 0, "/a:b", NULL },
		{ VZ_P_BIND, 0, "/a:/b:rx", NULL },
		{ VZ_P_CPUMASK, 0, "all", "all" },
		{ VZ_P_CPUMASK, 0, "auto", "auto" },
		{ VZ_P_CPUMASK, 0, "3-1", NULL },
		{ VZ_P_CPUMASK, 0, "1,,2", NULL },
		{ VZ_P_NODEMASK, 0, "auto", NULL },
		{ VZ_P_MEMINFO, 0, "none", "none" },
		{ VZ_P_MEMINFO, 0, "pages", NULL },
		{ VZ_P_MEMINFO, 0, "privvmpages:0", NULL },
		{ VZ_P_LXCFS_FILES, 0, "meminfo,cpus", "meminfo cpus" },
		{ VZ_P_LXCFS_FILES, 0, "", "" },
		{ VZ_P_LXCFS_FILES, 0, "uptime", NULL },
		{ VZ_P_LXCFS, 0, "", "" },
		{ VZ_P_LXCFS, 0, "/var/lib/lxcfs", "/var/lib/lxcfs" },
		{ VZ_P_LXCFS, 0, "lxcfs", NULL },
		{ VZ_P_NAME, 0, "web 1-a+b_c.d", "web 1-a+b_c.d" },
		{ VZ_P_NAME, 0, "web/1", NULL },
		{ VZ_P_NAME, 0, "..", NULL },
		{ VZ_P_HOSTNAME, 0, "a b", NULL },
		{ VZ_P_OSTEMPLATE, 0, "../x", NULL },
		{ VZ_P_OSTEMPLATE, 0, "debian-12-x86_64", "debian-12-x86_64" },
		{ VZ_P_CGROUP, 0, "a/b", "a/b" },
		{ VZ_P_CGROUP, 0, "/a", NULL },
		{ VZ_P_CGROUP, 0, "a/../b", NULL },
		{ VZ_P_UID_POOL, 0, "100000:165535", "100000:165535" },
		{ VZ_P_UID_POOL, 0, "100000:165534", NULL },
	};

	for (size_t i = 0; i < VZ_ARRAY_SIZE(rows); i++) {
		const struct vz_param *p = &vz_params[rows[i].id];
		vz_autofree char *name = vz_strf("%s=\"%s\"", p->key, rows[i].text);
		vz_autovalue struct vz_value v = { 0 };
		vz_autofree char *text = NULL;

		if (!vz_value_parse(p, rows[i].bare, rows[i].text, &v))
			text = vz_value_format(p, &v);
		tap_is_str(text, rows[i].want, name);
	}
}

/* Each file that we ship loads, with no key that is unknown. */
static void test_shipped(void)
{
	static const struct vz_ctx ctx = { 0 };
	glob_t g = { 0 };

	glob("etc/vz/conf/*.conf-sample", 0, NULL, &g);
	glob("etc/vz/conf/*.conf", GLOB_APPEND, NULL, &g);
	glob("etc/vz/vz.conf", GLOB_APPEND, NULL, &g);
	tap_ok(g.gl_pathc >= 9, "the samples, 0.conf and vz.conf are there");
	for (size_t i = 0; i < g.gl_pathc; i++) {
		bool global = strstr(g.gl_pathv[i], "vz.conf");
		vz_autoconf struct vz_conf *conf = NULL;
		vz_autocfg struct vz_cfg *cfg = NULL;
		struct vz_err err = { 0 };

		vz_cfg_new(101, &cfg);
		if (!vz_conf_load(&ctx, g.gl_pathv[i], &conf, &err) &&
		    !vz_cfg_read(cfg, &ctx, conf, global, VZ_CFG_STRICT, &err))
			vz_cfg_check(cfg, &err);
		tap_is_str(err.text, "", g.gl_pathv[i]);
		if (!global)
			tap_ok(vz_cfg_own(cfg, VZ_P_ONBOOT), "%s has ONBOOT",
			       g.gl_pathv[i]);
	}
	globfree(&g);
}

/* The reviewed list: a key or option that goes or changes its type shows here. */
static void test_golden(void)
{
	static const char *const types[] = { "bool", "num",  "size", "milli", "limit",
					     "enum", "text", "path", "list" };
	static const char *const scopes[] = { "both", "ve", "global" };
	vz_autofree char *golden = NULL;
	vz_autostr struct vz_str b = { 0 };

	for (int i = 0; i < VZ_P__COUNT; i++) {
		const struct vz_param *p = &vz_params[i];

		vz_str_addf(&b, "%s %s %s", p->key, types[p->type], scopes[p->scope]);
		for (size_t a = 0; a < VZ_ARRAY_SIZE(p->alias); a++)
			if (p->alias[a])
				vz_str_addf(&b, " =%s", p->alias[a]);
		for (size_t o = 0; o < VZ_PARAM_OPTS && p->opt[o].name; o++)
			vz_str_addf(&b, " --%s", p->opt[o].name);
		vz_str_add(&b, "\n");
	}
	vz_read_file("tests/golden/keys", 1 << 20, &golden, NULL);
	if (tap_ok(golden && b.s && !strcmp(golden, b.s),
		   "keys and options are those of tests/golden/keys"))
		return;
	printf("# what the rows say now:\n%s", b.s ? b.s : "");
}

/* What the contract's `set` takes. */
static void test_contract(void)
{
	static const char options[] =
		"onboot bootorder root private mount_opts disabled name description "
		"ostemplate stop-timeout ipadd ipdel hostname nameserver searchdomain "
		"netif_add netif_del ifname mac host_ifname host_mac bridge mac_filter "
		"vlan "
		"kmemsize lockedpages privvmpages shmpages numproc physpages vmguarpages "
		"oomguarpages numtcpsock numflock numpty numsiginfo tcpsndbuf tcprcvbuf "
		"othersockbuf dgramrcvbuf numothersock dcachesize numfile numiptent "
		"swappages ram swap vm_overcommit cpuunits cpulimit cpus cpumask "
		"nodemask "
		"meminfo netfilter iptables netdev_add netdev_del diskquota diskspace "
		"diskinodes quotatime quotaugidlimit capability devnodes devices pci_add "
		"pci_del features ioprio iolimit iopslimit";
	vz_autostrv struct vz_strv names = { 0 };
	enum vz_param_id id;

	vz_strv_split(&names, options, " ");
	for (size_t i = 0; i < names.n; i++)
		tap_ok(vz_param_by_opt(names.v[i], VZ_OPT_SET, &id), "set --%s",
		       names.v[i]);
	for (int i = 0; i < VZ_P__COUNT; i++)
		if (vz_params[i].flags & VZ_PF_SAVE_ONLY)
			tap_ok(has_option(&vz_params[i]), "%s has an option",
			       vz_params[i].key);
}

int main(void)
{
	test_whole();
	test_unique();
	test_round_trip();
	test_values();
	test_shipped();
	test_golden();
	test_contract();
	return tap_done();
}
