/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/run.h"
#include "sys/fdpass.h"
#include "sys/ns.h"
#include "sys/relay.h"
#include "ve/exec_priv.h"
#include "ve/freeze.h"
#include "ve/ugidserve.h"

/* What the caller keeps while the program runs. */
struct run {
	const struct vz_ctx *ctx;
	uint32_t veid;
	const struct vz_exec *ex;
	pid_t pid; /* the program; 0: not there yet */
	int pidfd; /* of it */
	int child; /* pidfd of the process on its way in */
	int sock; /* its reports; -1: there are no more */
	int signals; /* signalfd */
	sigset_t old_mask;
	struct vz_flow flow[3]; /* stdin in, stdout and stderr out; or a pty's two */
	bool raw; /* fd[0] is to be set back to `tty` */
	struct termios tty;
	int64_t deadline; /* CLOCK_MONOTONIC ms; 0: none */
	bool timed_out;
	struct vz_err err; /* what the child reported */
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static void run_init(struct run *run, const struct vz_exec *ex)
{
	*run = (struct run){ .ex = ex };
	run->pidfd = run->child = run->sock = run->signals = -1;
	for (size_t i = 0; i < VZ_ARRAY_SIZE(run->flow); i++)
		run->flow[i].from = run->flow[i].to = -1;
	if (ex->timeout_ms)
		run->deadline = now_ms() + ex->timeout_ms;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void run_done(struct run *run)
{
	if (run->raw)
		vz_tty_restore(run->ex->fd[0], &run->tty);
	for (size_t i = 0; i < VZ_ARRAY_SIZE(run->flow); i++)
		vz_flow_close(&run->flow[i]);
	close_fd(&run->pidfd);
	close_fd(&run->child);
	close_fd(&run->sock);
	if (run->signals >= 0) {
		close_fd(&run->signals);
		sigprocmask(SIG_SETMASK, &run->old_mask, NULL);
	}
}

/* What the user may send to vzctl is meant for the program. */
static int catch_signals(struct run *run)
{
	static const int caught[] = { SIGINT,  SIGTERM, SIGHUP,	 SIGQUIT,
				      SIGUSR1, SIGUSR2, SIGPIPE, SIGWINCH };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < VZ_ARRAY_SIZE(caught); i++)
		sigaddset(&set, caught[i]);
	if (sigprocmask(SIG_BLOCK, &set, &run->old_mask))
		return -errno;
	run->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (run->signals >= 0)
		return 0;
	sigprocmask(SIG_SETMASK, &run->old_mask, NULL);
	return -errno;
}

/*
 * A pipe in the place of a terminal of the host. `in`: the VE reads from it.
 * Our end is nonblocking; it is nobody else's.
 */
static int relay_tty(struct run *run, int i, int *ret_fd)
{
	struct vz_flow *f = &run->flow[i];
	int in = i == 0, p[2];

	/* Reading a terminal in the background would stop us. */
	if (in && tcgetpgrp(run->ex->fd[0]) != getpgrp()) {
		*ret_fd = -1;
		return 0;
	}
	if (pipe2(p, O_CLOEXEC))
		return -errno;
	*ret_fd = p[!in];
	f->from = in ? run->ex->fd[0] : p[0];
	f->to = in ? p[1] : run->ex->fd[i];
	f->from_borrowed = in;
	f->to_borrowed = !in;
	return fcntl(p[in], F_SETFL, O_NONBLOCK) ? -errno : 0;
}

/*
 * What the program gets as 0, 1, 2: the caller's descriptors, but never a
 * terminal of the host (the VE could read what its user types later, and
 * write escape sequences) nor a directory (a way out of its root).
 */
static int prepare_stdio(struct run *run, int ret_fd[3], struct vz_err *err)
{
	struct stat st;
	int r = 0;

	for (int i = 0; i < 3; i++) {
		int fd = run->ex->fd[i];

		ret_fd[i] = run->ex->tty ? -1 : fd;
		if (fd < 0 || run->ex->tty)
			continue;
		if (fstat(fd, &st))
			return vz_err_set(err, VZ_E_SYSTEM, errno,
					  "descriptor %d is not open", fd);
		if (S_ISDIR(st.st_mode))
			return vz_err_set(err, VZ_E_SYSTEM, EISDIR,
					  "descriptor %d can't be given to a VE", fd);
		if (S_ISCHR(st.st_mode) && isatty(fd))
			r = relay_tty(run, i, &ret_fd[i]);
		if (r)
			return vz_err_set(err, VZ_E_SYSTEM, -r, "can't make a pipe");
	}
	return 0;
}

static void close_stdio(const struct run *run, const int fd[3])
{
	for (int i = 0; i < 3; i++)
		if (fd[i] >= 0 && fd[i] != run->ex->fd[i])
			close(fd[i]);
}

/* Those of the VE's init, but with the soft limits that a login has. */
static void get_limits(const struct vz_state *st, struct rlimit limit[RLIM_NLIMITS])
{
	static const struct {
		int id;
		rlim_t soft;
	} usual[] = { { RLIMIT_STACK, 8 << 20 },
		      { RLIMIT_NOFILE, 1024 },
		      { RLIMIT_CORE, 0 } };

	/* As who its processes are: a node's root may lack CAP_SYS_RESOURCE. */
	if (st->uid)
		vz_ns_act_as(st->uid);
	for (int i = 0; i < RLIM_NLIMITS; i++)
		if (prlimit(st->init, i, NULL, &limit[i]))
			getrlimit(i, &limit[i]);
	if (st->uid)
		vz_ns_act_as(0);
	for (size_t i = 0; i < VZ_ARRAY_SIZE(usual); i++)
		if (usual[i].soft < limit[usual[i].id].rlim_max)
			limit[usual[i].id].rlim_cur = usual[i].soft;
}

static bool is_terminal_name(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			     "0123456789+-._");

	return n && n < 64 && !s[n];
}

static int make_env(const struct vz_exec *ex, struct vz_strv *ret)
{
	static const char path[] = "PATH=" VZ_RUN_PATH;
	static const char *const standard[] = { path, "HOME=/root", "USER=root",
						"LOGNAME=root" };
	const char *term = ex->tty ? getenv("TERM") : NULL;
	char buf[80];
	int r = 0;

	for (size_t i = 0; i < VZ_ARRAY_SIZE(standard) && !r; i++)
		r = vz_strv_add(ret, standard[i]);
	snprintf(buf, sizeof(buf), "TERM=%s",
		 term && is_terminal_name(term) ? term : "linux");
	if (!r)
		r = vz_strv_add(ret, buf);
	for (size_t i = 0; ex->env && ex->env[i] && !r; i++)
		r = vz_strv_add(ret, ex->env[i]);
	return r;
}

static int copy_argv(const char *const *argv, const char ***ret)
{
	size_t n = 0;

	while (argv[n])
		n++;
	*ret = calloc(n + 1, sizeof(**ret));
	if (*ret)
		memcpy(*ret, argv, n * sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

/* Start the process that goes in. */
static int start_child(struct run *run, struct vz_exec_job *job, struct vz_err *err)
{
	int sock[2];
	pid_t pid;

	/* Not among 0, 1, 2, should those be closed here. */
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock))
		return vz_err_set(err, VZ_E_SYSTEM, errno, "can't make a socket");
	run->sock = sock[0];
	job->sock = fcntl(sock[1], F_DUPFD_CLOEXEC, 3);
	close(sock[1]);
	if (job->sock < 0)
		return vz_err_set(err, VZ_E_SYSTEM, errno, "can't make a socket");
	pid = vz_ns_clone(0, job->groups.v2_dir, &run->child);
	if (!pid)
		vz_exec_child(job);
	close(job->sock);
	return pid < 0 ? vz_err_set(err, VZ_E_SYSTEM, -pid,
				    "can't make a process in the VE's group")
		       : 0;
}

static int start(const struct vz_ctx *ctx, uint32_t veid, struct run *run,
		 struct vz_exec_job *job, struct vz_err *err)
{
	struct vz_cg_host host;
	struct vz_cg cg = { .host = &host };
	int r = vz_cg_probe(ctx, &host, err);

	if (r)
		return r;
	memcpy(cg.name, job->st->cgroup, sizeof(cg.name));
	r = make_env(run->ex, &job->env);
	if (!r)
		r = copy_argv(run->ex->argv, &job->argv);
	if (r)
		return vz_err_set(err, VZ_E_SYSTEM, -r, "the command's arguments");
	get_limits(job->st, job->limit);
	r = vz_cg_entry_open_exec(&cg, job->st->uid, job->st->gid, &job->groups, err);
	if (r)
		return r;
	r = prepare_stdio(run, job->fd, err);
	if (!r)
		r = catch_signals(run);
	if (!r)
		r = start_child(run, job, err);
	close_stdio(run, job->fd);
	vz_cg_entry_close(&job->groups);
	return r;
}

static void setup_tty(struct run *run, int master)
{
	int in = run->ex->fd[0];

	fcntl(master, F_SETFL, O_NONBLOCK);
	run->flow[0].from = in;
	run->flow[0].from_borrowed = true;
	run->flow[0].to = master;
	run->flow[1].from = master;
	run->flow[1].from_borrowed = true;
	run->flow[1].to = run->ex->fd[1];
	run->flow[1].to_borrowed = true;
	vz_tty_copy_size(in, master);
	run->raw = !vz_tty_raw(in, &run->tty);
}

/* A message of the child, or that there will be none. */
static void receive(struct run *run)
{
	struct vz_exec_msg msg;
	int master = -1;
	ssize_t n = vz_fdpass_recv(run->sock, &msg, sizeof(msg), &master, 1);

	if (n != sizeof(msg)) {
		close_fd(&run->sock);
		return;
	}
	if (msg.err.status) {
		run->err = msg.err;
		return;
	}
	if (!msg.pid) {
		if (master >= 0)
			vz_ugidserver_watch(run->ctx, run->veid, master);
		return;
	}
	run->pid = msg.pid;
	/* It is our child: nobody else can take its number away. */
	run->pidfd = syscall(SYS_pidfd_open, msg.pid, 0);
	if (run->ex->entered)
		run->ex->entered(run->ex->data);
	if (master >= 0)
		setup_tty(run, master);
}

/* To the program and what it started in the foreground of its session. */
static void send_signal(const struct run *run, int sig)
{
	if (run->pid)
		kill(-run->pid, sig);
	else if (run->child >= 0 && sig != SIGWINCH)
		syscall(SYS_pidfd_send_signal, run->child, SIGKILL, NULL, 0);
}

static void pass_signals(const struct run *run)
{
	struct signalfd_siginfo si;

	while (read(run->signals, &si, sizeof(si)) == sizeof(si)) {
		if (si.ssi_signo == SIGPIPE)
			continue;
		if (si.ssi_signo != SIGWINCH)
			send_signal(run, si.ssi_signo);
		else if (run->flow[0].to >= 0 && run->ex->tty)
			vz_tty_copy_size(run->ex->fd[0], run->flow[0].to);
	}
}

static int time_left(struct run *run)
{
	int64_t left;

	if (!run->deadline)
		return -1;
	left = run->deadline - now_ms();
	if (left > 0)
		return left;
	/* Once: what was killed is then waited for. */
	run->timed_out = true;
	run->deadline = 0;
	send_signal(run, SIGKILL);
	return -1;
}

/* Until the program has ended, or the child has without making one. */
static void wait_end(struct run *run)
{
	struct pollfd p[6];

	for (;;) {
		int timeout = time_left(run);

		p[0].fd = run->pid ? run->pidfd : run->sock < 0 ? run->child : -1;
		p[1].fd = run->sock;
		p[2].fd = run->signals;
		for (int i = 0; i < 3; i++) {
			p[i].events = POLLIN;
			p[i].revents = 0;
			vz_flow_poll(&run->flow[i], &p[i + 3]);
		}
		if (poll(p, VZ_ARRAY_SIZE(p), timeout) < 0 && errno != EINTR)
			return;
		if (p[2].revents)
			pass_signals(run);
		if (p[1].revents)
			receive(run);
		for (int i = 0; i < 3; i++)
			vz_flow_pump(&run->flow[i], &p[i + 3]);
		/* An end that was seen before the report of it waits one round. */
		if (p[0].revents && run->sock < 0)
			return;
	}
}

static int status_of(int pidfd)
{
	siginfo_t si = { 0 };

	while (waitid(P_PIDFD, pidfd, &si, WEXITED))
		if (errno != EINTR)
			return -errno;
	return si.si_code == CLD_EXITED ? si.si_status : 128 + si.si_status;
}

static int finish(struct run *run, struct vz_err *err)
{
	int status = -ECHILD;

	status_of(run->child);
	if (run->pid)
		status = status_of(run->pidfd);
	/* What it wrote last; but not what its background goes on to write. */
	vz_flow_drain(&run->flow[1]);
	vz_flow_drain(&run->flow[2]);
	if (run->timed_out)
		return vz_err_set(err, VZ_E_TIMEOUT, ETIMEDOUT,
				  "the command in the VE was killed after %d ms",
				  run->ex->timeout_ms);
	if (run->err.status) {
		if (err)
			*err = run->err;
		return run->err.errnum ? -run->err.errnum : -EINVAL;
	}
	if (!run->pid)
		return vz_err_set(err, VZ_E_SYSTEM, EINTR,
				  "interrupted on the way into the VE");
	return status;
}

int vz_exec(const struct vz_ctx *ctx, uint32_t veid, const struct vz_exec *ex,
	    struct vz_err *err)
{
	VZ_CLEANUP(run_done) struct run run;
	vz_autofd int init = -1;
	struct vz_state st;
	struct vz_exec_job job = { .ex = ex, .st = &st };
	int r = vz_state_open_init(ctx, veid, &st, &init, err);

	run_init(&run, ex);
	run.ctx = ctx;
	run.veid = veid;
	if (r == -ESRCH)
		return vz_err_set(err, VZ_E_NOTRUNNING, 0, "VE %u is not running", veid);
	if (vz_frozen(ctx, veid))
		return vz_err_set(err, VZ_E_NOTRUNNING, 0,
				  "VE %u stands still: vzctl resume %u", veid, veid);
	if (r)
		return r;
	job.init = init;
	r = start(ctx, veid, &run, &job, err);
	vz_strv_done(&job.env);
	free(job.argv);
	if (r)
		return r;
	wait_end(&run);
	return finish(&run, err);
}

/*
 * The text in a sealed memory file, which the shell opens as its script and
 * then closes (on the script's first line, so that line numbers stay right):
 * standard input stays free, and nothing appears among arguments or on disk.
 */
static int script_file(const char *text, struct vz_err *err)
{
	static const char prelude[] = "exec 0</dev/null;";
	vz_autofd int fd = memfd_create("script", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int r = fd < 0 ? -errno : vz_write_all(fd, prelude, sizeof(prelude) - 1);

	if (!r)
		r = vz_write_all(fd, text, strlen(text));
	if (!r && fcntl(fd, F_ADD_SEALS,
			F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE))
		r = -errno;
	if (!r && lseek(fd, 0, SEEK_SET))
		r = -errno;
	return r ? vz_err_set(err, VZ_E_SYSTEM, -r, "can't hold the script")
		 : vz_take_fd(&fd);
}

int vz_exec_script(const struct vz_ctx *ctx, uint32_t veid, const char *text,
		   const char *const *env, int timeout_ms, struct vz_err *err)
{
	static const char *const argv[] = { "sh", "/proc/self/fd/0", NULL };
	vz_autofd int fd = script_file(text, err);
	struct vz_exec ex = {
		.argv = argv,
		.env = env,
		.fd = { fd, STDOUT_FILENO, STDERR_FILENO },
		.shell = true,
		.timeout_ms = timeout_ms,
	};

	return fd < 0 ? fd : vz_exec(ctx, veid, &ex, err);
}
