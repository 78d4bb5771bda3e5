/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/relay.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

static void close_end(int *fd, bool borrowed)
{
	if (*fd >= 0 && !borrowed)
		close(*fd);
	*fd = -1;
}

void vz_flow_close(struct vz_flow *f)
{
	close_end(&f->from, f->from_borrowed);
	close_end(&f->to, f->to_borrowed);
	f->at = f->n = 0;
}

void vz_flow_poll(const struct vz_flow *f, struct pollfd *p)
{
	bool waiting = f->at < f->n;

	p->fd = waiting ? f->to : f->from;
	p->events = waiting ? POLLOUT : POLLIN;
	p->revents = 0;
}

/* Write what waits. Nobody reads any more: the flow ends. */
static void put(struct vz_flow *f)
{
	while (f->at < f->n) {
		ssize_t n = write(f->to, f->buf + f->at, f->n - f->at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) {
			vz_flow_close(f);
			return;
		}
		f->at += n;
	}
	/* What came before the end is through: pass the end on, too. */
	if (f->from < 0)
		close_end(&f->to, f->to_borrowed);
}

/* 1 something, 0 nothing now, -1 the end. */
static int get(struct vz_flow *f)
{
	ssize_t n = read(f->from, f->buf, sizeof(f->buf));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	f->at = 0;
	f->n = n > 0 ? n : 0;
	/* A pty's master says EIO when its last slave is closed. */
	if (n <= 0)
		close_end(&f->from, f->from_borrowed);
	return n > 0 ? 1 : -1;
}

void vz_flow_pump(struct vz_flow *f, const struct pollfd *p)
{
	if (!p->revents || f->to < 0)
		return;
	if (f->at == f->n && f->from >= 0)
		get(f);
	put(f);
}

void vz_flow_drain(struct vz_flow *f)
{
	while (f->from >= 0 && f->to >= 0 && f->at == f->n) {
		struct pollfd p = { .fd = f->from, .events = POLLIN };

		if (poll(&p, 1, 0) <= 0 || get(f) <= 0)
			break;
		put(f);
	}
}

int vz_tty_raw(int fd, struct termios *ret_old)
{
	struct termios old, raw;

	if (tcgetattr(fd, &old))
		return -errno;
	raw = old;
	cfmakeraw(&raw);
	if (tcsetattr(fd, TCSADRAIN, &raw))
		return -errno;
	*ret_old = old;
	return 0;
}

void vz_tty_restore(int fd, const struct termios *old)
{
	tcsetattr(fd, TCSADRAIN, old);
}

void vz_tty_copy_size(int from, int to)
{
	struct winsize size;

	if (!ioctl(from, TIOCGWINSZ, &size))
		ioctl(to, TIOCSWINSZ, &size);
}
