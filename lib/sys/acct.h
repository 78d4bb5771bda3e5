/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_ACCT_H
#define VZ_SYS_ACCT_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/ctx.h"
#include "base/err.h"
#include "bpf/acct.h"

/*
 * The beancounters' programs in the kernel (lib/bpf/acct.bpf.c): loaded and
 * attached once, before the first VE starts, and pinned, so that they count on
 * whatever ends. A VE is known by the number of its group in cgroup2.
 *
 * acct.c loads them, acct_read.c needs no library and reads.
 */
enum {
	VZ_ACCT_FD_ROWS,
	VZ_ACCT_FD_COMMAND,
	VZ_ACCT_FD_LEARN,
	VZ_ACCT_FD_RESOURCES,
	VZ_ACCT_FD_OPTION_SET,
	VZ_ACCT_FD_SYSCTL_SET,
	/* For each VE's own group, where no programs on functions are taken: else -1. */
	VZ_ACCT_FD_SOCK_CREATE,
	VZ_ACCT_FD_SOCK_RELEASE,
	VZ_ACCT_FD_SOCK_OPS,
	VZ_ACCT_FD_INGRESS,
	VZ_ACCT_FD_GROUP_OF,
	VZ_ACCT_FD__COUNT,
};
struct vz_acct {
	int fd[VZ_ACCT_FD__COUNT];
};

/*
 * `level`: how deep below cgroup2's root the groups of VEs without a pool are.
 * Loads what is not there. VZ_E_KERNEL with what the kernel refuses.
 */
int vz_acct_open(const struct vz_ctx *ctx, unsigned int level, struct vz_acct *ret,
		 struct vz_err *err);
/* Only what is there: -ENOENT. */
int vz_acct_find(const struct vz_ctx *ctx, struct vz_acct *ret);
void vz_acct_close(struct vz_acct *a);
#define VZ_ACCT_NONE ((struct vz_acct){ { [0 ... VZ_ACCT_FD__COUNT - 1] = -1 } })
#define vz_autoacct VZ_CLEANUP(vz_acct_close)

/*
 * A VE's counters begin at 0: before its first process makes anything.
 * `group_dir`: its directory in cgroup2.
 */
int vz_acct_begin(const struct vz_acct *a, uint32_t veid, int group_dir,
		  const struct vz_acct_command *limits, uint32_t cgroup1,
		  struct vz_err *err);
/* What is put on its group, before it has sockets; and bc/VEID/resources. */
int vz_acct_attach(const struct vz_ctx *ctx, const struct vz_acct *a, uint32_t veid,
		   int group_dir, struct vz_err *err);
/* Its first process is in all of its groups and namespaces. */
int vz_acct_learn(const struct vz_acct *a, pid_t init, struct vz_err *err);
/* The VE has ended: before its groups are removed. */
void vz_acct_end(const struct vz_ctx *ctx, uint32_t veid, uint64_t group);

/* Barriers and limits of a VE that runs. -ENOENT: it has no counters. */
int vz_acct_command(const struct vz_acct *a, const struct vz_acct_command *cmd);

/* Whose number a directory of cgroup2 has. */
int vz_acct_group(int group_dir, uint64_t *ret);

/*
 * The records of all VEs that are counted. -ENOENT: there are no programs.
 * *ret is freed by free().
 */
int vz_acct_read(const struct vz_ctx *ctx, struct vz_acct_record **ret, size_t *ret_n);
/* Sample anew what is not counted while it happens. */
int vz_acct_sample(const struct vz_ctx *ctx);

/* How a counter is known on this host. */
enum vz_acct_how {
	VZ_ACCT_IS_EXACT,
	VZ_ACCT_IS_SAMPLED,
	VZ_ACCT_IS_APPROXIMATE,
	VZ_ACCT_IS_UNKNOWN,
};
struct vz_acct_about {
	enum vz_acct_how how;
	bool live; /* a limit that is set while the VE runs holds at once */
	const char *source; /* of held */
	const char *enforced; /* by what, with the error that a program gets; NULL: not */
};
/* About one counter, by the programs that are loaded and whose groups there are. */
void vz_acct_describe(const struct vz_ctx *ctx, enum vz_ubc_id id, bool memory_v1,
		      struct vz_acct_about *ret);

#endif
