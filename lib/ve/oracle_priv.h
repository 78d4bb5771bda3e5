/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_ORACLE_PRIV_H
#define VZ_VE_ORACLE_PRIV_H

#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "ve/oracle.h"
#include "ve/oracle_parse.h"
#include "ve/state.h"

/*
 * The scan, in the process that does it. It ends with that: nothing is freed. What the
 * VE may have much of is bounded; who has more is told so.
 */
#define ORACLE_TASKS 65536
#define ORACLE_SOCKETS 1000000
#define ORACLE_MOUNTS 20000
#define ORACLE_TTYS 65536
#define ORACLE_SPACES 4096 /* namespaces of one kind */
#define ORACLE_TOLD 1000 /* obstacles */

enum oracle_ns {
	ORACLE_PID,
	ORACLE_USER,
	ORACLE_UTS,
	ORACLE_IPC,
	ORACLE_CGROUP,
	ORACLE_TIME,
	ORACLE_TIME_CHILDREN,
	ORACLE_NET,
	ORACLE_MNT,
	ORACLE_NS__COUNT,
};
extern const char *const oracle_ns_files[ORACLE_NS__COUNT];

/* A process of the VE's tree, as CRIU walks it: what descends from init. */
struct oracle_task {
	pid_t pid;
	uint64_t start; /* so that another one is not taken for it */
	struct vz_proc_status st;
	unsigned int tty; /* its controlling terminal */
	pid_t session, foreground;
	char comm[20];
};

struct oracle_mount {
	int space; /* of which mount namespace */
	int id, parent;
	unsigned int major, minor;
	int master, shared;
	char *root, *point, type[64];
	bool node; /* the node's: CRIU is told of it */
	enum { ORACLE_UNSEEN, ORACLE_OPEN, ORACLE_COVERED } over; /* once asked */
};

enum oracle_tty_kind { ORACLE_PTS, ORACLE_PTMX, ORACLE_DEV_TTY };
struct oracle_tty {
	enum oracle_tty_kind kind;
	unsigned int pts; /* which */
	uint32_t task;
	int fd;
};

struct oracle_socket {
	uint64_t ino;
	uint32_t task; /* index of who has it */
	int fd; /* its number there */
};

struct oracle {
	const struct vz_ve *ve;
	uint32_t criu; /* version */
	int out; /* where obstacles are told */
	size_t told;
	unsigned int waited; /* for processes to go on */
	pid_t init;
	int root; /* O_PATH, of the VE */
	dev_t memfd_dev; /* of memory that a memfd has */
	struct oracle_task *tasks;
	size_t n_tasks;
	uint64_t *
		spaces[ORACLE_NS__COUNT]; /* inodes of the namespaces that tasks are in */
	size_t n_spaces[ORACLE_NS__COUNT];
	struct oracle_mount *mounts;
	size_t n_mounts;
	struct oracle_socket *sockets; /* one row for each descriptor */
	size_t n_sockets;
	struct oracle_tty *ttys;
	size_t n_ttys;
};

/* Tell of an obstacle; t NULL: of no process. Only the first ORACLE_TOLD are told. */
struct oracle_word {
	const char *kind, *why, *remedy;
	bool passing;
};
void oracle_tell(struct oracle *o, const struct oracle_task *t,
		 const struct oracle_word *word, const char *what, ...)
	__attribute__((format(printf, 4, 5)));
#define ORACLE_WORD(...) (&(const struct oracle_word){ __VA_ARGS__ })

/*
 * Each part of the scan: 0, or -errno when it can't go on (-E2BIG: there is too much
 * to be looked at). What goes while it is looked at is passed over.
 */
int oracle_scan_tasks(struct oracle *o);
int oracle_scan_mounts(struct oracle *o); /* those of all tasks' mount namespaces */
int oracle_scan_fds(struct oracle *o);
int oracle_scan_sockets(struct oracle *o); /* those that descriptors lead to */
int oracle_scan_unix(struct oracle *o); /* of these, after them */
bool oracle_has_socket(const struct oracle *o, uint64_t ino);
int oracle_scan_memory(struct oracle *o);
int oracle_scan_devices(struct oracle *o);

/* /proc/PID, of the very process; -ESRCH: it is gone. */
int oracle_open_task(const struct oracle *o, const struct oracle_task *t);
/* A file of that directory, to be freed by the caller. */
int oracle_read(int dir, const char *name, size_t max, char **ret);
/* The number of a namespace; 0: none, or it can't be read. */
uint64_t oracle_ns_of(int dir, enum oracle_ns ns);
bool oracle_has_space(const struct oracle *o, enum oracle_ns ns, uint64_t ino);
const struct oracle_task *oracle_task_of(const struct oracle *o, pid_t pid);
struct oracle_mount *oracle_mount_of(const struct oracle *o, int id);
/* Something else is mounted over it: its files have no path any more. */
bool oracle_overmounted(const struct oracle *o, struct oracle_mount *m);

/* One descriptor as it was found. */
struct oracle_fd {
	const struct oracle_task *task;
	int dir; /* /proc/PID */
	int number;
	struct stat st;
	char link[PATH_MAX];
	char *info_text; /* fdinfo */
	struct vz_fdinfo info;
};
/* Terminals are noted one by one, and judged together. 0 or -errno. */
int oracle_check_tty(struct oracle *o, const struct oracle_fd *fd);
void oracle_judge_ttys(struct oracle *o);
/* What watches others: epoll, inotify; see oracle_watch.c. */
void oracle_check_epoll(struct oracle *o, const struct oracle_fd *fd);
void oracle_check_inotify(struct oracle *o, const struct oracle_fd *fd);

#endif
