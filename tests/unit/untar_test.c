/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Archives that a stranger made, entry by entry: what comes of each. */
#include "sys/untar.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "tests/unit/tap.h"

#define BLOCK 512
#define HOST_ID 300000

static char dir[] = "/tmp/vz-test-untar.XXXXXX";

/* POSIX's header, of which the rest is zeros. */
struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type;
	char link[100], magic[8], uname[32], gname[32], major[8], minor[8], prefix[155];
	char pad[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a block of the archive");

struct entry {
	const char *name;
	char type; /* '0' file, '1' hard link, '2' symbolic link, '3' device, '5' directory */
	const char *link;
	unsigned int uid, size, mode;
};

static void put_entry(int fd, const struct entry *e)
{
	struct header h = { .type = e->type, .magic = "ustar" };
	static const char zeros[BLOCK];
	unsigned int sum = 0;

	snprintf(h.name, sizeof(h.name), "%s", e->name);
	snprintf(h.link, sizeof(h.link), "%s", e->link ? e->link : "");
	snprintf(h.mode, sizeof(h.mode), "%07o", (e->mode ? e->mode : 0644) & 07777);
	snprintf(h.uid, sizeof(h.uid), "%07o", e->uid & 07777777);
	snprintf(h.gid, sizeof(h.gid), "%07o", e->uid & 07777777);
	snprintf(h.size, sizeof(h.size), "%011o", e->size & 07777777);
	snprintf(h.mtime, sizeof(h.mtime), "%011o", 0);
	memcpy(h.magic + 6, "00", 2);
	if (e->type == '3') {
		snprintf(h.major, sizeof(h.major), "%07o", 8);
		snprintf(h.minor, sizeof(h.minor), "%07o", 0);
	}
	memset(h.sum, ' ', sizeof(h.sum));
	for (size_t i = 0; i < sizeof(h); i++)
		sum += ((unsigned char *)&h)[i];
	snprintf(h.sum, sizeof(h.sum), "%06o", sum);
	vz_write_all(fd, &h, sizeof(h));
	for (unsigned int n = e->size; n; n -= n < BLOCK ? n : BLOCK)
		vz_write_all(fd, zeros, BLOCK);
}

/* Make and unpack it; what is left is below DIR/root. */
static int unpack(const struct entry *e, size_t n, uint64_t max_bytes,
		  uint64_t max_inodes, bool cut, struct vz_err *err)
{
	vz_autofree char *path = vz_strf("%s/archive.tar", dir);
	vz_autofree char *root = vz_strf("%s/root", dir);
	vz_autofd int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	vz_autofd int rootfd = -1;
	static const char end[2 * BLOCK];

	for (size_t i = 0; i < n; i++)
		put_entry(fd, &e[i]);
	if (!cut)
		vz_write_all(fd, end, sizeof(end));
	else if (ftruncate(fd, lseek(fd, 0, SEEK_CUR) - BLOCK / 2))
		return -errno;
	lseek(fd, 0, SEEK_SET);
	vz_remove_tree(AT_FDCWD, root);
	mkdir(root, 0755);
	rootfd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	memset(err, 0, sizeof(*err));
	return vz_untar(&(struct vz_untar){ .archive_fd = fd,
					    .rootfd = rootfd,
					    .uid = HOST_ID,
					    .gid = HOST_ID,
					    .max_bytes = max_bytes,
					    .max_inodes = max_inodes },
			err);
}

static bool look(const char *name, struct stat *st)
{
	vz_autofree char *path = vz_strf("%s/%s", dir, name);

	return !lstat(path, st);
}

static void test_good(void)
{
	static const struct entry all[] = {
		{ "etc/", '5', NULL, 0, 0, 0755 },
		{ "etc/passwd", '0', NULL, 0, 700, 0644 },
		{ "home/user/deep/file", '0', NULL, 1000, 3, 0600 },
		{ "etc/hard", '1', "etc/passwd", 0, 0, 0644 },
		{ "bin", '2', "/usr/bin", 0, 0, 0777 },
		{ "usr/bin/su", '0', NULL, 0, 1, 04755 },
		{ "dev/null", '3', NULL, 0, 0, 0666 },
	};
	struct vz_err err;
	struct stat st;

	tap_is_int(unpack(all, VZ_ARRAY_SIZE(all), 0, 0, false, &err), 0, "a tree");
	tap_ok(look("root/etc/passwd", &st) && st.st_size == 700 && st.st_nlink == 2 &&
		       st.st_uid == HOST_ID,
	       "a file and its hard link are the VE's root's");
	tap_ok(look("root/home/user/deep/file", &st) && st.st_uid == HOST_ID + 1000 &&
		       (st.st_mode & 07777) == 0600,
	       "a user's file is moved into the VE's range");
	tap_ok(look("root/bin", &st) && S_ISLNK(st.st_mode), "a link may say anything");
	tap_ok(look("root/usr/bin/su", &st) && st.st_mode & S_ISUID, "set-uid is kept");
	tap_ok(!look("root/dev/null", &st), "a device of dev/ is passed over");
}

static void test_bad(void)
{
	static const struct {
		const char *what;
		struct entry e[3];
		size_t n;
		int status;
	} bad[] = {
		{ "out of the tree by ..",
		  { { "../out", '0', NULL, 0, 1 } },
		  1,
		  VZ_E_BADTEMPLATE },
		{ "by .. further on",
		  { { "a/../../out", '0', NULL, 0, 1 } },
		  1,
		  VZ_E_BADTEMPLATE },
		{ "an absolute name",
		  { { "/etc/out", '0', NULL, 0, 1 } },
		  1,
		  VZ_E_BADTEMPLATE },
		{ "through a link",
		  { { "l", '2', "..", 0, 0 }, { "l/out", '0', NULL, 0, 1 } },
		  2,
		  VZ_E_BADTEMPLATE },
		{ "through a link to /",
		  { { "l", '2', "/", 0, 0 }, { "l/out", '0', NULL, 0, 1 } },
		  2,
		  VZ_E_BADTEMPLATE },
		{ "a hard link out",
		  { { "h", '1', "../archive.tar", 0, 0 } },
		  1,
		  VZ_E_BADTEMPLATE },
		{ "a hard link to a link's end",
		  { { "l", '2', "../archive.tar", 0, 0 }, { "h", '1', "l", 0, 0 } },
		  2,
		  VZ_E_BADTEMPLATE },
		{ "a device elsewhere",
		  { { "sda", '3', NULL, 0, 0 } },
		  1,
		  VZ_E_BADTEMPLATE },
		{ "an owner out of the range",
		  { { "f", '0', NULL, 65536, 1 } },
		  1,
		  VZ_E_BADTEMPLATE },
	};
	struct vz_err err;
	struct stat st;

	for (size_t i = 0; i < VZ_ARRAY_SIZE(bad); i++) {
		int r = unpack(bad[i].e, bad[i].n, 0, 0, false, &err);

		tap_ok(r && (int)err.status == bad[i].status, "%s: %s", bad[i].what,
		       err.text);
		tap_ok(!look("out", &st) && look("archive.tar", &st) && st.st_nlink == 1,
		       "%s: nothing is outside", bad[i].what);
	}
}

static void test_limits(void)
{
	static const struct entry two[] = { { "a", '0', NULL, 0, 6000 },
					    { "b", '0', NULL, 0, 6000 } };
	struct vz_err err;

	tap_is_int(unpack(two, 2, 16384, 0, false, &err), 0, "as many bytes as may be");
	tap_ok(unpack(two, 2, 8000, 0, false, &err) && err.status == VZ_E_NOSPACE,
	       "more: %s", err.text);
	tap_is_int(unpack(two, 2, 0, 3, false, &err), 0, "as many files as may be");
	tap_ok(unpack(two, 2, 0, 1, false, &err) && err.status == VZ_E_NOSPACE,
	       "more: %s", err.text);
	tap_ok(unpack(two, 2, 0, 0, true, &err) && err.status == VZ_E_BADTEMPLATE,
	       "cut in the middle: %s", err.text);
	tap_ok(unpack(two, 0, 0, 0, true, &err) != 0, "cut before its beginning");
}

int main(void)
{
	if (geteuid()) {
		puts("1..0 # SKIP not root");
		return 0;
	}
	if (!mkdtemp(dir))
		return 1;
	test_good();
	test_bad();
	test_limits();
	vz_remove_tree(AT_FDCWD, dir);
	return tap_done();
}
