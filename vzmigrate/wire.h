/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZMIGRATE_WIRE_H
#define VZMIGRATE_WIRE_H

/*
 * The words between two vzmigrates: JSON objects, a line each, no longer than
 * WIRE_LINE_MAX. The source asks ({"op": NAME, …}), the destination answers
 * ({"ok": true, …} or {"ok": false, "code": N, "error": TEXT}), perhaps after
 * {"event": "warn", "text": TEXT}. Whoever is at the other end may be older, newer
 * or broken: what is not as expected is an error, never a guess.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "vzmigrate/exit.h"

#define WIRE_VERSION 2
#define WIRE_LINE_MAX (4 << 20)

struct wire {
	int in, out;
	char *buf; /* what was read and not yet taken */
	size_t len, room;
};
void wire_done(struct wire *w);

/* Send an object, whose reference is taken. MIG_E_CONNECT. */
int wire_send(struct wire *w, json_t *msg, struct vz_err *err);
/*
 * Receive one. -EPIPE: the other end has closed (no error is set); -ETIMEDOUT;
 * MIG_E_CONNECT for these and what is no message.
 */
int wire_recv(struct wire *w, int timeout_ms, json_t **ret, struct vz_err *err);

/*
 * Bytes that follow a message and are none themselves: as many as are there, up to max,
 * and at least one. How many, -EPIPE, -ETIMEDOUT or -errno.
 */
ssize_t wire_take(struct wire *w, void *buf, size_t max, int timeout_ms);

static inline void wire_decref(json_t **j)
{
	json_decref(*j);
}
#define autojson VZ_CLEANUP(wire_decref)

/* One line to an object. -EBADMSG. Pure: for wire_recv() and the fuzzer. */
int wire_parse(const char *line, size_t len, json_t **ret);

/*
 * Members. Each is -EBADMSG with the error set when it is not there, or is not
 * of the type and within the bounds. Strings have no control characters, and
 * belong to the message.
 */
int wire_text(const json_t *msg, const char *key, size_t max, const char **ret,
	      struct vz_err *err);
int wire_num(const json_t *msg, const char *key, uint64_t max, uint64_t *ret,
	     struct vz_err *err);
int wire_flag(const json_t *msg, const char *key, bool *ret, struct vz_err *err);
/* Any bytes, as hexadecimal digits in a string. NUL-terminated; the caller frees. */
int wire_bytes(const json_t *msg, const char *key, size_t max, char **ret,
	       size_t *ret_len, struct vz_err *err);
json_t *wire_hex(const char *data, size_t len);

#endif
