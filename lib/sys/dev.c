/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/dev.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/num.h"
#include "sys/feature.h"

#define RW (VZ_DEV_READ | VZ_DEV_WRITE)
#define RWM (RW | VZ_DEV_MKNOD)

#define MAJOR_LOOP 7
/* Of the kernel's dev_t. */
#define MAX_MAJOR 4095u
#define MAX_MINOR 1048575u

/* What each VE has. A node alone opens nothing, so any may be made. */
static const struct vz_dev_rule default_rules[] = {
	{ 'c', VZ_DEV_ANY, VZ_DEV_ANY, VZ_DEV_MKNOD },
	{ 'b', VZ_DEV_ANY, VZ_DEV_ANY, VZ_DEV_MKNOD },
	{ 'c', 1, 3, RWM },
	{ 'c', 1, 5, RWM },
	{ 'c', 1, 7, RWM },
	{ 'c', 1, 8, RWM },
	{ 'c', 1, 9, RWM },
	{ 'c', 5, 0, RWM }, /* tty */
	{ 'c', 5, 1, RWM }, /* console */
	{ 'c', 5, 2, RWM }, /* ptmx */
	{ 'c', 136, VZ_DEV_ANY, RWM }, /* pts: of the VE's own devpts only */
};

static const struct vz_dev_node default_nodes[] = {
	{ "null", 'c', 1, 3 },	 { "zero", 'c', 1, 5 },	   { "full", 'c', 1, 7 },
	{ "random", 'c', 1, 8 }, { "urandom", 'c', 1, 9 }, { "tty", 'c', 5, 0 },
};

/* -- entries of DEVNODES and DEVICES -- */

static int bad_entry(struct vz_err *err, const char *entry, const char *expected)
{
	return vz_err_set(err, VZ_E_VALUE, 0, "device '%s' is not of the form %s", entry,
			  expected);
}

#define DEVNODE_FORM "NAME:[r][w][q] or NAME:none"
#define DEVICE_FORM "b|c:MAJOR:MINOR|all:[r][w][q] or …:none"

static int parse_access(const char *s, unsigned int *ret)
{
	unsigned int access = 0;

	if (!strcmp(s, "none")) {
		*ret = 0;
		return 0;
	}
	if (!*s)
		return -EINVAL;
	for (; *s; s++) {
		if (*s == 'r')
			access |= VZ_DEV_READ;
		else if (*s == 'w')
			access |= VZ_DEV_WRITE;
		else if (*s == 'q')
			access |= VZ_DEV_QUOTA;
		else
			return -EINVAL;
	}
	*ret = access;
	return 0;
}

#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:+@"

/* A name stays below /dev: words of plain characters, none of them "." or "..". */
static bool name_is_safe(const char *name, size_t len)
{
	size_t word = 0;

	if (!len || len >= sizeof(((struct vz_dev_node *)0)->name) ||
	    strspn(name, NAME_CHARS) < len)
		return false;
	for (size_t i = 0; i <= len; i++) {
		if (i < len && name[i] != '/')
			continue;
		if (i == word ||
		    (name[word] == '.' &&
		     (i - word == 1 || (i - word == 2 && name[i - 1] == '.'))))
			return false;
		word = i + 1;
	}
	/* Ours: own nodes are made there. */
	return strncmp(name, "vz/", 3) && (len != 2 || memcmp(name, "vz", 2));
}

/* The name ends at the last colon: names of disks by path have some, too. */
static int parse_devnode(const char *entry, size_t *ret_len, unsigned int *ret_access,
			 struct vz_err *err)
{
	const char *colon = strrchr(entry, ':');

	if (!colon || parse_access(colon + 1, ret_access))
		return bad_entry(err, entry, DEVNODE_FORM);
	if (!name_is_safe(entry, colon - entry))
		return vz_err_set(err, VZ_E_VALUE, 0,
				  "device '%.*s' is not a name below /dev",
				  (int)(colon - entry), entry);
	*ret_len = colon - entry;
	return 0;
}

static int refuse_loop(struct vz_err *err, char type, unsigned int major,
		       const char *entry)
{
	if (type != 'b' || major != MAJOR_LOOP)
		return 0;
	return vz_err_set(err, VZ_E_VALUE, 0,
			  "device '%s' is a loop device: it would give a VE any file "
			  "of the host that is put on it",
			  entry);
}

static int parse_device(const char *entry, struct vz_dev_rule *ret, struct vz_err *err)
{
	struct vz_dev_rule rule = { .type = entry[0], .minor = VZ_DEV_ANY };
	char major[12], minor[12], access[5];
	uint64_t v;
	int end = 0;

	if ((rule.type != 'b' && rule.type != 'c') ||
	    sscanf(entry + 1, ":%11[^:]:%11[^:]:%4s%n", major, minor, access, &end) !=
		    3 ||
	    entry[1 + end] || parse_access(access, &rule.access) ||
	    vz_parse_u64(major, MAX_MAJOR, &v))
		return bad_entry(err, entry, DEVICE_FORM);
	rule.major = v;
	if (strcmp(minor, "all")) {
		if (vz_parse_u64(minor, MAX_MINOR, &v))
			return bad_entry(err, entry, DEVICE_FORM);
		rule.minor = v;
	}
	if (refuse_loop(err, rule.type, rule.major, entry))
		return -EINVAL;
	*ret = rule;
	return 0;
}

int vz_dev_check_devnode(const char *entry, struct vz_err *err)
{
	unsigned int access;
	size_t len;

	return parse_devnode(entry, &len, &access, err);
}

int vz_dev_check_device(const char *entry, struct vz_err *err)
{
	struct vz_dev_rule rule;

	return parse_device(entry, &rule, err);
}

/* -- building a set -- */

static bool same_device(const struct vz_dev_rule *a, const struct vz_dev_rule *b)
{
	return a->type == b->type && a->major == b->major && a->minor == b->minor;
}

/* The last word about a device counts; nothing allowed is no rule. */
static int set_rule(struct vz_dev_set *set, const struct vz_dev_rule *rule)
{
	struct vz_dev_rule *more;
	size_t i;

	for (i = 0; i < set->n_rules && !same_device(&set->rule[i], rule); i++)
		;
	if (!(rule->access & ~VZ_DEV_QUOTA)) {
		if (i < set->n_rules)
			memmove(&set->rule[i], &set->rule[i + 1],
				(--set->n_rules - i) * sizeof(*rule));
		return 0;
	}
	if (i == set->n_rules) {
		more = realloc(set->rule, (i + 1) * sizeof(*more));
		if (!more)
			return -ENOMEM;
		set->rule = more;
		set->n_rules++;
	}
	set->rule[i] = *rule;
	return 0;
}

static void remove_node(struct vz_dev_set *set, const char *name)
{
	for (size_t i = 0; i < set->n_nodes; i++)
		if (!strcmp(set->node[i].name, name))
			memmove(&set->node[i], &set->node[i + 1],
				(--set->n_nodes - i) * sizeof(set->node[0]));
}

static int set_node(struct vz_dev_set *set, const struct vz_dev_node *node)
{
	struct vz_dev_node *more;

	remove_node(set, node->name);
	more = realloc(set->node, (set->n_nodes + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	set->node = more;
	more[set->n_nodes++] = *node;
	return 0;
}

static int add_defaults(struct vz_dev_set *set, struct vz_err *err)
{
	for (size_t i = 0; i < VZ_ARRAY_SIZE(default_rules); i++)
		if (set_rule(set, &default_rules[i]))
			goto nomem;
	for (size_t i = 0; i < VZ_ARRAY_SIZE(default_nodes); i++)
		if (set_node(set, &default_nodes[i]))
			goto nomem;
	return 0;
nomem:
	return vz_err_set(err, VZ_E_RESOURCES, ENOMEM, "device rules");
}

static int stat_device(const char *devdir, const char *name, struct stat *ret,
		       struct vz_err *err)
{
	vz_autofree char *path = vz_strf("%s/%s", devdir, name);

	if (!path)
		return vz_err_set(err, VZ_E_RESOURCES, ENOMEM, "device '%s'", name);
	if (stat(path, ret))
		return vz_err_set(err, VZ_E_DEVICE, errno, "device '%s' of the host",
				  path);
	if (!S_ISCHR(ret->st_mode) && !S_ISBLK(ret->st_mode))
		return vz_err_set(err, VZ_E_DEVICE, 0, "'%s' of the host is not a device",
				  path);
	return 0;
}

static int add_device(struct vz_dev_set *set, const char *name, const struct stat *st,
		      unsigned int access, unsigned int mode, struct vz_err *err)
{
	struct vz_dev_node node = {
		.type = S_ISBLK(st->st_mode) ? 'b' : 'c',
		.major = major(st->st_rdev),
		.minor = minor(st->st_rdev),
		.own = (st->st_mode & 06) != 06,
		.mode = mode,
	};
	struct vz_dev_rule rule = { node.type, node.major, node.minor, access };
	int r = 0;

	if (access & RW)
		rule.access |= VZ_DEV_MKNOD;
	snprintf(node.name, sizeof(node.name), "%s", name);
	if (set_rule(set, &rule))
		r = -ENOMEM;
	else if (access & RW)
		r = set_node(set, &node);
	else
		remove_node(set, name);
	return r ? vz_err_set(err, VZ_E_RESOURCES, ENOMEM, "device rules") : 0;
}

/* The numbers are fixed, and its module may not be loaded: the node can wait. */
static int add_feature(struct vz_dev_set *set, const char *devdir,
		       const struct vz_feature_row *f, struct vz_err *err)
{
	struct stat st;

	if (stat_device(devdir, f->node, &st, NULL))
		st = (struct stat){ .st_mode = S_IFCHR | 0600,
				    .st_rdev = makedev(f->major, f->minor) };
	return add_device(set, f->node, &st, RW, 0666, err);
}

static int add_devnode(struct vz_dev_set *set, const char *devdir, const char *entry,
		       struct vz_err *err)
{
	unsigned int access;
	char name[64];
	struct stat st;
	size_t len;
	int r = parse_devnode(entry, &len, &access, err);

	if (r)
		return r;
	snprintf(name, sizeof(name), "%.*s", (int)len, entry);
	/* What shall not be there need not be there. */
	if (!access && stat_device(devdir, name, &st, NULL)) {
		remove_node(set, name);
		return 0;
	}
	r = stat_device(devdir, name, &st, err);
	if (!r && access)
		r = refuse_loop(err, S_ISBLK(st.st_mode) ? 'b' : 'c', major(st.st_rdev),
				entry);
	return r ? r : add_device(set, name, &st, access, 0660, err);
}

static int add_lists(struct vz_dev_set *set, const char *devdir,
		     const struct vz_strv *devnodes, const struct vz_strv *devices,
		     struct vz_err *err)
{
	struct vz_dev_rule rule;
	int r = 0;

	for (size_t i = 0; !r && devnodes && i < devnodes->n; i++)
		r = add_devnode(set, devdir, devnodes->v[i], err);
	for (size_t i = 0; !r && devices && i < devices->n; i++) {
		r = parse_device(devices->v[i], &rule, err);
		if (!r && rule.access & RW)
			rule.access |= VZ_DEV_MKNOD;
		if (!r && set_rule(set, &rule))
			r = vz_err_set(err, VZ_E_RESOURCES, ENOMEM, "device rules");
	}
	return r;
}

int vz_dev_set_build(const char *devdir, uint32_t features,
		     const struct vz_strv *devnodes, const struct vz_strv *devices,
		     struct vz_dev_set *ret, struct vz_err *err)
{
	struct vz_dev_set set = { 0 };
	int r = add_defaults(&set, err);

	for (int f = 0; !r && f < VZ_F__COUNT; f++)
		if (features & VZ_F_BIT(f) && vz_features[f].node)
			r = add_feature(&set, devdir, &vz_features[f], err);
	if (!r)
		r = add_lists(&set, devdir, devnodes, devices, err);
	if (r) {
		vz_dev_set_done(&set);
		return r;
	}
	*ret = set;
	return 0;
}

void vz_dev_set_done(struct vz_dev_set *set)
{
	free(set->rule);
	free(set->node);
	*set = (struct vz_dev_set){ 0 };
}

/* -- nodes of a VE's own -- */

int vz_dev_node_path(const char *devdir, uint32_t veid, const struct vz_dev_node *node,
		     char *buf, size_t size)
{
	int n = node->own ? snprintf(buf, size, "%s/vz/%u/%s", devdir, veid, node->name)
			  : snprintf(buf, size, "%s/%s", devdir, node->name);

	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

static int make_node(const char *path, const struct vz_dev_node *node, uid_t uid,
		     gid_t gid)
{
	vz_autofree char *dir = strdup(path);
	mode_t type = node->type == 'b' ? S_IFBLK : S_IFCHR;
	int r;

	if (!dir)
		return -ENOMEM;
	*strrchr(dir, '/') = 0;
	/* Another VE that goes may take DEVDIR/vz away before we are in it. */
	for (int i = 0; i < 8; i++) {
		r = vz_mkdir_p(dir, 0755);
		if (r != -ENOENT)
			break;
	}
	if (r)
		return r;
	if (unlink(path) && errno != ENOENT)
		return -errno;
	if (mknod(path, type, makedev(node->major, node->minor)))
		return -errno;
	return lchown(path, uid, gid) || chmod(path, node->mode) ? -errno : 0;
}

int vz_dev_make_nodes(const char *devdir, uint32_t veid, const struct vz_dev_set *set,
		      uid_t uid, gid_t gid, struct vz_err *err)
{
	char path[512];
	int r;

	for (size_t i = 0; i < set->n_nodes; i++) {
		if (!set->node[i].own)
			continue;
		r = vz_dev_node_path(devdir, veid, &set->node[i], path, sizeof(path));
		if (!r)
			r = make_node(path, &set->node[i], uid, gid);
		if (r) {
			vz_dev_remove_nodes(devdir, veid);
			return vz_err_set(err, VZ_E_DEVICE, -r, "can't make device '%s'",
					  path);
		}
	}
	return 0;
}

int vz_dev_remove_nodes(const char *devdir, uint32_t veid)
{
	vz_autofree char *path = vz_strf("%s/vz/%u", devdir, veid);
	int r = path ? vz_remove_tree(AT_FDCWD, path) : -ENOMEM;

	if (r)
		return r;
	/* The last one shuts the door. */
	*strrchr(path, '/') = 0;
	return rmdir(path) && errno != ENOTEMPTY && errno != ENOENT ? -errno : 0;
}

/* -- for the kernel -- */

static void put_number(char *buf, size_t size, uint32_t n)
{
	if (n == VZ_DEV_ANY)
		snprintf(buf, size, "*");
	else
		snprintf(buf, size, "%u", n);
}

void vz_dev_rule_text(const struct vz_dev_rule *rule, char buf[VZ_DEV_RULE_TEXT])
{
	char major[12], minor[12];

	put_number(major, sizeof(major), rule->major);
	put_number(minor, sizeof(minor), rule->minor);
	snprintf(buf, VZ_DEV_RULE_TEXT, "%c %s:%s %s%s%s", rule->type, major, minor,
		 rule->access & VZ_DEV_READ ? "r" : "",
		 rule->access & VZ_DEV_WRITE ? "w" : "",
		 rule->access & VZ_DEV_MKNOD ? "m" : "");
}

/* Registers: 2 type, 3 access asked for, 4 major, 5 minor; 1 is the context. */
#define INSN(c, d, s, o, i)                                                              \
	((struct bpf_insn){                                                              \
		.code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) })
#define LOAD(reg, field)                                                                 \
	INSN(BPF_LDX | BPF_W | BPF_MEM, reg, 1,                                          \
	     offsetof(struct bpf_cgroup_dev_ctx, field), 0)
#define JUMP_UNLESS_EQ(reg, value, to) INSN(BPF_JMP | BPF_JNE | BPF_K, reg, 0, to, value)
#define MAX_RULE_INSNS 7
#define FIXED_INSNS 8

static size_t put_start(struct bpf_insn *p)
{
	const struct bpf_insn start[] = {
		LOAD(2, access_type),
		INSN(BPF_ALU | BPF_MOV | BPF_X, 3, 2, 0, 0),
		INSN(BPF_ALU | BPF_AND | BPF_K, 2, 0, 0, 0xffff),
		INSN(BPF_ALU | BPF_RSH | BPF_K, 3, 0, 0, 16),
		LOAD(4, major),
		LOAD(5, minor),
	};

	memcpy(p, start, sizeof(start));
	return VZ_ARRAY_SIZE(start);
}

static unsigned int kernel_access(unsigned int access)
{
	return (access & VZ_DEV_READ ? BPF_DEVCG_ACC_READ : 0) |
	       (access & VZ_DEV_WRITE ? BPF_DEVCG_ACC_WRITE : 0) |
	       (access & VZ_DEV_MKNOD ? BPF_DEVCG_ACC_MKNOD : 0);
}

/* One rule: returns 1 when all that is asked for is in it, else falls through. */
static size_t put_rule(struct bpf_insn *p, const struct vz_dev_rule *rule)
{
	int type = rule->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR;
	int refused = 7 & ~kernel_access(rule->access);
	size_t n = 3 + (rule->major != VZ_DEV_ANY) + (rule->minor != VZ_DEV_ANY) +
		   (refused != 0);
	size_t i = 0;

	p[i] = JUMP_UNLESS_EQ(2, type, n - i - 1);
	i++;
	if (rule->major != VZ_DEV_ANY) {
		p[i] = JUMP_UNLESS_EQ(4, (int)rule->major, n - i - 1);
		i++;
	}
	if (rule->minor != VZ_DEV_ANY) {
		p[i] = JUMP_UNLESS_EQ(5, (int)rule->minor, n - i - 1);
		i++;
	}
	if (refused) {
		p[i] = INSN(BPF_JMP | BPF_JSET | BPF_K, 3, 0, n - i - 1, refused);
		i++;
	}
	p[i++] = INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 1);
	p[i++] = INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	return i;
}

struct bpf_insn *vz_dev_bpf(const struct vz_dev_set *set, size_t *ret_count)
{
	struct bpf_insn *p =
		calloc(set->n_rules * MAX_RULE_INSNS + FIXED_INSNS, sizeof(*p));
	size_t n;

	if (!p)
		return NULL;
	n = put_start(p);
	for (size_t i = 0; i < set->n_rules; i++)
		n += put_rule(p + n, &set->rule[i]);
	p[n++] = INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0);
	p[n++] = INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	*ret_count = n;
	return p;
}
