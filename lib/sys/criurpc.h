/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_CRIURPC_H
#define VZ_SYS_CRIURPC_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/*
 * What `criu swrk` talks over its socket: messages of Protocol Buffers, of which this
 * is the little that is needed. Field numbers are those of CRIU's rpc.proto.
 */
enum vz_criu_req {
	VZ_CRIU_DUMP = 1,
	VZ_CRIU_RESTORE = 2,
	VZ_CRIU_PRE_DUMP = 4,
	VZ_CRIU_NOTIFY = 6,
	VZ_CRIU_FEATURES = 9,
	VZ_CRIU_VERSION = 10,
};

/* Add one field. A negative number is sent as the 64 bits that it has. */
void vz_pb_num(struct vz_str *b, unsigned int field, int64_t value);
void vz_pb_bytes(struct vz_str *b, unsigned int field, const void *data, size_t len);
void vz_pb_text(struct vz_str *b, unsigned int field, const char *text);

/* The next field of what is left: 1, 0 at its end, -EBADMSG. */
struct vz_pb {
	const unsigned char *at, *end;
	unsigned int field;
	uint64_t num; /* of a number */
	const char *data; /* of bytes: not terminated */
	size_t len;
};
int vz_pb_next(struct vz_pb *p);

/* An answer, or a word on the way (VZ_CRIU_NOTIFY). */
struct vz_criu_answer {
	uint32_t type; /* enum vz_criu_req */
	bool success;
	int errnum; /* of criu; 0: not said */
	char said[256]; /* what it says failed; "" */
	char notify[32];
	int pid; /* of the notify's, or what was restored */
	uint32_t version; /* major * 10000 + minor * 100 + sublevel */
	bool mem_track, lazy_pages;
};
/* 0 or -EBADMSG. */
int vz_criu_answer_read(const void *data, size_t len, struct vz_criu_answer *ret);

#endif
