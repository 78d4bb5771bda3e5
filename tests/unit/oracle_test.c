/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's texts about processes, which the oracle reads. */
#include "ve/oracle_parse.h"

#include "tap.h"
#include "ve/oracle.h"

static void test_status(void)
{
	static const char text[] =
		"Name:\tState:\\nPPid:\n"
		"State:\tS (sleeping)\n"
		"Pid:\t4711\nPPid:\t4000\nTracerPid:\t12\n"
		"NSpid:\t4711\t17\t3\nNSsid:\t4000\t0\t0\n"
		"Threads:\t5\n"
		"SigPnd:\t0000000000000010\nShdPnd:\t0000000000000200\n";
	struct vz_proc_status s;

	if (!tap_ok(vz_parse_proc_status(text, &s), "status"))
		return;
	tap_ok(s.state == 'S', "its state, whatever it calls itself");
	tap_is_int(s.ppid, 4000, "its parent");
	tap_is_int(s.tracer, 12, "its tracer");
	tap_is_int(s.vpid, 17, "its number in the VE, not within a container there");
	tap_is_int(s.vsid, 0, "a session from outside");
	tap_is_int(s.threads, 5, "threads");
	tap_is_int((long long)s.pending, 0x210, "signals of both kinds");
	tap_ok(vz_parse_proc_status("State:\tZ\nPPid:\t1\nNSpid:\t9\n", &s) &&
		       s.vpid == 9 && s.threads == 1,
	       "one that is in no other namespace");
	tap_ok(!vz_parse_proc_status("", &s), "nothing");
	tap_ok(!vz_parse_proc_status("State:\tS\n", &s), "half of it");
}

static void test_stat(void)
{
	struct vz_proc_stat s;

	tap_ok(vz_parse_proc_stat(
		       "4711 (a) R 1 (b) S 4000 4711 4000 34817 4720 4194304 1 2 "
		       "3 4 5 6 7 8 20 0 1 0 123456789 22 33\n",
		       &s),
	       "stat of a name with brackets");
	tap_is_int(s.session, 4000, "its session");
	tap_is_int(s.tty, 34817, "its terminal");
	tap_is_int(s.foreground, 4720, "who is in the foreground there");
	tap_is_int((long long)s.start, 123456789, "its start");
	tap_ok(!vz_parse_proc_stat("4711 (a) S 1 2", &s), "a short one");
	tap_ok(!vz_parse_proc_stat("", &s), "nothing");
}

static void test_links(void)
{
	static const struct {
		const char *link;
		enum vz_fd_link is;
		const char *name;
		uint64_t ino;
	} rows[] = {
		{ "/etc/passwd", VZ_FD_PATH, "", 0 },
		{ "/socket:[1]", VZ_FD_PATH, "", 0 },
		{ "anon_inode:[io_uring]", VZ_FD_ANON, "io_uring", 0 },
		{ "anon_inode:inotify", VZ_FD_ANON, "inotify", 0 },
		{ "anon_inode:", VZ_FD_ANON, "", 0 },
		{ "socket:[4711]", VZ_FD_SOCKET, "socket", 4711 },
		{ "pipe:[4711]", VZ_FD_PIPE, "pipe", 4711 },
		{ "net:[4026531840]", VZ_FD_NS, "net", 4026531840 },
		{ "pidfd:[12]", VZ_FD_ANON, "pidfd", 12 },
		{ "socket:[4711", VZ_FD_OTHER, NULL, 0 },
		{ "", VZ_FD_OTHER, NULL, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char name[32];
		uint64_t ino;
		enum vz_fd_link is = vz_parse_fd_link(rows[i].link, name, &ino);

		tap_ok(is == rows[i].is &&
			       (!rows[i].name ||
				(!strcmp(name, rows[i].name) && ino == rows[i].ino)),
		       "a link to '%s'", rows[i].link);
	}
}

static void test_fdinfo(void)
{
	struct vz_fdinfo f;

	tap_ok(vz_parse_fdinfo("pos:\t0\nflags:\t0140002\nmnt_id:\t27\nino:\t5\n", &f) &&
		       f.flags == 0140002 && f.mnt_id == 27 && !f.pid &&
		       f.tty_index == -1,
	       "fdinfo of a file");
	tap_ok(vz_parse_fdinfo("flags:\t02\nmnt_id:\t1\nPid:\t-1\nNSpid:\t-1\n", &f) &&
		       f.pid == -1,
	       "of a pidfd whose process is gone");
	tap_ok(vz_parse_fdinfo("flags:\t02\nmnt_id:\t1\ntty-index:\t3\n", &f) &&
		       f.tty_index == 3,
	       "of a terminal's master");
	tap_ok(!vz_parse_fdinfo("pos:\t0\n", &f), "of nothing");
}

static void test_watches(void)
{
	static const char epoll[] =
		"pos:\t0\nflags:\t02\nmnt_id:\t14\n"
		"tfd:        5 events:       19 data:             1267  pos:0 ino:61af "
		"sdev:7\n"
		"tfd:       12 events: 80000001 data: ffffffffffffffff\n";
	static const char inotify[] =
		"flags:\t00\ninotify wd:2 ino:9e7e sdev:800013 mask:800afce "
		"ignored_mask:0 "
		"fhandle-bytes:8 fhandle-type:1 f_handle:7e9e0000640d1b6d\n"
		"inotify wd:1 ino:2 sdev:33 mask:2 ignored_mask:0 fhandle-bytes:0 "
		"fhandle-type:f8 f_handle:\n"
		"inotify wd:3 ino:zz\n"
		"inotify wd:4 ino:5 sdev:6 mask:2 fhandle-bytes:ffff fhandle-type:1 "
		"f_handle:00\n";
	const char *at = epoll;
	struct vz_epoll_line e;
	struct vz_watch_line w;

	tap_ok(vz_next_epoll_line(&at, &e) && e.fd == 5 && e.has_ino && e.ino == 0x61af,
	       "what an epoll watches");
	tap_ok(vz_next_epoll_line(&at, &e) && e.fd == 12 && !e.has_ino,
	       "of an older kernel");
	tap_ok(!vz_next_epoll_line(&at, &e), "no more");
	at = inotify;
	tap_ok(vz_next_watch_line(&at, &w) && w.ino == 0x9e7e && w.dev == 0x800013 &&
		       w.handle_bytes == 8 && w.handle_type == 1 && w.handle[0] == 0x7e &&
		       w.handle[7] == 0x6d,
	       "what an inotify watches");
	tap_ok(vz_next_watch_line(&at, &w) && w.ino == 2 && !w.handle_bytes,
	       "without a handle");
	tap_ok(vz_next_watch_line(&at, &w) && w.ino == 5 && !w.handle_bytes,
	       "a handle that is too long is none, and a broken line is passed over");
	tap_ok(!vz_next_watch_line(&at, &w), "no more");
}

static void test_maps(void)
{
	struct vz_map_line l;

	tap_ok(vz_parse_map_line(
		       "7f00-7f10 rw-s 00001000 00:01 77 /dev/shm/a b (deleted)", &l) &&
		       l.start == 0x7f00 && l.end == 0x7f10 && l.shared && l.ino == 77 &&
		       !strcmp(l.path, "/dev/shm/a b (deleted)"),
	       "a mapped file");
	tap_ok(vz_parse_map_line("1000-2000 r-xp 00000000 00:00 0 ", &l) && !l.shared &&
		       !*l.path,
	       "memory of no file");
	tap_ok(!vz_parse_map_line("1000-", &l), "a short line");
}

static void test_mounts(void)
{
	static struct vz_mount_line m;

	tap_ok(vz_parse_mount_line(
		       "36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 - ext3 "
		       "/dev/root rw,errors=continue",
		       &m) &&
		       m.id == 36 && m.parent == 35 && m.major == 98 && m.master == 1 &&
		       !m.shared && !strcmp(m.root, "/mnt1") &&
		       !strcmp(m.point, "/mnt 2") && !strcmp(m.type, "ext3"),
	       "a mount");
	tap_ok(vz_parse_mount_line("1 2 0:5 / / rw shared:7 master:8 - tmpfs shared:9 rw",
				   &m) &&
		       m.shared == 7 && m.master == 8,
	       "of two peer groups");
	tap_ok(!vz_parse_mount_line("1 2 0:5 / / rw", &m), "half a line");
}

static void test_words(void)
{
	struct vz_obstacle o = { .kind = "descriptor",
				 .pid = 12,
				 .comm = "x",
				 .what = "descriptor 5, io_uring",
				 .why = "CRIU can't keep it",
				 .remedy = "close it" };
	char line[VZ_OBSTACLE_LINE], text[8];

	vz_obstacle_line(&o, line);
	tap_is_str(line,
		   "process 12 (x): descriptor 5, io_uring: CRIU can't keep it: close it",
		   "an obstacle in words");
	o.pid = 0;
	vz_obstacle_line(&o, line);
	tap_is_str(line, "descriptor 5, io_uring: CRIU can't keep it: close it",
		   "of no process");
	vz_printable("a\n\033[\xc3\xa4xyz", text, sizeof(text));
	tap_is_str(text, "a??[??x", "only text, and no more than there is room for");
}

int main(void)
{
	test_status();
	test_stat();
	test_links();
	test_fdinfo();
	test_watches();
	test_maps();
	test_mounts();
	test_words();
	return tap_done();
}
