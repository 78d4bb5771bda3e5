/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "templates/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/run.h"
#include "base/str.h"
#include "sys/hold.h"
#include "ve/template.h"

static int cant(const struct tmpl_inv *inv, int errnum, const char *what,
		const char *path)
{
	enum vz_exit status =
		errnum == ENOSPC || errnum == EDQUOT ? VZ_E_NOSPACE : VZ_E_SYSTEM;

	return vz_err_set(inv->err, status, errnum, "can't %s %s", what, path);
}

int tmpl_name(const struct tmpl_inv *inv, const char *word)
{
	const char *bad = vz_bad_template(word);

	if (!bad)
		return 0;
	return vz_err_set(inv->err, VZ_E_VALUE, 0,
			  "bad name of an OS template '%s': expected %s", word, bad);
}

int tmpl_work_begin(const struct tmpl_inv *inv, const char *name, struct tmpl_work *ret)
{
	tmpl_autowork struct tmpl_work w = TMPL_WORK_NONE;
	vz_autofree char *cache = vz_strf("%s/cache", inv->dir);
	vz_autofree char *dir = vz_strf("%s/cache/.%s.work", inv->dir, name);
	int r = cache && dir ? vz_mkdir_p(cache, 0755) : -ENOMEM;

	if (r)
		return cant(inv, -r, "make", cache ? cache : "a directory");
	if (mkdir(dir, 0700) && errno != EEXIST)
		return cant(inv, errno, "make", dir);
	w.fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (w.fd < 0)
		return cant(inv, errno, "open", dir);
	if (flock(w.fd, LOCK_EX | LOCK_NB))
		return vz_err_set(inv->err, VZ_E_LOCKED, 0,
				  "another command works on the template %s", name);
	w.dir = vz_take(dir);
	/* What one that was killed left, or removed just before our lock. */
	r = vz_remove_tree(AT_FDCWD, w.dir);
	if (!r && mkdir(w.dir, 0700))
		r = -errno;
	close(w.fd);
	w.fd = open(w.dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (!r && (w.fd < 0 || flock(w.fd, LOCK_EX | LOCK_NB)))
		r = -errno;
	if (r)
		return cant(inv, -r, "make anew", w.dir);
	*ret = w;
	w = TMPL_WORK_NONE;
	return 0;
}

void tmpl_work_done(struct tmpl_work *w)
{
	if (w->dir)
		vz_remove_tree(AT_FDCWD, w->dir);
	if (w->fd >= 0)
		close(w->fd);
	free(w->dir);
	*w = TMPL_WORK_NONE;
}

/* What a program needs to know of its caller: the way to the network. */
static int make_env(struct vz_strv *env)
{
	static const char *const passed[] = {
		"http_proxy",  "https_proxy", "ftp_proxy", "no_proxy",	    "all_proxy",
		"HTTPS_PROXY", "NO_PROXY",    "ALL_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"
	};
	int r = vz_strv_add(env, "PATH=" VZ_RUN_PATH);

	if (!r)
		r = vz_strv_add(env, "HOME=/");
	if (!r)
		r = vz_strv_add(env, "LC_ALL=C.UTF-8");
	for (size_t i = 0; !r && i < VZ_ARRAY_SIZE(passed); i++) {
		const char *value = getenv(passed[i]);
		vz_autofree char *s = value ? vz_strf("%s=%s", passed[i], value) : NULL;

		if (s)
			r = vz_strv_add(env, s);
	}
	return r;
}

/* Until the program ends; a signal that is held back goes to the program, too. */
static int wait_for(int pidfd)
{
	sigset_t set;
	vz_autofd int sig = -1;
	struct pollfd p[2] = { { .fd = pidfd, .events = POLLIN } };

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sig = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	p[1] = (struct pollfd){ .fd = sig, .events = POLLIN };
	while (poll(p, 2, -1) < 0 && errno == EINTR)
		;
	if (!p[0].revents)
		syscall(SYS_pidfd_send_signal, pidfd, SIGTERM, NULL, 0);
	return vz_run_wait(pidfd, 0);
}

int tmpl_run(const struct tmpl_inv *inv, const char *const *argv, const int fd[3],
	     const char *what)
{
	struct vz_strv env = { 0 };
	struct vz_run run = { .argv = argv, .fd = { fd[0], fd[1], fd[2] } };
	vz_autofd int pidfd = -1;
	int r = make_env(&env);

	run.env = (const char *const *)env.v;
	if (!r)
		r = vz_run_start(&run, &pidfd);
	vz_strv_done(&env);
	if (r)
		return vz_err_set(inv->err, VZ_E_SYSTEM, -r, "can't run %s", argv[0]);
	r = wait_for(pidfd);
	if (vz_hold_struck())
		return vz_err_set(inv->err, VZ_E_SYSTEM, EINTR, "%s was given up", what);
	if (!r)
		return 0;
	if (r < 0)
		return vz_err_set(inv->err, VZ_E_SYSTEM, -r, "can't wait for %s",
				  argv[0]);
	return vz_err_set(inv->err, VZ_E_BADTEMPLATE, 0, "%s failed: %s %s %d", what,
			  argv[0], r < 256 ? "exited with status" : "died of signal",
			  r < 256 ? r : r - 256);
}

/* sha256sum(1)'s line about the file, with the name that it will have. */
static int make_sum(const struct tmpl_inv *inv, const char *file, const char *sum,
		    const char *base, const char *want)
{
	vz_autofd int out = open(sum, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	const char *const argv[] = { "sha256sum", "--binary", "--", file, NULL };
	vz_autofree char *line = NULL;
	char hex[65] = "";
	int r;

	if (out < 0)
		return cant(inv, errno, "make", sum);
	r = tmpl_run(inv, argv, (int[3]){ -1, out, 2 }, "the checksum");
	if (r)
		return r;
	if (pread(out, hex, 64, 0) != 64 || strspn(hex, "0123456789abcdef") != 64)
		return vz_err_set(inv->err, VZ_E_SYSTEM, 0,
				  "sha256sum said no checksum of %s", file);
	if (want && strcmp(want, hex))
		return vz_err_set(inv->err, VZ_E_BADTEMPLATE, 0,
				  "%s is refused: its checksum is not the signed one",
				  base);
	line = vz_strf("%s *%s\n", hex, base);
	r = line && !ftruncate(out, 0) ? 0 : -ENOMEM;
	if (!r && lseek(out, 0, SEEK_SET))
		r = -errno;
	if (!r)
		r = vz_write_all(out, line, strlen(line));
	if (!r && fsync(out))
		r = -errno;
	return r ? cant(inv, -r, "write", sum) : 0;
}

static int sync_path(const char *path, int flags)
{
	vz_autofd int fd = open(path, O_RDONLY | O_CLOEXEC | flags);

	return fd < 0 || fsync(fd) ? -errno : 0;
}

int tmpl_install(const struct tmpl_inv *inv, const char *file, const char *name,
		 const char *ext, const char *want)
{
	vz_autofree char *cache = vz_strf("%s/cache", inv->dir);
	vz_autofree char *base = vz_strf("%s%s", name, ext);
	vz_autofree char *to = vz_strf("%s/cache/%s%s", inv->dir, name, ext);
	vz_autofree char *sum_to = vz_strf("%s/cache/%s%s.sha256", inv->dir, name, ext);
	vz_autofree char *sum = vz_strf("%s.sha256", file);
	int r;

	if (!cache || !base || !to || !sum || !sum_to)
		return cant(inv, ENOMEM, "install", name);
	r = make_sum(inv, file, sum, base, want);
	if (r)
		return r;
	r = chmod(file, 0644) ? -errno : sync_path(file, 0);
	if (!r && unlink(sum_to) && errno != ENOENT)
		r = -errno;
	if (!r && (rename(file, to) || rename(sum, sum_to)))
		r = -errno;
	if (!r)
		r = sync_path(cache, O_DIRECTORY);
	return r ? cant(inv, -r, "install", to) : 0;
}
