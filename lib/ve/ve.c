/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/ve.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/num.h"
#include "ve/journal.h"
#include "ve/name.h"

/* A supervisor cleans up in milliseconds; what takes this long hangs. */
#define LOCK_WAIT_MS 30000
#define LOCK_NAP_MS 5
#define LOCK_DYING_MS 3000
/* Between the two locks that either of them takes there is no time at all. */
#define LOCK_BETWEEN_MS 50

int vz_ve_open(const struct vz_ctx *ctx, uint32_t id, struct vz_ve *ret,
	       struct vz_err *err)
{
	vz_autocfg struct vz_cfg *cfg = NULL;
	int r = vz_cfg_load_ve(ctx, id, &cfg, err);

	if (r == -ENOENT && err && err->status == VZ_E_NOCONF)
		return vz_err_set(err, VZ_E_NOCONF, ENOENT,
				  "VE %u does not exist: %s/conf/%u.conf", id,
				  ctx->confdir, id);
	if (r)
		return r;
	*ret = (struct vz_ve){ .ctx = ctx, .id = id, .cfg = vz_take(cfg) };
	return 0;
}

void vz_ve_close(struct vz_ve *ve)
{
	vz_cfg_free(vz_take(ve->cfg));
}

static const char *path_of(const struct vz_ve *ve, enum vz_param_id id,
			   enum vz_exit status, struct vz_err *err)
{
	const char *s = vz_cfg_str(ve->cfg, id);

	if (!s)
		vz_err_set(err, status, 0, "%s is not set in vz.conf nor for VE %u",
			   vz_params[id].key, ve->id);
	return s;
}

const char *vz_ve_root(const struct vz_ve *ve, struct vz_err *err)
{
	return path_of(ve, VZ_P_VE_ROOT, VZ_E_NO_ROOT_SET, err);
}

const char *vz_ve_private(const struct vz_ve *ve, struct vz_err *err)
{
	return path_of(ve, VZ_P_VE_PRIVATE, VZ_E_NO_PRIVATE_SET, err);
}

int vz_ve_lookup(const struct vz_ctx *ctx, const char *word, uint32_t *ret_id,
		 struct vz_err *err)
{
	int r;

	if (*word && !word[strspn(word, "0123456789")]) {
		r = vz_parse_veid(word, ret_id);
		return !r ? 0
			  : vz_err_set(err, VZ_E_SYNTAX, 0,
				       "bad VEID '%s': expected a number up to %u", word,
				       VZ_VEID_MAX);
	}
	r = vz_name_find(ctx, word, ret_id, err);
	if (r == -ENOENT)
		return vz_err_set(err, VZ_E_NOCONF, ENOENT,
				  "no VE has the number or name '%s'", word);
	return r;
}

/*
 * The lock proper is flock(). The record lock beside it is what a supervisor
 * waits for when its VE has ended: it shares that one for a moment, to see
 * whether the command that held it has cleaned up, and no command must fail
 * for this moment. So here it is waited for.
 */
static int lock_out_supervisor(int fd)
{
	struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	while (fcntl(fd, F_OFD_SETLKW, &all))
		if (errno != EINTR)
			return -errno;
	return 0;
}

/* Whether the process that took it has ended: a child of it has it a moment longer. */
static bool holder_is_dead(int fd)
{
	char text[24] = "";
	uint64_t pid;

	if (pread(fd, text, sizeof(text) - 1, 0) <= 0)
		return false;
	text[strcspn(text, "\n")] = '\0';
	return !vz_parse_u64(text, INT32_MAX, &pid) && pid && kill(pid, 0) &&
	       errno == ESRCH;
}

/*
 * How long who has the lock, which was refused just now, is waited for: a
 * supervisor, which shares the record lock, cleans up; a command has it alone;
 * who has none of it is about to take it or to end, or is no tool of ours. What
 * a killed command has left behind ends by itself.
 */
static int patience_ms(const char *path)
{
	vz_autofd int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	struct flock any = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fd < 0 || fcntl(fd, F_OFD_GETLK, &any))
		return 0;
	if (any.l_type == F_WRLCK)
		return holder_is_dead(fd) ? LOCK_DYING_MS : 0;
	return any.l_type == F_RDLCK ? LOCK_WAIT_MS : LOCK_BETWEEN_MS;
}

/*
 * Lock the file that has the name just now, not one that was unlinked. For root alone:
 * who can open it can lock it.
 */
static int lock_file(const char *path, int *ret_fd)
{
	struct stat here, there;

	for (;;) {
		vz_autofd int fd =
			open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

		if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) || fstat(fd, &here))
			return -errno;
		if (!stat(path, &there) && here.st_ino == there.st_ino &&
		    here.st_dev == there.st_dev && !lock_out_supervisor(fd)) {
			*ret_fd = vz_take_fd(&fd);
			return 0;
		}
	}
}

/*
 * For words only: who holds it is the kernel's knowledge. Cut only
 * when that is needed: on a disk it costs more than the rest of locking.
 */
static void write_holder(int fd)
{
	char buf[24];
	int n = snprintf(buf, sizeof(buf), "%d\n", getpid());
	struct stat st;

	if (pwrite(fd, buf, n, 0) == n && !fstat(fd, &st) && st.st_size > n)
		n = ftruncate(fd, n);
}

void vz_ve_lock_note(const struct vz_ve *ve)
{
	const char *dir = vz_cfg_str(ve->cfg, VZ_P_LOCKDIR);
	vz_autofree char *path = vz_strf("%s/%u.lck", dir, ve->id);
	vz_autofd int fd = path ? open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW) : -1;

	if (fd >= 0)
		write_holder(fd);
}

/*
 * A VE that has halted by itself is cleaned up, or started again, by its
 * supervisor. No command that comes at this moment must fail for it.
 */
static int lock_in_turn(const char *path, int *ret_fd)
{
	const struct timespec nap = { .tv_nsec = LOCK_NAP_MS * 1000000L };
	int r = lock_file(path, ret_fd);

	for (int ms = 0; r == -EWOULDBLOCK && ms < patience_ms(path); ms += LOCK_NAP_MS) {
		nanosleep(&nap, NULL);
		r = lock_file(path, ret_fd);
	}
	return r;
}

static int locked_by(const char *path, uint32_t id, struct vz_err *err)
{
	char pid[24] = "";

	vz_read_small(AT_FDCWD, path, pid, sizeof(pid));
	return vz_err_set(err, VZ_E_LOCKED, EBUSY,
			  "VE %u is locked by another command (pid %s)", id,
			  *pid ? pid : "unknown");
}

int vz_ve_lock_any(const struct vz_ctx *ctx, const struct vz_cfg *global, uint32_t id,
		   int *ret_fd, struct vz_err *err)
{
	const char *dir = vz_cfg_str(global, VZ_P_LOCKDIR);
	vz_autofree char *path = vz_strf("%s/%u.lck", dir, id);
	int fd, r;

	r = path ? vz_mkdir_p(dir, 0755) : -ENOMEM;
	if (r)
		return vz_err_set(err, VZ_E_LOCKDIR, -r,
				  "can't make LOCKDIR %s: see vz.conf", dir);
	r = lock_in_turn(path, &fd);
	if (r == -EWOULDBLOCK)
		return locked_by(path, id, err);
	if (r)
		return vz_err_set(err, VZ_E_LOCKDIR, -r, "can't lock VE %u with %s", id,
				  path);
	write_holder(fd);
	*ret_fd = fd;
	return 0;
}

int vz_ve_lock(const struct vz_ctx *ctx, const struct vz_cfg *global, uint32_t id,
	       int *ret_fd, struct vz_err *err)
{
	vz_autofd int fd = -1;
	int r = vz_ve_lock_any(ctx, global, id, &fd, err);

	if (!r)
		r = vz_journal_check(ctx, id, err);
	if (!r)
		*ret_fd = vz_take_fd(&fd);
	return r;
}
