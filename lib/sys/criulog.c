/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/criulog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fs.h"

#define LOG_MAX (64 << 20)

/* Errors that are logged and don't matter. */
static const char *const harmless[] = {
	"Can't setup RLIMIT_NOFILE",
	"Unexpected EOF on (empty-image)",
	"Can't restore /proc/",
	"RPC client reported script error",
};

/*
 * What the words of an error mean to an administrator. The first row whose needle is
 * in the log's line counts, and a line that has a row counts more than one before it
 * that has none: criu says what it was about after what went wrong.
 */
static const struct {
	const char *needle, *means;
} known[] = {
	{ "ctty inheritance detected",
	  "a session on a terminal that somebody outside holds, as `vzctl enter` does: "
	  "log out of it" },
	{ "session leader of",
	  "it belongs to a session that was begun outside of the VE: end it" },
	{ "Found dangling tty",
	  "a terminal whose other end is outside of the VE: end it" },
	{ "has pending packets", "a terminal in packet mode has data that nobody read" },
	{ "External socket is used",
	  "a UNIX socket is connected to a program outside of the VE: end the program" },
	{ "half of stream unix connection",
	  "a UNIX socket is connected to a program outside of the VE: end the program" },
	{ "name-less external socket",
	  "a UNIX socket is connected to a program outside of the VE: end the program" },
	{ "in-flight connections is not empty",
	  "a connection was being made to its listening socket: try again" },
	{ "In-flight connection", "a connection was being made: try again" },
	{ "in-flight socket", "a connection was being made: let it be accepted" },
	{ "Only one slave external peer",
	  "a terminal whose other end is outside of the VE: end it" },
	{ "increase limit",
	  "a deleted file that is still open is too big to be kept: close it" },
	{ "Unknown socket family", "a socket of a kind that CRIU does not know: end the "
				   "process" },
	{ "Unsupported socket family", "a socket of a kind that CRIU does not know: end "
				       "the process" },
	{ "Unsupported proto", "a socket of a protocol that CRIU does not know: end the "
			       "process" },
	{ "Unknown socket collected",
	  "a socket of a kind that CRIU does not know: end the process" },
	{ "corked dgram",
	  "a datagram is being put together (UDP_CORK): end the process" },
	{ "The socket has data to read",
	  "a netlink socket has messages that nobody read: end the process" },
	{ "more than 32 groups",
	  "a netlink socket listens to groups beyond the first 32: end the process" },
	{ "Can't retrieve FDs",
	  "a descriptor that can't be handed on, as an io_uring: end the process" },
	{ "PIDFD_THREAD", "a pidfd of a thread: close it" },
	{ "not a part of process tree", "a pidfd of a process from outside: close it" },
	{ "No NS ID with kid",
	  "a descriptor of a namespace that nobody is in: close it" },
	{ "Dump eventpoll",
	  "an epoll watches a descriptor that was closed: restart the program" },
	{ "Zombies with threads",
	  "a process whose first thread has ended: end the process" },
	{ "pending SIGTRAP", "a SIGTRAP was not delivered: end the process" },
	{ "Unseizable", "it is traced by another process (a debugger): end that" },
	{ "Can't make VM id", "it shares its memory with another process: end one" },
	{ "Can't make FS id",
	  "it shares its working directory with another process: end one" },
	{ "Can't find suitable path for handle",
	  "it watches (inotify) a deleted file on a tmpfs: restart the program" },
	{ "secretmem", "secret memory (memfd_secret): end the process" },
	{ "isn't empty", "a file system that is only kept when it is empty, as mqueue: "
			 "remove what is in it" },
	{ "Unsupported link", "a network device of a kind that CRIU can't keep: delete "
			      "it" },
	{ "Unable to mount overlay", "an overlay is mounted in the VE: unmount it" },
	{ "always fail", "a FUSE file system is mounted in the VE: unmount it" },
	{ "Can't open tun device", "a tun or tap device is in the VE: end its program" },
	{ "nested pid namespace", "a container inside of the VE: stop it" },
	{ "Can't dump nested", "a container, or a sandboxed service, with namespaces of "
			       "its own inside of the VE: stop it" },
	{ "Nested mount namespaces", "a container inside of the VE: stop it" },
	{ "doesn't belong to the target user namespace",
	  "a namespace that is not the VE's own: restart the VE once" },
	{ "fuse mount but not external",
	  "a FUSE file system is mounted in the VE: unmount it" },
	{ "autofs not supported", "an automount point is in the VE: disable it (systemd: "
				  "proc-sys-fs-binfmt_misc.automount)" },
	{ "Can't dump that handle",
	  "it watches (inotify, fanotify) a file that can't be found again: end the "
	  "process" },
	{ "Open files on overmounted", "an open file is below a mount point: close it" },
	{ "FS mnt", "a file system that CRIU can't keep is mounted in the VE: unmount "
		    "it" },
	{ "doesn't have a proper root mount",
	  "a directory of the node is mounted in the VE: unmount it" },
	{ "Can't dump file", "an open file of a kind that CRIU can't keep: close it" },
	{ "Can't lookup mount", "an open file on a file system that is mounted no more: "
				"close it" },
	{ "io_uring", "it uses io_uring, which CRIU can't keep: end the process" },
	{ "anon_inode:", "a descriptor of a kind that CRIU can't keep: end the process" },
	{ "Unsupported mapping", "memory of a device is mapped: end the process" },
	{ "packetized mode for pipes", "a pipe in packet mode (O_DIRECT): end the "
				       "process" },
	{ "Control messages in queue", "descriptors are on their way through a UNIX "
				       "socket: try again" },
	{ "half-closed sockets", "a half-closed TCP connection: try again, or close it" },
	{ "is traced", "it is traced by another process (a debugger): end that" },
	{ "seized by", "it is traced by another process (a debugger): end that" },
	{ "Can't freeze", "its processes could not be stopped in time: try again" },
	{ "Timeout reached", "its processes could not be stopped in time: one waits in "
			     "the kernel for a disk or an NFS server" },
	{ "vdso", "this criu does not know this kernel: install a newer one, or name it "
		  "by CRIU= in vz.conf" },
	{ "vDSO", "this criu does not know this kernel: install a newer one, or name it "
		  "by CRIU= in vz.conf" },
	{ "No space left on device", "the disk is full: make room, or choose another "
				     "place by --dumpfile" },
	{ "Can't open file", "a file that it had open is not there any more: bring it "
			     "back" },
	{ "has bad size",
	  "a file that it had open was changed meanwhile: bring it back" },
	{ "has bad mode",
	  "a file that it had open was changed meanwhile: bring it back" },
	{ "has bad build-ID", "a program of it was changed meanwhile: bring it back" },
	{ "Pid", "a process number that it had is taken" },
};

/* Where in the log the reader is. */
struct reader {
	bool restore;
	char task[96]; /* "process 4711 (nginx)" */
	char found[400];
	bool is_known;
};

/* "process N (NAME)" of "Dumping task (pid: N comm: NAME)". */
static void note_task(struct reader *r, const char *line)
{
	const char *at = strstr(line, "umping task (pid: ");
	char comm[32] = "";
	int pid;

	if (at && sscanf(at, "umping task (pid: %d comm: %31[^)]", &pid, comm) == 2)
		snprintf(r->task, sizeof(r->task), "process %d (%s)", pid, comm);
	else if (at && sscanf(at, "umping task (pid: %d", &pid) == 1)
		snprintf(r->task, sizeof(r->task), "process %d", pid);
}

/* Of a restore each process says its own number, as the VE has it, first. */
static const char *after_stamp(struct reader *r, const char *line)
{
	int pid, n = 0;

	if (*line != '(')
		return line;
	line += strcspn(line, ")");
	line += *line == ')';
	if (r->restore && sscanf(line, " %d:%n", &pid, &n) == 1 && n) {
		snprintf(r->task, sizeof(r->task), "process %d of the VE", pid);
		line += n;
	}
	return line + strspn(line, " ");
}

static bool is_harmless(const char *text)
{
	for (size_t i = 0; i < VZ_ARRAY_SIZE(harmless); i++)
		if (strstr(text, harmless[i]))
			return true;
	return false;
}

static const char *meaning(const char *text)
{
	for (size_t i = 0; i < VZ_ARRAY_SIZE(known); i++)
		if (strstr(text, known[i].needle))
			return known[i].means;
	return NULL;
}

/* "Error (criu/files.c:12): TEXT": the place in CRIU's source helps nobody here. */
static const char *text_of(const char *line)
{
	const char *at = strstr(line, "): ");

	return at ? at + 3 : line;
}

static void note_error(struct reader *r, const char *line)
{
	const char *text = text_of(line), *means = meaning(text);
	const char *task = *r->task ? r->task : "", *colon = *r->task ? ": " : "";

	if (is_harmless(text) || r->is_known || (*r->found && !means))
		return;
	r->is_known = means;
	if (means)
		snprintf(r->found, sizeof(r->found), "%s%s%.150s (criu: %.120s)", task,
			 colon, means, text);
	else
		snprintf(r->found, sizeof(r->found), "%s%scriu says: %.200s", task, colon,
			 text);
}

int vz_criulog_explain_text(char *log, bool restore, char *ret, size_t size)
{
	struct reader r = { .restore = restore };
	char *at, *line;

	for (line = strtok_r(log, "\n", &at); line; line = strtok_r(NULL, "\n", &at)) {
		const char *text = after_stamp(&r, line);

		note_task(&r, text);
		if (!strncmp(text, "Error (", 7))
			note_error(&r, text);
	}
	if (!*r.found)
		return -ENOENT;
	snprintf(ret, size, "%s", r.found);
	return 0;
}

int vz_criulog_explain(int dir, const char *name, bool restore, char *ret, size_t size)
{
	vz_autofd int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	vz_autofree char *log = NULL;
	int r = fd < 0 ? -errno : vz_read_fd(fd, LOG_MAX, &log, NULL);

	return r ? r : vz_criulog_explain_text(log, restore, ret, size);
}
