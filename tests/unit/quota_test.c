/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disk quotas: limits of a configuration, texts, and who may ask for what. */
#include <errno.h>
#include <fcntl.h>
#include <linux/dqblk_xfs.h>
#include <linux/quota.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "base/str.h"
#include "sys/fdpass.h"
#include "sys/seccomp.h"
#include "tap.h"
#include "tool/qtime.h"
#include "ve/diskquota.h"
#include "ve/quotafile.h"
#include "ve/ugidserve.h"
#include "ve/ugidview.h"

static void limits(void)
{
	static const struct {
		const char *name, *space, *inodes, *time, *quota;
		struct vz_quota want;
	} t[] = {
		{ "none", NULL, NULL, NULL, NULL, { 0 } },
		{ "soft and hard",
		  "100:110",
		  "7:8",
		  "60",
		  NULL,
		  { 0, 0, 100, 110, 7, 8 } },
		{ "no grace: soft is hard",
		  "100:110",
		  "7:8",
		  "0",
		  NULL,
		  { 0, 0, 0, 100, 0, 7 } },
		{ "one for both", "100", "7", "60", NULL, { 0, 0, 0, 100, 0, 7 } },
		{ "soft only", "100:unlimited", NULL, "60", NULL, { 0, 0, 100, 0 } },
		{ "soft only, no grace",
		  "100:unlimited",
		  NULL,
		  "0",
		  NULL,
		  { 0, 0, 0, 100 } },
		{ "0 is nothing, not no limit", "0", NULL, "60", NULL, { 0, 0, 0, 1 } },
		{ "more than there can be",
		  "9007199254740993",
		  NULL,
		  "60",
		  NULL,
		  { 0, 0, 0, 0 } },
		{ "DISK_QUOTA=no", "100:110", "7:8", "60", "no", { 0 } },
	};

	for (size_t i = 0; i < VZ_ARRAY_SIZE(t); i++) {
		vz_autocfg struct vz_cfg *cfg = NULL;
		struct vz_quota got;

		vz_cfg_new(101, &cfg);
		if (t[i].space)
			vz_cfg_set(cfg, VZ_P_DISKSPACE, t[i].space, NULL);
		if (t[i].inodes)
			vz_cfg_set(cfg, VZ_P_DISKINODES, t[i].inodes, NULL);
		if (t[i].time)
			vz_cfg_set(cfg, VZ_P_QUOTATIME, t[i].time, NULL);
		if (t[i].quota)
			vz_cfg_set(cfg, VZ_P_DISK_QUOTA, t[i].quota, NULL);
		vz_diskquota_limits(cfg, &got);
		tap_ok(!memcmp(&got, &t[i].want, sizeof(got)),
		       "limits: %s (%ju %ju %ju %ju)", t[i].name,
		       (uintmax_t)got.space_soft, (uintmax_t)got.space_hard,
		       (uintmax_t)got.inode_soft, (uintmax_t)got.inode_hard);
	}
}

static void lines(void)
{
	static const char *const bad[] = {
		"",
		"user",
		"users 1 0 0 0 0 0 0",
		"user 65536 1 1 1 1 0 0",
		"user -1 1 1 1 1 0 0",
		"user 1 1 1 1 1 0",
		"user 1 1 1 1 1 0 0 0",
		"user 1 1 1 1 1k 0 0",
		"project 1 1 1 1 1 0 0",
	};
	enum vz_quota_type type;
	struct vz_quota q;
	uint32_t id;

	tap_is_int(vz_ugid_parse("group 65535 1 2 3 4 5 6", &type, &id, &q), 0,
		   "a line of a dump");
	tap_ok(type == VZ_QUOTA_GROUP && id == 65535 && q.space_soft == 1 &&
		       q.space_hard == 2 && q.inode_soft == 3 && q.inode_hard == 4 &&
		       q.space_until == 5 && q.inode_until == 6 && !q.space,
	       "… is what it says");
	for (size_t i = 0; i < VZ_ARRAY_SIZE(bad); i++)
		tap_is_int(vz_ugid_parse(bad[i], &type, &id, &q), -EINVAL, bad[i]);
}

enum { ROOT, USER, NESTED, OUTSIDER };

static void judge(void)
{
	static const uint32_t groups[] = { 1000004, 1000009 };
	static const struct vz_ugidcaller who[] = {
		[ROOT] = { true, true, 1000000, 2000000 },
		[USER] = { true, false, 1000005, 2000005, groups, 2 },
		[NESTED] = { false, false, 1000000, 2000000 },
		/* As an admin of another namespace would be read. */
		[OUTSIDER] = { false, false, 0, 0 },
	};
	static const struct vz_ugid ugid = { .uid = 1000000, .gid = 1000000 };
	static const struct {
		const char *name;
		int who;
		struct vz_ugidcall call;
		int want;
	} t[] = {
		{ "root gets a user's", ROOT, { Q_GETQUOTA, USRQUOTA, 7 }, VZ_UGID_DO },
		{ "root sets a group's", ROOT, { Q_SETQUOTA, GRPQUOTA, 7 }, VZ_UGID_DO },
		{ "the last id", ROOT, { Q_SETQUOTA, USRQUOTA, 65535 }, VZ_UGID_DO },
		{ "one past it", ROOT, { Q_SETQUOTA, USRQUOTA, 65536 }, -EINVAL },
		{ "that would come round",
		  ROOT,
		  { Q_SETQUOTA, USRQUOTA, 0xfff0bdc0 },
		  -EINVAL },
		{ "xfs' way, past it", ROOT, { Q_XSETQLIM, USRQUOTA, 65536 }, -EINVAL },
		{ "next", ROOT, { Q_GETNEXTQUOTA, USRQUOTA, 0 }, VZ_UGID_DO },
		{ "next past the last",
		  ROOT,
		  { Q_GETNEXTQUOTA, USRQUOTA, 65536 },
		  -ENOENT },
		{ "a project", ROOT, { Q_GETQUOTA, PRJQUOTA, 101 }, -EPERM },
		{ "no type", ROOT, { Q_GETQUOTA, 3, 101 }, -EINVAL },
		{ "grace of all", ROOT, { Q_SETINFO, USRQUOTA, 0 }, -EPERM },
		{ "on", ROOT, { Q_QUOTAON, USRQUOTA, 0 }, -EBUSY },
		{ "off", ROOT, { Q_QUOTAOFF, GRPQUOTA, 0 }, -EBUSY },
		{ "xfs' files away", ROOT, { Q_XQUOTARM, USRQUOTA, 0 }, -EBUSY },
		{ "sync", ROOT, { Q_SYNC, USRQUOTA, 0 }, 0 },
		{ "info", USER, { Q_GETINFO, USRQUOTA, 0 }, VZ_UGID_DO },
		{ "no call", ROOT, { 0x123456, USRQUOTA, 0 }, -EINVAL },
		{ "a user his own", USER, { Q_GETQUOTA, USRQUOTA, 5 }, VZ_UGID_DO },
		{ "another's", USER, { Q_GETQUOTA, USRQUOTA, 6 }, -EPERM },
		{ "root's", USER, { Q_XGETQUOTA, USRQUOTA, 0 }, -EPERM },
		{ "a group of his", USER, { Q_GETQUOTA, GRPQUOTA, 9 }, VZ_UGID_DO },
		{ "not of his", USER, { Q_GETQUOTA, GRPQUOTA, 8 }, -EPERM },
		{ "to set his own", USER, { Q_SETQUOTA, USRQUOTA, 5 }, -EPERM },
		{ "to look round", USER, { Q_GETNEXTQUOTA, USRQUOTA, 5 }, -EPERM },
		{ "on, as a user", USER, { Q_QUOTAON, USRQUOTA, 0 }, -EPERM },
		{ "root of a namespace in the VE",
		  NESTED,
		  { Q_SETQUOTA, USRQUOTA, 5 },
		  -EPERM },
		{ "even his own number", NESTED, { Q_GETQUOTA, USRQUOTA, 0 }, -EPERM },
		{ "another namespace", OUTSIDER, { Q_GETINFO, USRQUOTA, 0 }, -EPERM },
	};

	for (size_t i = 0; i < VZ_ARRAY_SIZE(t); i++)
		tap_is_int(vz_ugidserver_judge(&t[i].call, &who[t[i].who], &ugid),
			   t[i].want, t[i].name);
}

/* -- a process whose calls are answered -- */

#define QUOTACTL_FD 443
#define FMT QCMD((unsigned int)Q_GETFMT, USRQUOTA)

/* What it got of its calls: 0 or errno, in order. */
static const struct {
	const char *name;
	int want;
} served[] = {
	{ "by a file of the VE's", 0 },
	{ "… the answer came", 0 },
	{ "by one of another file system", ENODEV },
	{ "by none", EBADF },
	{ "an answer to where nothing is", EFAULT },
	{ "… and to where nothing can be", EFAULT },
	{ "by a device that is none", ENOTBLK },
	{ "by a name that is not there", ENOENT },
	{ "by a name that nothing is at", EFAULT },
	{ "by a name at the end of a page", ENOTBLK },
	{ "a name that goes on behind it", EFAULT },
	{ "by no whole name", ENOTBLK },
	{ "a project's", EPERM },
};

static int got(long r)
{
	return r ? errno : 0;
}

static void call_all(int *v)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	char *two = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int here = open("/", O_RDONLY | O_DIRECTORY), proc = open("/proc", O_RDONLY);
	uint32_t f = 0;

	munmap(two + page, page);
	strcpy(two + page - sizeof("/dev/null"), "/dev/null");
	*v++ = got(syscall(QUOTACTL_FD, here, FMT, 0, &f));
	*v++ = f == QFMT_VFS_V1 ? 0 : -1;
	*v++ = got(syscall(QUOTACTL_FD, proc, FMT, 0, &f));
	*v++ = got(syscall(QUOTACTL_FD, -1, FMT, 0, &f));
	*v++ = got(syscall(QUOTACTL_FD, here, FMT, 0, two + page));
	*v++ = got(syscall(QUOTACTL_FD, here, FMT, 0, -1L));
	*v++ = got(syscall(SYS_quotactl, FMT, "/dev/null", 0, &f));
	*v++ = got(syscall(SYS_quotactl, FMT, "/dev/none", 0, &f));
	*v++ = got(syscall(SYS_quotactl, FMT, NULL, 0, &f));
	*v++ = got(syscall(SYS_quotactl, FMT, two + page - sizeof("/dev/null"), 0, &f));
	two[page - 1] = 'l';
	*v++ = got(syscall(SYS_quotactl, FMT, two + page - sizeof("/dev/null"), 0, &f));
	*v++ = got(syscall(SYS_quotactl, FMT, "dev/null", 0, &f));
	*v++ = got(syscall(QUOTACTL_FD, here, QCMD((unsigned int)Q_GETQUOTA, PRJQUOTA), 0,
			   &f));
}

static _Noreturn void be_called(int sock)
{
	int v[VZ_ARRAY_SIZE(served)], listener, r;

	alarm(60);
	r = vz_seccomp_install_listener(VZ_SECCOMP_QUOTA, &listener);
	if (vz_fdpass_send(sock, &r, sizeof(r), &listener, !r))
		_exit(1);
	if (r)
		_exit(0);
	close(listener);
	call_all(v);
	vz_fdpass_send(sock, v, sizeof(v), NULL, 0);
	_exit(0);
}

static void serve(void)
{
	static struct vz_ctx ctx = { .procdir = "/proc" };
	struct vz_ugidserver s = { .ctx = &ctx, .ugid = VZ_UGID_NONE };
	int sock[2], v[VZ_ARRAY_SIZE(served)], listener = -1, r = -1;
	struct stat root, ns;

	stat("/", &root);
	stat("/proc/self/ns/user", &ns);
	s.root = s.ugid.fs.dev = root.st_dev;
	s.userns_dev = ns.st_dev;
	s.userns = ns.st_ino;
	fflush(stdout);
	/* The end of its calls is that it is gone, and nobody waits for it meanwhile. */
	signal(SIGCHLD, SIG_IGN);
	socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock);
	if (!fork())
		be_called(sock[1]);
	close(sock[1]);
	vz_fdpass_recv(sock[0], &r, sizeof(r), &listener, 1);
	if (r == -EPERM || r == -EACCES || r == -EBUSY) {
		tap_skip("calls are answered", "no filter with a listener can be had");
		return;
	}
	tap_is_int(vz_ugidserver_run(&s, listener), 0, "served to its end");
	memset(v, -1, sizeof(v));
	vz_fdpass_recv(sock[0], v, sizeof(v), NULL, 0);
	for (size_t i = 0; i < VZ_ARRAY_SIZE(served); i++)
		tap_is_int(v[i], served[i].want, served[i].name);
	close(listener);
	close(sock[0]);
}

static void times(void)
{
	static const struct {
		const char *text;
		long long want; /* -1: bad */
	} t[] = {
		{ "30", 30 },	    { "12:00", 720 },  { "20:15:11:00", 1782660 },
		{ "7D", 604800 },   { "01w", 604800 }, { "3m", 7776000 },
		{ "1y", 31536000 }, { "2h", 7200 },    { "0", 0 },
		{ "", -1 },	    { "h", -1 },       { "1:2:3:4:5", -1 },
		{ "-1", -1 },	    { "7x", -1 },      { "999y", -1 },
		{ ":", -1 },
	};
	char buf[32];

	for (size_t i = 0; i < VZ_ARRAY_SIZE(t); i++) {
		uint64_t v = 0;
		int r = vz_qtime_parse(t[i].text, &v);

		tap_is_int(r ? -1 : (long long)v, t[i].want, t[i].text);
	}
	tap_is_str(vz_qtime_left(0, 100, buf, sizeof(buf)), "", "no time runs");
	tap_is_str(vz_qtime_left(99, 100, buf, sizeof(buf)), "none", "it is over");
	tap_is_str(vz_qtime_left(3760, 100, buf, sizeof(buf)), "01:01", "an hour");
	tap_is_str(vz_qtime_left(604800, 0, buf, sizeof(buf)), "7days", "a week");
}

static void file(void)
{
	static const char a[] = "5: /a\n  1k-blocks 1\n", b[] = "70: /b\n  inodes 2\n";
	vz_autostr struct vz_str one = { 0 }, two = { 0 }, three = { 0 }, four = { 0 };

	vz_quotafile_edit("", 70, b, &one);
	tap_is_str(one.s,
		   "qid: path            usage      softlimit      hardlimit       "
		   "time     expire\n70: /b\n  inodes 2\n",
		   "the first block");
	vz_quotafile_edit(one.s, 5, a, &two);
	tap_ok(strstr(two.s, "\n5: /a\n  1k-blocks 1\n70: /b\n"), "in order");
	vz_quotafile_edit(two.s, 70, "70: /c\n", &three);
	tap_ok(strstr(three.s, "  1k-blocks 1\n70: /c\n") && !strstr(three.s, "inodes"),
	       "another in its place");
	vz_quotafile_edit(three.s, 5, NULL, &four);
	tap_ok(!strstr(four.s, "/a") && !strstr(four.s, "1k-blocks 1") &&
		       strstr(four.s, "expire\n70: /c\n"),
	       "one taken out");
}

static void sources(void)
{
	static const struct {
		const char *line, *want;
	} t[] = {
		{ "36 25 8:1 /a /b rw - ext4 /dev/sda1 rw,usrquota,grpquota\n", "sda1" },
		{ "36 25 8:1 /a /b rw shared:1 - xfs /dev/mapper/vg-vz "
		  "rw,usrquota,prjquota,grpquota\n",
		  "mapper/vg-vz" },
		{ "36 25 8:1 /a /b rw - ext4 /dev/sda1 rw\n", NULL },
		{ "36 25 8:1 /a /b rw - ext4 /dev/sda1 rw,usrquota\n", NULL },
		{ "36 25 8:1 /a /b rw - ext4 /srv/x rw,usrquota,grpquota\n", NULL },
		{ "36 25 8:1 /a /b rw - ext4 /dev/../etc rw,usrquota,grpquota\n", NULL },
		{ "36 25 8:1 /a /b rw - ext4 /dev/ rw,usrquota,grpquota\n", NULL },
		{ "36 25 8:1 /a /b rw - ext4 /dev/a\\040b rw,usrquota,grpquota\n", NULL },
		{ "36 25 0:9 / / rw - overlay overlay rw,usrquota,grpquota\n", NULL },
		{ "36 25\n", NULL },
	};
	char name[64];

	for (size_t i = 0; i < VZ_ARRAY_SIZE(t); i++) {
		int r = vz_ugidview_source(t[i].line, name, sizeof(name));

		tap_ok(t[i].want ? !r && !strcmp(name, t[i].want) : r == -ENOENT,
		       "source %zu of a mount", i);
	}
	tap_is_int(vz_ugidview_source(t[1].line, name, 8), -ENOENT, "a name too long");
}

int main(void)
{
	limits();
	lines();
	judge();
	serve();
	times();
	file();
	sources();
	return tap_done();
}
