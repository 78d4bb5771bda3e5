/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tool/screen.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/str.h"

/* The other screen, so that what was there comes back; no cursor, no wrapping. */
#define ENTER "\033[?1049h\033[?25l\033[?7l\033[2J"
#define LEAVE "\033[0m\033[?7h\033[?25h\033[?1049l"
#define HOME "\033[H"
#define LINE_END "\033[K"
#define SCREEN_END "\033[J"
#define MARK "\033[7m"
#define UNMARK "\033[27m"

/* How long the rest of a key's sequence may take on a slow line. */
#define ESCAPE_MS 50

bool vz_screen_possible(void)
{
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && term && *term && strcmp(term, "dumb");
}

static int number(const char *name, int otherwise)
{
	const char *s = getenv(name);
	int n = s ? atoi(s) : 0;

	return n > 0 && n < 10000 ? n : otherwise;
}

static void find_size(struct vz_screen *s)
{
	struct winsize w = { 0 };

	ioctl(STDOUT_FILENO, TIOCGWINSZ, &w);
	s->rows = w.ws_row ? w.ws_row : number("LINES", 24);
	s->cols = w.ws_col ? w.ws_col : number("COLUMNS", 80);
}

static int write_text(const char *text)
{
	return vz_write_all(STDOUT_FILENO, text, strlen(text));
}

static int enter(struct vz_screen *s)
{
	struct termios t = s->found;

	t.c_lflag &= ~(ICANON | ECHO);
	t.c_cc[VMIN] = 1;
	t.c_cc[VTIME] = 0;
	if (s->keys && tcsetattr(STDIN_FILENO, TCSADRAIN, &t))
		return -errno;
	find_size(s);
	return write_text(ENTER);
}

static void leave(struct vz_screen *s)
{
	write_text(LEAVE);
	if (s->keys)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &s->found);
}

int vz_screen_open(struct vz_screen *s, struct vz_err *err)
{
	static const int held[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH };
	sigset_t set;
	int r;

	*s = (struct vz_screen){ .sigfd = -1 };
	sigemptyset(&set);
	for (size_t i = 0; i < VZ_ARRAY_SIZE(held); i++)
		sigaddset(&set, held[i]);
	s->sigfd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->sigfd < 0)
		return vz_err_set(err, VZ_E_SYSTEM, errno, "can't wait for signals");
	sigprocmask(SIG_BLOCK, &set, &s->found_signals);
	s->keys = isatty(STDIN_FILENO) && !tcgetattr(STDIN_FILENO, &s->found);
	r = enter(s);
	if (!r)
		return 0;
	vz_screen_close(s);
	return vz_err_set(err, VZ_E_SYSTEM, -r, "can't use the terminal");
}

void vz_screen_close(struct vz_screen *s)
{
	if (s->sigfd < 0)
		return;
	leave(s);
	close(s->sigfd);
	s->sigfd = -1;
	sigprocmask(SIG_SETMASK, &s->found_signals, NULL);
}

/* -- drawing -- */

/* How many bytes of the text fill up to cols columns, one a character. */
static size_t fitting(const char *text, size_t cols, bool *ret_full)
{
	size_t i = 0, n = 0;

	for (; text[i]; i++)
		if ((text[i] & 0xc0) != 0x80 && n++ == cols)
			break;
	*ret_full = n >= cols;
	return i;
}

static bool is_ascii(const char *text)
{
	while (*text && !(*text & 0x80))
		text++;
	return !*text;
}

static void add_marked(struct vz_str *out, const char *text, size_t n, const char *before)
{
	size_t before_len = strlen(before);
	bool marked = false;

	for (size_t i = 0; i < n; i++) {
		bool differs = i >= before_len ? text[i] != ' ' : text[i] != before[i];

		if (differs != marked)
			vz_str_add(out, differs ? MARK : UNMARK);
		marked = differs;
		vz_str_addn(out, text + i, 1);
	}
}

static void add_line(struct vz_str *out, const struct vz_line *line, size_t cols,
		     const char *before)
{
	bool full;
	size_t n = fitting(line->text, cols, &full);

	if (line->look != VZ_LOOK_PLAIN)
		vz_str_add(out, vz_look_escape(line->look));
	if (before && is_ascii(line->text))
		add_marked(out, line->text, n, before);
	else
		vz_str_addn(out, line->text, n);
	vz_str_add(out, vz_look_escape(VZ_LOOK_PLAIN));
	/* Behind the last column the cursor still stands on it. */
	if (!full)
		vz_str_add(out, LINE_END);
}

int vz_screen_draw(struct vz_screen *s, const struct vz_frame *f, size_t fixed,
		   size_t first, const struct vz_frame *before)
{
	vz_autostr struct vz_str out = { 0 };
	size_t at = 0;

	vz_str_add(&out, HOME);
	for (int row = 0; row < s->rows && at < f->n; row++, at++) {
		if (at == fixed)
			at += first;
		if (at >= f->n)
			break;
		if (row)
			vz_str_add(&out, "\r\n");
		add_line(&out, &f->lines[at], s->cols,
			 before && at < before->n ? before->lines[at].text : NULL);
	}
	vz_str_add(&out, SCREEN_END);
	if (out.failed || f->failed)
		return -ENOMEM;
	return vz_write_all(STDOUT_FILENO, out.s, out.len);
}

/* -- keys -- */

static int on_signal(struct vz_screen *s)
{
	struct signalfd_siginfo si;

	if (read(s->sigfd, &si, sizeof(si)) != sizeof(si))
		return VZ_KEY_DRAW;
	if (si.ssi_signo == SIGWINCH) {
		find_size(s);
		return VZ_KEY_DRAW;
	}
	if (si.ssi_signo != SIGTSTP)
		return VZ_KEY_QUIT;
	leave(s);
	raise(SIGSTOP);
	return enter(s) ? VZ_KEY_QUIT : VZ_KEY_DRAW;
}

/* More of what is typed; false: the terminal is gone. */
static bool read_keys(struct vz_screen *s)
{
	ssize_t n = read(STDIN_FILENO, s->in + s->n_in, sizeof(s->in) - s->n_in);

	if (n > 0)
		s->n_in += n;
	return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

static const struct {
	const char *sequence; /* after escape */
	enum vz_key key;
} sequences[] = {
	{ "[A", VZ_KEY_UP },	     { "OA", VZ_KEY_UP },    { "[B", VZ_KEY_DOWN },
	{ "OB", VZ_KEY_DOWN },	     { "[C", VZ_KEY_RIGHT }, { "OC", VZ_KEY_RIGHT },
	{ "[D", VZ_KEY_LEFT },	     { "OD", VZ_KEY_LEFT },  { "[5~", VZ_KEY_PAGE_UP },
	{ "[6~", VZ_KEY_PAGE_DOWN }, { "[H", VZ_KEY_HOME },  { "OH", VZ_KEY_HOME },
	{ "[1~", VZ_KEY_HOME },	     { "[7~", VZ_KEY_HOME }, { "[F", VZ_KEY_END },
	{ "OF", VZ_KEY_END },	     { "[4~", VZ_KEY_END },  { "[8~", VZ_KEY_END },
};

/* The length of the sequence that begins with escape. */
static size_t sequence_len(const char *in, size_t n)
{
	size_t i = 2;

	if (n < 2 || (in[1] != '[' && in[1] != 'O'))
		return 1;
	while (i < n && (in[i] < 0x40 || in[i] > 0x7e))
		i++;
	return i < n ? i + 1 : n;
}

static int sequence_key(const char *in, size_t len)
{
	if (len == 1)
		return VZ_KEY_ESCAPE;
	for (size_t i = 0; i < VZ_ARRAY_SIZE(sequences); i++)
		if (strlen(sequences[i].sequence) == len - 1 &&
		    !memcmp(sequences[i].sequence, in + 1, len - 1))
			return sequences[i].key;
	return VZ_KEY_OTHER;
}

static int take_key(struct vz_screen *s)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	size_t len = 1;
	int key = (unsigned char)s->in[0];

	if (key == '\033') {
		if (s->n_in == 1 && poll(&p, 1, ESCAPE_MS) == 1)
			read_keys(s);
		len = sequence_len(s->in, s->n_in);
		key = sequence_key(s->in, len);
	}
	s->n_in -= len;
	memmove(s->in, s->in + len, s->n_in);
	return key;
}

int vz_screen_key(struct vz_screen *s, int timeout_ms)
{
	struct pollfd p[2] = { { .fd = s->sigfd, .events = POLLIN },
			       { .fd = s->keys ? STDIN_FILENO : -1, .events = POLLIN } };
	int n;

	if (s->n_in)
		return take_key(s);
	n = poll(p, 2, timeout_ms);
	if (!n)
		return VZ_KEY_NONE;
	if (n < 0)
		return errno == EINTR ? VZ_KEY_DRAW : VZ_KEY_QUIT;
	if (p[0].revents)
		return on_signal(s);
	if (!read_keys(s))
		return VZ_KEY_QUIT;
	return s->n_in ? take_key(s) : VZ_KEY_DRAW;
}

size_t vz_screen_scroll(int key, size_t at, size_t n, size_t page)
{
	size_t last = n > page ? n - page : 0;

	if (key == VZ_KEY_UP || key == 'k')
		at -= at > 0;
	else if (key == VZ_KEY_DOWN || key == 'j')
		at++;
	else if (key == VZ_KEY_PAGE_UP)
		at = at > page ? at - page : 0;
	else if (key == VZ_KEY_PAGE_DOWN || key == ' ')
		at += page;
	else if (key == VZ_KEY_HOME || key == 'g')
		at = 0;
	else if (key == VZ_KEY_END || key == 'G')
		at = last;
	return at < last ? at : last;
}
