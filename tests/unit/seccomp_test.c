/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Installs each filter in a child and makes calls: what is refused, and how. */
#include "sys/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "tap.h"

#define PRIV VZ_SECCOMP_PRIVILEGED

/* Bad arguments: what gets through fails with something else than `refused`. */
static const struct {
	const char *name;
	long nr;
	int refused;
	unsigned int with, without;
} calls[] = {
	{ "kexec_load", SYS_kexec_load, EPERM },
	{ "kexec_file_load", SYS_kexec_file_load, EPERM },
	{ "init_module", SYS_init_module, EPERM },
	{ "finit_module", SYS_finit_module, EPERM },
	{ "delete_module", SYS_delete_module, EPERM },
	{ "open_by_handle_at", SYS_open_by_handle_at, EPERM },
	{ "bpf", SYS_bpf, EPERM },
	{ "perf_event_open", SYS_perf_event_open, EPERM },
	{ "swapon", SYS_swapon, EPERM },
	{ "swapoff", SYS_swapoff, EPERM },
	{ "syslog", SYS_syslog, EPERM },
	{ "keyctl", SYS_keyctl, ENOSYS, 0, VZ_SECCOMP_KEYCTL },
	{ "add_key", SYS_add_key, ENOSYS, 0, VZ_SECCOMP_KEYCTL },
	{ "request_key", SYS_request_key, ENOSYS, 0, VZ_SECCOMP_KEYCTL },
	{ "io_uring_setup", SYS_io_uring_setup, ENOSYS, 0, VZ_SECCOMP_IOURING },
	{ "io_uring_enter", SYS_io_uring_enter, ENOSYS, 0, VZ_SECCOMP_IOURING },
	{ "io_uring_register", SYS_io_uring_register, ENOSYS, 0, VZ_SECCOMP_IOURING },
	{ "fanotify_init", SYS_fanotify_init, EPERM, PRIV },
	{ "userfaultfd", SYS_userfaultfd, EPERM, PRIV },
	{ "quotactl", SYS_quotactl, EPERM, PRIV },
	{ "quotactl_fd", 443, EPERM, PRIV },
	{ "settimeofday", SYS_settimeofday, EPERM, PRIV },
	{ "clock_settime", SYS_clock_settime, EPERM, PRIV },
	{ "the first call not reviewed", 470, ENOSYS },
	{ "a call of the future", 1000, ENOSYS },
	{ "x32 getpid", 0x40000000 + 39, ENOSYS },
	{ "x32 keyctl", 0x40000000 + 250, ENOSYS },
};

/* In a child without any privilege over the machine beyond making calls. */
static int in_child(unsigned int flags, int (*check)(size_t), size_t i)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		alarm(10);
		if (vz_seccomp_install(flags))
			_exit(99);
		_exit(check(i));
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

static int call_it(size_t i)
{
	long bad = -1;

	return syscall(calls[i].nr, bad, bad, bad, bad, bad, bad) < 0 ? errno : 0;
}

static void test_calls(void)
{
	for (unsigned int flags = 0; flags < VZ_SECCOMP__COMBINATIONS; flags++)
		for (size_t i = 0; i < VZ_ARRAY_SIZE(calls); i++) {
			if ((flags & calls[i].with) != calls[i].with ||
			    flags & calls[i].without)
				continue;
			tap_ok(in_child(flags, call_it, i) == calls[i].refused,
			       "flags %u: %s is refused", flags, calls[i].name);
		}
}

/* NETFILTER=disabled: what is refused, and what beside it is not. */
static const struct {
	const char *name;
	bool get;
	int family, protocol, level, option; /* level -1: the socket itself */
	int refused;
} sockets[] = {
	{ "nftables' socket", false, AF_NETLINK, NETLINK_NETFILTER, -1, 0,
	  EPROTONOSUPPORT },
	{ "rtnetlink's", false, AF_NETLINK, NETLINK_ROUTE, -1, 0, 0 },
	{ "iptables' rules", false, AF_INET, 0, IPPROTO_IP, 64, ENOPROTOOPT },
	{ "reading them", true, AF_INET, 0, IPPROTO_IP, 64, ENOPROTOOPT },
	{ "ip6tables' rules", false, AF_INET6, 0, IPPROTO_IPV6, 64, ENOPROTOOPT },
	{ "ebtables' rules", false, AF_INET, 0, IPPROTO_IP, 128, ENOPROTOOPT },
	{ "a socket's own option", false, AF_INET, 0, IPPROTO_IP, IP_TTL, 0 },
};

static int use_socket(size_t i)
{
	int fd = socket(sockets[i].family, SOCK_DGRAM, sockets[i].protocol), v = 1, r;
	socklen_t len = sizeof(v);

	if (fd < 0 || sockets[i].level < 0)
		return fd < 0 ? errno : 0;
	r = sockets[i].get ? getsockopt(fd, sockets[i].level, sockets[i].option, &v, &len)
			   : setsockopt(fd, sockets[i].level, sockets[i].option, &v, len);
	return r ? errno : 0;
}

static void test_netfilter(void)
{
	for (size_t i = 0; i < VZ_ARRAY_SIZE(sockets); i++) {
		int r = in_child(VZ_SECCOMP_NO_NETFILTER, use_socket, i);

		tap_is_int(r, sockets[i].refused, sockets[i].name);
		if (!sockets[i].refused)
			continue;
		/* With the filter's other answer: the kernel's own is another. */
		r = in_child(0, use_socket, i);
		tap_ok(r != sockets[i].refused || sockets[i].option == 128,
		       "%s: not refused without", sockets[i].name);
	}
}

/* What a door or the lack of one lets through; the kernel may still refuse. */
static void test_doors(void)
{
	static const struct {
		unsigned int flags;
		const char *name;
		long nr;
	} t[] = {
		{ VZ_SECCOMP_KEYCTL, "keyctl", SYS_keyctl },
		{ VZ_SECCOMP_KEYCTL | PRIV, "add_key", SYS_add_key },
		{ VZ_SECCOMP_IOURING, "io_uring_setup", SYS_io_uring_setup },
		{ 0, "quotactl", SYS_quotactl },
		{ 0, "mount", SYS_mount },
		{ VZ_SECCOMP_OVERLAY, "getxattr", SYS_getxattr },
		{ PRIV, "mount", SYS_mount },
		{ 0, "reboot", SYS_reboot },
		{ 0, "ptrace", SYS_ptrace },
		{ 0, "seccomp", SYS_seccomp },
		{ 0, "clone3", SYS_clone3 },
		{ 0, "setns", SYS_setns },
	};

	for (size_t i = 0; i < VZ_ARRAY_SIZE(t); i++) {
		struct sock_fprog p = vz_seccomp_program(t[i].flags);
		uint32_t a = 0;
		/* Run it by hand: making the calls for real could do something. */
		const struct sock_filter *f = p.filter;
		size_t pc = 0;

		for (;; pc++) {
			uint32_t k = f[pc].k;

			if (f[pc].code == (BPF_LD | BPF_W | BPF_ABS))
				a = k == 0 ? (uint32_t)t[i].nr : k == 4 ? 0xc000003e : 0;
			else if (f[pc].code == (BPF_JMP | BPF_JEQ | BPF_K))
				pc += a == k ? f[pc].jt : f[pc].jf;
			else if (f[pc].code == (BPF_JMP | BPF_JGT | BPF_K))
				pc += a > k ? f[pc].jt : f[pc].jf;
			else if (f[pc].code == (BPF_JMP | BPF_JGE | BPF_K))
				pc += a >= k ? f[pc].jt : f[pc].jf;
			else if (f[pc].code == (BPF_JMP | BPF_JA))
				pc += k;
			else if (f[pc].code == (BPF_ALU | BPF_AND | BPF_K))
				a &= k;
			else
				break;
		}
		tap_ok(f[pc].code == (BPF_RET | BPF_K) && f[pc].k == 0x7fff0000,
		       "flags %u: %s is allowed", t[i].flags, t[i].name);
	}
}

static int sti(size_t high)
{
	/* Bits above the 32 that the kernel looks at must not help. */
	unsigned long request = TIOCSTI | high << 32;
	vz_autofd int m = posix_openpt(O_RDWR | O_NOCTTY);

	return syscall(SYS_ioctl, m, request, "x") < 0 ? errno : 0;
}

static int freeze(size_t i)
{
	vz_autofd int fd = open("/dev/null", O_RDONLY);

	return ioctl(fd, FIFREEZE, 0) < 0 ? errno : 0;
}

static int winsize(size_t i)
{
	struct winsize ws;
	vz_autofd int m = posix_openpt(O_RDWR | O_NOCTTY);

	return ioctl(m, TIOCGWINSZ, &ws) ? errno : 0;
}

static int works(size_t i)
{
	int fd[2], status;
	pid_t pid;

	if (pipe(fd) || write(fd[1], "x", 1) != 1)
		return 1;
	pid = fork();
	if (!pid)
		execl("/bin/true", "true", NULL);
	return pid < 0 || waitpid(pid, &status, 0) != pid || status;
}

/* A tracer may skip a call by number -1 and give a result of its own. */
static int traced(size_t i)
{
#ifdef __x86_64__
	struct user_regs_struct r;
	int status;
	pid_t pid = fork();

	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		_exit(syscall(SYS_getppid) == 4321 ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	for (;;) {
		ptrace(PTRACE_SYSCALL, pid, 0, 0);
		waitpid(pid, &status, 0);
		if (WIFEXITED(status))
			return WEXITSTATUS(status);
		ptrace(PTRACE_GETREGS, pid, 0, &r);
		if (r.orig_rax == SYS_getppid && (long)r.rax == -ENOSYS) {
			r.orig_rax = -1;
			r.rax = 4321;
			ptrace(PTRACE_SETREGS, pid, 0, &r);
		}
	}
#endif
	return 0;
}

#ifdef __x86_64__
static int call_i386(size_t nr)
{
	long r;

	__asm__ volatile("int $0x80"
			 : "=a"(r)
			 : "0"(nr), "b"(-1), "c"(0), "d"(0), "S"(0), "D"(0)
			 : "memory", "r8", "r9", "r10", "r11");
	return r < 0 && r > -200 ? -r : 0;
}

static void test_i386(void)
{
	if (in_child(0, call_i386, 20) != 0) {
		tap_skip("i386", "this kernel has no 32-bit calls");
		return;
	}
	tap_is_int(in_child(0, call_i386, 20), 0, "i386: getpid works");
	tap_is_int(in_child(0, call_i386, 288), ENOSYS, "i386: keyctl is refused");
	tap_is_int(in_child(0, call_i386, 128), EPERM, "i386: init_module is refused");
	tap_is_int(in_child(0, call_i386, 357), EPERM, "i386: bpf is refused");
	tap_is_int(in_child(0, call_i386, 113), EPERM, "i386: vm86old is refused");
	tap_is_int(in_child(PRIV, call_i386, 25), EPERM, "i386: stime is refused");
	tap_is_int(in_child(0, call_i386, 500), ENOSYS, "i386: not reviewed");
}
#endif

int main(void)
{
	if (getuid()) {
		printf("1..0 # SKIP not root\n");
		return 0;
	}
	test_calls();
	test_netfilter();
	test_doors();
	tap_is_int(in_child(0, sti, 0), EPERM, "TIOCSTI is refused");
	tap_is_int(in_child(0, sti, 1), EPERM, "TIOCSTI with high bits, too");
	tap_is_int(in_child(0, winsize, 0), 0, "other requests work");
	tap_is_int(in_child(0, freeze, 0), EOPNOTSUPP, "FIFREEZE: the kernel decides");
	tap_is_int(in_child(PRIV, freeze, 0), EPERM,
		   "FIFREEZE: refused to a privileged VE");
	tap_is_int(in_child(0, works, 0), 0, "programs run");
	tap_is_int(in_child(PRIV, works, 0), 0, "programs run in a privileged VE");
	tap_is_int(in_child(0, traced, 0), 0, "a tracer can skip a call");
#ifdef __x86_64__
	test_i386();
#endif
	return tap_done();
}
