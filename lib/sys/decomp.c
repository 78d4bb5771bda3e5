/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/decomp.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <seccomp.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "sys/codec.h"

enum { PIPE_SIZE = 1 << 20, NOBODY = 65534 };
/* xz -9e and zstd --ultra --long=27 stay well below it. */
#define MEMORY_MAX (640UL << 20)

#if defined(__SANITIZE_ADDRESS__)
#define HAVE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAVE_ASAN 1
#endif
#endif
#ifndef HAVE_ASAN
#define HAVE_ASAN 0
#endif

/* A page that both processes see. The child may lie in it: bound every use. */
struct vz_decomp_shared {
	_Atomic uint64_t done;
	char text[200];
};

/*
 * Child: nothing but reading, writing and memory from here on. sigaltstack is
 * harmless, and what the sanitizers call whenever a function does not return.
 */
static int allow_few_calls(void)
{
	static const int calls[] = {
		SCMP_SYS(read),		SCMP_SYS(write),       SCMP_SYS(lseek),
		SCMP_SYS(fstat),	SCMP_SYS(brk),	       SCMP_SYS(mmap),
		SCMP_SYS(munmap),	SCMP_SYS(mremap),      SCMP_SYS(madvise),
		SCMP_SYS(rt_sigreturn), SCMP_SYS(futex),       SCMP_SYS(newfstatat),
		SCMP_SYS(exit_group),	SCMP_SYS(sigaltstack),
	};
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r = f ? 0 : -ENOMEM;

	for (size_t i = 0; !r && i < VZ_ARRAY_SIZE(calls); i++)
		r = seccomp_rule_add(f, SCMP_ACT_ALLOW, calls[i], 0);
	if (!r)
		r = seccomp_load(f);
	seccomp_release(f);
	return r;
}

static int limit(int what, rlim_t max)
{
	struct rlimit l = { .rlim_cur = max, .rlim_max = max };

	return setrlimit(what, &l) ? -errno : 0;
}

/* Child: the archive on 0, the pipe on 1, and no privilege left. */
static int give_up_everything(int in, int out)
{
	int r;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		return -errno;
	in = fcntl(in, F_DUPFD_CLOEXEC, 3);
	out = fcntl(out, F_DUPFD_CLOEXEC, 3);
	if (in < 0 || out < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 ||
	    close_range(HAVE_ASAN ? 3 : 2, ~0U, 0))
		return -errno;
	if (!geteuid() && (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
			   setresuid(NOBODY, NOBODY, NOBODY)))
		return -errno;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0))
		return -errno;
	r = limit(RLIMIT_CORE, 0);
	/* The sanitizer's own tables are far bigger than any limit. */
	if (!r && !HAVE_ASAN)
		r = limit(RLIMIT_AS, MEMORY_MAX);
	if (!r)
		r = limit(RLIMIT_NOFILE, 2);
	return r ? r : allow_few_calls();
}

static _Noreturn void child(int in, int out, struct vz_decomp_shared *shared)
{
	const char *why = "can't confine the decompressor";
	int r;

	/* A reader that went away must not end us before we say why. */
	signal(SIGPIPE, SIG_IGN);
	if (give_up_everything(in, out)) {
		strncpy(shared->text, why, sizeof(shared->text) - 1);
		_exit(2);
	}
	r = vz_codec_decompress(0, 1, &shared->done, &why);
	if (r && r != -EPIPE)
		strncpy(shared->text, r == -EBADMSG ? why : strerrordesc_np(-r),
			sizeof(shared->text) - 1);
	_exit(r ? 1 : 0);
}

int vz_decomp_start(int archive_fd, struct vz_decomp *ret, struct vz_err *err)
{
	struct vz_decomp d = VZ_DECOMP_NONE;
	int out[2];

	d.shared = mmap(NULL, sizeof(*d.shared), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (d.shared == MAP_FAILED)
		return vz_err_set(err, VZ_E_SYSTEM, errno, "can't map memory");
	if (pipe2(out, O_CLOEXEC)) {
		munmap(d.shared, sizeof(*d.shared));
		return vz_err_set(err, VZ_E_SYSTEM, errno, "can't make a pipe");
	}
	/* Only faster: an unprivileged test may have used up its share. */
	fcntl(out[1], F_SETPIPE_SZ, PIPE_SIZE);
	d.fd = out[0];
	d.pid = fork();
	if (!d.pid)
		child(archive_fd, out[1], d.shared);
	close(out[1]);
	if (d.pid < 0) {
		int e = errno;

		vz_decomp_stop(&d);
		return vz_err_set(err, VZ_E_SYSTEM, e, "can't start the decompressor");
	}
	*ret = d;
	return 0;
}

uint64_t vz_decomp_done(const struct vz_decomp *d)
{
	return atomic_load_explicit(&d->shared->done, memory_order_relaxed);
}

static int reap(struct vz_decomp *d)
{
	int status;

	while (waitpid(d->pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	d->pid = -1;
	return status;
}

int vz_decomp_finish(struct vz_decomp *d, struct vz_err *err)
{
	char text[sizeof(d->shared->text)];
	int status = reap(d);

	if (!status)
		return 0;
	memcpy(text, d->shared->text, sizeof(text));
	text[sizeof(text) - 1] = 0;
	if (status > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 2)
		return vz_err_set(err, VZ_E_SYSTEM, 0, "%s", text);
	return vz_err_set(err, VZ_E_BADTEMPLATE, EBADMSG,
			  "the archive can't be decompressed (%s)",
			  *text ? text : "the decompressor died");
}

void vz_decomp_stop(struct vz_decomp *d)
{
	if (d->fd >= 0)
		close(d->fd);
	if (d->pid > 0) {
		/* Still our child, so the number can't be another's. */
		kill(d->pid, SIGKILL);
		reap(d);
	}
	if (d->shared)
		munmap(d->shared, sizeof(*d->shared));
	*d = VZ_DECOMP_NONE;
}
