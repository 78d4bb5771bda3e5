/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_BASE_EXIT_H
#define VZ_BASE_EXIT_H

/*
 * Exit statuses of vzctl. The numbers are OpenVZ's: scripts, panels and
 * cluster agents compare them, so a value never changes its meaning.
 */
enum vz_exit {
	VZ_OK = 0,
	VZ_E_UBC = 1, /* can't set user beancounters */
	VZ_E_CPU = 2, /* can't set CPU parameters */
	VZ_E_SYSTEM = 3, /* a system call failed */
	VZ_E_KERNEL = 5, /* this kernel lacks something */
	VZ_E_RESOURCES = 6, /* not enough resources on the node */
	VZ_E_ENV = 7, /* can't make the VE's environment */
	VZ_E_COMMAND = 8, /* a command inside the VE failed */
	VZ_E_LOCKED = 9, /* another command works on the VE */
	VZ_E_NOGLOBAL = 10, /* vz.conf can't be read */
	VZ_E_NOSCRIPT = 11, /* an action script can't be found or run */
	VZ_E_PERM = 12, /* not root */
	VZ_E_CAP = 13, /* can't set capabilities */
	VZ_E_NOCONF = 14, /* the VE has no configuration file */
	VZ_E_TIMEOUT = 15, /* a command inside the VE took too long */
	VZ_E_CHECKPOINT = 16,
	VZ_E_RESTORE = 17,
	VZ_E_SYNTAX = 20, /* bad option or command */
	VZ_E_VALUE = 21, /* bad value of an option or key */
	VZ_E_NO_ROOT_SET = 22, /* VE_ROOT is not set */
	VZ_E_NO_PRIVATE_SET = 23, /* VE_PRIVATE is not set */
	VZ_E_NO_TEMPLATE_SET = 24, /* TEMPLATE is not set */
	VZ_E_NOPARAM = 27, /* not enough parameters */
	VZ_E_UBC_MISSING = 28,
	VZ_E_NOOSTEMPLATE = 29,
	VZ_E_NOTRUNNING = 31,
	VZ_E_RUNNING = 32,
	VZ_E_STOP = 33,
	VZ_E_ADDIP = 34,
	VZ_E_VALIDATE = 35,
	VZ_E_OVERCOMMIT = 36,
	VZ_E_NOTMOUNTED = 40,
	VZ_E_MOUNTED = 41,
	VZ_E_NOPRIVATE = 43, /* the private area does not exist */
	VZ_E_PRIVATE_EXISTS = 44,
	VZ_E_NOSPACE = 46,
	VZ_E_BADTEMPLATE = 47,
	VZ_E_NEWPRIVATE = 48,
	VZ_E_MOUNTPOINT = 49,
	VZ_E_MOUNT = 50,
	VZ_E_UMOUNT = 51,
	VZ_E_DELPRIVATE = 52,
	VZ_E_FSTYPE = 53,
	VZ_E_MKDIR = 54,
	VZ_E_NOQUOTALIMITS = 55, /* quota limits are missing */
	VZ_E_DQ_ON = 60, /* can't turn disk quota on */
	VZ_E_DQ_INIT = 61,
	VZ_E_DQ_SET = 62,
	VZ_E_NODISKSPACE = 63, /* DISKSPACE is not set */
	VZ_E_NODISKINODES = 64, /* DISKINODES is not set */
	VZ_E_DQ_USER = 65, /* can't set quotas of the VE's users and groups */
	VZ_E_DQ_OFF = 66,
	VZ_E_DQ_UGID = 67, /* quotas of users and groups are not on */
	VZ_E_DQ_USAGE = 68, /* can't read disk usage */
	VZ_E_HOSTNAME = 70,
	VZ_E_IP = 71,
	VZ_E_DNS = 72,
	VZ_E_SEARCHDOMAIN = 73,
	VZ_E_PASSWORD = 74,
	VZ_E_LOCKDIR = 77,
	VZ_E_IPUSED = 78,
	VZ_E_ACTION = 79, /* an action script returned an error */
	VZ_E_COPYCONF = 82,
	VZ_E_BADCONF = 85, /* the configuration file is invalid */
	VZ_E_DEVICE = 86,
	VZ_E_NOIP = 89,
	VZ_E_NOTEMPLATE = 91,
	VZ_E_LAYOUT = 99,
	VZ_E_NETDEV = 104,
	VZ_E_DISABLED = 105,
	VZ_E_NETFILTER = 106,
	VZ_E_DISTCONF = 107,
	VZ_E_DISTSCRIPT = 108,
	VZ_E_APPLYCONFIG = 109,
	VZ_E_MEMINFO = 129,
	VZ_E_VETH = 130,
	VZ_E_NAME = 131,
	VZ_E_WAIT = 133,
	VZ_E_SAVE = 139, /* the configuration can't be saved */
	VZ_E_OSRELEASE = 144,
	VZ_E_IO = 148, /* can't set IO parameters */
	VZ_E_IMAGE_CREATE = 151,
	VZ_E_IMAGE_MOUNT = 152,
	VZ_E_IMAGE_UMOUNT = 153,
	VZ_E_IMAGE_RESIZE = 154,
	VZ_E_CONVERT = 155,
	VZ_E_SNAP_CREATE = 156,
	VZ_E_SNAP_MERGE = 157,
	VZ_E_SNAP_DELETE = 158,
	VZ_E_SNAP_SWITCH = 159,
	VZ_E_SNAP_MOUNT = 160,
	VZ_E_SNAP_UMOUNT = 161,
	VZ_E_COMPACT = 166,
	VZ_E_SNAP_LIST = 167,
};

#endif
