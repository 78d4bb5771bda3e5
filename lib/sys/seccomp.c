/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/seccomp.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

/* `programs`, by flags: made by sys/gen/seccomp.c. */
#include "seccomp_programs.h"

_Static_assert(sizeof(programs) / sizeof(programs[0]) == VZ_SECCOMP__COMBINATIONS,
	       "a program for each combination of flags");

uint32_t vz_seccomp_arch(void)
{
	return NATIVE_ARCH;
}

struct sock_fprog vz_seccomp_program(unsigned int flags)
{
	return programs[flags % VZ_SECCOMP__COMBINATIONS];
}

int vz_seccomp_install(unsigned int flags)
{
	struct sock_fprog prog = vz_seccomp_program(flags);

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) ? -errno : 0;
}

int vz_seccomp_install_listener(unsigned int flags, int *ret_listener)
{
	struct sock_fprog prog = vz_seccomp_program(flags);
	int fd;

	*ret_listener = -1;
	if (!(flags & VZ_SECCOMP_QUOTA) || flags & VZ_SECCOMP_PRIVILEGED)
		return vz_seccomp_install(flags);
	fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		     SECCOMP_FILTER_FLAG_NEW_LISTENER, &prog);
	if (fd < 0)
		return -errno;
	*ret_listener = fd;
	return 0;
}
