/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/super.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/fs.h"
#include "base/run.h"
#include "sys/cgroup.h"
#include "sys/ns.h"
#include "ve/consolefs.h"

/*
 * Listen on RUNDIR/VEID/control. Bound by the directory's descriptor, since a
 * socket's address has room for 107 characters only.
 */
static int listen_control(const struct vz_ctx *ctx, uint32_t veid, int *ret_fd)
{
	vz_autofd int fd = -1, dir = -1;
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%u", ctx->rundir, veid);
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || (unlinkat(dir, "control", 0) && errno != ENOENT))
		return -errno;
	snprintf(un.sun_path, sizeof(un.sun_path), "/proc/self/fd/%d/control", dir);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&un, sizeof(un)) || listen(fd, 4))
		return -errno;
	*ret_fd = vz_take_fd(&fd);
	return 0;
}

/* The directory of LOGFILE, for the console's log; -1: not to be logged. */
static int open_log_dir(const struct vz_ve *ve)
{
	const char *file = vz_cfg_str(ve->cfg, VZ_P_LOGFILE), *slash;
	vz_autofree char *dir = NULL;
	int fd;

	slash = file && vz_cfg_bool(ve->cfg, VZ_P_LOGGING) ? strrchr(file, '/') : NULL;
	if (!slash || slash == file)
		return -1;
	dir = strndup(file, slash - file);
	if (!dir)
		return -1;
	fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && !vz_mkdir_p(dir, 0755))
		fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		vz_warn(ve->ctx, "the console of VE %u is not logged: %s: %s", ve->id,
			dir, strerror(errno));
	return fd;
}

/*
 * vzctl itself, or beside the tool that starts the VE (vzmigrate). Read now: an
 * upgrade may replace the file while the VE runs.
 */
static int find_vzctl(struct vz_super *s, struct vz_err *err)
{
	static const char name[] = "vzctl";
	size_t room = sizeof(s->vzctl) - sizeof(name);
	ssize_t n = readlink("/proc/self/exe", s->vzctl, room);
	char *slash;

	if (n < 0)
		return vz_err_set(err, VZ_E_SYSTEM, errno, "can't read /proc/self/exe");
	s->vzctl[n] = 0;
	slash = strrchr(s->vzctl, '/');
	if (!slash || n == (ssize_t)room)
		return vz_err_set(err, VZ_E_SYSTEM, ENAMETOOLONG, "vzctl");
	strcpy(slash + 1, name);
	return 0;
}

static int open_program(const struct vz_ve *ve, struct vz_super *s, struct vz_err *err)
{
	char path[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/vzsuper", ve->ctx->libexecdir);
	s->program = open(path, O_PATH | O_CLOEXEC);
	if (s->program < 0)
		return vz_err_set(err, VZ_E_SYSTEM, errno,
				  "can't find the supervisor %s (is vz installed whole?)",
				  path);
	n = find_vzctl(s, err);
	if (n)
		return n;
	n = snprintf(s->lck, sizeof(s->lck), "%s/%u.lck",
		     vz_cfg_str(ve->cfg, VZ_P_LOCKDIR), ve->id);
	if (n >= (ssize_t)sizeof(s->lck))
		return vz_err_set(err, VZ_E_LOCKDIR, ENAMETOOLONG, "LOCKDIR");
	n = snprintf(s->ugid, sizeof(s->ugid), "%s/vzugid", ve->ctx->libexecdir);
	if (n >= (ssize_t)sizeof(s->ugid))
		return vz_err_set(err, VZ_E_SYSTEM, ENAMETOOLONG, "%s",
				  ve->ctx->libexecdir);
	return 0;
}

int vz_super_prepare(const struct vz_ve *ve, struct vz_super *ret, struct vz_err *err)
{
	int r;

	memset(ret, 0, sizeof(*ret));
	memset(ret->fd, -1, sizeof(ret->fd));
	r = open_program(ve, ret, err);
	if (r)
		return r;
	r = vz_state_lock_super(ve->ctx, ve->id, &ret->fd[VZ_SUPER_LOCK]);
	if (r)
		vz_err_set(err, r == -EBUSY ? VZ_E_RUNNING : VZ_E_SYSTEM, -r,
			   "can't take the supervisor's lock %s/%u/super",
			   ve->ctx->rundir, ve->id);
	if (!r) {
		r = listen_control(ve->ctx, ve->id, &ret->fd[VZ_SUPER_CONTROL]);
		if (r)
			vz_err_set(err, VZ_E_SYSTEM, -r, "can't listen on %s/%u/control",
				   ve->ctx->rundir, ve->id);
	}
	if (r) {
		vz_super_done(ret);
		return r;
	}
	ret->fd[VZ_SUPER_LOG] = open_log_dir(ve);
	return 0;
}

void vz_super_done(struct vz_super *s)
{
	for (int i = 0; i < VZ_SUPER__END; i++) {
		if (s->fd[i] >= 0)
			close(s->fd[i]);
		s->fd[i] = -1;
	}
	if (s->program >= 0)
		close(s->program);
	s->program = -1;
}

/* Put each descriptor on its number, whatever numbers they have now. */
static int place_fds(struct vz_super *s)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	s->program = fcntl(s->program, F_DUPFD_CLOEXEC, VZ_SUPER__END);
	if (null < 0 || s->program < 0)
		return -errno;
	for (int i = VZ_SUPER_INIT; i < VZ_SUPER__END; i++) {
		if (s->fd[i] < 0)
			continue;
		s->fd[i] = fcntl(s->fd[i], F_DUPFD_CLOEXEC, VZ_SUPER__END);
		if (s->fd[i] < 0)
			return -errno;
	}
	for (int i = 0; i < 3; i++)
		if (dup2(null, i) < 0)
			return -errno;
	for (int i = VZ_SUPER_INIT; i < VZ_SUPER__END; i++) {
		if (s->fd[i] < 0)
			close(i);
		else if (dup2(s->fd[i], i) < 0)
			return -errno;
	}
	return close_range(VZ_SUPER__END, ~0U, CLOSE_RANGE_CLOEXEC) ? -errno : 0;
}

/* Become the supervisor. Returns only on failure. */
static int exec_super(const struct vz_ve *ve, struct vz_super *s)
{
	char veid[16], pid[16];
	char conf[PATH_MAX], run[PATH_MAX], libexec[PATH_MAX], state[PATH_MAX];
	char *argv[VZ_SUPER_ARG__COUNT + 1] = {
		[0] = "vzsuper",
		[VZ_SUPER_ARG_VEID] = veid,
		[VZ_SUPER_ARG_PID] = pid,
		[VZ_SUPER_ARG_VZCTL] = s->vzctl,
		[VZ_SUPER_ARG_LCK] = s->lck,
		[VZ_SUPER_ARG_UGID] = s->ugid,
	};
	char *env[] = { "PATH=" VZ_RUN_PATH, "HOME=/", conf, run, libexec, state, NULL };
	int r;

	snprintf(veid, sizeof(veid), "%u", ve->id);
	snprintf(pid, sizeof(pid), "%d", s->pid);
	snprintf(conf, sizeof(conf), "VZ_CONFDIR=%s", ve->ctx->confdir);
	snprintf(run, sizeof(run), "VZ_RUNDIR=%s", ve->ctx->rundir);
	snprintf(libexec, sizeof(libexec), "VZ_LIBEXECDIR=%s", ve->ctx->libexecdir);
	snprintf(state, sizeof(state), "VZ_STATEDIR=%s", ve->ctx->statedir);
	r = place_fds(s);
	if (r)
		return r;
	if (chdir("/"))
		return -errno;
	syscall(SYS_execveat, s->program, "", argv, env, AT_EMPTY_PATH);
	return -errno;
}

static int open_group(const struct vz_ve *ve, struct vz_cg_entry *ret, struct vz_err *err)
{
	struct vz_cg_host host;
	struct vz_cg cg = { .host = &host };
	int r = vz_cg_probe(ve->ctx, &host, err);

	snprintf(cg.name, sizeof(cg.name), "%.50s/.super",
		 vz_cfg_str(ve->cfg, VZ_P_CGROUP));
	/* It is there from the node's first VE on. */
	if (r || !vz_cg_entry_open(&cg, VZ_CG_PLAIN, ret, NULL))
		return r;
	r = vz_cg_create_plain(&cg, err);
	return r ? r : vz_cg_entry_open(&cg, VZ_CG_PLAIN, ret, err);
}

static pid_t fork_super(const struct vz_ve *ve)
{
	struct vz_cg_entry group;
	struct vz_err err = { 0 };
	int pidfd;
	pid_t pid;

	if (open_group(ve, &group, &err)) {
		vz_warn(ve->ctx, "VE %u: its supervisor stays in this group: %s", ve->id,
			err.text);
		pid = fork();
		return pid < 0 ? -errno : pid;
	}
	pid = vz_ns_clone(0, group.v2_dir, &pidfd);
	if (!pid)
		vz_cg_enter(&group);
	else if (pid > 0)
		close(pidfd);
	vz_cg_entry_close(&group);
	return pid;
}

void vz_super_join(const struct vz_ve *ve)
{
	struct vz_cg_entry group;
	vz_autofd int fd = -1;

	if (open_group(ve, &group, NULL))
		return;
	if (group.v2_dir >= 0)
		fd = openat(group.v2_dir, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	if (vz_cg_enter(&group) || (fd >= 0 && write(fd, "0", 1) != 1))
		vz_debug(ve->ctx, "VE %u: can't enter the supervisors' group", ve->id);
	vz_cg_entry_close(&group);
}

/* A VE's CPU time is what its parameters say, not what its starter's shell had. */
static void reset_priority(void)
{
	const struct sched_param none = { 0 };

	sched_setscheduler(0, SCHED_OTHER, &none);
	setpriority(PRIO_PROCESS, 0, 0);
}

static _Noreturn void become_super(const struct vz_ve *ve, const struct vz_super_job *job,
				   int pipe)
{
	struct vz_super_word word = { 0 };
	struct vz_super s;
	int r;

	setsid();
	reset_priority();
	r = job->make(job->data, &s, &word);
	if (r && !word.err.status)
		vz_err_set(&word.err, job->status, -r, "can't %s the VE", job->verb);
	/* The VE runs: who hears of it may give it its next command at once. */
	if (job->lock_fd >= 0)
		close(job->lock_fd);
	vz_write_all(pipe, &word, sizeof(word));
	if (r)
		_exit(1);
	s.fd[VZ_SUPER_WAITER] = job->wait && word.tells_ready ? pipe : -1;
	exec_super(ve, &s);
	/* The VE runs on; the next command gives it another supervisor. */
	_exit(1);
}

/* The VE runs. Wait for its word, if it has one. */
static int await_ready(int pipe, const struct vz_super_word *word, struct vz_err *err)
{
	char c;

	if (!word->tells_ready)
		return vz_err_set(err, VZ_E_WAIT, 0,
				  "the VE runs, but its init can't tell when it is up: "
				  "its template has no /sbin/vz-ready");
	while (read(pipe, &c, 1) != 1)
		if (errno != EINTR)
			return vz_err_set(err, VZ_E_WAIT, 0,
					  "the VE ended, or lost its supervisor, before "
					  "it was up");
	return 0;
}

int vz_super_begin(const struct vz_ve *ve, const struct vz_super_job *job,
		   struct vz_err *err)
{
	vz_autofd int in = -1, out = -1;
	struct vz_super_word word;
	int fds[2];
	pid_t pid;

	/* Whoever waits for it may be killed. */
	signal(SIGPIPE, SIG_IGN);
	if (pipe2(fds, O_CLOEXEC))
		return vz_err_set(err, VZ_E_SYSTEM, errno, "can't make a pipe");
	in = fds[0];
	out = fds[1];
	pid = fork_super(ve);
	if (pid < 0)
		return vz_err_set(err, VZ_E_SYSTEM, -pid, "can't fork");
	if (!pid)
		become_super(ve, job, out);
	close(vz_take_fd(&out));
	errno = 0;
	if (read(in, &word, sizeof(word)) != sizeof(word)) {
		waitpid(pid, NULL, 0);
		return vz_err_set(err, job->status, errno,
				  "the VE's supervisor was killed as it was to %s the VE",
				  job->verb);
	}
	if (word.err.status) {
		waitpid(pid, NULL, 0);
		*err = word.err;
		return err->errnum ? -err->errnum : -EINVAL;
	}
	return job->wait ? await_ready(in, &word, err) : 0;
}

/*
 * Wait until it is another program: what this one has open, the VE's lock
 * among it, must not live on in it when this one ends.
 */
static int start_adopted(const struct vz_ve *ve, struct vz_super *s, struct vz_err *err)
{
	int ends[2];
	pid_t pid;
	char c;

	if (pipe2(ends, O_CLOEXEC))
		return vz_err_set(err, VZ_E_SYSTEM, errno, "can't make a pipe");
	pid = fork_super(ve);
	if (!pid) {
		setsid();
		exec_super(ve, s);
		_exit(1);
	}
	close(ends[1]);
	if (pid > 0 && read(ends[0], &c, 1) < 0)
		pid = -errno;
	close(ends[0]);
	return pid < 0 ? vz_err_set(err, VZ_E_SYSTEM, -pid, "can't start a supervisor")
		       : 0;
}

/* Without one the VE goes on, and its end is seen as well. */
static void renew_console(const struct vz_ve *ve, const struct vz_state *st,
			  struct vz_super *s)
{
	struct vz_err err = { 0 };

	if (vz_consolefs_renew(st, s->fd[VZ_SUPER_INIT], &s->fd[VZ_SUPER_CONSOLE], &err))
		vz_warn(ve->ctx,
			"VE %u has no console until it is restarted, its supervisor was "
			"killed: %s",
			ve->id, err.text);
}

int vz_super_adopt(const struct vz_ve *ve, struct vz_err *err)
{
	struct vz_super s;
	struct vz_state st;
	int pidfd, r = vz_state_open_init(ve->ctx, ve->id, &st, &pidfd, err);

	if (r)
		return r;
	r = vz_super_prepare(ve, &s, err);
	if (r == -EBUSY)
		vz_err_clear(err);
	if (r) {
		close(pidfd);
		return r == -EBUSY ? 0 : r;
	}
	s.pid = st.init;
	s.fd[VZ_SUPER_INIT] = pidfd;
	renew_console(ve, &st, &s);
	r = start_adopted(ve, &s, err);
	vz_super_done(&s);
	return r;
}
