/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_UNPACKED_H
#define VZ_VE_UNPACKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/ctx.h"
#include "base/err.h"
#include "sys/digest.h"

/*
 * Templates unpacked once for all VEs that lie over them: TEMPLATE/base, for the eyes
 * of the host's root only, since the files in it have raw ids and set-user-id bits.
 *
 *	DIGEST/root		the files, ids 0 .. 65535; nobody ever writes there
 *	DIGEST/about.ini	of which template, when
 *	DIGEST.creating		being unpacked, locked; or what a killed command left
 *	DIGEST.removed		being removed
 *	by-file/IDENTITY	a link that says DIGEST: so a tarball is read through once,
 *				and not at each create. IDENTITY is its device, inode,
 *				size and times.
 *	.lock			held shared while a reference to one of them is being
 *				made, exclusively while unused ones are sought
 *
 * A version is known by the SHA-256 of its tarball. It has its name only when it is
 * all there and on the disk, so what has a name is whole, whatever happened. A VE's
 * reference is the digest in its private area's marker; the template's file may be
 * replaced or removed, the VE stays on its version.
 */
struct vz_unpacked {
	char digest[VZ_DIGEST_LEN];
	int lock; /* no version goes while it is open */
};
#define VZ_UNPACKED_NONE ((struct vz_unpacked){ .lock = -1 })

/*
 * The version that `tarball` is, unpacked now if it is not yet; two commands at once
 * unpack it once. `dir` is TEMPLATE, `name` the template's. tick: as of vz_untar(),
 * other than 0 gives up. VZ_E_BADTEMPLATE, VZ_E_NOSPACE, VZ_E_SYSTEM; nothing is left.
 */
int vz_unpacked_get(const struct vz_ctx *ctx, const char *dir, const char *name,
		    const char *tarball, int (*tick)(void *data, uint64_t done),
		    void *data, struct vz_unpacked *ret, struct vz_err *err);
/*
 * The lock alone, for who refers to a version that is there already, or to one that he
 * gets meanwhile; ret->digest is "". VZ_E_SYSTEM.
 */
int vz_unpacked_hold(const struct vz_ctx *ctx, const char *dir, struct vz_unpacked *ret,
		     struct vz_err *err);
/*
 * The version of that digest, held: one that is unpacked, or else the tarball that is
 * there as template `name` (NULL: none), if it is that version. tick as above.
 * VZ_E_NOTEMPLATE: neither.
 */
int vz_unpacked_by_digest(const struct vz_ctx *ctx, const char *dir, const char *name,
			  const char *digest, int (*tick)(void *data, uint64_t done),
			  void *data, struct vz_unpacked *ret, struct vz_err *err);
void vz_unpacked_release(struct vz_unpacked *u);
#define vz_autounpacked VZ_CLEANUP(vz_unpacked_release)

/* Its files: a path to be freed. VZ_E_NOPRIVATE when that version is not there. */
int vz_unpacked_root(const char *dir, const char *digest, char **ret, struct vz_err *err);

struct vz_unpacked_version {
	char digest[VZ_DIGEST_LEN];
	char *template; /* whose tarball it was made from first; may be NULL */
	time_t made;
	uint64_t bytes; /* of its tarball */
	size_t users; /* private areas that refer to it, unfinished ones included */
};

struct vz_unpacked_list {
	struct vz_unpacked_version *v;
	size_t n;
};

/*
 * All there are and who uses them: all private areas beside those of the VEs, of VEs that
 * are on their way here (ve/journal.h) and of vz.conf are looked at. 0 or an error, also when that can't be told of one VE.
 */
int vz_unpacked_list(const struct vz_ctx *ctx, const char *dir,
		     struct vz_unpacked_list *ret, struct vz_err *err);
void vz_unpacked_list_done(struct vz_unpacked_list *l);
#define vz_autounpackedlist VZ_CLEANUP(vz_unpacked_list_done)

/*
 * Remove those without users, and what killed commands left. `removed` is called for
 * each. VZ_E_LOCKED: VEs are being created, for longer than we wait.
 */
int vz_unpacked_prune(const struct vz_ctx *ctx, const char *dir,
		      void (*removed)(void *data, const struct vz_unpacked_version *v),
		      void *data, struct vz_err *err);

#endif
