/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vzproc: run a program to which /proc has the files that it has on OpenVZ.
 * The kernel lets nobody make a name in its /proc, so it gets another one, in a
 * mount namespace of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/ctx.h"
#include "sys/mnt.h"
#include "sys/ns.h"
#include "tool/stdio.h"
#include "vzlist/prockeeper.h"
#include "vzlist/procview.h"

/* As env(1), nice(1) and their like have them: other statuses are the program's. */
enum { FAILED = 125, NOT_RUN = 126, NOT_FOUND = 127 };

static const char usage[] =
	"Usage: vzproc COMMAND [ARGUMENT...]\n"
	"       vzproc --help | --version\n\n"
	"Run a command that finds /proc/user_beancounters, /proc/bc and /proc/vz.\n"
	"Exit status: the command's; 125 when vzproc fails, 126 or 127 when the\n"
	"command can't be run or is not found.\n";

/* One line of error; returns the exit status. */
static int fail(int status, int error, const char *what)
{
	fprintf(stderr, "vzproc: %s: %s\n", what, strerror(error));
	return status;
}

/* What of RUNDIR/proc is to be seen: without bc a vz would say "in a VE". */
static int add_files(const struct vz_ctx *ctx, const struct procview *v)
{
	static const char *const names[] = { "user_beancounters", "bc", "vz" };
	char target[PATH_MAX];
	struct stat st;

	for (size_t i = 0; i < VZ_ARRAY_SIZE(names); i++) {
		/* A kernel of OpenVZ has its own. */
		if (!fstatat(v->real, names[i], &st, AT_SYMLINK_NOFOLLOW))
			continue;
		snprintf(target, sizeof(target), "%s/proc/%s", ctx->rundir, names[i]);
		if (symlinkat(target, v->dir, names[i]) && errno != EEXIST)
			return -errno;
	}
	return 0;
}

/* The real /proc on .real in a tmpfs, and that on /proc. */
static int make_view(struct procview *ret)
{
	vz_autofd int real = vz_mnt_clone(AT_FDCWD, "/proc", true), place = -1;
	vz_autofd int dir =
		vz_mnt_new("tmpfs", "mode=755,size=64m",
			   MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	int r = real < 0 ? real : dir < 0 ? dir : 0;

	if (!r && mkdirat(dir, PROCVIEW_REAL, 0555))
		r = -errno;
	if (!r) {
		place = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
		r = place < 0 ? -errno : vz_mnt_attach(dir, place);
	}
	if (!r) {
		vz_autofd int on =
			openat(dir, PROCVIEW_REAL, O_PATH | O_DIRECTORY | O_CLOEXEC);

		r = on < 0 ? -errno : vz_mnt_attach(real, on);
	}
	if (r)
		return r;
	*ret = (struct procview){ vz_take_fd(&dir), vz_take_fd(&real) };
	return 0;
}

/*
 * What the command mounts is mounted on the node, too, where its mounts are
 * shared: it may start VEs. But not the other /proc.
 */
static int leave_namespace(void)
{
	return unshare(CLONE_NEWNS) ||
			       mount(NULL, "/proc", NULL, MS_REC | MS_PRIVATE, NULL)
		       ? -errno
		       : 0;
}

static int run(char **argv)
{
	/* When it is run by itself, it begins again from where that was. */
	int r = vz_ns_leave_vzproc();
	vz_autofd int node = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	struct procview view;
	struct vz_ctx ctx;

	vz_ctx_init(&ctx);
	if (!r)
		r = node < 0 ? -errno : leave_namespace();
	if (r)
		return fail(FAILED, -r, "can't make a mount namespace (it takes root)");
	r = make_view(&view);
	if (r)
		return fail(FAILED, -r, "can't mount another /proc");
	r = add_files(&ctx, &view);
	if (!r)
		r = prockeeper_start(&view, node);
	if (r)
		return fail(FAILED, -r, "can't fill the other /proc");
	execvp(argv[0], argv);
	return fail(errno == ENOENT ? NOT_FOUND : NOT_RUN, errno, argv[0]);
}

int main(int argc, char **argv)
{
	int i = 1;

	vz_stdio_begin();
	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		fputs(usage, stdout);
		return vz_stdio_end("vzproc") ? 0 : FAILED;
	}
	if (argc > 1 && !strcmp(argv[1], "--version")) {
		puts("vzproc version " VZ_VERSION);
		return vz_stdio_end("vzproc") ? 0 : FAILED;
	}
	if (argc > 1 && !strcmp(argv[1], "--"))
		i++;
	else if (argc > 1 && argv[1][0] == '-')
		fprintf(stderr, "vzproc: unknown option %s\n", argv[1]);
	if (i == argc || (i == 1 && argv[1][0] == '-')) {
		fputs(usage, stderr);
		return FAILED;
	}
	return run(argv + i);
}
