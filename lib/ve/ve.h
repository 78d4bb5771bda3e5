/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_VE_H
#define VZ_VE_VE_H

#include "base/ctx.h"
#include "base/err.h"
#include "res/cfg.h"

/* A VE that a command works on: its number and its configuration. */
struct vz_ve {
	const struct vz_ctx *ctx;
	uint32_t id;
	struct vz_cfg *cfg; /* owned */
};

/* Load the configuration. VZ_E_NOCONF when there is none. */
int vz_ve_open(const struct vz_ctx *ctx, uint32_t id, struct vz_ve *ret,
	       struct vz_err *err);
void vz_ve_close(struct vz_ve *ve);
#define vz_autove VZ_CLEANUP(vz_ve_close)

/* VE_ROOT and VE_PRIVATE, expanded; NULL with the error 22 or 23 set. */
const char *vz_ve_root(const struct vz_ve *ve, struct vz_err *err);
const char *vz_ve_private(const struct vz_ve *ve, struct vz_err *err);

/* A VEID or a name of /etc/vz/names to the VEID. VZ_E_SYNTAX / VZ_E_NOCONF. */
int vz_ve_lookup(const struct vz_ctx *ctx, const char *word, uint32_t *ret_id,
		 struct vz_err *err);

/*
 * LOCKDIR/VEID.lck, held until *ret_fd is closed. A holder that died does not
 * hold it. VZ_E_LOCKED (-EBUSY) when another command works on the VE; a
 * supervisor that cleans up after its VE is waited for, up to 30 s. The same
 * when a migration of the VE was left half-way (ve/journal.h).
 */
int vz_ve_lock(const struct vz_ctx *ctx, const struct vz_cfg *global, uint32_t id,
	       int *ret_fd, struct vz_err *err);
/* The same for who sees to such a migration. */
int vz_ve_lock_any(const struct vz_ctx *ctx, const struct vz_cfg *global, uint32_t id,
		   int *ret_fd, struct vz_err *err);
/* Say in the file that this process has the lock, which it was handed. */
void vz_ve_lock_note(const struct vz_ve *ve);

#endif
