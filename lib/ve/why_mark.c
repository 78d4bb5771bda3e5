/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "base/num.h"
#include "conf/conf.h"
#include "ve/why_priv.h"

static const char *const names[VZ_WHY_C_UBC] = {
	[VZ_WHY_C_FORKS] = "FORKS",
	[VZ_WHY_C_MEM_LOW] = "MEMORY_LOW",
	[VZ_WHY_C_MEM_HIGH] = "MEMORY_HIGH",
	[VZ_WHY_C_MEM_MAX] = "MEMORY_MAX",
	[VZ_WHY_C_MEM_OOM] = "MEMORY_OOM",
	[VZ_WHY_C_MEM_KILLS] = "MEMORY_KILLS",
	[VZ_WHY_C_SWAP_MAX] = "SWAP_MAX",
	[VZ_WHY_C_CPU_PERIODS] = "CPU_PERIODS",
	[VZ_WHY_C_CPU_THROTTLED] = "CPU_THROTTLED",
	[VZ_WHY_C_CPU_LOST] = "CPU_LOST",
	[VZ_WHY_C_PSI] = "PRESSURE_CPU",
	[VZ_WHY_C_PSI + 1] = "PRESSURE_CPU_FULL",
	[VZ_WHY_C_PSI + 2] = "PRESSURE_MEMORY",
	[VZ_WHY_C_PSI + 3] = "PRESSURE_MEMORY_FULL",
	[VZ_WHY_C_PSI + 4] = "PRESSURE_IO",
	[VZ_WHY_C_PSI + 5] = "PRESSURE_IO_FULL",
	[VZ_WHY_C_NET_GUARD] = "NET_FOREIGN",
	[VZ_WHY_C_RATE_DROPPED] = "RATE_DROPPED",
	[VZ_WHY_C_RATE_WAITED] = "RATE_WAITED",
	[VZ_WHY_C_POOL_FORKS] = "POOL_FORKS",
	[VZ_WHY_C_POOL_MEM_MAX] = "POOL_MEMORY_MAX",
	[VZ_WHY_C_POOL_PERIODS] = "POOL_CPU_PERIODS",
	[VZ_WHY_C_POOL_THROTTLED] = "POOL_CPU_THROTTLED",
	[VZ_WHY_C_POOL_LOST] = "POOL_CPU_LOST",
};

const char *vz_why_counter_key(int counter, char buf[48])
{
	if (counter < VZ_WHY_C_UBC)
		return names[counter];
	snprintf(buf, 48, "UBC_%s", vz_ubc_descs[counter - VZ_WHY_C_UBC].name);
	return buf;
}

static void path_of(const struct vz_ctx *ctx, uint32_t veid, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/%u/why", ctx->rundir, veid);
}

static int put(struct vz_conf *c, const char *key, uint64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, v);
	return vz_conf_set(c, key, text);
}

int vz_why_mark_save(const struct vz_ctx *ctx, uint32_t veid, uint64_t init_start,
		     const struct vz_why_facts *f, struct vz_err *err)
{
	vz_autoconf struct vz_conf *c = NULL;
	vz_autofree char *text = NULL;
	char path[PATH_MAX], buf[48];
	int r;

	path_of(ctx, veid, path);
	r = vz_conf_new(path, &c);
	if (!r)
		r = put(c, "INIT", init_start);
	if (!r)
		r = put(c, "TIME", f->now);
	for (int i = 0; i < VZ_WHY_C__COUNT && !r; i++)
		if (f->c.v[i] >= 0)
			r = put(c, vz_why_counter_key(i, buf), f->c.v[i]);
	text = r ? NULL : vz_conf_text(c);
	if (!r)
		r = text ? vz_replace_volatile(path, text, strlen(text)) : -ENOMEM;
	return r ? vz_err_set(err, VZ_E_SYSTEM, -r, "can't write %s", path) : 0;
}

static int no_mark(uint32_t veid, struct vz_err *err)
{
	return vz_err_set(err, VZ_E_VALUE, 0,
			  "VE %u has no mark since its start: make one with "
			  "`vzctl why %u --mark`",
			  veid, veid);
}

static int get(const struct vz_conf *c, const char *key, int64_t *ret, struct vz_err *err)
{
	const char *text = vz_conf_get(c, key);
	uint64_t v;

	if (!text)
		return -ENOENT;
	if (vz_parse_u64(text, INT64_MAX, &v))
		return vz_err_set(err, VZ_E_BADCONF, 0,
				  "%s:%d: %s=\"%.40s\" is no number: mark the VE anew",
				  vz_conf_path(c), vz_conf_line(c, key), key, text);
	*ret = v;
	return 0;
}

static int read_mark(const struct vz_conf *c, struct vz_why_mark *m, int64_t *ret_init,
		     struct vz_err *err)
{
	char buf[48];
	int r = get(c, "INIT", ret_init, err);

	if (!r)
		r = get(c, "TIME", &m->time, err);
	if (r == -ENOENT)
		return vz_err_set(err, VZ_E_BADCONF, 0,
				  "%s is not whole: mark the VE anew", vz_conf_path(c));
	for (int i = 0; i < VZ_WHY_C__COUNT && !r; i++) {
		m->c.v[i] = VZ_WHY_UNKNOWN;
		r = get(c, vz_why_counter_key(i, buf), &m->c.v[i], err);
		if (r == -ENOENT)
			r = 0;
	}
	return r;
}

int vz_why_mark_load(const struct vz_ctx *ctx, uint32_t veid, uint64_t init_start,
		     struct vz_why_mark *ret, struct vz_err *err)
{
	vz_autoconf struct vz_conf *c = NULL;
	struct vz_why_mark m = { 0 };
	vz_autofree char *text = NULL;
	char path[PATH_MAX];
	int64_t init;
	size_t len;
	int r;

	path_of(ctx, veid, path);
	r = vz_read_file(path, 65536, &text, &len);
	if (r == -ENOENT)
		return no_mark(veid, err);
	if (r)
		return vz_err_set(err, VZ_E_SYSTEM, -r, "can't read %s", path);
	r = vz_conf_parse(ctx, path, text, len, &c, err);
	if (!r)
		r = read_mark(c, &m, &init, err);
	if (r)
		return r;
	if ((uint64_t)init != init_start)
		return no_mark(veid, err);
	*ret = m;
	return 0;
}
