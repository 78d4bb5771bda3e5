/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compiles the system call filters of VEs, by libseccomp, into C tables on
 * standard output: run by make, included by lib/sys/seccomp.c.
 *
 * A VE is a whole system: systemd, databases, compilers, debuggers and
 * containers of its own must run. So what is known is allowed, except for
 * calls that reach the machine behind the namespaces, or whose past in the
 * kernel is bad while nobody in a VE needs them. What was added to the kernel
 * after this list was last reviewed does not exist in a VE (ENOSYS): programs
 * fall back, and a new door is opened on purpose only.
 *
 * EPERM where programs expect to be refused, ENOSYS where they treat that as
 * "an older kernel" and go on by other means.
 */
#include <errno.h>
#include <linux/fs.h>
#include <linux/net.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "sys/seccomp.h"

/* file_setattr; numbers are the same on all architectures from 403 on. */
#define LAST_REVIEWED 469
/* That one sets a file's project, as FS_IOC_FSSETXATTR below: not where that is not. */
#define LAST_WITHOUT_PROJECTS 468

struct rule {
	const char *call;
	int errnum;
	unsigned int only_with; /* flags that must be set for it to hold */
	unsigned int not_with; /* flags that lift it */
};

static const struct rule rules[] = {
	/* Another kernel, or more of it. The VE's root has no such capability
	 * either, and a privileged one must not. */
	{ "kexec_load", EPERM },
	{ "kexec_file_load", EPERM },
	{ "init_module", EPERM },
	{ "finit_module", EPERM },
	{ "delete_module", EPERM },

	/* Opens a file by inode number: goes round every mount and root. */
	{ "open_by_handle_at", EPERM },

	/* Large, privileged and often broken. systemd, runc and Docker in a user
	 * namespace expect to be refused bpf; CRIU can restore neither. */
	{ "bpf", EPERM },
	{ "perf_event_open", EPERM },

	/* The host's swap, ports and virtual 8086 mode. */
	{ "swapon", EPERM },
	{ "swapoff", EPERM },
	{ "iopl", EPERM },
	{ "ioperm", EPERM },
	{ "vm86", EPERM },
	{ "vm86old", EPERM },

	/* The host's kernel log, readable for all where dmesg_restrict is 0. */
	{ "syslog", EPERM },
	{ "lookup_dcookie", EPERM },

	/* Keyrings: quota per uid only, not migrated. runc and systemd take
	 * ENOSYS for a kernel without them; at EPERM runc stops. */
	{ "keyctl", ENOSYS, .not_with = VZ_SECCOMP_KEYCTL },
	{ "add_key", ENOSYS, .not_with = VZ_SECCOMP_KEYCTL },
	{ "request_key", ENOSYS, .not_with = VZ_SECCOMP_KEYCTL },

	/* Goes round this filter and can't be checkpointed; users fall back. */
	{ "io_uring_setup", ENOSYS, .not_with = VZ_SECCOMP_IOURING },
	{ "io_uring_enter", ENOSYS, .not_with = VZ_SECCOMP_IOURING },
	{ "io_uring_register", ENOSYS, .not_with = VZ_SECCOMP_IOURING },

	/*
	 * In a user namespace the kernel itself limits these to the VE's own;
	 * root without one could watch and stop the host: events of whole file
	 * systems, page faults of the kernel, quotas, the machine's clock.
	 */
	{ "fanotify_init", EPERM, .only_with = VZ_SECCOMP_PRIVILEGED },
	{ "userfaultfd", EPERM, .only_with = VZ_SECCOMP_PRIVILEGED },
	{ "quotactl", EPERM, .only_with = VZ_SECCOMP_PRIVILEGED },
	{ "quotactl_fd", EPERM, .only_with = VZ_SECCOMP_PRIVILEGED },
	{ "acct", EPERM, .only_with = VZ_SECCOMP_PRIVILEGED },
	/* i386's: its structures are others, and nobody is there to answer it. */
	{ "quotactl", ENOSYS, VZ_SECCOMP_QUOTA, VZ_SECCOMP_PRIVILEGED },
	{ "quotactl_fd", ENOSYS, VZ_SECCOMP_QUOTA, VZ_SECCOMP_PRIVILEGED },
	{ "settimeofday", EPERM, .only_with = VZ_SECCOMP_PRIVILEGED },
	{ "clock_settime", EPERM, .only_with = VZ_SECCOMP_PRIVILEGED },
	{ "clock_settime64", EPERM, .only_with = VZ_SECCOMP_PRIVILEGED },
	{ "stime", EPERM, .only_with = VZ_SECCOMP_PRIVILEGED },
};

/* Those that libseccomp may be too old to name: their numbers. */
static const struct {
	const char *call;
	int nr;
} newer[] = {
	{ "quotactl_fd", 443 },
};

struct request {
	uint32_t nr; /* of ioctl */
	unsigned int only_with;
	unsigned int not_with;
	int errnum; /* 0: EPERM */
};

static const struct request requests[] = {
	/* Typing into a terminal: an administrator's may be at the other end. */
	{ TIOCSTI },
	{ 0x541c /* TIOCLINUX, pastes into a virtual console */ },
	/* Freeze or shut down the file system on which the VE lies. */
	{ FIFREEZE, VZ_SECCOMP_PRIVILEGED },
	{ FITHAW, VZ_SECCOMP_PRIVILEGED },
	{ _IOR('X', 125, uint32_t) /* FS_IOC_SHUTDOWN */, VZ_SECCOMP_PRIVILEGED },
	/* The project of a file, by which the VE's disk space is counted. */
	{ FS_IOC_FSSETXATTR, VZ_SECCOMP_PRIVILEGED },
	/*
	 * The kernel lets no user namespace change that, but on overlay it looks at the
	 * template's file and then, with the rights of who mounted, changes the copy:
	 * what is the same for the one takes the other out of its project. So as on a
	 * file system that has no such attributes.
	 */
	{ FS_IOC_FSSETXATTR, VZ_SECCOMP_OVERLAY, VZ_SECCOMP_PRIVILEGED, ENOTTY },
	{ FS_IOC_SETFLAGS, VZ_SECCOMP_OVERLAY, 0, ENOTTY },
	{ FS_IOC32_SETFLAGS, VZ_SECCOMP_OVERLAY, 0, ENOTTY },
};

static void die(const char *what, int r)
{
	fprintf(stderr, "seccomp filters: %s: %s\n", what, strerror(-r));
	exit(1);
}

static int number(const char *call)
{
	int nr = seccomp_syscall_resolve_name(call);

	for (size_t i = 0; nr == __NR_SCMP_ERROR && i < sizeof(newer) / sizeof(*newer);
	     i++)
		if (!strcmp(newer[i].call, call))
			nr = newer[i].nr;
	if (nr == __NR_SCMP_ERROR)
		die(call, -ENOSYS);
	return nr;
}

static void add_rules(scmp_filter_ctx ctx, unsigned int flags)
{
	int r;

	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		if ((flags & rules[i].only_with) != rules[i].only_with ||
		    flags & rules[i].not_with)
			continue;
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(rules[i].errnum),
				     number(rules[i].call), 0);
		if (r)
			die(rules[i].call, r);
	}
	for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
		if ((flags & requests[i].only_with) != requests[i].only_with ||
		    flags & requests[i].not_with)
			continue;
		/* The kernel looks at the lower 32 bits only, so must we. */
		r = seccomp_rule_add(
			ctx, SCMP_ACT_ERRNO(requests[i].errnum ?: EPERM), SCMP_SYS(ioctl),
			1, SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffffu, requests[i].nr));
		if (r)
			die("ioctl", r);
	}
}

/* The lower 32 bits are all that the kernel takes of these arguments. */
#define ARG(n, value) SCMP_CMP(n, SCMP_CMP_MASKED_EQ, 0xffffffffu, value)

/*
 * All ways to netfilter: nftables' socket, and the options of iptables (64 and
 * on), arptables (96) and ebtables (128) of any IP socket. What a kernel without
 * netfilter answers, so that tools say so.
 */
static void add_no_netfilter(scmp_filter_ctx ctx)
{
	static const int levels[] = { IPPROTO_IP, IPPROTO_IPV6 };
	static const int bases[] = { 64, 96, 128 };
	/* i386 may pack these calls: its arguments can't be seen, its use is past. */
	static const unsigned int packed[] = { SYS_SOCKET, SYS_SETSOCKOPT };
	int r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPROTONOSUPPORT), SCMP_SYS(socket),
				 2, ARG(0, AF_NETLINK), ARG(2, NETLINK_NETFILTER));

	for (size_t l = 0; l < 2 && !r; l++)
		for (size_t b = 0; b < 3 && !r; b++)
			for (int i = 0; i < 4 && !r; i++) {
				r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOPROTOOPT),
						     SCMP_SYS(setsockopt), 2,
						     ARG(1, levels[l]),
						     ARG(2, bases[b] + i));
				if (!r)
					r = seccomp_rule_add(
						ctx, SCMP_ACT_ERRNO(ENOPROTOOPT),
						SCMP_SYS(getsockopt), 2,
						ARG(1, levels[l]), ARG(2, bases[b] + i));
			}
	for (size_t i = 0; i < 2 && !r; i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(socketcall), 1,
				     ARG(0, packed[i]));
	if (r)
		die("netfilter", r);
}

static scmp_filter_ctx compile(unsigned int flags)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int r = -ENOMEM;

	if (!ctx)
		die("init", r);
#ifdef __x86_64__
	r = seccomp_arch_add(ctx, SCMP_ARCH_X86);
	if (r)
		die("i386", r);
#endif
	/* x32 and whatever else: as a kernel without it. */
	r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
	if (!r)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (r)
		die("attributes", r);
	add_rules(ctx, flags);
	if (flags & VZ_SECCOMP_NO_NETFILTER)
		add_no_netfilter(ctx);
	return ctx;
}

/* libseccomp has no "greater than this call": these four go before its program. */
static size_t put_prologue(struct sock_filter *f, unsigned int flags)
{
	const uint32_t last = flags & (VZ_SECCOMP_PRIVILEGED | VZ_SECCOMP_OVERLAY)
				      ? LAST_WITHOUT_PROJECTS
				      : LAST_REVIEWED;
	const struct sock_filter newest[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, last, 0, 2),
		/* -1: a tracer skips the call and gives the result itself. */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)-1, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
	};

	memcpy(f, newest, sizeof(newest));
	return sizeof(newest) / sizeof(*newest);
}

/* Before all else: calls of this architecture that a listener answers. */
static size_t put_notify(struct sock_filter *f)
{
	const struct sock_filter notify[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, seccomp_arch_native(), 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number("quotactl"), 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number("quotactl_fd"), 0,
			 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
	};

	memcpy(f, notify, sizeof(notify));
	return sizeof(notify) / sizeof(*notify);
}

static void print(unsigned int flags)
{
	static struct sock_filter f[BPF_MAXINSNS];
	scmp_filter_ctx ctx = compile(flags);
	const bool notify = flags & VZ_SECCOMP_QUOTA && !(flags & VZ_SECCOMP_PRIVILEGED);
	size_t n = notify ? put_notify(f) : 0;
	FILE *tmp = tmpfile();
	int r = tmp ? seccomp_export_bpf(ctx, fileno(tmp)) : -errno;

	if (r)
		die("export", r);
	n += put_prologue(f + n, flags);
	rewind(tmp);
	n += fread(f + n, sizeof(*f), BPF_MAXINSNS - n, tmp);
	printf("static const struct sock_filter filter_%u[] = {\n", flags);
	for (size_t i = 0; i < n; i++)
		printf("\t{ 0x%02x, %u, %u, 0x%08x },\n", f[i].code, f[i].jt, f[i].jf,
		       f[i].k);
	printf("};\n");
	fclose(tmp);
	seccomp_release(ctx);
}

int main(void)
{
	for (unsigned int flags = 0; flags < VZ_SECCOMP__COMBINATIONS; flags++)
		print(flags);
	printf("#define NATIVE_ARCH 0x%08xu\n", seccomp_arch_native());
	printf("#define P(n) { sizeof(filter_##n) / sizeof(*filter_##n), "
	       "(struct sock_filter *)filter_##n }\n"
	       "static const struct sock_fprog programs[] = {\n");
	for (unsigned int flags = 0; flags < VZ_SECCOMP__COMBINATIONS; flags++)
		printf("\tP(%u),\n", flags);
	printf("};\n");
	return fflush(stdout) ? 1 : 0;
}
