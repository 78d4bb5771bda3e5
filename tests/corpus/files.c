/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files, pipes, terminals and locks. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "corpus.h"

static int a[2] = { -1, -1 }, fd = -1, fd2 = -1;
static pid_t child;

/* --- pipes --- */

static void make_pipe(void)
{
	must(!pipe(a) && writes(a[1], WORD), "pipe");
}

static bool has_pipe(void)
{
	return passes(a[1], a[0]);
}

static void make_pipe_packets(void)
{
	must(!pipe2(a, O_DIRECT) && writes(a[1], WORD), "pipe2");
}

static void make_fifo(void)
{
	must(!mkfifo("fifo", 0600) && (fd = open("fifo", O_RDWR)) >= 0 &&
		     writes(fd, WORD),
	     "fifo");
}

static bool has_fifo(void)
{
	return passes(fd, fd);
}

static void make_fifo_deleted(void)
{
	make_fifo();
	must(!unlink("fifo"), "unlink");
}

/* --- files --- */

static int new_file(const char *name)
{
	int f = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);

	must(f >= 0 && writes(f, WORD), name);
	return f;
}

static bool has_file(void)
{
	return !lseek(fd, 0, SEEK_SET) && reads(fd, WORD);
}

static void make_file(void)
{
	fd = new_file("file");
}

static void make_deleted(void)
{
	fd = new_file("file");
	must(!unlink("file"), "unlink");
}

/* More than is kept of a deleted file. */
static void make_deleted_big(void)
{
	static char block[1 << 20];

	make_deleted();
	memset(block, 'x', sizeof(block));
	for (int i = 0; i < 80; i++)
		must(write(fd, block, sizeof(block)) == sizeof(block), "write");
}

static void make_deleted_link(void)
{
	fd = new_file("file");
	must(!link("file", "other") && !unlink("file"), "link");
}

static void make_deleted_dir(void)
{
	must(!mkdir("dir", 0700) && (fd = open("dir", O_RDONLY | O_DIRECTORY)) >= 0 &&
		     !rmdir("dir"),
	     "dir");
}

static bool has_dir(void)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISDIR(st.st_mode);
}

static void make_renamed(void)
{
	fd = new_file("file");
	must(!rename("file", "elsewhere"), "rename");
}

/* Its name is another's now. */
static void make_replaced(void)
{
	fd = new_file("file");
	fd2 = new_file("other");
	must(!rename("other", "file"), "rename");
}

static void make_tmpfs_file(void)
{
	fd = new_file("/dev/shm/corpus");
}

static void make_tmpfs_deleted(void)
{
	fd = new_file("/dev/shm/corpus");
	must(!unlink("/dev/shm/corpus"), "unlink");
}

static void make_tmpfile(void)
{
	fd = open(".", O_TMPFILE | O_RDWR, 0600);
	skip_unless(fd >= 0, "O_TMPFILE");
	must(writes(fd, WORD), "write");
}

static void make_path_fd(void)
{
	close(new_file("file"));
	fd = open("file", O_PATH);
	must(fd >= 0, "O_PATH");
}

static bool has_path_fd(void)
{
	struct stat st;

	return !fstat(fd, &st) && st.st_size == 4;
}

static void make_devices(void)
{
	fd = open("/dev/zero", O_RDWR);
	fd2 = open("/dev/urandom", O_RDONLY);
	must(fd >= 0 && fd2 >= 0, "devices");
}

static bool has_devices(void)
{
	char c = 1;

	return read(fd, &c, 1) == 1 && !c && read(fd2, &c, 1) == 1;
}

static void make_proc_files(void)
{
	fd = open("/proc/self/status", O_RDONLY);
	fd2 = open("/sys/fs/cgroup", O_RDONLY | O_DIRECTORY);
	must(fd >= 0, "/proc");
}

static bool has_proc_files(void)
{
	char c;

	return !lseek(fd, 0, SEEK_SET) && read(fd, &c, 1) == 1;
}

static void wait_here(void)
{
}

static void make_proc_dead(void)
{
	char path[64];

	child = helper(wait_here);
	snprintf(path, sizeof(path), "/proc/%d/status", child);
	fd = open(path, O_RDONLY);
	must(fd >= 0 && !kill(child, SIGKILL) && waitpid(child, NULL, 0) == child,
	     "dead");
}

static bool has_fd(void)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/* One open file, two processes. */
static void make_dup(void)
{
	fd = new_file("file");
	child = helper(wait_here);
	fd2 = dup(fd);
}

static bool has_dup(void)
{
	return lives(child) && lseek(fd, 2, SEEK_SET) == 2 &&
	       lseek(fd2, 0, SEEK_CUR) == 2;
}

static void make_many(void)
{
	for (int i = 0; i < 400; i++) {
		fd = open("/dev/null", O_RDWR);
		must(fd >= 0, "/dev/null");
	}
}

/* --- locks --- */

static void make_flock(void)
{
	fd = new_file("file");
	must(!flock(fd, LOCK_EX), "flock");
}

static bool locked_for_others(bool whole)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 10 };
	int status = 1;
	pid_t pid = fork();

	if (!pid) {
		int f = open("file", O_RDWR);

		_exit(!(f >= 0 &&
			(whole ? flock(f, LOCK_EX | LOCK_NB) != 0
			       : !fcntl(f, F_GETLK, &l) && l.l_type == F_WRLCK)));
	}
	return waitpid(pid, &status, 0) == pid && !status;
}

static bool has_flock(void)
{
	return locked_for_others(true);
}

static bool has_record(void)
{
	return locked_for_others(false);
}

static void make_posix_lock(void)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 10 };

	fd = new_file("file");
	must(!fcntl(fd, F_SETLK, &l), "lock");
}

static void make_ofd_lock(void)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 10 };

	fd = new_file("file");
	must(!fcntl(fd, F_OFD_SETLK, &l), "lock");
}

static void make_lease(void)
{
	close(new_file("file"));
	fd = open("file", O_RDONLY);
	skip_unless(!fcntl(fd, F_SETLEASE, F_RDLCK), "lease");
}

static bool has_lease(void)
{
	return fcntl(fd, F_GETLEASE) == F_RDLCK;
}

/* --- terminals --- */

static int pty(void)
{
	int m = posix_openpt(O_RDWR | O_NOCTTY);

	must(m >= 0 && !unlockpt(m), "posix_openpt");
	return m;
}

static void make_pty(void)
{
	struct termios t;

	a[0] = pty();
	a[1] = open(ptsname(a[0]), O_RDWR | O_NOCTTY);
	must(a[1] >= 0 && !tcgetattr(a[1], &t), "pts");
	cfmakeraw(&t);
	must(!tcsetattr(a[1], TCSANOW, &t), "tcsetattr");
}

static bool has_pty(void)
{
	struct termios t;

	return writes(a[0], WORD) && reads(a[1], WORD) && !tcgetattr(a[1], &t) &&
	       !(t.c_lflag & ECHO);
}

/* A session of its own on a terminal, as sshd or screen have it. */
static void on_terminal(void)
{
	must(setsid() > 0, "setsid");
	a[1] = open(ptsname(a[0]), O_RDWR);
	must(a[1] >= 0 && tcgetpgrp(a[1]) == getpid(), "controlling terminal");
	close(a[0]);
}

static void make_pty_session(void)
{
	a[0] = pty();
	child = helper(on_terminal);
}

static bool has_pty_session(void)
{
	return lives(child) && writes(a[0], "x\n");
}

static void with_dev_tty(void)
{
	on_terminal();
	must(open("/dev/tty", O_RDWR) >= 0, "/dev/tty");
}

static void make_dev_tty(void)
{
	a[0] = pty();
	child = helper(with_dev_tty);
}

/* The shell has closed all but /dev/tty. */
static void only_dev_tty(void)
{
	with_dev_tty();
	close(a[1]);
}

static void make_dev_tty_only(void)
{
	a[0] = pty();
	child = helper(only_dev_tty);
}

/* Its leader has ended, the terminal is nobody's. */
static void leaves_session(void)
{
	on_terminal();
	if (fork())
		_exit(0);
	signal(SIGHUP, SIG_IGN);
	sleep(1000);
}

static void make_pty_no_leader(void)
{
	a[0] = pty();
	child = fork();
	if (!child)
		leaves_session();
	must(waitpid(child, NULL, 0) == child, "waitpid");
}

static bool has_pty_no_leader(void)
{
	return fcntl(a[0], F_GETFD) >= 0;
}

static void make_pty_packets(void)
{
	int on = 1;

	make_pty();
	must(!ioctl(a[0], TIOCPKT, &on), "TIOCPKT");
}

static bool has_pty_packets(void)
{
	int on = 0;

	return !ioctl(a[0], TIOCGPKT, &on) && on;
}

const struct thing file_things[] = {
	{ "pipe", make_pipe, has_pipe },
	{ "pipe-packets", make_pipe_packets, has_pipe },
	{ "fifo", make_fifo, has_fifo },
	{ "fifo-deleted", make_fifo_deleted, has_fifo },
	{ "file", make_file, has_file },
	{ "file-deleted", make_deleted, has_file },
	{ "file-deleted-big", make_deleted_big, has_fd },
	{ "file-deleted-link", make_deleted_link, has_file },
	{ "file-deleted-dir", make_deleted_dir, has_dir },
	{ "file-renamed", make_renamed, has_file },
	{ "file-replaced", make_replaced, has_file },
	{ "file-tmpfs", make_tmpfs_file, has_file },
	{ "file-tmpfs-deleted", make_tmpfs_deleted, has_file },
	{ "file-o-tmpfile", make_tmpfile, has_file },
	{ "file-o-path", make_path_fd, has_path_fd },
	{ "file-dup", make_dup, has_dup },
	{ "file-many", make_many, has_fd },
	{ "devices", make_devices, has_devices },
	{ "proc-files", make_proc_files, has_proc_files },
	{ "proc-of-dead", make_proc_dead, has_fd },
	{ "lock-flock", make_flock, has_flock },
	{ "lock-posix", make_posix_lock, has_record },
	{ "lock-ofd", make_ofd_lock, has_record },
	{ "lock-lease", make_lease, has_lease },
	{ "pty", make_pty, has_pty },
	{ "pty-session", make_pty_session, has_pty_session },
	{ "pty-dev-tty", make_dev_tty, has_pty_session },
	{ "pty-dev-tty-only", make_dev_tty_only, has_pty_session },
	{ "pty-no-leader", make_pty_no_leader, has_pty_no_leader },
	{ "pty-packets", make_pty_packets, has_pty_packets },
	{ 0 },
};
