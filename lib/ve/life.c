/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/life.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "ve/action.h"
#include "ve/dist.h"
#include "ve/dumpdir.h"
#include "ve/freeze.h"
#include "ve/guest.h"
#include "ve/journal.h"
#include "ve/launch.h"
#include "ve/macs.h"
#include "ve/mount.h"
#include "ve/postcreate.h"
#include "ve/quotafile.h"
#include "ve/restore.h"
#include "ve/save.h"
#include "ve/state.h"
#include "ve/super.h"

#define STOP_TIMEOUT_S 120 /* when it is set to 0 */
#define LISTEN_MS 10000 /* an init that has not listened by then won't be asked */
#define KILL_MS 30000 /* for the kernel to end a killed VE */
#define QUICK_REBOOT_S 10 /* a VE that reboots sooner is one in a row */
#define QUICK_REBOOTS_MAX 5

/* -- start -- */

int vz_ve_prepare_start(struct vz_ve *ve, const struct vz_start *how, struct vz_err *err)
{
	if (vz_state_running(ve->ctx, ve->id) == 1)
		return vz_err_set(err, VZ_E_RUNNING, 0, "Container is already running");
	if (vz_cfg_bool(ve->cfg, VZ_P_DISABLED) && !how->force)
		return vz_err_set(err, VZ_E_DISABLED, 0,
				  "Container start disabled (DISABLED=yes): use --force");
	if (!how->migrating) {
		if (vz_journal_check(ve->ctx, ve->id, err))
			return -EBUSY;
		vz_journal_stands_back(ve->ctx, ve->id);
	}
	/* What one that was killed half-way, or the node's crash, left. */
	return vz_launch_cleanup(ve, err);
}

/* A file that was written by hand need not say all: what is chosen now stays. */
static int choose_macs(struct vz_ve *ve, struct vz_err *err)
{
	vz_autocfg struct vz_cfg *cfg = NULL;
	bool filled;
	int r = vz_cfg_copy(ve->cfg, &cfg);

	if (r)
		return vz_err_set(err, VZ_E_RESOURCES, -r, "can't copy a configuration");
	r = vz_macs_fill(ve->ctx, ve->id, cfg, NULL, &filled, err);
	if (r || !filled)
		return r;
	r = vz_ve_save(ve->ctx, ve->id, ve->cfg, cfg, NULL, err);
	if (r)
		return r;
	vz_cfg_free(ve->cfg);
	ve->cfg = vz_take(cfg);
	return 0;
}

static int undo_start(struct vz_ve *ve, bool mounted)
{
	struct vz_err ignored;

	return mounted ? vz_ve_umount(ve, &ignored) : 0;
}

/* What is done inside before the VE's own init: the very first time, a bit more. */
static int configure(struct vz_ve *ve, struct vz_err *err)
{
	int r = vz_postcreate_launched(ve, err);

	return r ? r : vz_dist_configure(ve, err);
}

/*
 * Out of its dump. 1: there is none, or none that is good for anything: it is kept
 * aside, and the VE is to be started as if its power had failed.
 */
static int start_dump(struct vz_ve *ve, const struct vz_start *how, struct vz_err *err)
{
	const struct vz_resume resume = { .lock_fd = how->lock_fd, .force = how->force };
	vz_autofree char *path = vz_dumpdir_path(ve, NULL);
	struct vz_err why = { 0 };
	int r;

	if (!path || !vz_dumpdir_is(path))
		return path ? 1 : vz_err_set(err, VZ_E_SYSTEM, ENOMEM, "can't start");
	vz_info(ve->ctx, "Restoring container ...");
	r = vz_ve_resume(ve, &resume, &why);
	if (!r)
		return 0;
	/* No fault of the dump's: it can be restored when that is seen to. */
	if (why.status != VZ_E_RESTORE) {
		*err = why;
		return r;
	}
	r = vz_dumpdir_rename(path, "failed", err);
	if (r)
		return r;
	vz_warn(ve->ctx,
		"VE %u: %s; its dump is kept as %s.failed, and it is started anew",
		ve->id, why.text, path);
	return 1;
}

int vz_ve_start(struct vz_ve *ve, const struct vz_start *how, struct vz_err *err)
{
	struct vz_launch launch = {
		.mode = VZ_LAUNCH_INIT,
		.lock_fd = how->lock_fd,
		.wait = how->wait,
		.force = how->force,
		.reboots = how->reboots,
		.configure = configure,
	};
	static const struct vz_stop kill_it = {
		.fast = true,
		.skip_umount = true,
		.migrating = true, /* what did not start is to start when it can */
	};
	struct vz_err ignored;
	bool mounted;
	int r = vz_ve_prepare_start(ve, how, err);

	if (r)
		return r;
	vz_state_set_down(ve->ctx, ve->id, NULL);
	r = start_dump(ve, how, err);
	if (!r)
		vz_info(ve->ctx, "Container started");
	if (r <= 0)
		return r;
	r = vz_cfg_list(ve->cfg, VZ_P_NETIF)->n ? choose_macs(ve, err) : 0;
	if (r)
		return r;
	vz_info(ve->ctx, "Starting container...");
	mounted = !vz_ve_mounted(ve);
	r = vz_ve_mount(ve, err);
	if (r)
		return r;
	r = vz_launch(ve, &launch, err);
	if (r && err->status == VZ_E_WAIT)
		return r;
	if (!r)
		r = vz_action_run(ve, "start", err);
	if (!r) {
		/* The first VE of a node finds the file's place only now. */
		vz_quotafile_put(ve);
		vz_info(ve->ctx, how->wait ? "Container started"
					   : "Container start in progress...");
		return 0;
	}
	if (vz_state_running(ve->ctx, ve->id) == 1)
		vz_ve_stop(ve, &kill_it, &ignored);
	undo_start(ve, mounted);
	return r;
}

/* -- stop -- */

/*
 * Ask init to halt, and wait. One that has just begun does not listen yet, and
 * nothing tells when it does: it is asked again, after longer and longer.
 */
static bool halt(const struct vz_state *st, int pidfd, int64_t timeout_ms)
{
	int64_t begin = vz_clock_ms(), pause = 2;
	int r;

	for (;;) {
		r = vz_guest_halt(st->init_name, pidfd, st->init);
		if (!r)
			return !vz_clock_wait(pidfd, begin + timeout_ms);
		if (!vz_clock_wait(pidfd, vz_clock_ms() + pause))
			return true;
		if (r != -EAGAIN || vz_clock_ms() - begin > LISTEN_MS ||
		    vz_clock_ms() - begin > timeout_ms)
			return false;
		pause = pause < 500 ? pause * 2 : pause;
	}
}

static int end_init(struct vz_ve *ve, const struct vz_state *st, int pidfd, bool fast,
		    struct vz_err *err)
{
	uint64_t seconds = vz_cfg_u64(ve->cfg, VZ_P_STOP_TIMEOUT);
	int64_t timeout = (seconds ? seconds : STOP_TIMEOUT_S) * 1000;

	if (!fast) {
		vz_info(ve->ctx, "Stopping container ...");
		if (halt(st, pidfd, timeout))
			return 0;
	}
	vz_info(ve->ctx, "Killing container ...");
	syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
	if (!vz_clock_wait(pidfd, vz_clock_ms() + KILL_MS))
		return 0;
	return vz_err_set(err, VZ_E_STOP, 0,
			  "Unable to stop container: process %d does not die (in the "
			  "kernel, on a dead disk or NFS server?)",
			  st->init);
}

/* Unmount, if it is. */
static int leave_unmounted(struct vz_ve *ve, struct vz_err *err)
{
	int r = vz_ve_mounted(ve);

	return r > 0 ? vz_ve_umount(ve, err) : 0;
}

int vz_ve_stop(struct vz_ve *ve, const struct vz_stop *how, struct vz_err *err)
{
	struct vz_err ignored;
	struct vz_state st;
	int pidfd, r;

	if (!how->migrating)
		vz_journal_stands_back(ve->ctx, ve->id);
	r = vz_state_open_init(ve->ctx, ve->id, &st, &pidfd, err);
	if (r == -ESRCH) {
		r = vz_launch_cleanup(ve, err);
		if (!r)
			vz_info(ve->ctx, "Unable to stop: container is not running");
		return r ? r : how->skip_umount ? 0 : leave_unmounted(ve, err);
	}
	if (r)
		return r;
	/* One that stands still hears nothing. */
	if (!how->fast && vz_thaw(ve, &ignored))
		vz_warn(ve->ctx, "%s", ignored.text);
	if (!how->fast && vz_action_run(ve, "stop", &ignored))
		vz_warn(ve->ctx, "%s", ignored.text);
	r = end_init(ve, &st, pidfd, how->fast, err);
	close(pidfd);
	if (r)
		return r;
	r = vz_launch_cleanup(ve, err);
	if (r)
		return r;
	vz_info(ve->ctx, "Container was stopped");
	return how->skip_umount ? 0 : leave_unmounted(ve, err);
}

static void give_up(const struct vz_ve *ve, uint32_t reboots)
{
	char why[64];

	snprintf(why, sizeof(why), "rebooted %u times within %d s each, and is left down",
		 reboots, QUICK_REBOOT_S);
	vz_warn(ve->ctx, "VE %u %s", ve->id, why);
	vz_state_set_down(ve->ctx, ve->id, why);
}

int vz_ve_ended(struct vz_ve *ve, bool reboot, int lock_fd, struct vz_err *err)
{
	struct vz_start start = { .lock_fd = lock_fd, .force = true };
	struct vz_state st;
	struct timespec now;
	int r = vz_state_load(ve->ctx, ve->id, &st, err);

	/* A command that had the lock before us has seen to it. */
	if (r == -ENOENT || vz_state_running(ve->ctx, ve->id) == 1)
		return 0;
	if (r)
		return r;
	r = vz_launch_cleanup(ve, err);
	if (r)
		return r;
	clock_gettime(CLOCK_BOOTTIME, &now);
	if (now.tv_sec - st.started < QUICK_REBOOT_S)
		start.reboots = st.reboots + 1;
	if (reboot && start.reboots <= QUICK_REBOOTS_MAX)
		return vz_ve_start(ve, &start, err);
	if (reboot)
		give_up(ve, start.reboots);
	return leave_unmounted(ve, err);
}

/* -- status -- */

int vz_ve_status(const struct vz_ctx *ctx, uint32_t id, struct vz_status *ret,
		 struct vz_err *err)
{
	vz_autove struct vz_ve ve = { 0 };
	struct vz_status st = { 0 };
	const char *private;
	struct stat ignored;
	int r = vz_ve_open(ctx, id, &ve, err);

	if (r && err->status != VZ_E_NOCONF)
		return r;
	st.running = vz_state_running(ctx, id) == 1;
	if (!r) {
		private = vz_ve_private(&ve, NULL);
		st.exists = private && !stat(private, &ignored);
		st.mounted = vz_ve_mounted(&ve) == 1;
		st.suspended = st.exists && !st.running && vz_dumpdir_has(&ve);
	}
	vz_err_clear(err);
	*ret = st;
	return 0;
}
