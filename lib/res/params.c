/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rows. Only data: what a new value does to a running VE is in
 * lib/ve/apply.c, by the row's live group. How to add one: CONTRIBUTING.
 */
#include "res/param.h"

#include <string.h>

#include "base/num.h"
#include "res/netif.h"
#include "res/rate.h"
#include "res/word.h"

#define KIB (1ull << 10)
#define MIB (1ull << 20)
#define PAGE 4096ull

#define SET(option)                                                                      \
	{                                                                                \
		option, VZ_OP_SET, VZ_OPT_SET                                            \
	}
#define SET_CREATE(option)                                                               \
	{                                                                                \
		option, VZ_OP_SET, VZ_OPT_SET | VZ_OPT_CREATE                            \
	}
#define CREATE(option)                                                                   \
	{                                                                                \
		option, VZ_OP_SET, VZ_OPT_CREATE                                         \
	}
/* Also of pools of VEs. */
#define SET_POOL(option)                                                                 \
	{                                                                                \
		option, VZ_OP_SET, VZ_OPT_SET | VZ_OPT_POOL                              \
	}
#define SET_CREATE_POOL(option)                                                          \
	{                                                                                \
		option, VZ_OP_SET, VZ_OPT_SET | VZ_OPT_CREATE | VZ_OPT_POOL              \
	}
#define FIELD(option, word, text)                                                        \
	{                                                                                \
		option, VZ_OP_FIELD, VZ_OPT_SET, 0, word, text                           \
	}

#define YES_NO .type = VZ_T_BOOL, .arg = "yes|no"
#define NUMBER(low, high) .type = VZ_T_NUM, .min = (low), .max = (high)

/* A beancounter: `unit` bytes of one, 0 for things that are counted. */
#define COUNTER(name, option, header_, unit_, live_, text)                               \
	.key = name, .opt = { SET(option) }, .type = VZ_T_LIMIT, .unit = (unit_),        \
	.live = (live_), .col = { option, header_, 10, VZ_JSON_UBC },                    \
	.arg = "BARRIER[:LIMIT]", .help = text

static const char *const stop_modes[] = { "suspend", "stop", NULL };
static const char *const accountings[] = { "auto", "required", NULL };
static const char *const netfilters[] = { "disabled", "stateless", "stateful", "full",
					  NULL };

/* clang-format off */
const struct vz_param vz_params[VZ_P__COUNT] = {
	/* general */
	[VZ_P_ONBOOT] = {
		.key = "ONBOOT", .opt = { SET("onboot") }, YES_NO,
		.scope = VZ_SCOPE_VE, .col = { "onboot", "ONBOOT", 6, VZ_JSON_BOOL },
		.help = "start the VE when the node boots; unset: when it ran before the boot",
	},
	[VZ_P_BOOTORDER] = {
		.key = "BOOTORDER", .opt = { SET("bootorder") },
		NUMBER(0, INT64_MAX),
		.scope = VZ_SCOPE_VE, .col = { "bootorder", "BOOTORDER", 10, VZ_JSON_NUM },
		.help = "the higher, the earlier the VE starts at boot; unset is last",
	},
	[VZ_P_DISABLED] = {
		.key = "DISABLED", .opt = { SET("disabled") }, YES_NO,
		.scope = VZ_SCOPE_VE, .def = "no", .col = { "disabled", "DISABL", 6, VZ_JSON_BOOL },
		.help = "refuse to start the VE, unless start --force says so",
	},
	[VZ_P_NAME] = {
		.key = "NAME", .opt = { SET_CREATE("name") }, .type = VZ_T_STR,
		.scope = VZ_SCOPE_VE, .word_fn = vz_word_name,
		.flags = VZ_PF_CONFIG_MAP | VZ_PF_SAVE_ONLY | VZ_PF_EMPTY,
		.expected = "a name of letters, digits, blanks and -+_.",
		.col = { "name", "NAME", -32, VZ_JSON_STR }, .arg = "NAME",
		.help = "a name for the VE, taken wherever its number is",
	},
	[VZ_P_DESCRIPTION] = {
		.key = "DESCRIPTION", .opt = { SET_CREATE_POOL("description") },
		.type = VZ_T_STR, .scope = VZ_SCOPE_VE, .flags = VZ_PF_EMPTY,
		.col = { "description", "DESCRIPTION", -32, VZ_JSON_STR }, .arg = "TEXT",
		.help = "any text about the VE",
	},
	[VZ_P_OSTEMPLATE] = {
		.key = "OSTEMPLATE", .opt = { SET_CREATE("ostemplate") },
		.type = VZ_T_STR, .scope = VZ_SCOPE_VE, .word_fn = vz_word_file,
		.flags = VZ_PF_CONFIG_MAP | VZ_PF_SAVE_ONLY,
		.expected = "a template's name without directories",
		.col = { "ostemplate", "OSTEMPLATE", -32, VZ_JSON_STR }, .arg = "NAME",
		.help = "the template that the VE is made of; it says which distribution scripts are its",
	},
	[VZ_P_ORIGIN_SAMPLE] = {
		.key = "ORIGIN_SAMPLE", .type = VZ_T_STR, .scope = VZ_SCOPE_VE,
		.col = { "origin_sample", "ORIGIN_SAMPLE", -32, VZ_JSON_STR }, .arg = "NAME",
		.help = "the sample that the VE's configuration began as",
	},
	[VZ_P_STOP_TIMEOUT] = {
		.key = "STOP_TIMEOUT", .opt = { SET("stop-timeout") },
		NUMBER(0, 86400), .def = "120", .arg = "SECONDS",
		.help = "how long stop waits before it kills the VE; 0: the default",
	},
	[VZ_P_VE_ROOT] = {
		.key = "VE_ROOT", .opt = { SET_CREATE("root") }, .type = VZ_T_PATH,
		.live = VZ_LIVE_RESTART, .flags = VZ_PF_CONFIG_MAP,
		.col = { "root", "ROOT", -32, VZ_JSON_STR }, .arg = "PATH",
		.help = "where the VE's files are mounted; may hold $VEID",
	},
	[VZ_P_VE_PRIVATE] = {
		.key = "VE_PRIVATE", .opt = { SET_CREATE("private") },
		.type = VZ_T_PATH, .live = VZ_LIVE_RESTART,
		.flags = VZ_PF_CONFIG_MAP,
		.col = { "private", "PRIVATE", -32, VZ_JSON_STR }, .arg = "PATH",
		.help = "where the VE's files are kept; may hold $VEID",
	},
	[VZ_P_VE_LAYOUT] = {
		.key = "VE_LAYOUT",
		.opt = { CREATE("layout"), CREATE("ve_layout"), CREATE("velayout") },
		.type = VZ_T_STR, .live = VZ_LIVE_RESTART, .word_fn = vz_word_layout,
		.expected = "simfs, overlay or ploop", .def = "simfs",
		.col = { "layout", "LAYOUT", 6, VZ_JSON_STR }, .arg = "simfs|overlay|ploop",
		.help = "how the private area is laid out",
	},
	[VZ_P_MOUNT_OPTS] = {
		.key = "MOUNT_OPTS", .opt = { SET("mount_opts") }, .type = VZ_T_STR,
		.live = VZ_LIVE_RESTART, .flags = VZ_PF_EMPTY,
		.col = { "mount_opts", "MOUNT_OPTS", -16, VZ_JSON_STR }, .arg = "OPTION[,OPTION...]",
		.help = "more mount options for the VE's file system (images only)",
	},
	[VZ_P_BIND] = {
		.key = "BIND",
		.opt = {
			{ "bind_add", VZ_OP_ADD, VZ_OPT_SET },
			{ "bind_del", VZ_OP_DEL, VZ_OPT_SET, 0, "TARGET|all",
			  "take a bind mount from the VE, by its place there" },
		},
		.type = VZ_T_LIST, .sep = " \t\n", .list_id = VZ_LIST_TARGET,
		.scope = VZ_SCOPE_VE, .live = VZ_LIVE_RESTART, .word_fn = vz_word_bind,
		.expected = "SOURCE:TARGET or SOURCE:TARGET:ro, both absolute paths",
		.arg = "SOURCE:TARGET[:ro]",
		.help = "mount a directory or file of the node in the VE",
	},
	[VZ_P_LOCAL_UID] = {
		.key = "LOCAL_UID", .opt = { CREATE("local_uid") },
		NUMBER(0, UINT32_MAX - 65536), .scope = VZ_SCOPE_VE,
		.live = VZ_LIVE_RESTART, .flags = VZ_PF_CONFIG_MAP, .arg = "UID",
		.help = "first of the VE's 65,536 user ids on the node; 0: a privileged VE",
	},
	[VZ_P_LOCAL_GID] = {
		.key = "LOCAL_GID", .opt = { CREATE("local_gid") },
		NUMBER(0, UINT32_MAX - 65536), .scope = VZ_SCOPE_VE,
		.live = VZ_LIVE_RESTART, .flags = VZ_PF_CONFIG_MAP, .arg = "GID",
		.help = "first of the VE's 65,536 group ids on the node",
	},
	[VZ_P_POOL] = {
		.key = "POOL", .opt = { SET_CREATE("pool") }, .type = VZ_T_STR,
		.scope = VZ_SCOPE_VE, .live = VZ_LIVE_RESTART, .flags = VZ_PF_EMPTY,
		.word_fn = vz_word_poolname,
		.expected = "a name of at most 24 letters, digits, - and _",
		.col = { "pool", "POOL", -16, VZ_JSON_STR }, .arg = "NAME",
		.help = "the pool of VEs, pools/NAME.conf, that the VE is in; empty: none",
	},

	/* identity in the VE */
	[VZ_P_HOSTNAME] = {
		.key = "HOSTNAME", .opt = { SET_CREATE("hostname") },
		.type = VZ_T_STR, .scope = VZ_SCOPE_VE, .live = VZ_LIVE_HOSTNAME,
		.flags = VZ_PF_CONFIG_MAP | VZ_PF_EMPTY, .word_fn = vz_word_hostname,
		.expected = "a host name of at most 64 letters, digits, - and .",
		.bad_status = VZ_E_HOSTNAME,
		.col = { "hostname", "HOSTNAME", -32, VZ_JSON_STR }, .arg = "NAME",
		.help = "the VE's host name",
	},
	[VZ_P_NAMESERVER] = {
		.key = "NAMESERVER", .opt = { SET("nameserver") }, .type = VZ_T_LIST,
		.sep = " \t\n,", .live = VZ_LIVE_DNS, .word_fn = vz_word_dns,
		.flags = VZ_PF_EMPTY,
		.expected = "an IP address or inherit",
		.bad_status = VZ_E_DNS,
		.col = { "nameserver", "NAMESERVER", -15, VZ_JSON_LIST }, .arg = "ADDRESS|inherit",
		.help = "a DNS server (may be repeated); inherit: those of the node",
	},
	[VZ_P_SEARCHDOMAIN] = {
		.key = "SEARCHDOMAIN", .opt = { SET("searchdomain") },
		.type = VZ_T_LIST, .sep = " \t\n,", .live = VZ_LIVE_DNS,
		.word_fn = vz_word_domain, .flags = VZ_PF_EMPTY,
		.expected = "a domain name or inherit",
		.bad_status = VZ_E_SEARCHDOMAIN,
		.col = { "searchdomain", "SEARCHDOMAIN", -15, VZ_JSON_LIST }, .arg = "DOMAIN|inherit",
		.help = "a DNS search domain (may be repeated); inherit: those of the node",
	},
	[VZ_P_IP_ADDRESS] = {
		.key = "IP_ADDRESS",
		.opt = {
			{ "ipadd", VZ_OP_ADD, VZ_OPT_SET | VZ_OPT_CREATE },
			{ "ip", VZ_OP_ADD, VZ_OPT_SET | VZ_OPT_CREATE },
			{ "ipdel", VZ_OP_DEL, VZ_OPT_SET, 0, "ADDRESS|all",
			  "take an IP address from the VE" },
		},
		.type = VZ_T_LIST, .sep = " \t\n,", .list_id = VZ_LIST_SLASH,
		.scope = VZ_SCOPE_VE, .live = VZ_LIVE_ADDRESS,
		.flags = VZ_PF_CONFIG_MAP, .word_fn = vz_word_ip,
		.expected = "an address such as 10.0.0.1, 10.0.0.1/24 or fd00::1/64",
		.bad_status = VZ_E_IP,
		.col = { "ip", "IP_ADDR", -15, VZ_JSON_LIST }, .arg = "ADDRESS[/MASK]",
		.help = "give an IP address to the VE (may be repeated)",
	},
	[VZ_P_NETIF] = {
		.key = "NETIF",
		.opt = {
			{ "netif_add", VZ_OP_ADD, VZ_OPT_SET | VZ_OPT_CREATE },
			{ "netif_del", VZ_OP_DEL, VZ_OPT_SET, 0, "IFNAME|all",
			  "take an Ethernet interface from the VE" },
			{ "ifname", VZ_OP_SELECT, VZ_OPT_SET, 0, "IFNAME",
			  "the interface that the options below are for" },
			FIELD("mac", "MAC", "its address in the VE"),
			FIELD("host_ifname", "IFNAME", "its other end's name on the node"),
			FIELD("host_mac", "MAC", "its other end's address"),
			FIELD("bridge", "BRIDGE", "the bridge of the node that it joins"),
			FIELD("mac_filter", "on|off", "let the VE send from its own address only"),
			FIELD("vlan", "NUMBER", "the VLAN of the bridge that it is in; 0 is none"),
		},
		.type = VZ_T_LIST, .sep = ";", .list_id = VZ_LIST_FIELD,
		.scope = VZ_SCOPE_VE, .live = VZ_LIVE_NETIF, .word_fn = vz_word_netif,
		.expected = "IFNAME[,MAC[,HOST_IFNAME[,HOST_MAC[,BRIDGE]]]][,FIELD=VALUE...], "
			    "or IFNAME,type=macvlan,link=DEVICE[,mode=MODE]",
		.col = { "netif", "NETIF", -15, VZ_JSON_LIST },
		.arg = "IFNAME[,MAC,HOST_IFNAME,HOST_MAC,BRIDGE][,FIELD=VALUE...]",
		.help = "give an Ethernet interface to the VE",
	},
	[VZ_P_RATE] = {
		.key = "RATE", .opt = { SET("rate") }, .type = VZ_T_STR,
		.flags = VZ_PF_EMPTY, .live = VZ_LIVE_RATE, .word_fn = vz_word_rate,
		.expected = "KBITS or DEVICE:1:KBITS[:BURST_KB] with 8 to 16000000 kbit/s",
		.col = { "rate", "RATE", -15, VZ_JSON_STR }, .arg = "[DEVICE:1:]KBITS[:BURST_KB]",
		.help = "how fast the VE may send, and receive; empty: as fast as it goes",
	},
	[VZ_P_RATEBOUND] = {
		.key = "RATEBOUND", .opt = { SET("ratebound") }, YES_NO,
		.flags = VZ_PF_OBSOLETE, .def = "yes",
		.help = "obsolete: RATE is a limit, always",
	},
	[VZ_P_NETFILTER] = {
		.key = "NETFILTER", .opt = { SET("netfilter") }, .type = VZ_T_ENUM,
		.words = netfilters, .live = VZ_LIVE_RESTART, .def = "stateless",
		.col = { "netfilter", "NETFILTER", -9, VZ_JSON_STR },
		.arg = "disabled|stateless|stateful|full",
		.help = "what of netfilter the VE may set: nothing; what looks at single "
			"packets; tracking of connections, too; translation, too",
	},
	[VZ_P_IPTABLES] = {
		.key = "IPTABLES", .opt = { SET("iptables") }, .type = VZ_T_LIST,
		.sep = " \t\n,", .live = VZ_LIVE_RESTART, .flags = VZ_PF_OBSOLETE,
		.word_fn = vz_word_file, .expected = "a module's name", .arg = "MODULE[,MODULE...]",
		.help = "obsolete form of netfilter: it is saved and has no effect",
	},
	[VZ_P_NETDEV] = {
		.key = "NETDEV",
		.opt = {
			{ "netdev_add", VZ_OP_ADD, VZ_OPT_SET },
			{ "netdev_del", VZ_OP_DEL, VZ_OPT_SET, 0, "DEVICE|all",
			  "give a network device back to the node" },
		},
		.type = VZ_T_LIST, .sep = " \t\n,", .scope = VZ_SCOPE_VE,
		.live = VZ_LIVE_NETDEV, .word_fn = vz_word_ifname,
		.expected = "a network device's name", .arg = "DEVICE",
		.help = "move a network device of the node into the VE",
	},

	/* security and devices */
	[VZ_P_CAPABILITY] = {
		.key = "CAPABILITY",
		.opt = { { "capability", VZ_OP_ADD, VZ_OPT_SET } },
		.type = VZ_T_LIST, .sep = " \t\n,", .list_id = VZ_LIST_COLON,
		.live = VZ_LIVE_RESTART, .word_fn = vz_word_capability,
		.expected = "NAME:on or NAME:off with a name of capabilities(7) in lower case without CAP_",
		.col = { "capability", "CAPABILITY", -15, VZ_JSON_LIST }, .arg = "NAME:on|off[,...]",
		.help = "capabilities that the VE has beyond or short of the default",
	},
	[VZ_P_FEATURES] = {
		.key = "FEATURES",
		.opt = { { "features", VZ_OP_ADD, VZ_OPT_SET } },
		.type = VZ_T_LIST, .sep = " \t\n,", .list_id = VZ_LIST_COLON,
		.live = VZ_LIVE_RESTART, .word_fn = vz_word_feature,
		.expected = "NAME:on or NAME:off with a name that vzctl(8) lists",
		.col = { "features", "FEATURES", -15, VZ_JSON_LIST }, .arg = "NAME:on|off[,...]",
		.help = "single doors to the kernel for the VE",
	},
	[VZ_P_DEVNODES] = {
		.key = "DEVNODES",
		.opt = { { "devnodes", VZ_OP_ADD, VZ_OPT_SET } },
		.type = VZ_T_LIST, .sep = " \t\n,", .list_id = VZ_LIST_COLON,
		.scope = VZ_SCOPE_VE, .live = VZ_LIVE_DEVICES,
		.word_fn = vz_word_devnode,
		.expected = "DEVICE:[r][w][q] or DEVICE:none, DEVICE being a name in /dev",
		.arg = "DEVICE:[r][w][q]|none",
		.help = "give a device of the node's /dev to the VE",
	},
	[VZ_P_DEVICES] = {
		.key = "DEVICES",
		.opt = { { "devices", VZ_OP_ADD, VZ_OPT_SET } },
		.type = VZ_T_LIST, .sep = " \t\n,", .list_id = VZ_LIST_COLON,
		.scope = VZ_SCOPE_VE, .live = VZ_LIVE_DEVICES,
		.word_fn = vz_word_device,
		.expected = "b|c:MAJOR:MINOR|all:[r][w][q]|none",
		.arg = "b|c:MAJOR:MINOR|all:[r][w][q]|none",
		.help = "let the VE use a device, by its numbers",
	},
	[VZ_P_PCI] = {
		.key = "PCI",
		.opt = {
			{ "pci_add", VZ_OP_ADD, VZ_OPT_SET },
			{ "pci_del", VZ_OP_DEL, VZ_OPT_SET, 0, "[DOMAIN:]BUS:SLOT.FUNC|all",
			  "take a PCI device from the VE" },
		},
		.type = VZ_T_LIST, .sep = " \t\n,", .scope = VZ_SCOPE_VE,
		.live = VZ_LIVE_RESTART, .word_fn = vz_word_pci,
		.expected = "[DOMAIN:]BUS:SLOT.FUNC in hexadecimal, as lspci prints it",
		.arg = "[DOMAIN:]BUS:SLOT.FUNC", .help = "give a PCI device to the VE",
	},

	/* CPU */
	[VZ_P_CPUUNITS] = {
		.key = "CPUUNITS", .opt = { SET_POOL("cpuunits") }, NUMBER(8, 500000),
		.live = VZ_LIVE_CPU, .def = "1000", .col = { "cpuunits", "CPUUNI", 7, VZ_JSON_NUM },
		.help = "the VE's share of CPU time against other VEs'",
	},
	[VZ_P_CPULIMIT] = {
		.key = "CPULIMIT", .opt = { SET_POOL("cpulimit") }, NUMBER(0, 1000000),
		.live = VZ_LIVE_CPU, .def = "0", .col = { "cpulimit", "CPULIM", 7, VZ_JSON_NUM },
		.arg = "PERCENT",
		.help = "limit of CPU time in per cent of one CPU; 0: none",
	},
	[VZ_P_CPURESERVE] = {
		.key = "CPURESERVE", .opt = { SET_CREATE_POOL("cpureserve") }, NUMBER(0, 1000000),
		.live = VZ_LIVE_CPU, .def = "0", .scope = VZ_SCOPE_VE,
		.col = { "cpureserve", "CPURSV", 7, VZ_JSON_NUM }, .arg = "PERCENT",
		.help = "CPU time that the VE is sure of, in per cent of one CPU",
	},
	[VZ_P_CPUS] = {
		.key = "CPUS", .opt = { SET("cpus") }, NUMBER(0, 8192),
		.live = VZ_LIVE_CPUSET, .def = "0", .col = { "cpus", "CPUS", 5, VZ_JSON_NUM },
		.help = "how many CPUs the VE has; 0: all",
	},
	[VZ_P_CPUMASK] = {
		.key = "CPUMASK", .opt = { SET("cpumask") }, .type = VZ_T_STR,
		.live = VZ_LIVE_CPUSET, .word_fn = vz_word_cpus, .def = "all",
		.expected = "CPU numbers such as 0-2,7, or all, or auto",
		.arg = "CPUS|auto|all",
		.help = "which CPUs of the node the VE may use; auto: those of nodemask",
	},
	[VZ_P_NODEMASK] = {
		.key = "NODEMASK", .opt = { SET("nodemask") }, .type = VZ_T_STR,
		.live = VZ_LIVE_CPUSET, .word_fn = vz_word_nodes, .def = "all",
		.expected = "NUMA node numbers such as 0-1,3, or all",
		.arg = "NODES|all", .help = "which NUMA nodes' memory the VE may use",
	},

	/* IO */
	[VZ_P_IOPRIO] = {
		.key = "IOPRIO", .opt = { SET("ioprio") }, NUMBER(0, 7),
		.live = VZ_LIVE_IO, .def = "4", .col = { "ioprio", "IOP", 3, VZ_JSON_NUM },
		.help = "the VE's disk priority",
	},
	[VZ_P_IOLIMIT] = {
		.key = "IOLIMIT",
		.opt = { { "iolimit", VZ_OP_SET, VZ_OPT_SET, MIB } },
		.type = VZ_T_SIZE, .unit = 1, .word = "unlimited", .word_value = 0,
		.live = VZ_LIVE_IO, .def = "0", .col = { "iolimit", "IOLIMIT", 10, VZ_JSON_NUM },
		.arg = "MB[SUFFIX]",
		.help = "limit of disk transfer per second, in megabytes when there is no suffix; 0: none",
	},
	[VZ_P_IOPSLIMIT] = {
		.key = "IOPSLIMIT", .opt = { SET("iopslimit") },
		NUMBER(0, UINT32_MAX), .word = "unlimited", .word_value = 0,
		.live = VZ_LIVE_IO, .def = "0", .col = { "iopslimit", "IOPS", 4, VZ_JSON_NUM },
		.help = "limit of disk operations per second; 0: none",
	},

	/* disk */
	[VZ_P_DISKSPACE] = {
		.key = "DISKSPACE", .opt = { SET_CREATE("diskspace") },
		.type = VZ_T_LIMIT, .unit = KIB, .live = VZ_LIVE_QUOTA,
		.col = { "diskspace", "DSPACE", 10, VZ_JSON_QUOTA },
		.arg = "SOFT[:HARD]",
		.help = "disk space of the VE, in kilobytes when there is no suffix",
	},
	[VZ_P_DISKINODES] = {
		.key = "DISKINODES", .opt = { SET_CREATE("diskinodes") },
		.type = VZ_T_LIMIT, .unit = 1, .live = VZ_LIVE_QUOTA,
		.col = { "diskinodes", "DINODES", 10, VZ_JSON_QUOTA },
		.arg = "SOFT[:HARD]", .help = "files and directories of the VE",
	},
	[VZ_P_QUOTATIME] = {
		.key = "QUOTATIME", .opt = { SET("quotatime") }, NUMBER(0, UINT32_MAX),
		.live = VZ_LIVE_QUOTA, .def = "259200", .arg = "SECONDS",
		.help = "how long a soft disk limit may be exceeded",
	},
	[VZ_P_QUOTAUGIDLIMIT] = {
		.key = "QUOTAUGIDLIMIT", .opt = { SET("quotaugidlimit") },
		NUMBER(0, UINT32_MAX), .live = VZ_LIVE_RESTART, .def = "0",
		.help = "users and groups with quotas inside the VE; 0: no such quotas",
	},
	[VZ_P_DISK_QUOTA] = {
		.key = "DISK_QUOTA", .opt = { SET("diskquota") }, YES_NO,
		.live = VZ_LIVE_QUOTA, .def = "yes",
		.help = "keep disk quotas for the VE",
	},

	/* beancounters */
	[VZ_P_KMEMSIZE] = { COUNTER("KMEMSIZE", "kmemsize", "KMEMSIZE", 1, VZ_LIVE_UBC,
		"kernel memory of the VE's processes, in bytes") },
	[VZ_P_LOCKEDPAGES] = { COUNTER("LOCKEDPAGES", "lockedpages", "LOCKEDP", PAGE, VZ_LIVE_UBC,
		"memory locked by mlock(2), in pages") },
	[VZ_P_PRIVVMPAGES] = { COUNTER("PRIVVMPAGES", "privvmpages", "PRIVVMP", PAGE, VZ_LIVE_UBC,
		"private virtual memory that may be allocated, in pages") },
	[VZ_P_SHMPAGES] = { COUNTER("SHMPAGES", "shmpages", "SHMP", PAGE, VZ_LIVE_UBC,
		"shared memory and tmpfs, in pages") },
	[VZ_P_NUMPROC] = {
		.key = "NUMPROC", .opt = { SET_POOL("numproc") }, .type = VZ_T_LIMIT,
		.live = VZ_LIVE_NUMPROC, .col = { "numproc", "NPROC", 10, VZ_JSON_UBC },
		.arg = "BARRIER[:LIMIT]", .help = "processes and threads",
	},
	[VZ_P_PHYSPAGES] = {
		.key = "PHYSPAGES",
		.opt = {
			SET_POOL("physpages"),
			{ "ram", VZ_OP_TOTAL, VZ_OPT_SET | VZ_OPT_CREATE | VZ_OPT_POOL, 1, "BYTES",
			  "memory of the VE: short for --physpages 0:BYTES" },
		},
		.type = VZ_T_LIMIT, .unit = PAGE, .live = VZ_LIVE_MEMORY,
		.def = "0:unlimited", .col = { "physpages", "PHYSP", 10, VZ_JSON_UBC },
		.arg = "BARRIER[:LIMIT]", .help = "memory in RAM, in pages",
	},
	[VZ_P_VMGUARPAGES] = { COUNTER("VMGUARPAGES", "vmguarpages", "VMGUARP", PAGE, VZ_LIVE_MEMORY,
		"memory that the VE can always allocate, in pages"), .def = "0:unlimited" },
	[VZ_P_OOMGUARPAGES] = { COUNTER("OOMGUARPAGES", "oomguarpages", "OOMGUARP", PAGE, VZ_LIVE_MEMORY,
		"memory that the VE keeps when the node runs out of it, in pages"),
		.def = "0:unlimited" },
	[VZ_P_NUMTCPSOCK] = { COUNTER("NUMTCPSOCK", "numtcpsock", "NTCPSOCK", 0, VZ_LIVE_UBC,
		"TCP sockets") },
	[VZ_P_NUMFLOCK] = { COUNTER("NUMFLOCK", "numflock", "NFLOCK", 0, VZ_LIVE_UBC, "file locks") },
	[VZ_P_NUMPTY] = { COUNTER("NUMPTY", "numpty", "NPTY", 0, VZ_LIVE_UBC, "pseudo-terminals") },
	[VZ_P_NUMSIGINFO] = { COUNTER("NUMSIGINFO", "numsiginfo", "NSIGINFO", 0, VZ_LIVE_UBC,
		"queued signals") },
	[VZ_P_TCPSNDBUF] = { COUNTER("TCPSNDBUF", "tcpsndbuf", "TCPSNDB", 1, VZ_LIVE_UBC,
		"send buffers of TCP sockets, in bytes") },
	[VZ_P_TCPRCVBUF] = { COUNTER("TCPRCVBUF", "tcprcvbuf", "TCPRCVB", 1, VZ_LIVE_UBC,
		"receive buffers of TCP sockets, in bytes") },
	[VZ_P_OTHERSOCKBUF] = { COUNTER("OTHERSOCKBUF", "othersockbuf", "OTHSOCKB", 1, VZ_LIVE_UBC,
		"buffers of other sockets, in bytes") },
	[VZ_P_DGRAMRCVBUF] = { COUNTER("DGRAMRCVBUF", "dgramrcvbuf", "DGRAMRB", 1, VZ_LIVE_UBC,
		"receive buffers of datagram sockets, in bytes") },
	[VZ_P_NUMOTHERSOCK] = { COUNTER("NUMOTHERSOCK", "numothersock", "NOTHSOCK", 0, VZ_LIVE_UBC,
		"other sockets") },
	[VZ_P_DCACHESIZE] = { COUNTER("DCACHESIZE", "dcachesize", "DCACHESZ", 1, VZ_LIVE_UBC,
		"directory entries and inodes locked in memory, in bytes"),
		.alias = { "DCACHE" } },
	[VZ_P_NUMFILE] = { COUNTER("NUMFILE", "numfile", "NFILE", 0, VZ_LIVE_UBC, "open files") },
	[VZ_P_AVNUMPROC] = {
		.key = "AVNUMPROC", .opt = { SET("avnumproc") }, .type = VZ_T_LIMIT,
		.arg = "NUM[:NUM]",
		.help = "processes that the VE has on average, for vzcfgvalidate and vzcalc",
	},
	[VZ_P_NUMIPTENT] = { COUNTER("NUMIPTENT", "numiptent", "NIPTENT", 0, VZ_LIVE_UBC,
		"netfilter rules"), .alias = { "IPTENTRIES" } },
	[VZ_P_SWAPPAGES] = {
		.key = "SWAPPAGES",
		.opt = {
			SET_POOL("swappages"),
			{ "swap", VZ_OP_TOTAL, VZ_OPT_SET | VZ_OPT_CREATE | VZ_OPT_POOL, 1, "BYTES",
			  "swap space of the VE: short for --swappages 0:BYTES" },
		},
		.type = VZ_T_LIMIT, .unit = PAGE, .live = VZ_LIVE_MEMORY,
		.def = "0:unlimited", .col = { "swappages", "SWAPP", 10, VZ_JSON_UBC },
		.arg = "BARRIER[:LIMIT]", .help = "swap space, in pages",
	},
	[VZ_P_MEMRESERVE] = {
		.key = "MEMRESERVE", .opt = { SET_CREATE_POOL("memreserve") }, .type = VZ_T_SIZE,
		.unit = PAGE, .max = UINT32_MAX, .live = VZ_LIVE_MEMORY, .def = "0",
		.scope = VZ_SCOPE_VE, .col = { "memreserve", "MEMRSV", 10, VZ_JSON_NUM },
		.arg = "PAGES[SUFFIX]",
		.help = "memory in RAM that the VE is sure of, in pages when there is no suffix",
	},
	[VZ_P_VM_OVERCOMMIT] = {
		.key = "VM_OVERCOMMIT", .opt = { SET("vm_overcommit") },
		.type = VZ_T_MILLI, .live = VZ_LIVE_UBC, .def = "0",
		.col = { "vm_overcommit", "VM_OVC", 6, VZ_JSON_NUM }, .arg = "FACTOR",
		.help = "privvmpages as a multiple of ram + swap; 0: unlimited",
	},
	[VZ_P_MEMINFO] = {
		.key = "MEMINFO", .opt = { SET("meminfo") }, .type = VZ_T_STR,
		.live = VZ_LIVE_RESTART, .word_fn = vz_word_meminfo,
		.expected = "none, pages:NUM or privvmpages:NUM",
		.arg = "none|pages:NUM|privvmpages:NUM",
		.help = "what /proc/meminfo in the VE shows as its memory: none, the node's; "
			"else its limits, when there is lxcfs",
	},
	[VZ_P_ACCOUNTING] = {
		.key = "ACCOUNTING", .opt = { SET("accounting") }, .type = VZ_T_ENUM,
		.words = accountings, .live = VZ_LIVE_RESTART, .def = "auto",
		.arg = "auto|required",
		.help = "required: refuse to start the VE on a kernel that does not take the "
			"programs that count its beancounters",
	},
	[VZ_P_LXCFS_FILES] = {
		.key = "LXCFS_FILES", .opt = { SET("lxcfs") }, .type = VZ_T_LIST,
		.sep = " \t\n,", .live = VZ_LIVE_RESTART, .flags = VZ_PF_EMPTY,
		.word_fn = vz_word_lxcfs,
		.expected = "cpuinfo, cpus, loadavg, meminfo, stat or swaps",
		.def = "cpuinfo cpus loadavg meminfo swaps", .arg = "FILE[,FILE...]",
		.help = "what the VE sees through the node's lxcfs; empty: nothing",
	},

	/* vz.conf only */
	[VZ_P_VIRTUOZZO] = {
		.key = "VIRTUOZZO", YES_NO, .scope = VZ_SCOPE_GLOBAL, .def = "yes",
		.help = "start VEs at boot at all",
	},
	[VZ_P_LOCKDIR] = {
		.key = "LOCKDIR", .type = VZ_T_PATH, .scope = VZ_SCOPE_GLOBAL,
		.def = "/var/lib/vz/lock", .arg = "PATH", .help = "where VEs' locks are",
	},
	[VZ_P_DUMPDIR] = {
		.key = "DUMPDIR", .type = VZ_T_PATH,
		.def = "/var/lib/vz/dump", .arg = "PATH",
		.help = "where suspended VEs are kept",
	},
	[VZ_P_CRIU] = {
		.key = "CRIU", .type = VZ_T_PATH, .scope = VZ_SCOPE_GLOBAL, .arg = "PATH",
		.help = "the criu that suspends VEs; default: the one in the system's "
			"directories of programs",
	},
	[VZ_P_TEMPLATE] = {
		.key = "TEMPLATE", .type = VZ_T_PATH, .arg = "PATH",
		.help = "where templates are",
	},
	[VZ_P_DEF_OSTEMPLATE] = {
		.key = "DEF_OSTEMPLATE", .type = VZ_T_STR, .scope = VZ_SCOPE_GLOBAL,
		.word_fn = vz_word_file, .expected = "a template's name", .arg = "NAME",
		.help = "the template of create when none is named",
	},
	[VZ_P_CONFIGFILE] = {
		.key = "CONFIGFILE", .opt = { CREATE("config") }, .type = VZ_T_STR,
		.scope = VZ_SCOPE_GLOBAL, .word_fn = vz_word_file,
		.expected = "the NAME of a conf/ve-NAME.conf-sample", .arg = "SAMPLE",
		.help = "the sample of create when none is named",
	},
	[VZ_P_VE0CPUUNITS] = {
		.key = "VE0CPUUNITS", NUMBER(8, 500000), .scope = VZ_SCOPE_GLOBAL,
		.def = "1000", .help = "the node's own share of CPU time",
	},
	[VZ_P_VE_STOP_MODE] = {
		.key = "VE_STOP_MODE", .type = VZ_T_ENUM, .words = stop_modes,
		.scope = VZ_SCOPE_GLOBAL, .def = "suspend", .arg = "suspend|stop",
		.help = "what happens to VEs when the node goes down",
	},
	[VZ_P_VE_PARALLEL] = {
		.key = "VE_PARALLEL", NUMBER(0, 10000), .scope = VZ_SCOPE_GLOBAL,
		.help = "VEs started or stopped at once with the node; 0: 4 a CPU",
	},
	[VZ_P_LOGGING] = {
		.key = "LOGGING", YES_NO, .scope = VZ_SCOPE_GLOBAL, .def = "yes",
		.help = "write a log file",
	},
	[VZ_P_LOGFILE] = {
		.key = "LOGFILE", .type = VZ_T_PATH, .scope = VZ_SCOPE_GLOBAL,
		.def = "/var/log/vz/vzctl.log", .arg = "PATH", .help = "the log file",
	},
	[VZ_P_LOG_LEVEL] = {
		.key = "LOG_LEVEL", NUMBER(0, 10), .scope = VZ_SCOPE_GLOBAL,
		.word = "-1", .word_value = UINT64_MAX, .def = "0",
		.help = "how much goes into the log file; -1: errors only",
	},
	[VZ_P_VERBOSE] = {
		.key = "VERBOSE", NUMBER(0, 10), .scope = VZ_SCOPE_GLOBAL,
		.word = "-1", .word_value = UINT64_MAX, .def = "0",
		.help = "how much is said on the terminal",
	},
	[VZ_P_VZFASTBOOT] = {
		.key = "VZFASTBOOT", YES_NO, .scope = VZ_SCOPE_GLOBAL, .def = "no",
		.help = "start VEs before their quotas are recounted",
	},
	[VZ_P_MODULES_DISABLED] = {
		.key = "MODULES_DISABLED", YES_NO, .scope = VZ_SCOPE_GLOBAL, .def = "no",
		.help = "load no kernel modules",
	},
	[VZ_P_IPTABLES_MODULES] = {
		.key = "IPTABLES_MODULES", .type = VZ_T_LIST, .sep = " \t\n,",
		.scope = VZ_SCOPE_GLOBAL, .word_fn = vz_word_file,
		.expected = "a module's name", .arg = "MODULE...",
		.help = "netfilter modules to load at boot",
	},
	[VZ_P_SKIP_SYSCTL_SETUP] = {
		.key = "SKIP_SYSCTL_SETUP", YES_NO, .scope = VZ_SCOPE_GLOBAL, .def = "no",
		.help = "leave the node's sysctls as they are",
	},
	[VZ_P_VE_ROUTE_SRC_DEV] = {
		.key = "VE_ROUTE_SRC_DEV", .type = VZ_T_STR, .word_fn = vz_word_ifname,
		.expected = "a network device's name", .arg = "DEVICE",
		.help = "the device whose address is the node's towards VEs",
	},
	[VZ_P_NEIGHBOUR_DEVS] = {
		.key = "NEIGHBOUR_DEVS", .type = VZ_T_STR, .flags = VZ_PF_EMPTY,
		.arg = "all|detect|list:DEVICE...",
		.help = "devices on which VEs' addresses are announced",
	},
	[VZ_P_ERROR_ON_ARPFAIL] = {
		.key = "ERROR_ON_ARPFAIL", YES_NO, .def = "no",
		.help = "refuse an address that another machine answers for",
	},
	[VZ_P_SKIP_ARPDETECT] = {
		.key = "SKIP_ARPDETECT", YES_NO, .def = "no",
		.help = "do not ask the network whether an address is taken",
	},
	[VZ_P_FORCE_ROUTE] = {
		.key = "FORCE_ROUTE", YES_NO, .def = "no",
		.help = "replace a route that is in the way of a VE's",
	},
	[VZ_P_IPV6] = {
		.key = "IPV6", YES_NO, .def = "yes", .help = "IPv6 for VEs",
	},
	[VZ_P_VZWDOG] = {
		.key = "VZWDOG", YES_NO, .scope = VZ_SCOPE_GLOBAL, .def = "no",
		.flags = VZ_PF_OBSOLETE, .help = "OpenVZ's watchdog module: no effect",
	},
	[VZ_P_CGROUP] = {
		.key = "CGROUP", .type = VZ_T_STR, .scope = VZ_SCOPE_GLOBAL,
		.word_fn = vz_word_group, .expected = "a control group's name, not absolute",
		.def = "vz", .arg = "NAME",
		.help = "the control group below which VEs have theirs",
	},
	[VZ_P_LXCFS] = {
		.key = "LXCFS", .type = VZ_T_PATH, .scope = VZ_SCOPE_GLOBAL,
		.flags = VZ_PF_EMPTY, .def = "/var/lib/lxcfs", .arg = "PATH",
		.help = "where the node's lxcfs is mounted; empty: VEs do without",
	},
	[VZ_P_UID_POOL] = {
		.key = "UID_POOL", .type = VZ_T_STR, .scope = VZ_SCOPE_GLOBAL,
		.word_fn = vz_word_pool,
		.expected = "FIRST:LAST with room for 65536 ids",
		.def = "1073741824:1878982655", .arg = "FIRST:LAST",
		.help = "user ids of the node from which VEs get theirs",
	},
};
/* clang-format on */

int vz_param_by_key(const char *key)
{
	for (int i = 0; i < VZ_P__COUNT; i++) {
		const struct vz_param *p = &vz_params[i];

		if (!strcmp(p->key, key))
			return i;
		for (size_t a = 0; a < VZ_ARRAY_SIZE(p->alias); a++)
			if (p->alias[a] && !strcmp(p->alias[a], key))
				return i;
	}
	return -1;
}

const struct vz_param_opt *vz_param_by_opt(const char *name, unsigned int cmds,
					   enum vz_param_id *ret_id)
{
	for (int i = 0; i < VZ_P__COUNT; i++) {
		const struct vz_param_opt *o = vz_params[i].opt;

		for (; o < vz_params[i].opt + VZ_PARAM_OPTS && o->name; o++) {
			if (!(o->cmds & cmds) || strcmp(o->name, name))
				continue;
			*ret_id = i;
			return o;
		}
	}
	return NULL;
}
