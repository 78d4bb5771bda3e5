/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_BASE_CLEANUP_H
#define VZ_BASE_CLEANUP_H

/*
 * Ownership by declaration: what a variable holds is released when it leaves
 * its scope; take() hands it on instead.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define VZ_CLEANUP(fn) __attribute__((cleanup(fn)))

static inline void vz_cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void vz_cleanup_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void vz_cleanup_file(FILE **f)
{
	if (*f)
		fclose(*f);
}

static inline void vz_cleanup_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}

#define vz_autofree VZ_CLEANUP(vz_cleanup_free)
#define vz_autofd VZ_CLEANUP(vz_cleanup_fd)
#define vz_autofile VZ_CLEANUP(vz_cleanup_file)
#define vz_autodir VZ_CLEANUP(vz_cleanup_dir)

/* Move a pointer out of a variable with a cleanup. */
#define vz_take(p)                                                                       \
	({                                                                               \
		__typeof__(p) taken_ = (p);                                              \
		(p) = NULL;                                                              \
		taken_;                                                                  \
	})

static inline int vz_take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#define VZ_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
