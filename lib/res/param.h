/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_RES_PARAM_H
#define VZ_RES_PARAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/exit.h"
#include "base/str.h"

/*
 * The table of parameters: one row each, from which follow the keys of the
 * files, options, checks, live apply and its order, saving, vzlist's columns,
 * man pages and completion. Nothing else in the source lists parameters.
 */
enum vz_param_id {
	/* general */
	VZ_P_ONBOOT,
	VZ_P_BOOTORDER,
	VZ_P_DISABLED,
	VZ_P_NAME,
	VZ_P_DESCRIPTION,
	VZ_P_OSTEMPLATE,
	VZ_P_ORIGIN_SAMPLE,
	VZ_P_STOP_TIMEOUT,
	VZ_P_VE_ROOT,
	VZ_P_VE_PRIVATE,
	VZ_P_VE_LAYOUT,
	VZ_P_MOUNT_OPTS,
	VZ_P_BIND, /* bind mounts: list of SRC:DST[:ro] */
	VZ_P_LOCAL_UID,
	VZ_P_LOCAL_GID,
	VZ_P_POOL,
	/* identity in the VE */
	VZ_P_HOSTNAME,
	VZ_P_NAMESERVER,
	VZ_P_SEARCHDOMAIN,
	VZ_P_IP_ADDRESS,
	VZ_P_NETIF,
	VZ_P_RATE,
	VZ_P_RATEBOUND, /* obsolete: a rate is a limit */
	VZ_P_NETFILTER,
	VZ_P_IPTABLES, /* the older form of NETFILTER */
	VZ_P_NETDEV,
	/* security and devices */
	VZ_P_CAPABILITY,
	VZ_P_FEATURES,
	VZ_P_DEVNODES,
	VZ_P_DEVICES,
	VZ_P_PCI,
	/* CPU */
	VZ_P_CPUUNITS,
	VZ_P_CPULIMIT,
	VZ_P_CPURESERVE,
	VZ_P_CPUS,
	VZ_P_CPUMASK,
	VZ_P_NODEMASK,
	/* IO */
	VZ_P_IOPRIO,
	VZ_P_IOLIMIT,
	VZ_P_IOPSLIMIT,
	/* disk */
	VZ_P_DISKSPACE,
	VZ_P_DISKINODES,
	VZ_P_QUOTATIME,
	VZ_P_QUOTAUGIDLIMIT,
	VZ_P_DISK_QUOTA,
	/* beancounters, in OpenVZ's order */
	VZ_P_KMEMSIZE,
	VZ_P_LOCKEDPAGES,
	VZ_P_PRIVVMPAGES,
	VZ_P_SHMPAGES,
	VZ_P_NUMPROC,
	VZ_P_PHYSPAGES,
	VZ_P_VMGUARPAGES,
	VZ_P_OOMGUARPAGES,
	VZ_P_NUMTCPSOCK,
	VZ_P_NUMFLOCK,
	VZ_P_NUMPTY,
	VZ_P_NUMSIGINFO,
	VZ_P_TCPSNDBUF,
	VZ_P_TCPRCVBUF,
	VZ_P_OTHERSOCKBUF,
	VZ_P_DGRAMRCVBUF,
	VZ_P_NUMOTHERSOCK,
	VZ_P_DCACHESIZE,
	VZ_P_NUMFILE,
	VZ_P_AVNUMPROC,
	VZ_P_NUMIPTENT,
	VZ_P_SWAPPAGES,
	VZ_P_MEMRESERVE,
	VZ_P_VM_OVERCOMMIT,
	VZ_P_MEMINFO,
	VZ_P_ACCOUNTING, /* of beancounters: enum vz_accounting */
	VZ_P_LXCFS_FILES,
	/* vz.conf only */
	VZ_P_VIRTUOZZO,
	VZ_P_LOCKDIR,
	VZ_P_DUMPDIR,
	VZ_P_CRIU,
	VZ_P_TEMPLATE,
	VZ_P_DEF_OSTEMPLATE,
	VZ_P_CONFIGFILE,
	VZ_P_VE0CPUUNITS,
	VZ_P_VE_STOP_MODE,
	VZ_P_VE_PARALLEL,
	VZ_P_LOGGING,
	VZ_P_LOGFILE,
	VZ_P_LOG_LEVEL,
	VZ_P_VERBOSE,
	VZ_P_VZFASTBOOT,
	VZ_P_MODULES_DISABLED,
	VZ_P_IPTABLES_MODULES,
	VZ_P_SKIP_SYSCTL_SETUP,
	VZ_P_VE_ROUTE_SRC_DEV,
	VZ_P_NEIGHBOUR_DEVS,
	VZ_P_ERROR_ON_ARPFAIL,
	VZ_P_SKIP_ARPDETECT,
	VZ_P_FORCE_ROUTE,
	VZ_P_IPV6,
	VZ_P_VZWDOG,
	VZ_P_CGROUP, /* the node's parent group of all VEs; default "vz" */
	VZ_P_LXCFS, /* where lxcfs is mounted; empty: not used */
	VZ_P_UID_POOL, /* FIRST:LAST host ids from which ranges are cut */
	VZ_P__COUNT,
};

/* The values of VZ_P_ACCOUNTING, in the order of their words. */
enum vz_accounting {
	VZ_ACCOUNTING_AUTO,
	VZ_ACCOUNTING_REQUIRED,
};

/* The values of VZ_P_NETFILTER, in the order of their words. */
enum vz_netfilter {
	VZ_NETFILTER_DISABLED,
	VZ_NETFILTER_STATELESS,
	VZ_NETFILTER_STATEFUL,
	VZ_NETFILTER_FULL,
};

/* How a value is written, and which accessor of cfg.h has it. */
enum vz_type {
	VZ_T_BOOL, /* yes, no: vz_cfg_bool() */
	VZ_T_NUM, /* min..max: vz_cfg_u64() */
	VZ_T_SIZE, /* a number with a suffix: vz_cfg_u64(), in units of `unit` bytes */
	VZ_T_MILLI, /* a fraction: vz_cfg_u64(), in thousandths */
	VZ_T_LIMIT, /* barrier:limit, or one for both: vz_cfg_limit() */
	VZ_T_ENUM, /* one of `words`: vz_cfg_u64(), its index */
	VZ_T_STR, /* vz_cfg_str() */
	VZ_T_PATH, /* vz_cfg_str(), absolute, `$VEID` expanded */
	VZ_T_LIST, /* vz_cfg_list() */
};

/* Where a key counts. */
enum vz_scope {
	VZ_SCOPE_BOTH, /* vz.conf has the default of all VEs */
	VZ_SCOPE_VE, /* a VE's own: not taken from vz.conf */
	VZ_SCOPE_GLOBAL, /* vz.conf only */
};

/*
 * What makes a new value work in a running VE, in the order in which it is
 * done. lib/ve/apply.c has a function for each; a failure walks them back.
 */
enum vz_live {
	VZ_LIVE_NONE, /* nothing in a VE depends on it: saving it is all */
	VZ_LIVE_RESTART, /* counts from the next start */
	VZ_LIVE_CPU,
	VZ_LIVE_CPUSET,
	VZ_LIVE_MEMORY,
	VZ_LIVE_NUMPROC,
	VZ_LIVE_UBC,
	VZ_LIVE_IO,
	VZ_LIVE_DEVICES,
	VZ_LIVE_QUOTA,
	VZ_LIVE_NETDEV,
	VZ_LIVE_NETIF,
	VZ_LIVE_ADDRESS,
	VZ_LIVE_RATE, /* of the links that there are by now */
	VZ_LIVE_HOSTNAME,
	VZ_LIVE_DNS,
	VZ_LIVE__COUNT,
};

/* What an option does with the value that was there. */
enum vz_op {
	VZ_OP_SET, /* a list: all that one command line gives */
	VZ_OP_ADD, /* to a list; an element of the same name is replaced */
	VZ_OP_DEL, /* from a list; `all` empties it */
	VZ_OP_TOTAL, /* --ram, --swap: 0:value */
	VZ_OP_SELECT, /* --ifname: the interface that VZ_OP_FIELD is for */
	VZ_OP_FIELD, /* --mac …: one field of that interface */
};

/* Which commands take an option. */
#define VZ_OPT_SET (1u << 0)
#define VZ_OPT_CREATE (1u << 1)
#define VZ_OPT_POOL (1u << 2) /* of pools of VEs, whose keys are these rows */

struct vz_param_opt {
	const char *name; /* without the dashes */
	enum vz_op op;
	unsigned int cmds;
	uint64_t bare; /* bytes that a bare number counts; 0: as in a file */
	const char *arg; /* NULL: the row's */
	const char *help; /* NULL: the row's */
};

/* A field of vzlist; its subfields follow from the type. */
enum vz_json {
	VZ_JSON_STR,
	VZ_JSON_NUM,
	VZ_JSON_BOOL,
	VZ_JSON_LIST,
	VZ_JSON_UBC,
	VZ_JSON_QUOTA,
};

struct vz_column {
	const char *name; /* NULL: the parameter has none */
	const char *header;
	int width; /* negative: to the left */
	enum vz_json json;
};

/* By what part two elements of a list are the same one. */
enum vz_list_id {
	VZ_LIST_WHOLE,
	VZ_LIST_COLON, /* up to the last colon: NAME:on */
	VZ_LIST_SLASH, /* up to the slash: ADDRESS/MASK */
	VZ_LIST_FIELD, /* the first NAME=value: ifname=eth0,… */
	VZ_LIST_TARGET, /* the second of SRC:DST[:ro] */
};

enum vz_param_flags {
	VZ_PF_CONFIG_MAP = 1 << 0, /* kept by --applyconfig: the VE's identity */
	VZ_PF_OBSOLETE = 1 << 1, /* taken so that old files load */
	VZ_PF_SAVE_ONLY = 1 << 2, /* its options make sense with --save only */
	VZ_PF_EMPTY = 1 << 3, /* an empty value is a value */
};

/* Canonical form of a word into out; 0 or -EINVAL. See res/word.h. */
typedef int (*vz_word_fn)(const char *s, struct vz_str *out);

#define VZ_PARAM_OPTS 9

struct vz_param {
	const char *key;
	const char *alias[2]; /* other spellings in files */
	struct vz_param_opt opt[VZ_PARAM_OPTS];
	enum vz_type type;
	enum vz_scope scope;
	enum vz_live live;
	unsigned int flags;
	uint64_t unit; /* SIZE, LIMIT: bytes of one; 0: no suffix is taken */
	uint64_t bare; /* bytes of a bare number in a file; 0: unit */
	uint64_t min, max; /* NUM, SIZE; max 0: no bound */
	const char *word; /* one word that is taken beside numbers … */
	uint64_t word_value; /* … and what it stands for */
	const char *const *words; /* ENUM */
	const char *sep; /* LIST: what parts the elements in a file */
	enum vz_list_id list_id;
	vz_word_fn word_fn; /* STR, LIST: checks a word, gives its canonical form */
	const char *expected; /* for messages: "expected …"; NULL: from the type */
	enum vz_exit bad_status; /* of a bad value in an option; 0: VZ_E_VALUE */
	const char *def; /* as a file has it; NULL: none (LIMIT: no limit) */
	struct vz_column col;
	const char *arg; /* of the options; NULL: NUM */
	const char *help;
};

extern const struct vz_param vz_params[VZ_P__COUNT];

/* By a key or alias of a file; -1: none. */
int vz_param_by_key(const char *key);
/* By an option's name (without dashes); NULL: none. */
const struct vz_param_opt *vz_param_by_opt(const char *name, unsigned int cmds,
					   enum vz_param_id *ret_id);
/* "a number from 8 to 500000": what a value must be. */
void vz_param_expected(const struct vz_param *p, struct vz_str *out);

#endif
