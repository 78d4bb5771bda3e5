/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vz_remove_tree(): trees as a hostile VE builds them. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "tests/unit/tap.h"

static int top; /* a directory of our own, with a file that must stay */

static bool gone(const char *name)
{
	return faccessat(top, name, F_OK, AT_SYMLINK_NOFOLLOW) && errno == ENOENT;
}

static void make_file(int dirfd, const char *name)
{
	vz_autofd int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		perror(name);
}

/* Far deeper than a path can name, with a file on each floor. */
static void make_deep(const char *name, int depth)
{
	int fd = dup(top), next;
	const char *n = name;

	for (int i = 0; i < depth; i++) {
		if (mkdirat(fd, n, 0700) && errno != EEXIST)
			perror("mkdir");
		next = openat(fd, n, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(fd);
		fd = next;
		make_file(fd, "file");
		n = "a-name-that-is-not-short-at-all-and-goes-on";
	}
	close(fd);
}

static void test_deep(void)
{
	struct rlimit few = { .rlim_cur = 64, .rlim_max = 64 }, was;

	make_deep("deep", 3000);
	make_deep("deep", 1);
	/* Names that the mover would like to use are there already. */
	mkdirat(top, "deep/.vz-removed.0", 0700);
	make_file(top, "deep/.vz-removed.1");
	getrlimit(RLIMIT_NOFILE, &was);
	few.rlim_max = was.rlim_max;
	setrlimit(RLIMIT_NOFILE, &few);
	tap_is_int(vz_remove_tree(top, "deep"), 0, "3000 levels with 64 descriptors");
	setrlimit(RLIMIT_NOFILE, &was);
	tap_ok(gone("deep"), "are gone");
}

static void test_wide(void)
{
	char name[64];

	mkdirat(top, "wide", 0700);
	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "wide/%d", i);
		mkdirat(top, name, 0700);
		snprintf(name, sizeof(name), "wide/%d/x", i);
		make_file(top, name);
	}
	tap_is_int(vz_remove_tree(top, "wide"), 0, "500 directories");
	tap_ok(gone("wide"), "are gone");
}

static void test_links(void)
{
	mkdirat(top, "keep", 0700);
	make_file(top, "keep/file");
	mkdirat(top, "links", 0700);
	if (symlinkat("../keep", top, "links/dir") ||
	    symlinkat("../keep/file", top, "links/file") ||
	    symlinkat("keep", top, "link") || mkfifoat(top, "links/fifo", 0600))
		perror("links");
	tap_is_int(vz_remove_tree(top, "links"), 0, "links and a fifo");
	tap_is_int(vz_remove_tree(top, "link"), 0, "a link by itself");
	tap_ok(gone("links") && gone("link") && !gone("keep/file"),
	       "are gone, what they led to is there");
	tap_is_int(vz_remove_tree(top, "absent"), 0, "what is not there is no error");
}

static bool set_flag(const char *name, int flag)
{
	vz_autofd int fd = openat(top, name, O_RDONLY | O_CLOEXEC);

	return fd >= 0 && !ioctl(fd, FS_IOC_SETFLAGS, &flag);
}

static void test_flags(void)
{
	mkdirat(top, "flags", 0700);
	mkdirat(top, "flags/dir", 0700);
	make_file(top, "flags/file");
	make_file(top, "flags/dir/file");
	if (!set_flag("flags/file", FS_IMMUTABLE_FL)) {
		vz_remove_tree(top, "flags");
		return tap_skip("immutable files", "not allowed here");
	}
	set_flag("flags/dir/file", FS_APPEND_FL);
	set_flag("flags/dir", FS_IMMUTABLE_FL);
	tap_is_int(vz_remove_tree(top, "flags"), 0, "immutable and append-only ones");
	tap_ok(gone("flags"), "are gone");
}

static void test_mount(void)
{
	mkdirat(top, "mounted", 0700);
	mkdirat(top, "mounted/sub", 0700);
	make_file(top, "mounted/file");
	if (fchdir(top) || mount("keep", "mounted/sub", NULL, MS_BIND, NULL)) {
		vz_remove_tree(top, "mounted");
		return tap_skip("a mount in the tree", "can't mount here");
	}
	tap_ok(vz_remove_tree(top, "mounted") < 0, "a mount in the tree is an error");
	tap_ok(!gone("keep/file") && gone("mounted/file"),
	       "what is mounted stays, the rest goes");
	umount2("mounted/sub", MNT_DETACH);
	tap_is_int(vz_remove_tree(top, "mounted"), 0, "without it all goes");
}

int main(void)
{
	char dir[] = "/tmp/vz-test-rmtree.XXXXXX";

	if (!mkdtemp(dir))
		return 2;
	top = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	test_deep();
	test_wide();
	test_links();
	test_flags();
	test_mount();
	tap_is_int(vz_remove_tree(top, "keep"), 0, "the rest");
	rmdir(dir);
	return tap_done();
}
