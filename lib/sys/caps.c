/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/caps.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BIT(cap) (UINT64_C(1) << (cap))

/* By number. */
static const char names[][20] = {
	[CAP_CHOWN] = "chown",
	[CAP_DAC_OVERRIDE] = "dac_override",
	[CAP_DAC_READ_SEARCH] = "dac_read_search",
	[CAP_FOWNER] = "fowner",
	[CAP_FSETID] = "fsetid",
	[CAP_KILL] = "kill",
	[CAP_SETGID] = "setgid",
	[CAP_SETUID] = "setuid",
	[CAP_SETPCAP] = "setpcap",
	[CAP_LINUX_IMMUTABLE] = "linux_immutable",
	[CAP_NET_BIND_SERVICE] = "net_bind_service",
	[CAP_NET_BROADCAST] = "net_broadcast",
	[CAP_NET_ADMIN] = "net_admin",
	[CAP_NET_RAW] = "net_raw",
	[CAP_IPC_LOCK] = "ipc_lock",
	[CAP_IPC_OWNER] = "ipc_owner",
	[CAP_SYS_MODULE] = "sys_module",
	[CAP_SYS_RAWIO] = "sys_rawio",
	[CAP_SYS_CHROOT] = "sys_chroot",
	[CAP_SYS_PTRACE] = "sys_ptrace",
	[CAP_SYS_PACCT] = "sys_pacct",
	[CAP_SYS_ADMIN] = "sys_admin",
	[CAP_SYS_BOOT] = "sys_boot",
	[CAP_SYS_NICE] = "sys_nice",
	[CAP_SYS_RESOURCE] = "sys_resource",
	[CAP_SYS_TIME] = "sys_time",
	[CAP_SYS_TTY_CONFIG] = "sys_tty_config",
	[CAP_MKNOD] = "mknod",
	[CAP_LEASE] = "lease",
	[CAP_AUDIT_WRITE] = "audit_write",
	[CAP_AUDIT_CONTROL] = "audit_control",
	[CAP_SETFCAP] = "setfcap",
	[CAP_MAC_OVERRIDE] = "mac_override",
	[CAP_MAC_ADMIN] = "mac_admin",
	[CAP_SYSLOG] = "syslog",
	[CAP_WAKE_ALARM] = "wake_alarm",
	[CAP_BLOCK_SUSPEND] = "block_suspend",
	[CAP_AUDIT_READ] = "audit_read",
	[CAP_PERFMON] = "perfmon",
	[CAP_BPF] = "bpf",
	[CAP_CHECKPOINT_RESTORE] = "checkpoint_restore",
};
#define N_CAPS (sizeof(names) / sizeof(names[0]))
_Static_assert(N_CAPS == CAP_LAST_CAP + 1, "each capability has a name");

/*
 * In a user namespace these give nothing, but programs take them as a promise:
 * systemd would mount debugfs (SYS_RAWIO), load modules (SYS_MODULE), start
 * time daemons (SYS_TIME) and listen to the audit log (AUDIT_READ), and each
 * would fail.
 */
#define DROP_ALWAYS                                                                      \
	(BIT(CAP_SYS_RAWIO) | BIT(CAP_SYS_MODULE) | BIT(CAP_SYS_TIME) |                  \
	 BIT(CAP_AUDIT_READ))

/* Without a user namespace these reach the whole machine. */
#define DROP_PRIVILEGED                                                                  \
	(DROP_ALWAYS | BIT(CAP_MAC_ADMIN) | BIT(CAP_MAC_OVERRIDE) |                      \
	 BIT(CAP_WAKE_ALARM) | BIT(CAP_BLOCK_SUSPEND) | BIT(CAP_SYSLOG) |                \
	 BIT(CAP_SYS_PACCT) | BIT(CAP_AUDIT_CONTROL) | BIT(CAP_PERFMON) | BIT(CAP_BPF) | \
	 BIT(CAP_CHECKPOINT_RESTORE))

uint64_t vz_caps_default(bool privileged)
{
	/* Also those that a newer kernel has, but not without a user namespace. */
	return privileged ? (BIT(N_CAPS) - 1) & ~DROP_PRIVILEGED : ~DROP_ALWAYS;
}

static int find_n(const char *name, size_t len)
{
	if (len > 4 && !strncasecmp(name, "cap_", 4)) {
		name += 4;
		len -= 4;
	}
	for (unsigned int i = 0; i < N_CAPS; i++)
		if (strlen(names[i]) == len && !strncasecmp(names[i], name, len))
			return i;
	return len == 8 && !strncasecmp(name, "ve_admin", len) ? -EOPNOTSUPP : -ENOENT;
}

int vz_caps_find(const char *name)
{
	return find_n(name, strlen(name));
}

const char *vz_caps_name(unsigned int cap)
{
	return cap < N_CAPS ? names[cap] : NULL;
}

/* *ret_cap: the number, or -EOPNOTSUPP. */
static int parse_entry(const char *entry, int *ret_cap, bool *ret_on, struct vz_err *err)
{
	size_t len = strcspn(entry, ":");
	int cap = find_n(entry, len);

	if (cap == -ENOENT)
		return vz_err_set(err, VZ_E_VALUE, 0, "unknown capability '%.*s'",
				  (int)len, entry);
	if (strcmp(entry + len, ":on") && strcmp(entry + len, ":off"))
		return vz_err_set(
			err, VZ_E_VALUE, 0,
			"capability '%s' is not of the form NAME:on or NAME:off", entry);
	*ret_cap = cap;
	*ret_on = entry[len + 2] == 'n';
	return 0;
}

int vz_caps_check(const char *entry, struct vz_err *err)
{
	bool on;
	int cap;

	return parse_entry(entry, &cap, &on, err);
}

int vz_caps_parse(bool privileged, const struct vz_strv *list, uint64_t *ret_set,
		  struct vz_err *err)
{
	uint64_t set = vz_caps_default(privileged);
	bool on;
	int cap, r;

	for (size_t i = 0; list && i < list->n; i++) {
		r = parse_entry(list->v[i], &cap, &on, err);
		if (r)
			return r;
		if (cap >= 0)
			set = on ? set | BIT(cap) : set & ~BIT(cap);
	}
	*ret_set = set;
	return 0;
}

/* Until the kernel knows no more: it may have more than our headers name. */
static int bound(uint64_t set)
{
	for (unsigned int cap = 0; cap < 64; cap++) {
		if (set & BIT(cap))
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0))
			return errno == EINVAL ? 0 : -errno;
	}
	return 0;
}

int vz_caps_apply(uint64_t set)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };
	int r = bound(set);

	if (r)
		return r;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0))
		return -errno;
	if (syscall(SYS_capget, &head, data))
		return -errno;
	for (int i = 0; i < 2; i++) {
		data[i].permitted &= set >> 32 * i;
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	return syscall(SYS_capset, &head, data) ? -errno : 0;
}

bool vz_caps_effective(unsigned int cap, bool on)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };
	const uint32_t bit = 1u << cap % 32;
	bool was;

	if (syscall(SYS_capget, &head, data))
		return false;
	was = data[cap / 32].effective & bit;
	if (on)
		data[cap / 32].effective |= bit & data[cap / 32].permitted;
	else
		data[cap / 32].effective &= ~bit;
	syscall(SYS_capset, &head, data);
	return was;
}
