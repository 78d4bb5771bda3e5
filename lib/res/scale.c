/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "res/scale.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "res/rate.h"

#define ONE 1000000u
#define FACTOR_MAX 1000u
#define DECIMALS 6
/* What RATE takes. */
#define KBITS_MIN 8
#define KBITS_MAX 16000000

int vz_scale_parse(const char *s, uint64_t *ret)
{
	char whole[8] = "0", part[DECIMALS + 1] = "000000";
	size_t n = strcspn(s, "."), decimals = s[n] ? strlen(s + n + 1) : 0;
	uint64_t v, f;

	if (n >= sizeof(whole) || decimals > DECIMALS || (s[n] && !decimals))
		return -EINVAL;
	if (n) {
		memcpy(whole, s, n);
		whole[n] = '\0';
	}
	if (decimals)
		memcpy(part, s + n + 1, decimals);
	if (vz_parse_u64(whole, FACTOR_MAX, &v) || vz_parse_u64(part, ONE, &f))
		return -EINVAL;
	v = v * ONE + f;
	if (!v || v > (uint64_t)FACTOR_MAX * ONE || (!n && !decimals))
		return -EINVAL;
	*ret = v;
	return 0;
}

static uint64_t times(uint64_t v, uint64_t factor)
{
	__uint128_t p = (__uint128_t)v * factor / ONE;

	if (v >= VZ_UNLIMITED || p > VZ_UNLIMITED)
		return VZ_UNLIMITED;
	return p || !v ? (uint64_t)p : 1;
}

/* -1: it is of no group. */
static int group_of(enum vz_param_id id)
{
	const struct vz_param *p = &vz_params[id];

	if (id == VZ_P_CPUUNITS || id == VZ_P_CPULIMIT || id == VZ_P_CPURESERVE)
		return VZ_SCALE_CPU;
	if (id == VZ_P_MEMRESERVE)
		return VZ_SCALE_MEMORY;
	if (id == VZ_P_RATE)
		return VZ_SCALE_NETWORK;
	if (p->type != VZ_T_LIMIT)
		return -1;
	if (id == VZ_P_DISKSPACE || id == VZ_P_DISKINODES)
		return VZ_SCALE_DISK;
	return p->unit ? VZ_SCALE_MEMORY : VZ_SCALE_COUNTS;
}

static size_t put(char *buf, size_t size, uint64_t v)
{
	return v >= VZ_UNLIMITED ? snprintf(buf, size, "unlimited")
				 : snprintf(buf, size, "%" PRIu64, v);
}

static int scale_limit(struct vz_cfg *cfg, enum vz_param_id id, uint64_t factor,
		       struct vz_err *err)
{
	struct vz_limit v = vz_cfg_limit(cfg, id);
	char text[48];
	size_t n = put(text, 24, times(v.barrier, factor));

	text[n++] = ':';
	put(text + n, 24, times(v.limit, factor));
	return vz_cfg_set(cfg, id, text, err);
}

static int scale_number(struct vz_cfg *cfg, enum vz_param_id id, uint64_t factor,
			struct vz_err *err)
{
	const struct vz_param *p = &vz_params[id];
	uint64_t v = times(vz_cfg_u64(cfg, id), factor);
	char text[24];

	if (v < p->min)
		v = p->min;
	if (v > p->max)
		v = p->max;
	put(text, sizeof(text), v);
	return vz_cfg_set(cfg, id, text, err);
}

/* The bandwidth is the last number but the burst, which is the third. */
static int scale_rate(struct vz_cfg *cfg, uint64_t factor, struct vz_err *err)
{
	const char *was = vz_cfg_str(cfg, VZ_P_RATE);
	vz_autostr struct vz_str text = { 0 };
	vz_autostrv struct vz_strv f = { 0 };
	uint64_t kbits;
	size_t at;

	if (!was || !*was)
		return 0;
	if (vz_strv_split(&f, was, ":"))
		return vz_err_set(err, VZ_E_RESOURCES, ENOMEM, "can't scale RATE");
	at = f.n < 3 ? 0 : 2;
	if (!f.n || vz_parse_u64(f.v[at], UINT32_MAX, &kbits))
		return vz_err_set(err, VZ_E_VALUE, 0, "RATE=\"%.80s\": no number in it",
				  was);
	kbits = times(kbits, factor);
	kbits = kbits < KBITS_MIN ? KBITS_MIN : kbits > KBITS_MAX ? KBITS_MAX : kbits;
	for (size_t i = 0; i < f.n; i++) {
		vz_str_add(&text, i ? ":" : "");
		if (i == at)
			vz_str_addf(&text, "%" PRIu64, kbits);
		else
			vz_str_add(&text, f.v[i]);
	}
	if (text.failed)
		return vz_err_set(err, VZ_E_RESOURCES, ENOMEM, "can't scale RATE");
	return vz_cfg_set(cfg, VZ_P_RATE, text.s, err);
}

int vz_scale(struct vz_cfg *cfg, const struct vz_scale *scale, struct vz_err *err)
{
	int r = 0;

	for (int id = 0; !r && id < VZ_P__COUNT; id++) {
		int group = group_of(id);
		uint64_t factor = group < 0 ? 0 : scale->factor[group];

		if (!factor || !vz_cfg_own(cfg, id))
			continue;
		if (id == VZ_P_RATE)
			r = scale_rate(cfg, factor, err);
		else if (vz_params[id].type == VZ_T_LIMIT)
			r = scale_limit(cfg, id, factor, err);
		else if (vz_cfg_u64(cfg, id)) /* 0: none */
			r = scale_number(cfg, id, factor, err);
	}
	return r;
}
