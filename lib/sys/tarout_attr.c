/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/tarout_attr.h"

#include <archive_entry.h>
#include <endian.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/posix_acl_xattr.h>
#include <stdint.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/cleanup.h"

enum { NAMES_MAX = 65536, ID_MAX = 65535 };

/* The kernel's tags in the attribute; its headers do not export them. */
static const struct {
	int acl, tag;
} tags[] = {
	{ 0x01, ARCHIVE_ENTRY_ACL_USER_OBJ },  { 0x02, ARCHIVE_ENTRY_ACL_USER },
	{ 0x04, ARCHIVE_ENTRY_ACL_GROUP_OBJ }, { 0x08, ARCHIVE_ENTRY_ACL_GROUP },
	{ 0x10, ARCHIVE_ENTRY_ACL_MASK },      { 0x20, ARCHIVE_ENTRY_ACL_OTHER },
};

static void add_acl(struct archive_entry *e, int type, const void *value, size_t len,
		    uid_t uid, gid_t gid)
{
	const struct posix_acl_xattr_header *h = value;
	const struct posix_acl_xattr_entry *list = (const void *)(h + 1);
	size_t n = len < sizeof(*h) ? 0 : (len - sizeof(*h)) / sizeof(*list);

	for (size_t i = 0; i < n; i++) {
		int acl = le16toh(list[i].e_tag), tag = 0;
		int64_t id = -1;

		for (size_t k = 0; k < VZ_ARRAY_SIZE(tags); k++)
			if (tags[k].acl == acl)
				tag = tags[k].tag;
		if (tag == ARCHIVE_ENTRY_ACL_USER || tag == ARCHIVE_ENTRY_ACL_GROUP) {
			id = (int64_t)le32toh(list[i].e_id) -
			     (tag == ARCHIVE_ENTRY_ACL_USER ? uid : gid);
			if (id < 0 || id > ID_MAX)
				continue;
		}
		if (tag)
			archive_entry_acl_add_entry(e, type, le16toh(list[i].e_perm), tag,
						    id, NULL);
	}
}

/* One that holds for the VE's root has no root's id there. */
static void add_capability(struct archive_entry *e, const void *value, size_t len,
			   uid_t uid)
{
	struct vfs_ns_cap_data cap = { 0 };
	uint32_t root;

	if (len != XATTR_CAPS_SZ_3) {
		archive_entry_xattr_add_entry(e, "security.capability", value, len);
		return;
	}
	memcpy(&cap, value, len);
	root = le32toh(cap.rootid);
	if (root < uid || root - uid > ID_MAX)
		return;
	cap.rootid = htole32(root - uid);
	if (root == uid) {
		cap.magic_etc = htole32((le32toh(cap.magic_etc) & VFS_CAP_FLAGS_MASK) |
					VFS_CAP_REVISION_2);
		len = XATTR_CAPS_SZ_2;
	}
	archive_entry_xattr_add_entry(e, "security.capability", &cap, len);
}

int vz_tarout_get_attrs(int fd, struct archive_entry *e, uid_t uid, gid_t gid)
{
	char few[1024];
	vz_autofree char *names = NULL, *value = NULL;
	const char *list = few;
	ssize_t n = flistxattr(fd, few, sizeof(few)), len;

	if (n < 0 && errno == ERANGE) {
		names = malloc(NAMES_MAX);
		n = names ? flistxattr(fd, names, NAMES_MAX) : -1;
		list = names;
	}
	if (n < 0)
		return errno == EOPNOTSUPP ? 0 : -errno;
	value = n ? malloc(NAMES_MAX) : NULL;
	if (n && !value)
		return -ENOMEM;
	for (const char *name = list; name < list + n; name += strlen(name) + 1) {
		len = fgetxattr(fd, name, value, NAMES_MAX);
		if (len < 0)
			continue;
		if (!strncmp(name, "user.", 5))
			archive_entry_xattr_add_entry(e, name, value, len);
		else if (!strcmp(name, "security.capability"))
			add_capability(e, value, len, uid);
		else if (!strcmp(name, "system.posix_acl_access"))
			add_acl(e, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, value, len, uid, gid);
		else if (!strcmp(name, "system.posix_acl_default"))
			add_acl(e, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, value, len, uid, gid);
	}
	return 0;
}
