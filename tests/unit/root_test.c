/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A tree as a hostile VE would make it, with a file of "the host" beside it
 * that no call may reach.
 */
#include "sys/root.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "tap.h"

#define SECRET "the host's\n"

static char top[] = "/tmp/vz-root-test.XXXXXX";
static int root;

/* Everything here is relative to `top`: the VE's root is ve/, the host's file host. */
static void put(const char *path, const char *text)
{
	vz_autofd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || vz_write_all(fd, text, strlen(text)))
		printf("Bail out! %s: %s\n", path, strerror(errno));
}

static void must(int r, const char *what)
{
	if (r)
		printf("Bail out! %s: %s\n", what, strerror(errno));
}

static void make_tree(void)
{
	char host[64];

	must(!mkdtemp(top) || chdir(top), "directory");
	snprintf(host, sizeof(host), "%s/host", top);
	put("host", SECRET);
	must(mkdir("ve", 0755) || mkdir("ve/etc", 0755) || mkdir("ve/real", 0755) ||
		     mkdir("hostdir", 0755),
	     "mkdir");
	put("ve/etc/file", "mine\n");
	put("ve/host", "a look-alike\n");
	must(symlink(host, "ve/abs"), "abs");
	must(symlink("../host", "ve/up"), "up");
	must(symlink("../../../../../../../../../../etc/passwd", "ve/far"), "far");
	must(symlink("/proc/self/root/etc/passwd", "ve/magic"), "magic");
	must(symlink("/proc/1/root", "ve/hostroot"), "hostroot");
	must(symlink("loop", "ve/loop"), "loop");
	must(symlink("/real", "ve/dirlink"), "dirlink");
	must(symlink("../../../hostdir", "ve/dirup"), "dirup");
	must(symlink("nowhere", "ve/dangling"), "dangling");
	must(mkfifo("ve/fifo", 0600), "fifo");
	if (!getuid())
		must(mknod("ve/zero", S_IFCHR | 0666, makedev(1, 5)), "zero");
	root = vz_root_open("ve");
}

static void test_read(void)
{
	static const struct {
		const char *path;
		int r;
		const char *text;
	} t[] = {
		{ "/etc/file", 0, "mine\n" },
		{ "etc/file", 0, "mine\n" },
		{ "/../../etc/file", 0, "mine\n" },
		{ "/up", 0, "a look-alike\n" },
		{ "/abs", -ENOENT },
		{ "/far", -ENOENT },
		{ "/magic", -ENOENT },
		{ "/hostroot/etc/passwd", -ENOENT },
		{ "/loop", -ELOOP },
		{ "/fifo", -EINVAL },
		{ "/etc", -EINVAL },
		{ "/dangling", -ENOENT },
		{ "/etc/file/", -ENOTDIR },
		{ "", -ENOENT },
	};

	for (size_t i = 0; i < VZ_ARRAY_SIZE(t); i++) {
		vz_autofree char *text = NULL;
		char name[80];

		snprintf(name, sizeof(name), "read '%s'", t[i].path);
		tap_is_int(vz_root_read(root, t[i].path, 100, &text), t[i].r, name);
		tap_is_str(text, t[i].text, name);
	}
	if (!getuid()) {
		vz_autofree char *text = NULL;

		tap_is_int(vz_root_read(root, "/zero", 100, &text), -EINVAL,
			   "a device is not read");
	}
}

static void test_magic(void)
{
	/* The root of a running VE has a /proc: the host's root is our own /. */
	vz_autofd int slash = vz_root_open("/");
	vz_autofree char *text = NULL;

	tap_is_int(vz_root_read(slash, "/proc/self/root/etc/passwd", 1 << 20, &text),
		   -ELOOP, "no link of /proc is followed");
	tap_is_int(vz_root_read(slash, "/proc/self/exe", 1 << 28, &text), -ELOOP,
		   "nor one at the end");
	tap_ok(!text, "nothing was read");
}

static void test_big(void)
{
	vz_autofree char *text = NULL;

	tap_is_int(vz_root_read(root, "/etc/file", 4, &text), -EFBIG,
		   "too big is refused");
	tap_is_int(vz_root_read(root, "/etc/file", 5, &text), 0, "just fits");
}

/* Replace `path` and say what is at `where` (below top) afterwards. */
static void replaced(const char *path, int r, const char *where)
{
	vz_autofree char *text = NULL;
	struct stat st = { 0 };
	char name[80];

	snprintf(name, sizeof(name), "replace '%s'", path);
	tap_is_int(vz_root_replace(root, path, "new\n", 4, 1234, 1235, 0640), r, name);
	if (r)
		return;
	vz_read_file(where, 100, &text, NULL);
	tap_is_str(text, "new\n", name);
	tap_ok(!lstat(where, &st) && S_ISREG(st.st_mode) &&
		       (st.st_mode & 07777) == 0640 && st.st_uid == 1234 &&
		       st.st_gid == 1235,
	       "%s: a plain file of the VE's", name);
}

static void test_replace(void)
{
	replaced("/etc/file", 0, "ve/etc/file");
	replaced("/etc/new", 0, "ve/etc/new");
	replaced("top", 0, "ve/top");
	replaced("/abs", 0, "ve/abs");
	replaced("/up", 0, "ve/up");
	replaced("/fifo", 0, "ve/fifo");
	replaced("/loop", 0, "ve/loop");
	replaced("/dangling", 0, "ve/dangling");
	replaced("/dirlink/f", 0, "ve/real/f");
	replaced("/dirup/f", -ENOENT, NULL);
	replaced("/hostroot/f", -ENOENT, NULL);
	replaced("/etc", -EISDIR, NULL);
	replaced("/nowhere/f", -ENOENT, NULL);
	replaced("/etc/..", -EINVAL, NULL);
	replaced("/etc/", -EINVAL, NULL);
	replaced("/", -EINVAL, NULL);
	replaced("", -EINVAL, NULL);
	tap_ok(access("hostdir/f", F_OK), "nothing in the host's directory");
}

static void test_no_temporaries(void)
{
	vz_autofd int fd = -1;
	vz_autodir DIR *d = opendir("ve/etc");
	struct dirent *e;
	int n = 0;

	while ((e = readdir(d)))
		n += !strncmp(e->d_name, ".vz-", 4);
	tap_is_int(n, 0, "no temporary file stays");
	fd = vz_root_open_file(root, "/etc/file", O_RDONLY);
	tap_ok(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC, "closed on exec");
}

static void test_mkdir(void)
{
	struct stat st = { 0 };

	tap_is_int(vz_root_mkdir_p(root, "/a/b//c/", 7, 8, 0751), 0, "mkdir -p");
	tap_ok(!stat("ve/a/b/c", &st) && st.st_uid == 7 && st.st_gid == 8 &&
		       (st.st_mode & 07777) == 0751,
	       "with ids and mode");
	tap_is_int(vz_root_mkdir_p(root, "/a/b/c", 9, 9, 0700), 0, "again");
	tap_ok(!stat("ve/a/b/c", &st) && st.st_uid == 7, "what is there stays");
	tap_is_int(vz_root_mkdir_p(root, "/dirlink/d", 7, 8, 0755), 0, "through a link");
	tap_ok(!stat("ve/real/d", &st), "inside");
	must(symlink("../../..", "ve/out") || symlink("/absent", "ve/gone"), "links");
	tap_is_int(vz_root_mkdir_p(root, "/out/escaped", 7, 8, 0755), 0, "a link out");
	tap_ok(!stat("ve/escaped", &st) && stat("escaped", &st), "stays inside");
	tap_is_int(vz_root_mkdir_p(root, "/gone/x", 7, 8, 0755), -ENOTDIR,
		   "a dangling link is not filled");
	tap_is_int(vz_root_mkdir_p(root, "/etc/file/x", 7, 8, 0755), -ENOTDIR,
		   "a file in the way");
	tap_is_int(vz_root_mkdir_p(root, "/a/../b", 7, 8, 0755), -EINVAL, "no ..");
	tap_is_int(vz_root_mkdir_p(root, "/", 7, 8, 0755), 0, "the root is there");
}

static void test_open_dir(void)
{
	static const struct {
		const char *path;
		int r;
	} t[] = {
		{ "/real", 0 },
		{ "/real/d", 0 },
		{ "/", 0 },
		{ "/dirlink", -ELOOP },
		{ "/dirlink/d", -ELOOP },
		{ "/out", -ELOOP },
		{ "/etc/file", -ENOTDIR },
		{ "/none", -ENOENT },
	};

	for (size_t i = 0; i < VZ_ARRAY_SIZE(t); i++) {
		vz_autofd int fd = vz_root_open_dir(root, t[i].path);

		tap_ok(t[i].r ? fd == t[i].r : fd >= 0, "mount target %s: %d", t[i].path,
		       fd);
	}
}

static void test_unlink(void)
{
	must(symlink("../host", "ve/link") || symlink("../..", "ve/etc/outdir"), "links");
	tap_is_int(vz_root_unlink(root, "/link"), 0, "unlink a link");
	tap_is_int(vz_root_unlink(root, "/link"), -ENOENT, "once");
	tap_is_int(vz_root_unlink(root, "/etc/outdir/host"), 0,
		   "through a link: ve/host");
	tap_ok(access("ve/host", F_OK) && !access("host", F_OK), "and not the host's");
	tap_is_int(vz_root_unlink(root, "/etc"), -EISDIR, "no directory");
	tap_is_int(vz_root_unlink(root, "/.."), -EINVAL, "nor ..");
}

/* The other side of the race: etc is a directory, a link out, and so on. */
static void swap_for_ever(void)
{
	must(mkdir("ve/swap", 0755) || symlink("../hostdir", "ve/swap2"), "swap");
	for (;;)
		syscall(SYS_renameat2, AT_FDCWD, "ve/swap", AT_FDCWD, "ve/swap2",
			RENAME_EXCHANGE);
}

static void test_race(void)
{
	int inside = 0, other = 0, r;
	struct stat st;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		swap_for_ever();
	while (access("ve/swap2", F_OK))
		usleep(1000);
	for (int i = 0; i < 3000; i++) {
		r = vz_root_replace(root, "/swap/victim", "x", 1, 0, 0, 0644);
		inside += !r;
		other += r && r != -ENOENT && r != -EAGAIN;
		r = vz_root_mkdir_p(root, "/swap/dir", 0, 0, 0755);
		other += r && r != -ENOENT && r != -EAGAIN && r != -ENOTDIR;
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	tap_ok(inside > 0, "a race: %d of 3000 were written inside", inside);
	tap_is_int(other, 0, "a race: no other outcome than absent");
	tap_ok(stat("hostdir/victim", &st) && stat("hostdir/dir", &st),
	       "a race: nothing reached the host's directory");
}

/* A VE may hold a lease on its file: we must not wait for it. */
static void test_lease(void)
{
	vz_autofd int fd = open("ve/etc/new", O_RDONLY | O_CLOEXEC);
	vz_autofd int ours = -1;

	signal(SIGIO, SIG_IGN);
	if (fcntl(fd, F_SETLEASE, F_RDLCK)) {
		tap_skip("a lease", "this file system has none");
		return;
	}
	alarm(20);
	ours = vz_root_open_file(root, "/etc/new", O_WRONLY);
	alarm(0);
	tap_is_int(ours, -EWOULDBLOCK, "a lease does not hold us up");
}

int main(void)
{
	vz_autofree char *text = NULL;

	make_tree();
	if (getuid()) {
		printf("1..0 # SKIP not root\n");
		return 0;
	}
	test_read();
	test_magic();
	test_big();
	test_replace();
	test_no_temporaries();
	test_lease();
	test_mkdir();
	test_open_dir();
	test_unlink();
	test_race();
	vz_read_file("host", 100, &text, NULL);
	tap_is_str(text, SECRET, "the host's file is untouched");
	close(root);
	must(chdir("/") || vz_remove_tree(AT_FDCWD, top), "clean up");
	return tap_done();
}
