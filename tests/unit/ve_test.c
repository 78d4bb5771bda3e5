/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A VE's lock and name, and saving its file. */
#include "ve/ve.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "tests/unit/tap.h"
#include "ve/name.h"
#include "ve/save.h"

static char dir[] = "/tmp/vz-ve-test.XXXXXX";
static struct vz_ctx ctx;

static void put(const char *name, const char *text)
{
	vz_autofree char *path = vz_strf("%s/%s", dir, name);

	vz_replace_file(path, text, strlen(text), 0644);
}

static char *get(const char *name)
{
	vz_autofree char *path = vz_strf("%s/%s", dir, name);
	char *text = NULL;

	vz_read_file(path, 1 << 20, &text, NULL);
	return text;
}

static bool there(const char *name)
{
	vz_autofree char *path = vz_strf("%s/%s", dir, name);
	struct stat st;

	return !lstat(path, &st);
}

static void set_up(void)
{
	vz_autofree char *conf = vz_strf("%s/conf", dir);
	vz_autofree char *global = vz_strf("LOCKDIR=%s/lock\n", dir);

	vz_ctx_init(&ctx);
	ctx.confdir = dir;
	vz_mkdir_p(conf, 0755);
	put("vz.conf", global);
	put("conf/1101.conf", "ONBOOT=no\n");
	put("conf/1102.conf", "ONBOOT=no\nNAME=\"other\"\n");
}

/* A process that locks the VE and dies, or holds it until it is killed. */
static pid_t other_holder(const struct vz_cfg *global, bool stay)
{
	int fd, go[2];
	char c = 0;
	pid_t pid;

	if (pipe(go))
		return -1;
	pid = fork();
	if (!pid) {
		c = vz_ve_lock(&ctx, global, 1101, &fd, NULL) ? 'n' : 'y';
		if (write(go[1], &c, 1) == 1 && stay)
			pause();
		_exit(0);
	}
	close(go[1]);
	if (read(go[0], &c, 1) != 1 || c != 'y')
		tap_ok(false, "the other process has the lock");
	close(go[0]);
	return pid;
}

/* A process that has the locks that a supervisor has, for a moment. */
static pid_t cleaning_supervisor(const char *path)
{
	struct flock share = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	pid_t pid;

	if (fd < 0 || fcntl(fd, F_OFD_SETLK, &share) || flock(fd, LOCK_EX | LOCK_NB))
		tap_ok(false, "the supervisor has the lock");
	pid = fork();
	if (!pid) {
		usleep(100000);
		/* Its end, not its last system call, sets the lock free. */
		_exit(0);
	}
	close(fd);
	return pid;
}

static void test_lock(void)
{
	vz_autocfg struct vz_cfg *global = NULL;
	vz_autofree char *text = NULL, *path = vz_strf("%s/lock/1101.lck", dir);
	struct vz_err err = { 0 };
	int fd = -1, r;
	pid_t pid;

	tap_is_int(vz_cfg_load_global(&ctx, &global, &err), 0, "vz.conf");
	pid = other_holder(global, true);
	r = vz_ve_lock(&ctx, global, 1101, &fd, &err);
	tap_ok(r == -EBUSY && err.status == VZ_E_LOCKED, "locked by another");
	tap_ok(strstr(err.text, "locked by another command (pid "), "%s", err.text);
	tap_ok(!vz_ve_lock(&ctx, global, 1102, &fd, &err), "another VE is free");
	close(fd);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	tap_ok(!vz_ve_lock(&ctx, global, 1101, &fd, &err), "a dead holder has none");
	text = get("lock/1101.lck");
	tap_is_int(text ? atoi(text) : 0, getpid(), "the pid is in the file");
	close(fd);
	pid = other_holder(global, false);
	waitpid(pid, NULL, 0);
	unlink(path);
	tap_ok(!vz_ve_lock(&ctx, global, 1101, &fd, &err), "also when the file is gone");
	close(fd);
	pid = cleaning_supervisor(path);
	tap_ok(!vz_ve_lock(&ctx, global, 1101, &fd, &err), "a supervisor is waited for");
	waitpid(pid, NULL, 0);
	close(fd);
	put("vz.conf", "LOCKDIR=/proc/none\n");
	vz_cfg_free(vz_take(global));
	vz_cfg_load_global(&ctx, &global, &err);
	tap_ok(vz_ve_lock(&ctx, global, 1101, &fd, &err) < 0 &&
		       err.status == VZ_E_LOCKDIR,
	       "no lock directory: %s", err.text);
}

static int lookup(const char *word, struct vz_err *err)
{
	uint32_t id = 0;

	vz_err_clear(err);
	return vz_ve_lookup(&ctx, word, &id, err) ? -1 : (int)id;
}

static void test_names(void)
{
	struct vz_err err = { 0 };

	tap_is_int(lookup("1101", &err), 1101, "a number");
	tap_is_int(lookup("4294967296", &err), -1, "too great a number");
	tap_is_int(err.status, VZ_E_SYNTAX, "is bad syntax");
	tap_is_int(lookup("other", &err), -1, "a name without a link");
	tap_is_int(err.status, VZ_E_NOCONF, "is no VE");
	tap_is_int(vz_name_move(&ctx, 1102, NULL, "other", &err), 0, "make the link");
	tap_is_int(lookup("other", &err), 1102, "a name");
	tap_is_int(vz_name_move(&ctx, 1101, NULL, "alias", &err), 0, "a link only");
	tap_is_int(lookup("alias", &err), -1, "that NAME does not agree with");
	tap_is_int(lookup("../conf/1102.conf", &err), -1, "a path is no name");
	tap_is_int(lookup("", &err), -1, "nor is nothing");
	tap_ok(vz_name_check(&ctx, 1101, "other", &err) < 0 && err.status == VZ_E_NAME,
	       "%s", err.text);
	tap_ok(!vz_name_check(&ctx, 1102, "other", &err), "its own is free to it");
	tap_ok(!vz_name_check(&ctx, 1101, "alias", &err), "a stale link is no owner");
	tap_ok(vz_name_check(&ctx, 1101, "1102", &err) < 0, "%s", err.text);
	tap_ok(!vz_name_check(&ctx, 1101, "1101", &err), "its own number is a name");
	tap_ok(vz_name_check(&ctx, 1101, "a/b", &err) < 0, "%s", err.text);
}

static int rename_to(const char *name, struct vz_err *err)
{
	vz_autocfg struct vz_cfg *old = NULL, *new = NULL;

	vz_err_clear(err);
	if (vz_cfg_load_ve(&ctx, 1101, &old, err) || vz_cfg_copy(old, &new) ||
	    vz_cfg_set(new, VZ_P_NAME, name, err))
		return -1;
	return vz_ve_save(&ctx, 1101, old, new, NULL, err);
}

static void test_save(void)
{
	struct vz_err err = { 0 };
	vz_autofree char *text = NULL;

	tap_is_int(rename_to("web", &err), 0, "a name is saved");
	tap_is_int(lookup("web", &err), 1101, "and found");
	tap_is_int(rename_to("db", &err), 0, "another one");
	tap_is_int(lookup("db", &err), 1101, "is found");
	tap_ok(!there("names/web"), "the old link is gone");
	tap_ok(rename_to("other", &err) < 0 && err.status == VZ_E_NAME, "%s", err.text);
	text = get("conf/1101.conf");
	tap_is_str(text, "ONBOOT=no\nNAME=\"db\"\n", "and nothing changed");
	tap_is_int(rename_to("", &err), 0, "no name");
	tap_ok(!there("names/db"), "no link");
}

/* On a file system that is full nothing changes. */
static void test_full(void)
{
	vz_autofree char *conf = vz_strf("%s/conf", dir), *was = NULL, *is = NULL;
	vz_autofree char *junk = malloc(1 << 20);
	vz_autofree char *fill = vz_strf("%s/conf/fill", dir);
	struct vz_err err = { 0 };
	int fd;

	if (mount("vz-test", conf, "tmpfs", 0, "size=64k")) {
		tap_skip("a full file system", "can't mount a tmpfs");
		return;
	}
	put("conf/1101.conf", "ONBOOT=no\n");
	memset(junk, 'x', 1 << 20);
	fd = open(fill, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	while (write(fd, junk, 4096) > 0)
		;
	close(fd);
	was = get("conf/1101.conf");
	tap_ok(rename_to("full", &err) < 0 && err.status == VZ_E_SAVE, "%s", err.text);
	is = get("conf/1101.conf");
	tap_is_str(is, was, "the file is as it was");
	tap_ok(!there("names/full"), "there is no link");
	umount(conf);
}

int main(void)
{
	if (!mkdtemp(dir))
		return 1;
	set_up();
	test_lock();
	test_names();
	test_save();
	test_full();
	vz_remove_tree(AT_FDCWD, dir);
	return tap_done();
}
