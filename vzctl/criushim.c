/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vz-criu-shim.so, loaded into criu where the node's root has no CAP_SYS_RESOURCE
 * (in a container, say). The kernel tells the limits of a VE's processes to who has that
 * capability in their user namespace; its owner has all of them there, and that is the
 * VE's own user (see vz_ns_clone_owned()). criu asks by syscall(2): asked about another
 * process, be that user for the moment. VZ_CRIU_OWNER says who it is.
 */
#include <dlfcn.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef long (*syscall_fn)(long number, ...);

/* Effectively another user, with root's capabilities. */
static void be(syscall_fn real, long uid)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[2];

	if (real(SYS_capget, &head, caps) || real(SYS_setresuid, -1L, uid, -1L) ||
	    real(SYS_capset, &head, caps) || prctl(PR_SET_DUMPABLE, 1))
		_exit(1);
}

__attribute__((visibility("default"))) long syscall(long number, ...)
{
	syscall_fn real = (syscall_fn)dlsym(RTLD_NEXT, "syscall");
	const char *owner = getenv("VZ_CRIU_OWNER");
	long a[6], r;
	va_list ap;
	int error;

	va_start(ap, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (number != SYS_prlimit64 || !owner || !a[0] || a[0] == getpid())
		return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
	be(real, atol(owner));
	r = real(number, a[0], a[1], a[2], a[3]);
	error = errno;
	be(real, 0);
	errno = error;
	return r;
}
