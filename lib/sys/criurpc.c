/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/criurpc.h"

#include <errno.h>
#include <string.h>

/* How a field is put: in the lower three bits of its tag. */
enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

static void put_varint(struct vz_str *b, uint64_t v)
{
	char c;

	do {
		c = (char)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
		vz_str_addn(b, &c, 1);
		v >>= 7;
	} while (v);
}

void vz_pb_num(struct vz_str *b, unsigned int field, int64_t value)
{
	put_varint(b, field << 3 | VARINT);
	put_varint(b, (uint64_t)value);
}

void vz_pb_bytes(struct vz_str *b, unsigned int field, const void *data, size_t len)
{
	put_varint(b, field << 3 | BYTES);
	put_varint(b, len);
	vz_str_addn(b, data, len);
}

void vz_pb_text(struct vz_str *b, unsigned int field, const char *text)
{
	vz_pb_bytes(b, field, text, strlen(text));
}

static int get_varint(struct vz_pb *p, uint64_t *ret)
{
	uint64_t v = 0;

	for (unsigned int shift = 0; shift < 64 && p->at < p->end; shift += 7) {
		unsigned char c = *p->at++;

		v |= (uint64_t)(c & 0x7f) << shift;
		if (!(c & 0x80)) {
			*ret = v;
			return 0;
		}
	}
	return -EBADMSG;
}

static int skip(struct vz_pb *p, uint64_t n)
{
	if (n > (uint64_t)(p->end - p->at))
		return -EBADMSG;
	p->data = (const char *)p->at;
	p->len = n;
	p->at += n;
	return 0;
}

int vz_pb_next(struct vz_pb *p)
{
	uint64_t tag = 0, len = 0;
	int r;

	p->num = 0;
	p->data = NULL;
	p->len = 0;
	if (p->at >= p->end)
		return 0;
	r = get_varint(p, &tag);
	if (r)
		return r;
	p->field = tag >> 3;
	switch (tag & 7) {
	case VARINT:
		r = get_varint(p, &p->num);
		break;
	case BYTES:
		r = get_varint(p, &len);
		if (!r)
			r = skip(p, len);
		break;
	case FIXED64:
		r = skip(p, 8);
		break;
	case FIXED32:
		r = skip(p, 4);
		break;
	default:
		r = -EBADMSG;
	}
	return r ? r : 1;
}

static struct vz_pb inside(const struct vz_pb *p)
{
	const unsigned char *data = (const unsigned char *)p->data;

	return (struct vz_pb){ .at = data, .end = data ? data + p->len : NULL };
}

static void copy_text(const struct vz_pb *p, char *to, size_t size)
{
	size_t n = p->len < size ? p->len : size - 1;

	if (p->data)
		memcpy(to, p->data, n);
	to[p->data ? n : 0] = 0;
}

static int read_notify(struct vz_pb p, struct vz_criu_answer *a)
{
	int r;

	while ((r = vz_pb_next(&p)) > 0)
		if (p.field == 1)
			copy_text(&p, a->notify, sizeof(a->notify));
		else if (p.field == 2)
			a->pid = (int)p.num;
	return r;
}

static int read_restored(struct vz_pb p, struct vz_criu_answer *a)
{
	int r;

	while ((r = vz_pb_next(&p)) > 0)
		if (p.field == 1)
			a->pid = (int)p.num;
	return r;
}

static int read_features(struct vz_pb p, struct vz_criu_answer *a)
{
	int r;

	while ((r = vz_pb_next(&p)) > 0)
		if (p.field == 1)
			a->mem_track = p.num;
		else if (p.field == 2)
			a->lazy_pages = p.num;
	return r;
}

static int read_version(struct vz_pb p, struct vz_criu_answer *a)
{
	uint32_t part[5] = { 0 };
	int r;

	while ((r = vz_pb_next(&p)) > 0)
		if (p.field == 1 || p.field == 2 || p.field == 4)
			part[p.field] = p.num < 100 ? (uint32_t)p.num : 99;
	a->version = part[1] * 10000 + part[2] * 100 + part[4];
	return r;
}

static int read_field(const struct vz_pb *p, struct vz_criu_answer *a)
{
	switch (p->field) {
	case 1:
		a->type = (uint32_t)p->num;
		return 0;
	case 2:
		a->success = p->num;
		return 0;
	case 4:
		return read_restored(inside(p), a);
	case 5:
		return read_notify(inside(p), a);
	case 7:
		a->errnum = (int)p->num;
		return 0;
	case 8:
		return read_features(inside(p), a);
	case 9:
		copy_text(p, a->said, sizeof(a->said));
		return 0;
	case 10:
		return read_version(inside(p), a);
	default:
		return 0;
	}
}

int vz_criu_answer_read(const void *data, size_t len, struct vz_criu_answer *ret)
{
	struct vz_pb p = { .at = data, .end = (const unsigned char *)data + len };
	struct vz_criu_answer a = { 0 };
	int r;

	while ((r = vz_pb_next(&p)) > 0) {
		r = read_field(&p, &a);
		if (r)
			return r;
	}
	if (!r && a.type)
		*ret = a;
	return r ? r : a.type ? 0 : -EBADMSG;
}
