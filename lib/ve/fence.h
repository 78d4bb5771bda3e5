/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_FENCE_H
#define VZ_VE_FENCE_H

#include "res/word.h"
#include "sys/cgroup.h"
#include "sys/dev.h"
#include "ve/ve.h"

/*
 * What stands around a VE and outlives its processes: its groups with their
 * limits, the rules for its devices, its own device nodes. As its
 * configuration wants it.
 */
struct vz_fence {
	uint32_t veid;
	const struct vz_ctx *ctx;
	const struct vz_cfg *cfg;
	bool privileged; /* LOCAL_UID=0: no user namespace */
	uid_t uid; /* host ids of the VE's 0 */
	gid_t gid;
	uint32_t features;
	uint64_t caps; /* bounding set */
	uint32_t seccomp; /* VZ_SECCOMP_… */
	struct vz_dev_set dev;
	char pool[VZ_POOLNAME_MAX + 1]; /* "": none */
	struct vz_cg_host host;
	struct vz_cg cg; /* points into host: a fence is not to be copied */
	struct vz_cg_values rules; /* limits; on v1 also those of devices */
};

/* All of it; to be freed by vz_fence_done(). */
int vz_fence_read(const struct vz_ve *ve, struct vz_fence *ret, struct vz_err *err);
void vz_fence_done(struct vz_fence *f);
/*
 * Only what vz_fence_drop() needs; nothing to be freed. pool: the one that the
 * VE was started in, which its configuration may not say any more.
 */
int vz_fence_find(const struct vz_ve *ve, const char *pool, struct vz_fence *ret,
		  struct vz_err *err);

/*
 * Make it, in two parts as in sys/cgroup.h: what process 1 is born with (a
 * failure leaves nothing), and what must hold before the VE's init runs.
 */
int vz_fence_raise(struct vz_fence *f, struct vz_err *err);
int vz_fence_finish(struct vz_fence *f, struct vz_err *err);
/* Then give back what the VE was promised, and its pool's group if it was the last. */
int vz_fence_release(struct vz_fence *f, struct vz_err *err);
/* Remove it, and kill what is left inside; what is absent is no error. */
int vz_fence_drop(struct vz_fence *f, struct vz_err *err);

#endif
