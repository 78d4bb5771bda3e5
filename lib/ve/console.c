/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/console.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "ve/state.h"

#define ESC 27
#define CHUNK 1024

/* Connect by the directory's descriptor: an address has room for 107 characters. */
static int connect_control(const struct vz_ctx *ctx, uint32_t veid, int *ret_fd)
{
	vz_autofree char *dir = vz_strf("%s/%u", ctx->rundir, veid);
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	vz_autofd int fd = -1, at = -1;

	at = dir ? open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	if (at < 0)
		return -errno;
	snprintf(un.sun_path, sizeof(un.sun_path), "/proc/self/fd/%d/control", at);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&un, sizeof(un)))
		return -errno;
	*ret_fd = vz_take_fd(&fd);
	return 0;
}

static int attach(const struct vz_ctx *ctx, uint32_t veid, int *ret_fd,
		  struct vz_err *err)
{
	vz_autofd int fd = -1;
	char answer;
	int r = connect_control(ctx, veid, &fd);

	if (r)
		return vz_err_set(err, VZ_E_SYSTEM, -r,
				  "can't reach the supervisor of VE %u", veid);
	if (recv(fd, &answer, 1, 0) != 1)
		answer = VZ_CONSOLE_GONE;
	if (answer == VZ_CONSOLE_BUSY)
		return vz_err_set(err, VZ_E_SYSTEM, EBUSY,
				  "the console of VE %u is in use by another", veid);
	if (answer != VZ_CONSOLE_YOURS)
		return vz_err_set(err, VZ_E_SYSTEM, EIO,
				  "the console of VE %u went with its supervisor; "
				  "a restart of the VE gives it another",
				  veid);
	*ret_fd = vz_take_fd(&fd);
	return 0;
}

/*
 * What was typed, less Esc and what follows it: a point ends it, anything
 * else goes on with the Esc. Returns the length, *ret_end when it was a point.
 */
static size_t filter(const char *in, size_t n, char *out, bool *esc, bool *ret_end)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		if (*esc && in[i] == '.') {
			*ret_end = true;
			return len;
		}
		if (*esc)
			out[len++] = ESC;
		*esc = !*esc && in[i] == ESC;
		if (!*esc)
			out[len++] = in[i];
	}
	return len;
}

static int send_input(int fd, bool *esc, bool *ret_end)
{
	char in[CHUNK / 2], packet[1 + CHUNK] = { VZ_CONSOLE_INPUT };
	ssize_t n = read(0, in, sizeof(in));
	size_t len;

	if (n <= 0) {
		*ret_end = true;
		return 0;
	}
	len = filter(in, n, packet + 1, esc, ret_end);
	return len && send(fd, packet, 1 + len, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static void send_size(int fd)
{
	char packet[1 + sizeof(struct winsize)] = { VZ_CONSOLE_SIZE };

	if (!ioctl(0, TIOCGWINSZ, packet + 1))
		send(fd, packet, sizeof(packet), MSG_NOSIGNAL);
}

static int relay(int fd, int sigfd)
{
	struct pollfd p[] = { { fd, POLLIN }, { 0, POLLIN }, { sigfd, POLLIN } };
	struct signalfd_siginfo si;
	bool esc = false, end = false;
	char buf[8192];
	ssize_t n;
	int r = 0;

	while (!end && !r) {
		if (poll(p, 3, -1) < 0 && errno != EINTR)
			return -errno;
		if (p[2].revents && read(sigfd, &si, sizeof(si)) == sizeof(si)) {
			end = si.ssi_signo != SIGWINCH;
			send_size(fd);
		}
		if (p[0].revents) {
			n = recv(fd, buf, sizeof(buf), 0);
			end = n <= 0;
			r = n > 0 ? vz_write_all(1, buf, n) : 0;
		}
		if (p[1].revents && !r && !end)
			r = send_input(fd, &esc, &end);
	}
	return r == -EPIPE || r == -ECONNRESET ? 0 : r;
}

/* Signals that end or resize are read, so that the terminal is set back. */
static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

int vz_console(const struct vz_ctx *ctx, uint32_t veid, struct vz_err *err)
{
	struct termios old, raw;
	vz_autofd int fd = -1, sigfd = -1;
	bool tty = !tcgetattr(0, &old);
	int r;

	if (vz_state_running(ctx, veid) != 1)
		return vz_err_set(err, VZ_E_NOTRUNNING, 0, "Container is not running");
	r = attach(ctx, veid, &fd, err);
	if (r)
		return r;
	sigfd = open_signals();
	if (sigfd < 0)
		return vz_err_set(err, VZ_E_SYSTEM, errno, "can't watch signals");
	vz_info(ctx, "Attached to CT %u (ESC . to detach)", veid);
	if (tty) {
		raw = old;
		cfmakeraw(&raw);
		tcsetattr(0, TCSADRAIN, &raw);
		send_size(fd);
	}
	r = relay(fd, sigfd);
	if (tty)
		tcsetattr(0, TCSADRAIN, &old);
	vz_info(ctx, "\nDetached from CT %u", veid);
	return r ? vz_err_set(err, VZ_E_SYSTEM, -r, "the console broke off") : 0;
}
