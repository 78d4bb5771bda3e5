/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/machine.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/num.h"
#include "base/str.h"

/* A node of a thousand CPUs says some megabytes. */
#define FILE_MAX (64u << 20)
#define UNITS_A_BOGOMIPS 25

static int read_proc(const struct vz_ctx *ctx, const char *name, char **ret,
		     struct vz_err *err)
{
	vz_autofree char *path = vz_strf("%s/%s", ctx->procdir, name);
	int r = path ? vz_read_file(path, FILE_MAX, ret, NULL) : -ENOMEM;

	return r ? vz_err_set(err, VZ_E_SYSTEM, -r, "can't read %s/%s", ctx->procdir,
			      name)
		 : 0;
}

/* The digits at s as a number; 0 where there are none or too many. */
static uint64_t digits(const char *s)
{
	char buf[24];
	uint64_t v = 0;
	size_t n = s ? strspn(s, "0123456789") : 0;

	if (n && n < sizeof(buf)) {
		memcpy(buf, s, n);
		buf[n] = '\0';
		if (vz_parse_u64(buf, UINT64_MAX, &v))
			v = 0;
	}
	return v;
}

/* What follows `NAME:` and blanks on a line that begins so; NULL: none does. */
static const char *find(const char *text, const char *name)
{
	size_t n = strlen(name);

	for (; text; text = strchr(text, '\n')) {
		text += *text == '\n';
		if (!strncasecmp(text, name, n) &&
		    text[n + strspn(text + n, " \t")] == ':') {
			text += n + strspn(text + n, " \t") + 1;
			return text + strspn(text, " \t");
		}
	}
	return NULL;
}

static bool kilobytes(const char *text, const char *name, uint64_t *ret)
{
	const char *s = find(text, name);

	if (!s || !isdigit((unsigned char)*s) || digits(s) > UINT64_MAX >> 10)
		return false;
	*ret = digits(s) << 10;
	return true;
}

static int read_memory(const struct vz_ctx *ctx, struct vz_machine *m, struct vz_err *err)
{
	vz_autofree char *text = NULL;
	int r = read_proc(ctx, "meminfo", &text, err);

	if (r)
		return r;
	if (!kilobytes(text, "MemTotal", &m->ram) || !m->ram)
		return vz_err_set(err, VZ_E_SYSTEM, 0, "%s/meminfo does not say MemTotal",
				  ctx->procdir);
	/* A kernel may be without either. */
	kilobytes(text, "SwapTotal", &m->swap);
	kilobytes(text, "LowTotal", &m->lowmem);
	return 0;
}

/* `5199.98` in hundredths. */
static uint64_t hundredths(const char *s)
{
	const char *point = s + strspn(s, "0123456789");
	uint64_t v = digits(s) * 100;

	if (*point == '.' && isdigit((unsigned char)point[1])) {
		v += (point[1] - '0') * 10;
		if (isdigit((unsigned char)point[2]))
			v += point[2] - '0';
	}
	return v;
}

static int read_cpus(const struct vz_ctx *ctx, struct vz_machine *m, struct vz_err *err)
{
	vz_autofree char *text = NULL;
	uint64_t bogomips = 0;
	const char *s;
	int r = read_proc(ctx, "cpuinfo", &text, err);

	if (r)
		return r;
	for (s = text; (s = find(s, "processor")); m->cpus++)
		;
	for (s = text; (s = find(s, "bogomips"));)
		bogomips += hundredths(s);
	m->cpu_power = bogomips * UNITS_A_BOGOMIPS / 100;
	return 0;
}

static int read_threads(const struct vz_ctx *ctx, struct vz_machine *m,
			struct vz_err *err)
{
	vz_autofree char *text = NULL;
	int r = read_proc(ctx, "sys/kernel/threads-max", &text, err);

	if (r)
		return r;
	m->threads_max = digits(text);
	return m->threads_max ? 0
			      : vz_err_set(err, VZ_E_SYSTEM, 0,
					   "%s/sys/kernel/threads-max: no number in it",
					   ctx->procdir);
}

int vz_machine_read(const struct vz_ctx *ctx, struct vz_machine *ret, struct vz_err *err)
{
	struct vz_machine m = { 0 };
	int r = read_memory(ctx, &m, err);

	if (!r)
		r = read_cpus(ctx, &m, err);
	if (!r)
		r = read_threads(ctx, &m, err);
	if (!r)
		*ret = m;
	return r;
}
