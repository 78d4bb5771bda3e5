/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Owners of a tree from one range of ids to another. */
#include "sys/idshift.h"

#include <endian.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/posix_acl_xattr.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/str.h"
#include "tests/unit/tap.h"

static const struct vz_idshift shift = {
	.uid = 100000, .to_uid = 900000, .gid = 200000, .to_gid = 300000, .count = 65536
};

static void acls(void)
{
	struct {
		struct posix_acl_xattr_header head;
		struct posix_acl_xattr_entry e[3];
	} acl = { { htole32(POSIX_ACL_XATTR_VERSION) },
		  { { htole16(2), htole16(7), htole32(100033) },
		    { htole16(8), htole16(7), htole32(265535) },
		    { htole16(2), htole16(7), htole32(99999) } } };

	tap_ok(vz_idshift_acl(&shift, &acl, sizeof(acl)), "an ACL changes");
	tap_is_int(le32toh(acl.e[0].e_id), 900033, "its user");
	tap_is_int(le32toh(acl.e[1].e_id), 365535, "its group");
	tap_is_int(le32toh(acl.e[2].e_id), 99999, "nobody of another range");
	tap_ok(!vz_idshift_acl(&shift, &acl, sizeof(acl)), "and only once");
	tap_ok(!vz_idshift_acl(&shift, &acl, sizeof(acl) - 1), "not one cut short");
	tap_ok(!vz_idshift_acl(&shift, &acl, 3), "nor one without a head");
	acl.head.a_version = htole32(9);
	tap_ok(!vz_idshift_acl(&shift, &acl, sizeof(acl)), "nor one of another version");
}

static void capabilities(void)
{
	struct vfs_ns_cap_data cap = { .magic_etc = htole32(VFS_CAP_REVISION_3),
				       .rootid = htole32(100000) };

	tap_ok(vz_idshift_cap(&shift, &cap, XATTR_CAPS_SZ_3), "a capability changes");
	tap_is_int(le32toh(cap.rootid), 900000, "its root");
	tap_ok(!vz_idshift_cap(&shift, &cap, XATTR_CAPS_SZ_3), "and only once");
	tap_ok(!vz_idshift_cap(&shift, &cap, XATTR_CAPS_SZ_2), "not one without a root");
}

static void expect(const char *dir, const char *name, uid_t uid, gid_t gid, mode_t mode)
{
	vz_autofree char *path = vz_strf("%s/%s", dir, name);
	struct stat st;

	if (lstat(path, &st))
		tap_ok(false, "%s is there", path);
	else
		tap_ok(st.st_uid == uid && st.st_gid == gid &&
			       (st.st_mode & 07777) == mode,
		       "%s is %u:%u %o", name, st.st_uid, st.st_gid, st.st_mode & 07777);
}

static void own(const char *dir, const char *name, uid_t uid, gid_t gid, mode_t mode)
{
	vz_autofree char *path = vz_strf("%s/%s", dir, name);
	vz_autofd int fd = open(path, O_WRONLY | O_CREAT, 0600);

	if (fd < 0 || lchown(path, uid, gid) || chmod(path, mode))
		tap_ok(false, "%s", path);
}

/* Far deeper than there are descriptors, and than a path may be long. */
static int make_deep(const char *dir, int levels)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY), next;

	while (fd >= 0 && levels--) {
		if (mkdirat(fd, "a-long-name", 0755) ||
		    fchownat(fd, "a-long-name", 100001, 200001, 0))
			break;
		next = openat(fd, "a-long-name", O_RDONLY | O_DIRECTORY);
		close(fd);
		fd = next;
	}
	if (fd >= 0)
		close(fd);
	return levels;
}

static void tree(void)
{
	char dir[] = "/tmp/vz-idshift-test.XXXXXX";
	struct vz_err err = { 0 };
	struct vz_idshift near = { .uid = 900000, .to_uid = 900000, .count = 65536 };
	vz_autofree char *link = NULL;

	if (geteuid()) {
		tap_skip("a tree", "not root");
		return;
	}
	if (!mkdtemp(dir) || chown(dir, 100000, 200000))
		return;
	own(dir, "plain", 100001, 200002, 0644);
	own(dir, "setuid", 165535, 200000, 04755);
	own(dir, "before", 99999, 199999, 0600);
	own(dir, "behind", 165536, 265536, 0600);
	own(dir, "half", 100005, 5, 0600);
	link = vz_strf("%s/link", dir);
	if (symlink("/etc/passwd", link) || lchown(link, 100000, 200000))
		tap_ok(false, "a link");
	tap_is_int(make_deep(dir, 1500), -1, "a deep tree");
	for (int i = 0; i < 2; i++) {
		tap_is_int(vz_idshift_tree(&shift, dir, &err), 0, "a tree");
		expect(dir, ".", 900000, 300000, 0700);
		expect(dir, "plain", 900001, 300002, 0644);
		expect(dir, "setuid", 965535, 300000, 04755);
		expect(dir, "before", 99999, 199999, 0600);
		expect(dir, "behind", 165536, 265536, 0600);
		expect(dir, "half", 900005, 5, 0600);
		expect(dir, "link", 900000, 300000, 0777);
		expect(dir, "a-long-name/a-long-name", 900001, 300001, 0755);
	}
	expect("/etc", "passwd", 0, 0, 0644);
	near.to_uid = near.uid + 1000;
	tap_ok(vz_idshift_tree(&near, dir, &err) < 0, "ranges that overlap");
	expect(dir, "plain", 900001, 300002, 0644);
	vz_remove_tree(AT_FDCWD, dir);
}

int main(void)
{
	acls();
	capabilities();
	tree();
	return tap_done();
}
