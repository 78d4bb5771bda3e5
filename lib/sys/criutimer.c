/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/criutimer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "sys/criurpc.h"

#define IMAGE_MAX (4 << 20)
#define FOREVER (10LL * 365 * 86400)

/* An image of CRIU: two words that say what it is, then each entry behind its size. */
#define MAGIC_COMMON 0x54564319
#define MAGIC_CORE 0x55053847
struct image_head {
	uint32_t common, kind, size;
};

/* Fields of CRIU's core.proto and timer.proto. */
enum { CORE_TASK = 3, TASK_TIMERS = 7, TIMERS_REAL = 1, TIMERS_PROF = 3 };
enum { ITIMER_ISEC = 1, ITIMER_IUSEC, ITIMER_VSEC, ITIMER_VUSEC };

static struct vz_pb inside(const struct vz_pb *p)
{
	const unsigned char *data = (const unsigned char *)p->data;

	return (struct vz_pb){ .at = data, .end = data + p->len };
}

static int mend_itimer(struct vz_pb p, struct vz_str *out, bool *changed)
{
	uint64_t v[5] = { 0 };
	int r;

	while ((r = vz_pb_next(&p)) > 0)
		if (p.field <= ITIMER_VUSEC)
			v[p.field] = p.num;
	if (!v[ITIMER_ISEC] && !v[ITIMER_IUSEC] && (v[ITIMER_VSEC] || v[ITIMER_VUSEC])) {
		v[ITIMER_ISEC] = FOREVER;
		*changed = true;
	}
	for (unsigned int i = ITIMER_ISEC; i <= ITIMER_VUSEC; i++)
		vz_pb_num(out, i, (int64_t)v[i]);
	return r;
}

/* A message with what lies on the way to its timers mended, the rest as it is. */
static int mend_message(struct vz_pb p, int depth, struct vz_str *out, bool *changed)
{
	static const unsigned int way[] = { CORE_TASK, TASK_TIMERS };
	const unsigned char *from = p.at;
	int r;

	for (; (r = vz_pb_next(&p)) > 0; from = p.at) {
		vz_autostr struct vz_str sub = { 0 };
		bool timer =
			depth == 2 && p.field >= TIMERS_REAL && p.field <= TIMERS_PROF;

		if (!p.data || (!timer && (depth == 2 || p.field != way[depth]))) {
			vz_str_addn(out, (const char *)from, p.at - from);
			continue;
		}
		r = timer ? mend_itimer(inside(&p), &sub, changed)
			  : mend_message(inside(&p), depth + 1, &sub, changed);
		if (r)
			return r;
		vz_pb_bytes(out, p.field, sub.s ?: "", sub.len);
		out->failed |= sub.failed;
	}
	return r;
}

int vz_criutimer_image(const void *data, size_t len, struct vz_str *ret)
{
	const unsigned char *bytes = data;
	vz_autostr struct vz_str body = { 0 };
	struct image_head h;
	bool changed = false;
	int r;

	if (len < sizeof(h))
		return -EBADMSG;
	memcpy(&h, data, sizeof(h));
	if (h.common != MAGIC_COMMON || h.kind != MAGIC_CORE || h.size > len - sizeof(h))
		return -EBADMSG;
	r = mend_message((struct vz_pb){ .at = bytes + sizeof(h),
					 .end = bytes + sizeof(h) + h.size },
			 0, &body, &changed);
	if (r || !changed)
		return r;
	bytes += sizeof(h) + h.size;
	len -= sizeof(h) + h.size;
	h.size = body.len;
	vz_str_addn(ret, (const char *)&h, sizeof(h));
	vz_str_addn(ret, body.s, body.len);
	vz_str_addn(ret, (const char *)bytes, len);
	return ret->failed || body.failed ? -ENOMEM : 1;
}

static int replace(int dir, const char *name, const struct vz_str *b)
{
	vz_autofree char *new = vz_strf("%s.new", name);
	vz_autofd int fd =
		new ? openat(dir, new,
			     O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600)
		    : -1;
	int r = fd < 0 ? -errno : vz_write_all(fd, b->s, b->len);

	if (!r && (fdatasync(fd) || renameat(dir, new, dir, name)))
		r = -errno;
	return r;
}

static int mend_file(int dir, const char *name)
{
	vz_autofd int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	vz_autostr struct vz_str b = { 0 };
	vz_autofree char *data = NULL;
	size_t len = 0;
	int r = fd < 0 ? -errno : vz_read_fd(fd, IMAGE_MAX, &data, &len);

	if (!r)
		r = vz_criutimer_image(data, len, &b);
	/* What can't be read criu will say more about. */
	if (r == -EBADMSG)
		r = 0;
	return r > 0 ? replace(dir, name, &b) : r;
}

int vz_criutimer_mend(int dir)
{
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	vz_autodir DIR *d = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *e;
	int r = d ? 0 : -errno;

	while (d && !r && (e = readdir(d))) {
		size_t n = strlen(e->d_name);

		if (!strncmp(e->d_name, "core-", 5) && n > 4 &&
		    !strcmp(e->d_name + n - 4, ".img"))
			r = mend_file(dir, e->d_name);
	}
	return r;
}
