/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_ORACLE_PARSE_H
#define VZ_VE_ORACLE_PARSE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The kernel's texts about processes, taken apart. Names in them are a VE's words.
 * Functions return false for what is not as expected.
 */

/* /proc/PID/status */
struct vz_proc_status {
	char state; /* R, S, D, T, t, Z … */
	pid_t ppid, tracer; /* as the reader sees them */
	pid_t vpid, vsid; /* as the VE does, whose namespace is in the reader's */
	uint32_t threads;
	uint64_t pending; /* signals, of it and its thread group */
};
bool vz_parse_proc_status(const char *text, struct vz_proc_status *ret);

/* /proc/PID/stat */
struct vz_proc_stat {
	unsigned int tty; /* device of the controlling terminal; 0: none */
	pid_t session, foreground; /* as the reader sees them */
	uint64_t start;
};
bool vz_parse_proc_stat(const char *text, struct vz_proc_stat *ret);

/* What /proc/PID/fd/N is a link to. */
enum vz_fd_link {
	VZ_FD_PATH,
	VZ_FD_ANON, /* *ret_name: "eventfd" of anon_inode:[eventfd] */
	VZ_FD_SOCKET,
	VZ_FD_PIPE,
	VZ_FD_NS, /* *ret_name: "net", *ret_ino: which */
	VZ_FD_OTHER,
};
enum vz_fd_link vz_parse_fd_link(const char *link, char ret_name[32], uint64_t *ret_ino);

/* /proc/PID/fdinfo/N: what all have. */
struct vz_fdinfo {
	unsigned int flags; /* O_… */
	int mnt_id; /* -1: not said */
	int pid; /* of a pidfd; 0: none, -1: it is gone */
	char tun[16]; /* a tun's device; "": not attached */
	int tty_index; /* of a pty's master; -1 */
};
bool vz_parse_fdinfo(const char *text, struct vz_fdinfo *ret);

/* The lines of those that watch: each call takes one, *at begins with the text. */
struct vz_epoll_line {
	int fd;
	uint64_t ino;
	bool has_ino; /* kernels before 4.13 don't say */
};
bool vz_next_epoll_line(const char **at, struct vz_epoll_line *ret);

struct vz_watch_line {
	uint64_t ino;
	uint32_t dev; /* as the kernel has it: major << 20 | minor */
	uint32_t handle_bytes;
	int32_t handle_type;
	unsigned char handle[128];
};
bool vz_next_watch_line(const char **at, struct vz_watch_line *ret);

/* A line of /proc/PID/maps; path points into the line. */
struct vz_map_line {
	uint64_t start, end;
	bool shared;
	unsigned int major, minor;
	uint64_t ino;
	const char *path; /* "": anonymous */
};
bool vz_parse_map_line(const char *line, struct vz_map_line *ret);

/* A line of mountinfo. */
struct vz_mount_line {
	int id, parent;
	unsigned int major, minor;
	int master; /* 0: no slave */
	int shared; /* 0: not shared */
	char root[PATH_MAX], point[PATH_MAX], type[64];
};
bool vz_parse_mount_line(const char *line, struct vz_mount_line *ret);

/* A copy without what a terminal would take for more than text. */
void vz_printable(const char *from, char *to, size_t size);

#endif
