/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/why.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <time.h>

#include "base/num.h"
#include "ve/ubc.h"
#include "ve/why_priv.h"

void vz_whys_done(struct vz_whys *l)
{
	free(l->v);
	*l = (struct vz_whys){ 0 };
}

void vz_why_facts_init(struct vz_why_facts *f)
{
	*f = (struct vz_why_facts){ .pids_max = VZ_UNLIMITED,
				    .mem_max = VZ_UNLIMITED,
				    .mem_high = VZ_UNLIMITED,
				    .swap_max = VZ_UNLIMITED,
				    .cpu_max = VZ_UNLIMITED,
				    .io_bytes = VZ_UNLIMITED,
				    .io_ops = VZ_UNLIMITED,
				    .rate = VZ_UNLIMITED,
				    .pool_pids = VZ_UNLIMITED,
				    .pool_mem = VZ_UNLIMITED,
				    .pool_cpu = VZ_UNLIMITED,
				    .swap_used = VZ_WHY_UNKNOWN };
	for (int i = 0; i < VZ_WHY_C__COUNT; i++)
		f->c.v[i] = VZ_WHY_UNKNOWN;
	for (int i = 0; i < VZ_UBC__COUNT; i++) {
		f->ubc[i] = (struct vz_limit){ VZ_UNLIMITED, VZ_UNLIMITED };
		f->ubc_last[i] = VZ_WHY_UNKNOWN;
	}
}

void vz_why_facts_done(struct vz_why_facts *f)
{
	free(f->kills.v);
	f->kills = (struct vz_why_kills){ 0 };
}

static int64_t clock_ms(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * 1000ll + ts.tv_nsec / 1000000;
}

/* A node whose kernel takes none of the programs has no counters. */
static void read_ubc(const struct vz_ve *ve, struct vz_why_facts *f)
{
	int64_t zero = clock_ms(CLOCK_REALTIME) - clock_ms(CLOCK_BOOTTIME);
	vz_autofree struct vz_ubc *u = NULL;
	struct vz_err why = { 0 };
	size_t n;

	if (vz_ubc_read(ve->ctx, ve->id, false, &u, &n, &why)) {
		vz_debug(ve->ctx, "%s", why.text);
		return;
	}
	for (int i = 0; n && i < VZ_UBC__COUNT; i++) {
		f->c.v[VZ_WHY_C_UBC + i] = u->v[i].failcnt;
		f->ubc[i].barrier = u->v[i].barrier;
		f->ubc[i].limit = u->v[i].limit;
		if (u->last_fail[i])
			f->ubc_last[i] =
				(zero + (int64_t)u->last_fail[i] / 1000000) / 1000;
	}
}

/* Only the file system is asked, nothing in it is looked at. */
static void read_disk(const struct vz_ve *ve, struct vz_why_facts *f)
{
	const char *root = vz_ve_root(ve, NULL);
	struct statfs fs;

	if (!root || statfs(root, &fs))
		return;
	f->disk.known = f->inodes.known = true;
	f->disk.total = fs.f_blocks * fs.f_bsize;
	f->disk.avail = fs.f_bavail * fs.f_bsize;
	f->inodes.total = fs.f_files;
	f->inodes.avail = fs.f_ffree;
}

/* The log is long: it is read when the group says that there is something in it. */
static void read_kills(const struct vz_ve *ve, const struct vz_why_ask *ask,
		       const struct vz_state *st, struct vz_why_facts *f)
{
	const struct vz_why_whose whose = { st->cgroup, st->uid };
	int r;

	if (!f->c.v[VZ_WHY_C_MEM_KILLS])
		return;
	r = vz_why_read_kmsg(ask->kmsg ?: "/dev/kmsg", &whose, &f->kills);
	if (r)
		vz_debug(ve->ctx, "can't read the kernel's log: %s", strerror(-r));
}

static int read_facts(const struct vz_ve *ve, const struct vz_why_ask *ask,
		      const struct vz_state *st, struct vz_why_facts *f,
		      struct vz_err *err)
{
	struct vz_cg_host host;
	struct vz_cg cg = { .host = &host };
	int64_t now;
	int r = vz_cg_probe(ve->ctx, &host, err);

	if (r)
		return r;
	now = clock_ms(CLOCK_REALTIME);
	f->now = now / 1000;
	f->started = (now - clock_ms(CLOCK_BOOTTIME) + st->started * 1000) / 1000;
	f->disabled = vz_cfg_bool(ve->cfg, VZ_P_DISABLED);
	f->reboots = st->reboots;
	memcpy(cg.name, st->cgroup, sizeof(cg.name));
	vz_why_read_groups(&cg, f);
	vz_why_read_pool(&cg, f);
	read_ubc(ve, f);
	vz_why_read_net(ve, f);
	read_disk(ve, f);
	read_kills(ve, ask, st, f);
	return 0;
}

static int not_running(const struct vz_ve *ve, struct vz_err *err)
{
	bool disabled = vz_cfg_bool(ve->cfg, VZ_P_DISABLED);
	char why[128] = "";

	if (vz_state_get_down(ve->ctx, ve->id, why, sizeof(why)))
		why[0] = 0;
	vz_err_set(err, VZ_E_NOTRUNNING, 0, "VE %u is not running%s%s%s", ve->id,
		   *why ? ": it " : "", why,
		   disabled ? "; it is not to be started (DISABLED=yes)" : "");
	return -ESRCH;
}

static int load_state(const struct vz_ve *ve, struct vz_state *st, struct vz_err *err)
{
	int r = vz_state_running(ve->ctx, ve->id) == 1
			? vz_state_load(ve->ctx, ve->id, st, err)
			: -ENOENT;

	return r == -ENOENT ? not_running(ve, err) : r;
}

int vz_why_read(const struct vz_ve *ve, const struct vz_why_ask *ask, struct vz_whys *ret,
		struct vz_err *err)
{
	vz_autowhyfacts struct vz_why_facts f;
	vz_autowhys struct vz_whys l = { 0 };
	struct vz_why_mark mark;
	struct vz_state st;
	int r = load_state(ve, &st, err);

	vz_why_facts_init(&f);
	if (!r && ask->since == VZ_WHY_SINCE_MARK)
		r = vz_why_mark_load(ve->ctx, ve->id, st.init_start, &mark, err);
	if (!r)
		r = read_facts(ve, ask, &st, &f, err);
	if (!r && ask->mark)
		r = vz_why_mark_save(ve->ctx, ve->id, st.init_start, &f, err);
	if (r)
		return r;
	vz_why_find(&f, ask->since == VZ_WHY_SINCE_MARK ? &mark : NULL,
		    ask->since == VZ_WHY_SINCE_TIME ? ask->time : 0, &l);
	if (l.failed)
		return vz_err_set(err, VZ_E_RESOURCES, ENOMEM,
				  "can't list what VE %u "
				  "was refused",
				  ve->id);
	vz_why_sort(&l);
	*ret = l;
	l = (struct vz_whys){ 0 };
	return 0;
}

/* "10m": that long ago. */
static int parse_ago(const char *word, int64_t now, int64_t *ret)
{
	static const struct {
		char unit;
		int seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	size_t n = strspn(word, "0123456789");
	char digits[12];
	uint64_t v;

	if (!n || n >= sizeof(digits) || !word[n] || word[n + 1])
		return -EINVAL;
	memcpy(digits, word, n);
	digits[n] = 0;
	if (vz_parse_u64(digits, UINT32_MAX, &v))
		return -EINVAL;
	for (size_t i = 0; i < VZ_ARRAY_SIZE(units); i++)
		if (word[n] == units[i].unit) {
			*ret = now - (int64_t)v * units[i].seconds;
			return 0;
		}
	return -EINVAL;
}

int vz_why_parse_time(const char *word, int64_t now, int64_t *ret)
{
	static const char *const forms[] = { "%Y-%m-%d %H:%M:%S",
					     "%Y-%m-%dT%H:%M:%S",
					     "%Y-%m-%d %H:%M",
					     "%Y-%m-%dT%H:%M",
					     "%Y-%m-%d",
					     "%H:%M:%S",
					     "%H:%M" };
	time_t t = now;
	uint64_t v;

	if (word[0] == '@') {
		if (vz_parse_u64(word + 1, INT64_MAX, &v))
			return -EINVAL;
		*ret = v;
		return 0;
	}
	for (size_t i = 0; i < VZ_ARRAY_SIZE(forms); i++) {
		struct tm tm = { 0 };
		const char *end;

		localtime_r(&t, &tm);
		tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
		end = strptime(word, forms[i], &tm);
		if (!end || *end)
			continue;
		tm.tm_isdst = -1;
		*ret = mktime(&tm);
		return 0;
	}
	return parse_ago(word, now, ret);
}
