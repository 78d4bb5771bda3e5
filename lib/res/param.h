/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_RES_PARAM_H
#define VZ_RES_PARAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
	/* identity in the VE */
	VZ_P_HOSTNAME,
	VZ_P_NAMESERVER,
	VZ_P_SEARCHDOMAIN,
	VZ_P_IP_ADDRESS,
	VZ_P_NETIF,
	VZ_P_NETFILTER,
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
	VZ_P_NUMIPTENT,
	VZ_P_SWAPPAGES,
	VZ_P_VM_OVERCOMMIT,
	VZ_P_MEMINFO,
	/* vz.conf only */
	VZ_P_VIRTUOZZO,
	VZ_P_LOCKDIR,
	VZ_P_DUMPDIR,
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
	VZ_P_UID_POOL, /* FIRST:LAST host ids from which ranges are cut */
	VZ_P__COUNT,
};

#endif
