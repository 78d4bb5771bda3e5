/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_DUMPDIR_H
#define VZ_VE_DUMPDIR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sys/cgroup.h"
#include "ve/ve.h"

/*
 * The directory that a suspended VE is kept in: CRIU's images, and vz's own files
 * beside them, which say what the VE stood on (`vz`, `groups`, `links`, `mounts`,
 * `counters`). By its name it is one of
 *
 *	PATH            whole: the VE is suspended, and nothing of it runs
 *	PATH.new        being made: worth nothing
 *	PATH.restored   the VE has taken its life back from it: worth nothing
 *	PATH.failed     could not be restored, and is kept for the administrator
 *
 * A VE whose processes stand still while one name is changed to the next can be had
 * back either way; RUNDIR/VEID/dumping says that it is so, and by which PATH, so that
 * whoever comes by when the one who did it was killed can finish it.
 */

/* --dumpfile, or DUMPDIR/Dump.VEID; to be freed. NULL: out of memory. */
char *vz_dumpdir_path(const struct vz_ve *ve, const char *dumpfile);
/* Whether there is a whole one. */
bool vz_dumpdir_is(const char *path);
/*
 * Whether the VE, which does not run, is suspended, in DUMPDIR: then its files are not
 * to change, for its processes have them open.
 */
bool vz_dumpdir_has(const struct vz_ve *ve);

/* An empty PATH.new; *ret_dir is a descriptor. VZ_E_CHECKPOINT. */
int vz_dumpdir_begin(const char *path, int *ret_dir, struct vz_err *err);
/* What is in it is on the disk, and it is the whole one from now on. */
int vz_dumpdir_commit(const char *path, int dir, struct vz_err *err);
int vz_dumpdir_open(const char *path, int *ret_dir, struct vz_err *err);
/* A directory in the dump: memory that was copied before, which the dump goes on from. */
#define VZ_DUMPDIR_EARLY "early"

/*
 * Let the VE's root, host id uid, read it: what CRIU becomes while it reads the images,
 * by way of being root without a right to anything. Nobody else can.
 */
int vz_dumpdir_lend(int dir, uid_t uid, struct vz_err *err);
/* Another name for it, on the disk when this returns: "restored", "failed". */
int vz_dumpdir_rename(const char *path, const char *suffix, struct vz_err *err);
/* Remove what is worth nothing; with `whole` all of it. 0 or -errno of the first. */
int vz_dumpdir_remove(const char *path, bool whole);

/*
 * The VE's files are to be others than its dump is of, or it is gone: all of what there
 * is in DUMPDIR goes. A whole one is none on the disk before anything else is.
 */
int vz_dumpdir_forget(const struct vz_ve *ve);

/* RUNDIR/VEID/dumping. NULL: no more. 0 or -errno. */
#define VZ_DUMPDIR_KEPT "-" /* in the place of a path: that dump is not ours to remove */
int vz_dumpdir_mark(const struct vz_ve *ve, const char *path);
/* To be freed; NULL: there is none. */
char *vz_dumpdir_marked(const struct vz_ve *ve);

/* The file `vz`. */
#define VZ_DUMP_VERSION 1
struct vz_dump_meta {
	uint32_t version, criu; /* of this file; of CRIU, as in struct vz_criu */
	uid_t uid;
	gid_t gid;
	uint64_t caps;
	uint32_t seccomp;
	int64_t uptime; /* seconds that the VE had run */
	char cgroup[VZ_CG_NAME];
	char init_name[16];
};
int vz_dump_meta_save(int dir, const struct vz_dump_meta *m, struct vz_err *err);
int vz_dump_meta_load(int dir, struct vz_dump_meta *ret, struct vz_err *err);

/* One of vz's own files in it, as text; *ret is to be freed. */
int vz_dumpdir_write(int dir, const char *name, const struct vz_str *text,
		     struct vz_err *err);
int vz_dumpdir_read(int dir, const char *name, char **ret, struct vz_err *err);

#endif
