/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/dev.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fs.h"
#include "sys/feature.h"
#include "tap.h"

/* A /dev of our own. */
static char dev[] = "/tmp/vz-dev-test.XXXXXX";

static void make_dev(void)
{
	int r = !mkdtemp(dev) || chdir(dev) || mkdir("net", 0755) ||
		mknod("sdb", S_IFBLK | 0660, makedev(8, 16)) ||
		mknod("loop0", S_IFBLK | 0660, makedev(7, 0)) ||
		mknod("fuse", S_IFCHR | 0666, makedev(10, 229)) ||
		mknod("net/a:b", S_IFCHR | 0666, makedev(200, 300)) || mkdir("dir", 0755);

	if (r)
		printf("Bail out! %s: %s\n", dev, strerror(errno));
	chmod("fuse", 0666);
	chmod("net/a:b", 0666);
}

static void test_forms(void)
{
	static const struct {
		bool node;
		const char *entry;
		int r;
	} t[] = {
		{ true, "sdb:rwq", 0 },
		{ true, "sdb:none", 0 },
		{ true, "net/tun:rw", 0 },
		{ true, "disk/by-path/pci-0000:00:1f.2:r", 0 },
		{ true, "sdb", -EINVAL },
		{ true, "sdb:", -EINVAL },
		{ true, "sdb:x", -EINVAL },
		{ true, "sdb:nonerw", -EINVAL },
		{ true, ":rw", -EINVAL },
		{ true, "../etc/shadow:rw", -EINVAL },
		{ true, "..:rw", -EINVAL },
		{ true, ".:rw", -EINVAL },
		{ true, "a/../b:rw", -EINVAL },
		{ true, "a/..:rw", -EINVAL },
		{ true, "/sdb:rw", -EINVAL },
		{ true, "a//b:rw", -EINVAL },
		{ true, "a/:rw", -EINVAL },
		{ true, "a b:rw", -EINVAL },
		{ true, "a\tb:rw", -EINVAL },
		{ true, "a\"b:rw", -EINVAL },
		{ true, "a$b:rw", -EINVAL },
		{ true, "vz/101/sdb:rw", -EINVAL },
		{ true, "vz:rw", -EINVAL },
		{ true, "..a/b..:rw", 0 },
		{ false, "b:8:16:rw", 0 },
		{ false, "c:10:all:r", 0 },
		{ false, "c:10:229:none", 0 },
		{ false, "b:8:16", -EINVAL },
		{ false, "b:8:16:", -EINVAL },
		{ false, "b:8:16:rwx", -EINVAL },
		{ false, "b:8:16:rwqrw", -EINVAL },
		{ false, "b:8:16:rw:", -EINVAL },
		{ false, "d:8:16:rw", -EINVAL },
		{ false, "b:all:16:rw", -EINVAL },
		{ false, "b:4096:16:rw", -EINVAL },
		{ false, "b:8:1048576:rw", -EINVAL },
		{ false, "b:-8:16:rw", -EINVAL },
		{ false, "b: 8:16:rw", -EINVAL },
		{ false, "b:8:16:rw ", -EINVAL },
		{ false, "b:7:0:rw", -EINVAL },
		{ false, "c:7:0:rw", 0 },
		{ false, "b", -EINVAL },
		{ false, "", -EINVAL },
	};

	for (size_t i = 0; i < VZ_ARRAY_SIZE(t); i++) {
		struct vz_err err = { 0 };

		tap_is_int(t[i].node ? vz_dev_check_devnode(t[i].entry, &err)
				     : vz_dev_check_device(t[i].entry, &err),
			   t[i].r, t[i].entry);
		tap_ok(err.status == (t[i].r ? VZ_E_VALUE : VZ_OK), "%s: status",
		       t[i].entry);
	}
}

static int build(uint32_t features, const char *nodes, const char *devices,
		 struct vz_dev_set *ret, struct vz_err *err)
{
	vz_autostrv struct vz_strv n = { 0 }, d = { 0 };

	vz_strv_split(&n, nodes, " ");
	vz_strv_split(&d, devices, " ");
	return vz_dev_set_build(dev, features, &n, &d, ret, err);
}

/* All rules as text, by commas. */
static const char *rules(const struct vz_dev_set *set, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = 0;
	for (size_t i = 0; i < set->n_rules; i++) {
		char text[VZ_DEV_RULE_TEXT];

		vz_dev_rule_text(&set->rule[i], text);
		len += snprintf(buf + len, size - len, "%s%s", i ? "," : "", text);
	}
	return buf;
}

#define DEFAULTS                                                                         \
	"c *:* m,b *:* m,c 1:3 rwm,c 1:5 rwm,c 1:7 rwm,c 1:8 rwm,c 1:9 rwm,c 5:0 rwm,"   \
	"c 5:1 rwm,c 5:2 rwm,c 136:* rwm"

static void test_build(void)
{
	static const struct {
		uint32_t features;
		const char *nodes, *devices;
		const char *rules;
		size_t n_nodes;
	} t[] = {
		{ 0, "", "", DEFAULTS, 6 },
		{ 0, "sdb:r", "", DEFAULTS ",b 8:16 rm", 7 },
		{ 0, "sdb:rwq sdb:r", "", DEFAULTS ",b 8:16 rm", 7 },
		{ 0, "sdb:rw sdb:none", "", DEFAULTS, 6 },
		{ 0, "gone:none", "", DEFAULTS, 6 },
		{ 0, "net/a:b:w", "", DEFAULTS ",c 200:300 wm", 7 },
		{ 0, "", "b:9:all:rw c:9:1:q", DEFAULTS ",b 9:* rwm", 6 },
		{ VZ_F_BIT(VZ_F_FUSE), "", "", DEFAULTS ",c 10:229 rwm", 7 },
		{ VZ_F_BIT(VZ_F_TUN), "", "", DEFAULTS ",c 10:200 rwm", 7 },
		{ VZ_F_BIT(VZ_F_FUSE), "fuse:none", "", DEFAULTS, 6 },
		{ 0, "", "c:5:2:none",
		  "c *:* m,b *:* m,c 1:3 rwm,c 1:5 rwm,c 1:7 rwm,c 1:8 rwm,c 1:9 rwm,"
		  "c 5:0 rwm,c 5:1 rwm,c 136:* rwm",
		  6 },
	};
	char text[1000];

	for (size_t i = 0; i < VZ_ARRAY_SIZE(t); i++) {
		vz_autodevset struct vz_dev_set set = { 0 };

		tap_is_int(build(t[i].features, t[i].nodes, t[i].devices, &set, NULL), 0,
			   t[i].nodes);
		tap_is_str(rules(&set, text, sizeof(text)), t[i].rules, t[i].nodes);
		tap_is_int(set.n_nodes, t[i].n_nodes, t[i].nodes);
	}
}

static void test_refused(void)
{
	static const struct {
		const char *nodes, *devices;
		enum vz_exit status;
	} t[] = {
		{ "gone:rw", "", VZ_E_DEVICE },	  { "dir:rw", "", VZ_E_DEVICE },
		{ "loop0:rw", "", VZ_E_VALUE },	  { "../x:rw", "", VZ_E_VALUE },
		{ "", "b:7:all:rw", VZ_E_VALUE }, { "sdb:rw", "x", VZ_E_VALUE },
	};

	for (size_t i = 0; i < VZ_ARRAY_SIZE(t); i++) {
		struct vz_dev_set set = { .n_rules = 77 };
		struct vz_err err = { 0 };

		tap_ok(build(0, t[i].nodes, t[i].devices, &set, &err) < 0, "%s %s",
		       t[i].nodes, t[i].devices);
		tap_is_int(err.status, t[i].status, err.text);
		tap_is_int(set.n_rules, 77, "the output is untouched");
	}
}

static void test_nodes(void)
{
	vz_autodevset struct vz_dev_set set = { 0 };
	char path[200], want[200];
	struct stat st;

	build(VZ_F_BIT(VZ_F_FUSE), "sdb:rw", "", &set, NULL);
	tap_ok(!set.node[6].own, "fuse: the host's node will do");
	tap_ok(set.node[7].own, "sdb: one of its own");
	tap_is_int(vz_dev_make_nodes(dev, 1400, &set, 5000, 5001, NULL), 0, "make");
	tap_is_int(vz_dev_make_nodes(dev, 1400, &set, 5000, 5001, NULL), 0, "again");
	vz_dev_node_path(dev, 1400, &set.node[7], path, sizeof(path));
	snprintf(want, sizeof(want), "%s/vz/1400/sdb", dev);
	tap_is_str(path, want, "where it is");
	tap_ok(!lstat(path, &st) && S_ISBLK(st.st_mode) && st.st_rdev == makedev(8, 16) &&
		       st.st_uid == 5000 && st.st_gid == 5001 &&
		       (st.st_mode & 07777) == 0660,
	       "for the VE's root");
	tap_is_int(vz_dev_remove_nodes(dev, 1400), 0, "remove");
	tap_ok(lstat(path, &st), "is gone");
	tap_ok(access("vz", F_OK), "and so is the directory of all");
	tap_is_int(vz_dev_remove_nodes(dev, 1400), 0, "removed already");
	vz_dev_node_path(dev, 1400, &set.node[6], path, sizeof(path));
	snprintf(want, sizeof(want), "%s/fuse", dev);
	tap_is_str(path, want, "the host's");
}

/* Just enough of the machine to run the program. -1: it did something else. */
static int simulate(const struct bpf_insn *p, size_t n, char type, unsigned int major,
		    unsigned int minor, unsigned int access)
{
	struct bpf_cgroup_dev_ctx c = { access << 16 | (type == 'b' ? 1 : 2), major,
					minor };
	uint64_t r[11] = { 0 };

	for (size_t pc = 0; pc < n; pc++) {
		uint64_t *d = &r[p[pc].dst_reg], v = (int64_t)p[pc].imm;

		switch (p[pc].code) {
		case BPF_LDX | BPF_W | BPF_MEM:
			*d = *(uint32_t *)((char *)&c + p[pc].off);
			break;
		case BPF_ALU | BPF_MOV | BPF_X:
			*d = (uint32_t)r[p[pc].src_reg];
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			*d = (uint32_t)(*d & v);
			break;
		case BPF_ALU | BPF_RSH | BPF_K:
			*d = (uint32_t)*d >> v;
			break;
		case BPF_ALU64 | BPF_MOV | BPF_K:
			*d = v;
			break;
		case BPF_JMP | BPF_JNE | BPF_K:
			pc += *d != v ? p[pc].off : 0;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			pc += *d & v ? p[pc].off : 0;
			break;
		case BPF_JMP | BPF_EXIT:
			return r[0];
		default:
			return -1;
		}
	}
	return -1;
}

static void load(const struct bpf_insn *p, size_t n)
{
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
		.insns = (uintptr_t)p,
		.insn_cnt = n,
		.license = (uintptr_t) "GPL",
	};
	int fd = syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));

	if (fd < 0 && (errno == EPERM || errno == ENOSYS))
		tap_skip("the kernel takes the program", strerror(errno));
	else
		tap_ok(fd >= 0, "the kernel takes the program: %s",
		       fd < 0 ? strerror(errno) : "loaded");
	if (fd >= 0)
		close(fd);
}

static void test_bpf(void)
{
	enum { M = BPF_DEVCG_ACC_MKNOD, R = BPF_DEVCG_ACC_READ, W = BPF_DEVCG_ACC_WRITE };
	static const struct {
		char type;
		unsigned int major, minor, access;
		int allowed;
	} t[] = {
		{ 'c', 1, 3, R | W, 1 },   { 'c', 1, 3, M, 1 },	     { 'c', 1, 1, R, 0 },
		{ 'c', 1, 1, M, 1 },	   { 'b', 1, 3, R, 0 },	     { 'b', 8, 0, M, 1 },
		{ 'b', 8, 0, R, 0 },	   { 'b', 8, 16, R, 1 },     { 'b', 8, 16, W, 0 },
		{ 'b', 8, 16, R | W, 0 },  { 'b', 8, 16, R | M, 1 }, { 'b', 8, 17, R, 0 },
		{ 'c', 136, 12345, R, 1 }, { 'c', 135, 0, W, 0 },    { 'b', 9, 3, W, 1 },
		{ 'c', 9, 3, W, 0 },
	};
	vz_autodevset struct vz_dev_set set = { 0 };
	vz_autofree struct bpf_insn *p = NULL;
	size_t n = 0;

	build(0, "sdb:r", "b:9:all:rw", &set, NULL);
	p = vz_dev_bpf(&set, &n);
	for (size_t i = 0; i < VZ_ARRAY_SIZE(t); i++)
		tap_ok(simulate(p, n, t[i].type, t[i].major, t[i].minor, t[i].access) ==
			       t[i].allowed,
		       "%c %u:%u access %u: %s", t[i].type, t[i].major, t[i].minor,
		       t[i].access, t[i].allowed ? "allowed" : "denied");
	load(p, n);
}

int main(void)
{
	if (getuid()) {
		printf("1..0 # SKIP not root\n");
		return 0;
	}
	make_dev();
	test_forms();
	test_build();
	test_refused();
	test_nodes();
	test_bpf();
	if (chdir("/") || vz_remove_tree(AT_FDCWD, dev))
		printf("# %s stays: %s\n", dev, strerror(errno));
	return tap_done();
}
