/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/backup.h"

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
#include "sys/hold.h"
#include "sys/tarout.h"
#include "ve/layout.h"
#include "ve/mount.h"
#include "ve/postcreate.h"
#include "ve/private.h"
#include "ve/snapshot.h"
#include "ve/ugidquota.h"

struct backup {
	const struct vz_ve *ve;
	const struct vz_backup *how;
	const struct vz_layout *layout;
	struct vz_area area;
	char uuid[VZ_UUID_SIZE]; /* of the temporary snapshot; "": none */
	int held, mnt; /* of it; or the mount of the VE that does not run */
	char *quota; /* limits of its users; NULL: none are kept */
	struct vz_backup_file since; /* path NULL: none */
	struct vz_findex before, index;
	uint64_t total;
};

static void backup_done(struct backup *b)
{
	free(b->quota);
	vz_backup_close(&b->since);
	vz_findex_done(&b->before);
	vz_findex_done(&b->index);
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
		r = vz_ugid_carry(b->ve, -1, &b->quota, err);
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
	if (!r)
		r = b->layout->mount(b->ve, &b->area, &how, &b->mnt, err);
	return r ? r : vz_ugid_carry(b->ve, b->mnt, &b->quota, err);
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

/* A name that can't stand in quotes is not noted: what it names is looked for beside. */
static bool can_be_said(const char *value)
{
	return value && !strpbrk(value, "\"\\\n");
}

static void add_since(const struct backup *b, struct vz_str *s)
{
	vz_str_addf(s, "NUMBER=\"%u\"\n", b->since.path ? b->since.number + 1 : 0);
	if (!b->since.path)
		return;
	vz_str_addf(s, "SINCE=\"%s\"\n", b->since.id);
	if (can_be_said(b->since.path))
		vz_str_addf(s, "SINCE_FILE=\"%s\"\n", b->since.path);
}

static int put_about(struct backup *b, struct vz_tarout *t, struct vz_err *err)
{
	const char *base = b->layout->over_base
				   ? vz_area_get(&b->area, b->layout->name, "base")
				   : NULL;
	const char *template = vz_cfg_str(b->ve->cfg, VZ_P_OSTEMPLATE);
	vz_autostr struct vz_str s = { 0 };
	char id[VZ_UUID_SIZE];

	if (vz_uuid_make(id))
		return vz_err_set(err, VZ_E_SYSTEM, EIO, "can't make a UUID");
	vz_str_addf(&s,
		    "VERSION=\"%d\"\nVEID=\"%u\"\nDATE=\"%" PRIu64
		    "\"\nLAYOUT=\"%s\"\nID=\"%s\"\n",
		    b->since.path ? VZ_BACKUP_VERSION : VZ_BACKUP_VERSION_WHOLE,
		    b->ve->id, (uint64_t)time(NULL), b->layout->name, id);
	add_since(b, &s);
	if (base)
		vz_str_addf(&s, "BASE=\"%s\"\n", base);
	if (base && can_be_said(template))
		vz_str_addf(&s, "TEMPLATE=\"%s\"\n", template);
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

static int put_quota(struct backup *b, struct vz_tarout *t, struct vz_err *err)
{
	if (!b->quota || vz_ugid_is_empty(b->quota))
		return 0;
	return vz_tarout_text(t, VZ_BACKUP_QUOTA, b->quota, strlen(b->quota), err);
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
		.index = &b->index,
		.before = b->since.path ? &b->before : NULL,
		.number = b->since.path ? b->since.number + 1 : 0,
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
		r = vz_backup_seal(fd, &b->index);
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

/* What there is to go on from, of the same VE. */
static int open_since(struct backup *b, struct vz_err *err)
{
	const char *path = b->how->since;
	int r = path ? vz_backup_open(b->ve->ctx, path, false, &b->since, err) : 0;

	if (r || !path)
		return r;
	if (b->since.veid != b->ve->id)
		return vz_err_set(err, VZ_E_VALUE, 0,
				  "%s is a backup of VE %u, not of VE %u", path,
				  b->since.veid, b->ve->id);
	if (!*b->since.id)
		return vz_err_set(err, VZ_E_BADTEMPLATE, 0,
				  "%s is of an older vz and has no index: make a whole "
				  "backup first",
				  path);
	return vz_backup_read_index(path, &b->before, err);
}

static bool is_same_file(const char *x, const char *y)
{
	struct stat a, b;

	return !stat(x, &a) && !stat(y, &b) && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

/* None of those that are needed to restore the new one is overwritten by it. */
static int check_target(const struct backup *b, const char *file, struct vz_err *err)
{
	vz_autofree char *path = b->how->since ? strdup(b->how->since) : NULL;
	uint32_t last = UINT32_MAX;

	while (path) {
		vz_autobackup struct vz_backup_file at = { 0 };

		if (is_same_file(file, path))
			return vz_err_set(err, VZ_E_VALUE, 0,
					  "%s is needed to restore what goes on from it: "
					  "say another file",
					  file);
		/* What is missing is not overwritten. */
		if (vz_backup_open(b->ve->ctx, path, false, &at, NULL))
			return 0;
		free(path);
		/* Numbers go down, or it is no chain. */
		path = at.number && at.number < last ? vz_backup_before(&at) : NULL;
		last = at.number;
	}
	return 0;
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
	r = open_since(&b, err);
	if (!r)
		r = check_target(&b, file, err);
	if (!r)
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
