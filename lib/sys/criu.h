/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_CRIU_H
#define VZ_SYS_CRIU_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/ctx.h"
#include "base/err.h"
#include "base/str.h"
#include "sys/criurpc.h"

/*
 * CRIU, which writes a VE's processes to files and makes them again. It is run as
 * `criu swrk`, one process a call, always with a time limit. What its log says is
 * made into one line (sys/criulog.h).
 */
struct vz_criu {
	char path[PATH_MAX];
	uint32_t version; /* major * 10000 + minor * 100 + sublevel */
	bool mem_track; /* the kernel tells which pages were written to */
	bool lazy_pages; /* pages can follow when they are needed */
};

/*
 * The program, `configured` (CRIU= of vz.conf) or one in VZ_RUN_PATH, and what it can
 * do here. VZ_E_KERNEL with what to install.
 */
int vz_criu_find(const struct vz_ctx *ctx, const char *configured, struct vz_criu *ret,
		 struct vz_err *err);

/* A descriptor of the caller's that criu finds under a key. */
struct vz_criu_inherit {
	int fd;
	const char *key;
};

/*
 * Of a restore: what of the node CRIU mounts in the VE. It does that as the VE's root,
 * who may not walk the node's directories; so it finds number N of these as
 * VZ_CRIU_STAGE/N, in a mount namespace of its own.
 */
#define VZ_CRIU_STAGE "/tmp/vz"
struct vz_criu_mount {
	char *from; /* a file or a directory */
	uint64_t attr; /* MOUNT_ATTR_… */
};
struct vz_criu_mounts {
	struct vz_criu_mount *v;
	size_t n;
};
/* 0 or -ENOMEM. */
int vz_criu_mounts_add(struct vz_criu_mounts *l, const char *from, uint64_t attr);
void vz_criu_mounts_done(struct vz_criu_mounts *l);

/* A deleted file that is still open is kept with the images up to this size, bytes. */
#define VZ_CRIU_GHOST_MAX (64 << 20)

/* One call. All that is 0 or NULL is left out; descriptors are the caller's. */
struct vz_criu_call {
	enum vz_criu_req op; /* VZ_CRIU_DUMP, _PRE_DUMP, _RESTORE */
	enum vz_exit fails_with; /* VZ_E_CHKPNT or VZ_E_RESTORE */
	int images; /* directory of the images */
	int work; /* and of the log; may be the same */
	const char *log; /* the log's name in it */
	pid_t pid; /* of a dump: the VE's init */
	uid_t owner; /* of the VE's user namespace; 0: root */
	const char *root; /* of a restore: what becomes the VE's root */
	const char *cgroup; /* and its group, when it has another than in the dump */
	struct vz_criu_mounts mounts;
	struct vz_strv external; /* "mnt[/dev/null]:dev", "netdev[venet0]:x", … */
	const struct vz_criu_inherit *inherit;
	size_t n_inherit;
	const char *parent; /* images before, relative to these: only what changed */
	bool track_mem; /* so that there can be images after these */
	bool lazy_pages; /* pages stay where they are until asked for */
	bool leave_running;
	int ps_fd; /* a socket to a page server; 0: pages are among the images */
	int timeout_ms;
	/*
	 * Called at criu's stages: "pre-dump", "post-dump", "setup-namespaces",
	 * "post-setup-namespaces", "post-restore", "pre-resume", "post-resume",
	 * "orphan-pts-master"… pid: init's, where criu says it. fd: what comes with
	 * it, to be kept by making *fd -1. An error makes criu undo what it has done.
	 */
	int (*notify)(void *data, const char *stage, pid_t pid, int *fd,
		      struct vz_err *err);
	/* Called every ten seconds for as long as criu says nothing. May be NULL. */
	void (*waiting)(void *data);
	void *data;
	pid_t ret_pid; /* of a restore: init, a child of this process */
};

/*
 * 0 or -errno; the error says what can't be done, of which process, and the way out.
 * -EPIPE: criu was killed.
 */
int vz_criu_run(const struct vz_ctx *ctx, const struct vz_criu *criu,
		struct vz_criu_call *call, struct vz_err *err);

/*
 * Who takes the pages of a dump at the other end of a socket, and writes them into a
 * directory, which then lacks nothing but the dump's other images. It ends with the
 * dump, or when the socket does: exit status 0 when it has all. Killed with its caller.
 * 0 or -errno.
 */
int vz_criu_page_server(const struct vz_criu *criu, const char *dir, int sock,
			int *ret_pidfd);

#endif
