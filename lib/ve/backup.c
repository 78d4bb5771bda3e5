/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/backup.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "sys/copy.h"
#include "sys/digest.h"
#include "sys/hold.h"
#include "sys/tarout.h"
#include "sys/untar.h"
#include "ve/layout.h"
#include "ve/mount.h"
#include "ve/postcreate.h"
#include "ve/private.h"
#include "ve/snapshot.h"
#include "ve/ugidquota.h"

/* A frame that zstd passes over: its magic number, its length, and what it is for. */
#define FRAME_MAGIC 0x184d2a5eu
#define FRAME_TAG "vz sha256"

struct trailer {
	uint32_t magic, len;
	char tag[16];
	char sum[VZ_DIGEST_LEN - 1];
};

struct backup {
	const struct vz_ve *ve;
	const struct vz_backup *how;
	const struct vz_layout *layout;
	struct vz_area area;
	char uuid[VZ_UUID_SIZE]; /* of the temporary snapshot; "": none */
	int held, mnt; /* of it; or the mount of the VE that does not run */
	uint64_t total;
};

static void backup_done(struct backup *b)
{
	vz_area_close(&b->area);
	if (b->held >= 0)
		close(b->held);
	if (b->mnt >= 0)
		close(b->mnt);
}

static int tick(void *data, uint64_t done)
{
	struct backup *b = data;

	if (vz_hold_struck())
		return -EINTR;
	if (b->how->progress)
		b->how->progress(b->how->progress_data, done, b->total);
	return 0;
}

/* --- what is to be copied --- */

static int open_snapshot(struct backup *b, struct vz_err *err)
{
	static const struct vz_snapshot_how how = { .temporary = true,
						    .skip_config = true };
	int r = vz_snapshot_take(b->ve, &how, b->uuid, err);

	if (!r)
		r = vz_snapshot_hold(b->ve, b->uuid, &b->held, &b->mnt, err);
	if (r || *b->how->lock_fd < 0)
		return r;
	/* Other commands need not wait: whoever holds a snapshot keeps it. */
	close(vz_take_fd(b->how->lock_fd));
	return 0;
}

/* The VE's files, at rest. */
static int open_files(struct backup *b, struct vz_err *err)
{
	static const struct vz_layout_mount how = { .read_only = true };
	int r = vz_layout_open(b->ve, NULL, &b->layout, &b->area, err);

	if (r)
		return r;
	if (vz_ve_mounted(b->ve))
		return open_snapshot(b, err);
	r = vz_area_check_settled(b->ve->ctx, vz_ve_private(b->ve, NULL), err);
	return r ? r : b->layout->mount(b->ve, &b->area, &how, &b->mnt, err);
}

/* With the lock again, if no other command has it; else that one removes it. */
static void drop_snapshot(struct backup *b)
{
	vz_autofd int lock = -1;

	if (!*b->uuid)
		return;
	if (b->mnt >= 0)
		close(vz_take_fd(&b->mnt));
	if (b->held >= 0)
		close(vz_take_fd(&b->held));
	if (*b->how->lock_fd < 0 &&
	    vz_ve_lock(b->ve->ctx, b->ve->cfg, b->ve->id, &lock, NULL))
		return;
	vz_snapshot_delete(b->ve, b->uuid, NULL);
}

/* --- what goes into the file --- */

static int put_about(struct backup *b, struct vz_tarout *t, struct vz_err *err)
{
	vz_autostr struct vz_str s = { 0 };

	vz_str_addf(&s,
		    "VERSION=\"%d\"\nVEID=\"%u\"\nDATE=\"%" PRIu64 "\"\nLAYOUT=\"%s\"\n",
		    VZ_BACKUP_VERSION, b->ve->id, (uint64_t)time(NULL), b->layout->name);
	return s.failed ? -ENOMEM : vz_tarout_text(t, VZ_BACKUP_ABOUT, s.s, s.len, err);
}

static int put_conf(struct backup *b, struct vz_tarout *t, struct vz_err *err)
{
	vz_autofree char *path =
		vz_strf("%s/conf/%u.conf", b->ve->ctx->confdir, b->ve->id);
	vz_autofree char *text = NULL;
	size_t len;
	int r = path ? vz_read_file(path, 1 << 20, &text, &len) : -ENOMEM;

	if (r)
		return vz_err_set(err, VZ_E_SYSTEM, -r, "can't read the configuration");
	return vz_tarout_text(t, VZ_BACKUP_CONF, text, len, err);
}

/* A file system that keeps none has no limits to carry. */
static int put_quota(struct backup *b, struct vz_tarout *t, struct vz_err *err)
{
	vz_autougid struct vz_ugid u = VZ_UGID_NONE;
	vz_autostr struct vz_str s = { 0 };
	uint64_t n = 0;

	if (vz_ugid_open(b->ve, &u, NULL) || vz_ugid_count(&u, &n) || !n)
		return 0;
	if (vz_ugid_export(&u, &s) || s.failed)
		return vz_err_set(err, VZ_E_SYSTEM, EIO,
				  "can't read the limits of the VE's users");
	return vz_tarout_text(t, VZ_BACKUP_QUOTA, s.s, s.len, err);
}

static int put_files(struct backup *b, struct vz_tarout *t, struct vz_err *err)
{
	vz_autofd int root = openat(b->mnt, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct vz_tarout_tree how = {
		.name = VZ_BACKUP_ROOT,
		.dirfd = root,
		.uid = vz_cfg_u64(b->ve->cfg, VZ_P_LOCAL_UID),
		.gid = vz_cfg_u64(b->ve->cfg, VZ_P_LOCAL_GID),
		.tick = tick,
		.tick_data = b,
	};
	uint64_t left = 0;
	int r;

	if (root < 0)
		return vz_err_set(err, VZ_E_SYSTEM, errno, "can't open the VE's root");
	b->total = vz_copy_size(root);
	r = vz_tarout_tree(t, &how, &left, err);
	if (!r && left)
		vz_warn(b->ve->ctx,
			"%" PRIu64 " files of VE %u are not in the backup: devices, and "
			"what is nested too deeply",
			left, b->ve->id);
	return r;
}

static int write_archive(struct backup *b, int fd, struct vz_err *err)
{
	vz_autotarout struct vz_tarout *t = NULL;
	int r = vz_tarout_new(fd, &t, err);

	if (!r)
		r = put_about(b, t, err);
	if (!r)
		r = put_conf(b, t, err);
	if (!r)
		r = put_quota(b, t, err);
	if (!r)
		r = put_files(b, t, err);
	if (!r)
		r = vz_tarout_end(t, err);
	if (!r && *b->uuid && !vz_snapshot_exists(b->ve, b->uuid))
		r = vz_err_set(err, VZ_E_SYSTEM, ESTALE,
			       "VE %u was destroyed or converted meanwhile", b->ve->id);
	return r;
}

/* --- the file --- */

static int write_trailer(int fd)
{
	struct trailer tr = { .magic = htole32(FRAME_MAGIC),
			      .len = htole32(sizeof(tr) - 8),
			      .tag = FRAME_TAG };
	char sum[VZ_DIGEST_LEN];
	int r = vz_digest_fd(fd, NULL, NULL, sum);

	if (r)
		return r;
	memcpy(tr.sum, sum, sizeof(tr.sum));
	r = vz_write_all(fd, &tr, sizeof(tr));
	return r || !fsync(fd) ? r : -errno;
}

/* A file without a name, where there can be such: nothing is left of one who dies. */
static int open_target(const char *file, const char *part, bool *ret_named)
{
	vz_autofree char *dir = strdup(file);
	char *slash = dir ? strrchr(dir, '/') : NULL;
	struct stat st;
	int fd;

	if (!lstat(file, &st) && S_ISDIR(st.st_mode))
		return -EISDIR;
	if (slash)
		slash[slash == dir] = 0;
	fd = dir ? open(slash ? dir : ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) : -1;
	*ret_named = fd < 0;
	if (fd < 0)
		fd = open(part, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
			  0600);
	return fd < 0 ? -errno : fd;
}

static int give_name(int fd, bool named, const char *part, const char *file)
{
	char self[40];
	int r;

	/* At once when nothing has it: who dies leaves the whole file, or none. */
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (!named && !linkat(AT_FDCWD, self, AT_FDCWD, file, AT_SYMLINK_FOLLOW))
		return vz_sync_parent(file);
	if (!named && unlink(part) && errno != ENOENT)
		return -errno;
	if (!named && linkat(AT_FDCWD, self, AT_FDCWD, part, AT_SYMLINK_FOLLOW))
		return -errno;
	r = vz_copy_publish(part, file);
	if (r)
		unlink(part);
	return r;
}

static int write_file(struct backup *b, const char *file, struct vz_err *err)
{
	vz_autofree char *part = vz_strf("%s.part", file);
	vz_autofd int fd = -1;
	bool named = false;
	int r;

	fd = part ? open_target(file, part, &named) : -ENOMEM;
	if (fd < 0)
		return vz_err_set(err, VZ_E_SYSTEM, -fd, "can't write %s", file);
	r = write_archive(b, fd, err);
	if (!r) {
		r = write_trailer(fd);
		if (!r)
			r = give_name(fd, named, part, file);
		if (r)
			vz_err_set(err, r == -ENOSPC ? VZ_E_NOSPACE : VZ_E_SYSTEM, -r,
				   "can't write %s", file);
	}
	if (r && named)
		unlink(part);
	return r;
}

int vz_ve_backup(struct vz_ve *ve, const char *file, const struct vz_backup *how,
		 struct vz_err *err)
{
	VZ_CLEANUP(backup_done)
	struct backup b = {
		.ve = ve, .how = how, .area = VZ_AREA_NONE, .held = -1, .mnt = -1
	};
	vz_autohold struct vz_hold hold;
	int r;

	vz_hold_begin(&hold);
	r = vz_postcreate_settle(ve, *how->lock_fd, err);
	if (!r)
		r = open_files(&b, err);
	if (!r)
		r = write_file(&b, file, err);
	drop_snapshot(&b);
	if (r == -EINTR)
		vz_err_set(err, VZ_E_SYSTEM, EINTR, "the backup was given up");
	return r;
}

/* --- reading --- */

static int check_sum(int fd, const char *file, struct vz_err *err)
{
	char sum[VZ_DIGEST_LEN];
	struct trailer tr;
	struct stat st;
	int r;

	if (fstat(fd, &st))
		return vz_err_set(err, VZ_E_SYSTEM, errno, "can't read %s", file);
	if (st.st_size < (off_t)sizeof(tr) ||
	    pread(fd, &tr, sizeof(tr), st.st_size - sizeof(tr)) != sizeof(tr) ||
	    le32toh(tr.magic) != FRAME_MAGIC ||
	    strncmp(tr.tag, FRAME_TAG, sizeof(tr.tag)))
		return vz_err_set(err, VZ_E_BADTEMPLATE, 0,
				  "%s is no backup of a VE, or cut off", file);
	r = vz_digest_part(fd, st.st_size - sizeof(tr), NULL, NULL, sum);
	if (r)
		return vz_err_set(err, VZ_E_SYSTEM, -r, "can't read %s", file);
	return memcmp(sum, tr.sum, sizeof(tr.sum))
		       ? vz_err_set(err, VZ_E_BADTEMPLATE, EBADMSG,
				    "%s is damaged: its checksum is another", file)
		       : 0;
}

int vz_backup_open(const char *file, const struct vz_backup *how,
		   struct vz_backup_info *ret, struct vz_err *err)
{
	static const char *const names[] = { VZ_BACKUP_ABOUT, VZ_BACKUP_CONF,
					     VZ_BACKUP_QUOTA };
	vz_autofd int fd = open(file, O_RDONLY | O_CLOEXEC);
	char *text[VZ_ARRAY_SIZE(names)] = { 0 };
	int r;

	if (fd < 0)
		return vz_err_set(err, VZ_E_SYSTEM, errno, "can't read %s", file);
	r = check_sum(fd, file, err);
	if (!r)
		r = vz_untar_peek(fd, names, VZ_ARRAY_SIZE(names), text, err);
	if (r)
		return r;
	*ret = (struct vz_backup_info){ text[0], text[1], text[2] };
	if (ret->about && ret->conf)
		return 0;
	vz_backup_done(ret);
	return vz_err_set(err, VZ_E_BADTEMPLATE, 0, "%s is no backup of a VE", file);
}

void vz_backup_done(struct vz_backup_info *b)
{
	free(b->about);
	free(b->conf);
	free(b->quota);
	*b = (struct vz_backup_info){ 0 };
}
