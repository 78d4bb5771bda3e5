/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/untar_attr.h"

#include <archive_entry.h>
#include <endian.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/posix_acl_xattr.h>
#include <stdint.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/cleanup.h"
#include "base/num.h"

/* An ACL of more entries than any program writes is an attack. */
enum { ACL_MAX = 1024, ID_MAX = 65535, VALUE_MAX = 65536 };

/* The kernel's tags in the attribute; its headers do not export them. */
enum {
	ACL_USER_OBJ = 0x01,
	ACL_USER = 0x02,
	ACL_GROUP_OBJ = 0x04,
	ACL_GROUP = 0x08,
	ACL_MASK = 0x10,
	ACL_OTHER = 0x20,
};

static const int acl_types[] = { ARCHIVE_ENTRY_ACL_TYPE_ACCESS,
				 ARCHIVE_ENTRY_ACL_TYPE_DEFAULT };

bool vz_untar_has_attrs(struct archive_entry *e)
{
	return archive_entry_xattr_count(e) || archive_entry_acl_types(e);
}

static int set(int fd, const char *name, const void *value, size_t len)
{
	if (!fsetxattr(fd, name, value, len, 0) || errno == EOPNOTSUPP)
		return 0;
	return -errno;
}

/* Revision 3 names the user namespace's root in whose eyes it holds. */
static int set_capability(int fd, const void *value, size_t len, uid_t uid)
{
	struct vfs_ns_cap_data cap = { 0 };
	uint32_t rev, root = 0;

	if (len != XATTR_CAPS_SZ_2 && len != XATTR_CAPS_SZ_3)
		return -EBADMSG;
	memcpy(&cap, value, len);
	rev = le32toh(cap.magic_etc) & VFS_CAP_REVISION_MASK;
	if (rev != (len == XATTR_CAPS_SZ_3 ? VFS_CAP_REVISION_3 : VFS_CAP_REVISION_2))
		return -EBADMSG;
	if (len == XATTR_CAPS_SZ_3)
		root = le32toh(cap.rootid);
	if (root > ID_MAX)
		return -EBADMSG;
	if (!uid && !root)
		len = XATTR_CAPS_SZ_2;
	else
		len = XATTR_CAPS_SZ_3;
	rev = len == XATTR_CAPS_SZ_3 ? VFS_CAP_REVISION_3 : VFS_CAP_REVISION_2;
	cap.magic_etc = htole32((le32toh(cap.magic_etc) & ~VFS_CAP_REVISION_MASK) | rev);
	cap.rootid = htole32(uid + root);
	return set(fd, "security.capability", &cap, len);
}

/* libarchive's permission bits are the kernel's, for POSIX.1e. */
static int acl_entry(struct posix_acl_xattr_entry *out, int tag, int perm, int id,
		     uid_t uid, gid_t gid)
{
	static const struct {
		int tag, acl;
	} tags[] = {
		{ ARCHIVE_ENTRY_ACL_USER_OBJ, ACL_USER_OBJ },
		{ ARCHIVE_ENTRY_ACL_USER, ACL_USER },
		{ ARCHIVE_ENTRY_ACL_GROUP_OBJ, ACL_GROUP_OBJ },
		{ ARCHIVE_ENTRY_ACL_GROUP, ACL_GROUP },
		{ ARCHIVE_ENTRY_ACL_MASK, ACL_MASK },
		{ ARCHIVE_ENTRY_ACL_OTHER, ACL_OTHER },
	};
	uint32_t eid = (uint32_t)ACL_UNDEFINED_ID;

	for (size_t i = 0; i < VZ_ARRAY_SIZE(tags); i++) {
		if (tags[i].tag != tag)
			continue;
		if (tags[i].acl == ACL_USER || tags[i].acl == ACL_GROUP) {
			if (id < 0 || id > ID_MAX)
				return -EBADMSG;
			eid = (tags[i].acl == ACL_USER ? uid : gid) + id;
		}
		*out = (struct posix_acl_xattr_entry){
			.e_tag = htole16(tags[i].acl),
			.e_perm = htole16(perm & 7),
			.e_id = htole32(eid),
		};
		return 0;
	}
	return -EBADMSG;
}

/* The kernel wants them in order of tag, then id. */
static int compare_acl(const void *a, const void *b)
{
	const struct posix_acl_xattr_entry *x = a, *y = b;
	uint32_t xi = le32toh(x->e_id), yi = le32toh(y->e_id);

	if (x->e_tag != y->e_tag)
		return le16toh(x->e_tag) < le16toh(y->e_tag) ? -1 : 1;
	return xi < yi ? -1 : xi > yi;
}

/*
 * The number of a named entry. GNU tar --numeric-owner writes it where others
 * write a name; a mere name says nothing in another machine's eyes: -1.
 */
static int acl_number(int id, const char *name)
{
	uint64_t n;

	if (id >= 0 || !name || vz_parse_u64(name, ID_MAX, &n))
		return id;
	return n;
}

static bool acl_unknown(int tag, int id, const char *name)
{
	return (tag == ARCHIVE_ENTRY_ACL_USER || tag == ARCHIVE_ENTRY_ACL_GROUP) &&
	       id < 0 && name && name[strspn(name, "0123456789")];
}

static int set_acl(int fd, struct archive_entry *e, int type, uid_t uid, gid_t gid)
{
	vz_autofree struct posix_acl_xattr_header *acl = NULL;
	struct posix_acl_xattr_entry *list;
	int t, perm, tag, id, r = 0, n = 0, count = archive_entry_acl_reset(e, type);
	const char *name;

	if (!count)
		return 0;
	if (count < 0 || count > ACL_MAX)
		return -EBADMSG;
	acl = malloc(sizeof(*acl) + count * sizeof(*list));
	if (!acl)
		return -ENOMEM;
	list = (void *)(acl + 1);
	acl->a_version = htole32(POSIX_ACL_XATTR_VERSION);
	while (!r && n < count &&
	       !archive_entry_acl_next(e, type, &t, &perm, &tag, &id, &name))
		if (!acl_unknown(tag, id, name))
			r = acl_entry(&list[n++], tag, perm, acl_number(id, name), uid,
				      gid);
	if (r)
		return r;
	qsort(list, n, sizeof(*list), compare_acl);
	r = set(fd,
		type == ARCHIVE_ENTRY_ACL_TYPE_ACCESS ? "system.posix_acl_access"
						      : "system.posix_acl_default",
		acl, sizeof(*acl) + n * sizeof(*list));
	return r == -EINVAL ? -EBADMSG : r;
}

int vz_untar_set_attrs(int fd, struct archive_entry *e, uid_t uid, gid_t gid)
{
	const char *name;
	const void *value;
	size_t len;
	int r = 0;

	for (size_t i = 0; !r && i < VZ_ARRAY_SIZE(acl_types); i++)
		if (archive_entry_acl_types(e) & acl_types[i])
			r = set_acl(fd, e, acl_types[i], uid, gid);
	archive_entry_xattr_reset(e);
	while (!r && !archive_entry_xattr_next(e, &name, &value, &len)) {
		if (len > VALUE_MAX || strlen(name) > XATTR_NAME_MAX)
			r = -EBADMSG;
		else if (!strcmp(name, "security.capability"))
			r = set_capability(fd, value, len, uid);
		else if (!strncmp(name, "user.", 5))
			r = set(fd, name, value, len);
	}
	return r;
}
