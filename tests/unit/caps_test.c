/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/caps.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define BIT(c) (UINT64_C(1) << (c))

static void test_names(void)
{
	static const struct {
		const char *name;
		int cap;
	} t[] = {
		{ "net_admin", CAP_NET_ADMIN },
		{ "NET_ADMIN", CAP_NET_ADMIN },
		{ "CAP_NET_ADMIN", CAP_NET_ADMIN },
		{ "cap_chown", CAP_CHOWN },
		{ "checkpoint_restore", CAP_CHECKPOINT_RESTORE },
		{ "ve_admin", -EOPNOTSUPP },
		{ "net_admi", -ENOENT },
		{ "net_admin ", -ENOENT },
		{ "cap_", -ENOENT },
		{ "", -ENOENT },
		{ "12", -ENOENT },
	};

	for (size_t i = 0; i < VZ_ARRAY_SIZE(t); i++)
		tap_is_int(vz_caps_find(t[i].name), t[i].cap, t[i].name);
	/* The names are the kernel's: libcap's are made from its header. */
	for (unsigned int c = 0; vz_caps_name(c); c++) {
		char *theirs = cap_to_name(c);

		tap_is_str(vz_caps_name(c), theirs + 4, theirs);
		cap_free(theirs);
	}
}

static void test_parse(void)
{
	uint64_t d = vz_caps_default(false), p = vz_caps_default(true);
	const struct {
		bool privileged;
		const char *text;
		int r;
		uint64_t set;
	} t[] = {
		{ false, "", 0, d },
		{ true, "", 0, p },
		{ false, "net_admin:off", 0, d & ~BIT(CAP_NET_ADMIN) },
		{ false, "NET_ADMIN:off CAP_NET_ADMIN:on", 0, d },
		{ true, "sys_time:on", 0, p | BIT(CAP_SYS_TIME) },
		{ false, "ve_admin:on", 0, d },
		{ false, "net_admin", -EINVAL, 7 },
		{ false, "net_admin:", -EINVAL, 7 },
		{ false, "net_admin:maybe", -EINVAL, 7 },
		{ false, "nonsense:on", -EINVAL, 7 },
	};

	for (size_t i = 0; i < VZ_ARRAY_SIZE(t); i++) {
		vz_autostrv struct vz_strv l = { 0 };
		struct vz_err err = { 0 };
		uint64_t set = 7;

		vz_strv_split(&l, t[i].text, " ");
		tap_is_int(vz_caps_parse(t[i].privileged, &l, &set, &err), t[i].r,
			   t[i].text);
		tap_ok(set == t[i].set, "%s: the set", t[i].text);
		tap_ok((t[i].r != 0) == (err.status == VZ_E_VALUE), "%s: the status",
		       t[i].text);
	}
}

static void test_defaults(void)
{
	static const int never[] = {
		CAP_SYS_MODULE, CAP_SYS_RAWIO,	CAP_MAC_ADMIN,	   CAP_MAC_OVERRIDE,
		CAP_SYS_TIME,	CAP_WAKE_ALARM, CAP_BLOCK_SUSPEND, CAP_SYSLOG,
		CAP_BPF,	CAP_PERFMON,	CAP_AUDIT_READ,	   CAP_AUDIT_CONTROL
	};

	for (size_t i = 0; i < VZ_ARRAY_SIZE(never); i++)
		tap_ok(!(vz_caps_default(true) & BIT(never[i])), "privileged: no %s",
		       vz_caps_name(never[i]));
	tap_ok(!(vz_caps_default(true) & BIT(63)), "privileged: none that we don't know");
	tap_ok(vz_caps_default(false) & BIT(CAP_SYS_ADMIN), "sys_admin over its own");
	tap_ok(!(vz_caps_default(false) & BIT(CAP_SYS_RAWIO)), "no sys_rawio");
}

static int child(uint64_t set)
{
	cap_t c;
	cap_flag_value_t v;

	if (vz_caps_apply(set))
		return 1;
	c = cap_get_proc();
	for (int i = 0; i <= CAP_LAST_CAP; i++) {
		bool want = set & BIT(i);

		if (cap_get_bound(i) > want ||
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, i, 0, 0) > 0)
			return 2;
		if (cap_get_flag(c, i, CAP_PERMITTED, &v) || (v && !want))
			return 3;
		if (cap_get_flag(c, i, CAP_EFFECTIVE, &v) || (v && !want))
			return 4;
		if (cap_get_flag(c, i, CAP_INHERITABLE, &v) || v)
			return 5;
		if (want && i == CAP_CHOWN && cap_get_bound(i) != 1)
			return 6;
	}
	cap_free(c);
	return 0;
}

static void test_apply(void)
{
	int status;
	pid_t pid;

	if (getuid()) {
		tap_skip("a child gets the set", "not root");
		return;
	}
	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(child(BIT(CAP_CHOWN) | BIT(CAP_KILL) | BIT(63)));
	waitpid(pid, &status, 0);
	tap_is_int(status, 0, "a child gets the set");
}

int main(void)
{
	test_names();
	test_parse();
	test_defaults();
	test_apply();
	return tap_done();
}
