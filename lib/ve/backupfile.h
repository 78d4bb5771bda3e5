/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_BACKUPFILE_H
#define VZ_VE_BACKUPFILE_H

#include "base/ctx.h"
#include "base/err.h"
#include "sys/digest.h"
#include "sys/findex.h"
#include "ve/snaptree.h"

/*
 * A VE in one file: a tar archive compressed by zstd, which any tar reads, of
 *
 *	vz/backup	KEY="value": VERSION, VEID, DATE, LAYOUT, ID, NUMBER; of an
 *			increment SINCE and SINCE_FILE; of an overlay BASE and TEMPLATE
 *	vz/ve.conf	its configuration
 *	vz/quota	limits of its users and groups, where there are some
 *	root/…		its files, with the owners that they have in the VE
 *
 * and, behind that, two frames which decompressors pass over: the index of the files
 * (sys/findex.h), and the SHA-256 of all before it: a file that was cut off or changed
 * is known.
 *
 * An increment has all directories, links and special files, but of the regular files
 * those only that are not the same in the backup before it. Its index says of the others
 * which backup of the chain has them; what it does not name is no more.
 */
#define VZ_BACKUP_VERSION 2
#define VZ_BACKUP_VERSION_WHOLE 1 /* without a backup before it */
#define VZ_BACKUP_ABOUT "vz/backup"
#define VZ_BACKUP_CONF "vz/ve.conf"
#define VZ_BACKUP_QUOTA "vz/quota"
#define VZ_BACKUP_ROOT "root"

struct vz_backup_file {
	char *path;
	char *conf, *quota; /* its texts; quota NULL: none */
	uint32_t veid;
	char layout[32];
	char id[VZ_UUID_SIZE]; /* "": an old one, which nothing can be based on */
	uint32_t number; /* in its chain; 0: it needs no other */
	char since[VZ_UUID_SIZE]; /* the one before it … */
	char *since_file; /* … and where that was; NULL: not known */
	char base[VZ_DIGEST_LEN]; /* digest of the template that it lay over; "": none */
	char *template; /* of that name; NULL: not known */
};

/* The end of one that is written: the frames, and on the disk. 0 or -errno. */
int vz_backup_seal(int fd, const struct vz_findex *index);

/*
 * Open one. `all`: its checksum is found right first; else only what is read is known
 * to be whole. VZ_E_BADTEMPLATE: it is damaged, no backup, or of a newer version.
 */
int vz_backup_open(const struct vz_ctx *ctx, const char *path, bool all,
		   struct vz_backup_file *ret, struct vz_err *err);
void vz_backup_close(struct vz_backup_file *b);
#define vz_autobackup VZ_CLEANUP(vz_backup_close)

/* Where the one before it is: to be freed; NULL: not where it was, nor beside this one. */
char *vz_backup_before(const struct vz_backup_file *b);

/* Its index, whose own checksum was found right. VZ_E_BADTEMPLATE: it has none. */
int vz_backup_read_index(const char *path, struct vz_findex *ret, struct vz_err *err);

/* All that are needed to restore one, each found whole; the one that needs no other first. */
struct vz_backup_chain {
	struct vz_backup_file *v;
	size_t n;
};
int vz_backup_open_chain(const struct vz_ctx *ctx, const char *path,
			 struct vz_backup_chain *ret, struct vz_err *err);
void vz_backup_close_chain(struct vz_backup_chain *c);
#define vz_autobackupchain VZ_CLEANUP(vz_backup_close_chain)

#endif
