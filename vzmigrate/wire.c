/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vzmigrate/wire.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/str.h"

void wire_done(struct wire *w)
{
	if (w->in >= 0)
		close(w->in);
	if (w->out >= 0 && w->out != w->in)
		close(w->out);
	free(w->buf);
	*w = (struct wire){ .in = -1, .out = -1 };
}

int wire_send(struct wire *w, json_t *msg, struct vz_err *err)
{
	vz_autofree char *text = msg ? json_dumps(msg, JSON_COMPACT) : NULL;
	vz_autofree char *line = text ? vz_strf("%s\n", text) : NULL;
	int r = line ? vz_write_all(w->out, line, strlen(line)) : -ENOMEM;

	json_decref(msg);
	return r ? mig_fail(err, MIG_E_CONNECT, -r, "can't talk to the other node") : 0;
}

int wire_parse(const char *line, size_t len, json_t **ret)
{
	json_t *msg = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);

	if (msg && json_is_object(msg)) {
		*ret = msg;
		return 0;
	}
	json_decref(msg);
	return -EBADMSG;
}

static int read_more(struct wire *w)
{
	ssize_t n;

	if (w->room - w->len < 4096) {
		size_t room = w->room ? w->room * 2 : 16384;
		char *buf = room > 2 * WIRE_LINE_MAX ? NULL : realloc(w->buf, room);

		if (!buf)
			return room > 2 * WIRE_LINE_MAX ? -EMSGSIZE : -ENOMEM;
		w->buf = buf;
		w->room = room;
	}
	do
		n = read(w->in, w->buf + w->len, w->room - w->len);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n ? -errno : -EPIPE;
	w->len += n;
	return 0;
}

static int take_line(struct wire *w, size_t len, json_t **ret, struct vz_err *err)
{
	int r = len > WIRE_LINE_MAX ? -EMSGSIZE : wire_parse(w->buf, len, ret);
	int shown = len < 60 ? len : 60;

	if (r)
		mig_fail(err, MIG_E_CONNECT, 0,
			 "the other node says what is no message of vzmigrate: \"%.*s\" "
			 "(does its shell print something at login?)",
			 shown, w->buf);
	w->len -= len + 1;
	memmove(w->buf, w->buf + len + 1, w->len);
	return r;
}

int wire_recv(struct wire *w, int timeout_ms, json_t **ret, struct vz_err *err)
{
	int64_t end = vz_clock_ms() + timeout_ms;
	size_t seen = 0;
	int r = 0;

	while (!r) {
		char *nl =
			w->len > seen ? memchr(w->buf + seen, '\n', w->len - seen) : NULL;

		if (nl)
			return take_line(w, nl - w->buf, ret, err);
		seen = w->len;
		r = vz_clock_wait(w->in, end);
		if (!r)
			r = read_more(w);
	}
	if (r == -EPIPE || r == -ECONNRESET)
		return -EPIPE;
	mig_fail(err, MIG_E_CONNECT, -r, "no answer from the other node");
	return r;
}

ssize_t wire_take(struct wire *w, void *buf, size_t max, int timeout_ms)
{
	size_t n = w->len < max ? w->len : max;
	ssize_t got;
	int r;

	if (n) {
		memcpy(buf, w->buf, n);
		w->len -= n;
		memmove(w->buf, w->buf + n, w->len);
		return n;
	}
	r = vz_clock_wait(w->in, vz_clock_ms() + timeout_ms);
	if (r)
		return r;
	do
		got = read(w->in, buf, max);
	while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got ? got : -EPIPE;
}

static int bad(const char *key, struct vz_err *err)
{
	mig_fail(err, MIG_E_CONNECT, 0,
		 "the other node's vzmigrate sends no valid '%s': is it of another "
		 "version?",
		 key);
	return -EBADMSG;
}

int wire_text(const json_t *msg, const char *key, size_t max, const char **ret,
	      struct vz_err *err)
{
	const json_t *v = json_object_get(msg, key);
	const char *s = json_string_value(v);

	if (!s || json_string_length(v) > max || strlen(s) != json_string_length(v))
		return bad(key, err);
	for (const char *c = s; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 127)
			return bad(key, err);
	*ret = s;
	return 0;
}

int wire_num(const json_t *msg, const char *key, uint64_t max, uint64_t *ret,
	     struct vz_err *err)
{
	const json_t *v = json_object_get(msg, key);
	json_int_t n = json_integer_value(v);

	if (!json_is_integer(v) || n < 0 || (uint64_t)n > max)
		return bad(key, err);
	*ret = n;
	return 0;
}

int wire_flag(const json_t *msg, const char *key, bool *ret, struct vz_err *err)
{
	const json_t *v = json_object_get(msg, key);

	if (!json_is_boolean(v))
		return bad(key, err);
	*ret = json_is_true(v);
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int wire_bytes(const json_t *msg, const char *key, size_t max, char **ret,
	       size_t *ret_len, struct vz_err *err)
{
	const json_t *v = json_object_get(msg, key);
	const char *s = json_string_value(v);
	size_t n = s ? json_string_length(v) : 0;
	vz_autofree char *data = NULL;

	if (!s || n % 2 || n / 2 > max)
		return bad(key, err);
	data = malloc(n / 2 + 1);
	if (!data)
		return bad(key, err);
	for (size_t i = 0; i < n / 2; i++) {
		int high = hex_digit(s[2 * i]), low = hex_digit(s[2 * i + 1]);

		if (high < 0 || low < 0)
			return bad(key, err);
		data[i] = high << 4 | low;
	}
	data[n / 2] = 0;
	*ret = vz_take(data);
	*ret_len = n / 2;
	return 0;
}

json_t *wire_hex(const char *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	vz_autofree char *s = malloc(2 * len + 1);

	if (!s)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		s[2 * i] = digits[(unsigned char)data[i] >> 4];
		s[2 * i + 1] = digits[data[i] & 15];
	}
	return json_stringn(s, 2 * len);
}
