/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_UNTAR_H
#define VZ_SYS_UNTAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * Unpack a stranger's tar archive (zstd, gzip, xz or plain) into a directory
 * of the host, with the owners moved into a VE's range on the way. Whatever
 * the archive says, nothing outside the directory is read, written or linked:
 *
 * - absolute names, `..`, and names through a symbolic link are refused;
 * - hard links go to regular files of the archive only; symbolic links may
 *   say anything, for the host never follows them;
 * - device nodes are never made: those below dev/ and the harmless ones of
 *   chroots (null, zero, full, random, urandom, tty) are passed over, since a
 *   VE gets its own at start; any other is refused (0:0, the whiteout of an
 *   overlay in a VE, opens nothing and is no device);
 * - owners above 65535 are refused; set-uid and set-gid are kept on regular
 *   files (they lead to the VE's own ids only), set-gid and sticky on
 *   directories, and dropped elsewhere;
 * - of extended attributes user.*, POSIX ACLs and security.capability (made
 *   valid in the VE's user namespace) are kept, the others passed over.
 */
struct vz_untar {
	int archive_fd;
	int rootfd; /* an empty directory */
	uid_t uid; /* the host's id of the archive's 0 */
	gid_t gid;
	uint64_t max_bytes; /* of file contents; 0: no limit */
	uint64_t max_inodes;
	/*
	 * Of an archive with more than a tree: only what is below this directory of it
	 * is unpacked, as if the rest had never been; NULL: all.
	 */
	const char *below;
	/*
	 * Only those regular files that this says true of, by their path in the tree,
	 * with the directories that they are in; NULL: all there is.
	 */
	bool (*want)(void *data, const char *path);
	void *want_data;
	/*
	 * Called now and then with the compressed bytes done; a value other than
	 * 0 ends it all, and is what vz_untar() returns (no error is set).
	 */
	int (*tick)(void *data, uint64_t done);
	void *tick_data;
};

/*
 * 0, or -errno with VZ_E_BADTEMPLATE (damaged, or refused), VZ_E_NOSPACE
 * (a limit, or the disk is full) or VZ_E_SYSTEM. What was made by then stays.
 * A name in the locale's way of writing is not needed: bytes stay bytes.
 */
int vz_untar(const struct vz_untar *how, struct vz_err *err);

/*
 * The contents of small regular files of an archive, those of the given names that
 * come before anything else: what describes the rest. ret[i], to be freed by the
 * caller, is NULL when there is no names[i] among them. VZ_E_BADTEMPLATE.
 */
int vz_untar_peek(int archive_fd, const char *const *names, size_t n, char **ret,
		  struct vz_err *err);

#endif
