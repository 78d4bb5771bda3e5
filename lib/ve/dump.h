/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_DUMP_H
#define VZ_VE_DUMP_H

#include <stdbool.h>
#include <stdint.h>

#include "ve/ve.h"

/*
 * A VE's processes with all they have, written to a directory. Until the moment of
 * `commit` every failure leaves a VE that runs on as if nothing had happened.
 */
struct vz_dump {
	int dir; /* where to: an empty directory, or one of vz_dump_pre()'s */
	const char
		*parent; /* memory: only what changed since that dump, relative to dir */
	bool track_mem; /* so that another dump can have this one for its parent */
	bool lazy_pages; /* memory is asked for at ps_port when it is needed */
	int ps_fd; /* a socket to who takes the memory; 0: it goes to dir */
	bool must_stand; /* -EOPNOTSUPP where nothing can be held still without criu */
	bool leave_frozen; /* in the end the VE is there and stands still */
	int timeout_ms; /* 0: as long as vz_dump_timeout() says */
	/* Every ten seconds while criu is at work. May be NULL. */
	void (*waiting)(void *data);
	/* From now on it stands still. May be NULL. */
	void (*stopping)(void *data);
	/*
	 * All is written, nothing of the VE moves any more, and nothing will, whoever
	 * is killed: as this returns 0 the VE is ended; VZ_DUMP_STANDS: it is not known
	 * whose it is, and it stays as it is; else it goes on. The dump's last word
	 * belongs here (vz_dumpdir_commit(), or a word from the destination of a
	 * migration). May be NULL.
	 */
	int (*commit)(void *data, struct vz_err *err);
	void *data;
};

#define VZ_DUMP_STANDS 1

/*
 * Dump the VE, and end it; or VZ_DUMP_STANDS, with the error set. VZ_E_CHECKPOINT, VZ_E_NOTRUNNING, VZ_E_KERNEL (no CRIU).
 * Its groups, directories and the like stay, for vz_launch_cleanup().
 */
int vz_dump(const struct vz_ve *ve, const struct vz_dump *how, struct vz_err *err);

/*
 * A round before that, while the VE runs: its memory only. -EOPNOTSUPP (VZ_E_KERNEL)
 * where the kernel does not tell which pages change. Of `how` count dir, parent,
 * ps_fd and timeout_ms.
 */
int vz_dump_pre(const struct vz_ve *ve, const struct vz_dump *how, struct vz_err *err);

/* What is known before, without criu, to make a dump impossible. VZ_E_CHECKPOINT. */
int vz_dump_check(const struct vz_ve *ve, struct vz_err *err);

/* How long criu may take, ms. */
int vz_dump_timeout(void);

/* What `vzctl suspend` does. dumpfile: NULL, or another place than DUMPDIR. */
int vz_ve_suspend(struct vz_ve *ve, const char *dumpfile, bool leave_frozen,
		  struct vz_err *err);
/* Kill a VE that stands still and of which there is a dump. */
int vz_ve_suspend_kill(struct vz_ve *ve, struct vz_err *err);

/*
 * What a suspend or a restore that was killed half-way has left of a running VE: it
 * goes on, and the dump, which it then has outlived, is removed. Cheap when there
 * is nothing to do.
 */
int vz_dump_mend(const struct vz_ve *ve, struct vz_err *err);

#endif
