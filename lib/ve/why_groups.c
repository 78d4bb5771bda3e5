/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a VE's groups tell of refusals and of time lost. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/num.h"
#include "ve/poolgroup.h"
#include "ve/why_priv.h"

#define GROUPS_MAX 4096 /* that a VE has below its own: more are not looked at */
#define DEPTH_MAX 32

/* Where a counter is; a file alone is the number. `part` is what a unit of it is. */
struct place {
	const char *file, *field;
	unsigned int per;
};
static const struct {
	enum vz_why_counter counter;
	enum vz_cg_ctrl ctrl;
	struct place v1, v2;
} places[] = {
	{ VZ_WHY_C_FORKS,
	  VZ_CG_PIDS,
	  { "pids.events", "max" },
	  { "pids.events", "max" } },
	{ VZ_WHY_C_MEM_LOW, VZ_CG_MEMORY, { NULL }, { "memory.events", "low" } },
	{ VZ_WHY_C_MEM_HIGH, VZ_CG_MEMORY, { NULL }, { "memory.events", "high" } },
	{ VZ_WHY_C_MEM_MAX,
	  VZ_CG_MEMORY,
	  { "memory.failcnt" },
	  { "memory.events", "max" } },
	{ VZ_WHY_C_MEM_OOM, VZ_CG_MEMORY, { NULL }, { "memory.events", "oom" } },
	{ VZ_WHY_C_MEM_KILLS,
	  VZ_CG_MEMORY,
	  { "memory.oom_control", "oom_kill" },
	  { "memory.events", "oom_kill" } },
	{ VZ_WHY_C_SWAP_MAX,
	  VZ_CG_MEMORY,
	  { "memory.memsw.failcnt" },
	  { "memory.swap.events", "max" } },
	{ VZ_WHY_C_CPU_PERIODS,
	  VZ_CG_CPU,
	  { "cpu.stat", "nr_periods" },
	  { "cpu.stat", "nr_periods" } },
	{ VZ_WHY_C_CPU_THROTTLED,
	  VZ_CG_CPU,
	  { "cpu.stat", "nr_throttled" },
	  { "cpu.stat", "nr_throttled" } },
	{ VZ_WHY_C_CPU_LOST,
	  VZ_CG_CPU,
	  { "cpu.stat", "throttled_time", 1000 },
	  { "cpu.stat", "throttled_usec" } },
};

/* The last file that was read: several counters lie in one. */
struct reader {
	const struct vz_cg *cg;
	const char *file;
	int r;
	char buf[4096];
};

static const char *read_file(struct reader *rd, enum vz_cg_ctrl ctrl, const char *file)
{
	if (!rd->file || strcmp(rd->file, file)) {
		rd->file = file;
		rd->r = vz_cg_read(rd->cg, ctrl, file, rd->buf, sizeof(rd->buf));
	}
	return rd->r ? NULL : rd->buf;
}

/* What stands after a word that begins a line; NULL: no line does. */
static const char *line_of(const char *text, const char *word)
{
	size_t n = strlen(word);

	for (const char *s = text; s && *s; s = strchr(s, '\n')) {
		s += *s == '\n';
		if (!strncmp(s, word, n) && s[n] == ' ')
			return s + n + 1;
	}
	return NULL;
}

/* The digits at s, which something else follows. */
static bool digits(const char *s, uint64_t *ret)
{
	char buf[24];
	size_t n = strspn(s, "0123456789");

	if (!n || n >= sizeof(buf))
		return false;
	memcpy(buf, s, n);
	buf[n] = 0;
	return !vz_parse_u64(buf, INT64_MAX, ret);
}

static int64_t counter_at(struct reader *rd, enum vz_cg_ctrl ctrl, const struct place *at)
{
	const char *text = at->file ? read_file(rd, ctrl, at->file) : NULL;
	uint64_t v;

	if (text && at->field)
		text = line_of(text, at->field);
	if (!text || !digits(text, &v))
		return VZ_WHY_UNKNOWN;
	return v / (at->per ?: 1);
}

static void read_counters(struct reader *rd, struct vz_why_counters *c)
{
	for (size_t i = 0; i < VZ_ARRAY_SIZE(places); i++) {
		enum vz_cg_ctrl ctrl = places[i].ctrl;
		bool v2 = vz_cg_is_v2(rd->cg->host, ctrl);

		c->v[places[i].counter] =
			counter_at(rd, ctrl, v2 ? &places[i].v2 : &places[i].v1);
	}
}

static uint64_t max_of(int dir)
{
	char buf[256];
	const char *s;
	uint64_t v = 0;

	if (vz_read_small(dir, "pids.events", buf, sizeof(buf)))
		return 0;
	s = line_of(buf, "max");
	return s && digits(s, &v) ? v : 0;
}

/* The groups below one, which are the VE's: their number and depth are bounded. */
static uint64_t sum_below(int parent, const char *name, int depth, int *left)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	vz_autodir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	uint64_t sum;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	sum = max_of(fd);
	while (depth<DEPTH_MAX && * left> 0 && (e = readdir(dir)))
		if (e->d_type == DT_DIR && e->d_name[0] != '.') {
			(*left)--;
			sum += sum_below(fd, e->d_name, depth + 1, left);
		}
	return sum;
}

static bool counts_at_limit(const struct vz_cg *cg)
{
	char path[256];

	return vz_cg_is_v2(cg->host, VZ_CG_PIDS) &&
	       !vz_cg_path(cg, VZ_CG_PIDS, "pids.events.local", path, sizeof(path)) &&
	       !access(path, F_OK);
}

/*
 * Before Linux 6.11, which has pids.events.local, cgroup2 counts a refused fork
 * in the group of the process that asked, not in that of the limit.
 */
static void add_forks_below(const struct vz_cg *cg, struct vz_why_counters *c)
{
	int left = GROUPS_MAX;
	char path[256];

	if (!vz_cg_is_v2(cg->host, VZ_CG_PIDS) || counts_at_limit(cg) ||
	    c->v[VZ_WHY_C_FORKS] < 0)
		return;
	vz_cg_path(cg, VZ_CG_PIDS, NULL, path, sizeof(path));
	c->v[VZ_WHY_C_FORKS] = sum_below(AT_FDCWD, path, 0, &left);
}

/* "12.34" to 1234. */
static uint64_t hundredths(const char *line, const char *key)
{
	const char *s = strstr(line, key);
	uint64_t whole, part = 0;

	if (!s || !digits(s += strlen(key), &whole))
		return 0;
	s += strcspn(s, ". \n");
	if (*s == '.' && s[1] >= '0' && s[1] <= '9' && s[2] >= '0' && s[2] <= '9')
		part = (s[1] - '0') * 10 + s[2] - '0';
	return whole * 100 + part;
}

static bool pressure_line(const char *text, const char *word, uint64_t avg[3],
			  int64_t *ret_total)
{
	const char *s = line_of(text, word), *t;
	vz_autofree char *line = s ? strndup(s, strcspn(s, "\n")) : NULL;
	uint64_t total;

	t = line ? strstr(line, "total=") : NULL;
	if (!t || !digits(t + 6, &total))
		return false;
	avg[0] = hundredths(line, "avg10=");
	avg[1] = hundredths(line, "avg60=");
	avg[2] = hundredths(line, "avg300=");
	*ret_total = total;
	return true;
}

/* Also where the controllers are v1's: pressure is cgroup2's own. */
static void read_pressure(const struct vz_cg *cg, struct vz_why_facts *f)
{
	static const char *const files[] = { "cpu.pressure", "memory.pressure",
					     "io.pressure" };
	char buf[512];

	for (int i = 0; i < VZ_WHY_PSI__COUNT; i++) {
		int64_t *total = &f->c.v[VZ_WHY_C_PSI + 2 * i];

		if (vz_cg_read(cg, VZ_CG_UNIFIED, files[i], buf, sizeof(buf)))
			continue;
		f->psi[i].known = pressure_line(buf, "some", f->psi[i].some, &total[0]);
		pressure_line(buf, "full", f->psi[i].full, &total[1]);
	}
}

/* v1 shows no limit as the greatest number of whole pages. */
static uint64_t bytes_in(const struct vz_cg *cg, const char *file)
{
	uint64_t v;

	if (vz_cg_read_u64(cg, VZ_CG_MEMORY, file, &v) || v > VZ_UNLIMITED / 2)
		return VZ_UNLIMITED;
	return v;
}

static void read_memory(struct reader *rd, struct vz_why_facts *f)
{
	const struct vz_cg *cg = rd->cg;
	uint64_t used, sum;
	const char *s;

	if (vz_cg_read_u64(cg, VZ_CG_MEMORY, "memory.max_usage_in_bytes", &f->mem_peak))
		f->mem_peak = 0;
	if (vz_cg_is_v2(cg->host, VZ_CG_MEMORY)) {
		f->mem_max = bytes_in(cg, "memory.max");
		f->mem_high = bytes_in(cg, "memory.high");
		f->swap_max = bytes_in(cg, "memory.swap.max");
		if (!vz_cg_read_u64(cg, VZ_CG_MEMORY, "memory.swap.current", &used))
			f->swap_used = used;
		return;
	}
	f->mem_max = bytes_in(cg, "memory.limit_in_bytes");
	sum = bytes_in(cg, "memory.memsw.limit_in_bytes");
	if (sum < VZ_UNLIMITED && sum >= f->mem_max)
		f->swap_max = sum - f->mem_max;
	s = read_file(rd, VZ_CG_MEMORY, "memory.stat");
	s = s ? line_of(s, "swap") : NULL;
	if (s && digits(s, &used))
		f->swap_used = used;
}

static void read_cpu(const struct vz_cg *cg, struct vz_why_facts *f)
{
	uint64_t quota = 0, period = 0;
	char buf[64], *s;

	if (vz_cg_is_v2(cg->host, VZ_CG_CPU)) {
		if (vz_cg_read(cg, VZ_CG_CPU, "cpu.max", buf, sizeof(buf)))
			return;
		s = strchr(buf, ' ');
		if (!digits(buf, &quota) || !s || !digits(s + 1, &period))
			return;
	} else if (vz_cg_read_u64(cg, VZ_CG_CPU, "cpu.cfs_quota_us", &quota) ||
		   vz_cg_read_u64(cg, VZ_CG_CPU, "cpu.cfs_period_us", &period)) {
		return;
	}
	if (quota && quota < VZ_UNLIMITED && period)
		f->cpu_max = quota * 100 / period;
}

/* The least of a file's numbers after `key`, a disk a line. */
static uint64_t least(const char *text, const char *key)
{
	uint64_t v, min = VZ_UNLIMITED;

	for (const char *s = text; s && (s = strstr(s, key)); s += strlen(key))
		if (digits(s + strlen(key), &v) && v < min)
			min = v;
	return min;
}

static uint64_t least_in(const struct vz_cg *cg, const char *file, const char *key)
{
	char buf[4096];

	return vz_cg_read(cg, VZ_CG_BLKIO, file, buf, sizeof(buf)) ? VZ_UNLIMITED
								   : least(buf, key);
}

static void read_io(const struct vz_cg *cg, struct vz_why_facts *f)
{
	bool v2 = vz_cg_is_v2(cg->host, VZ_CG_BLKIO);

	f->io_bytes = v2 ? least_in(cg, "io.max", "rbps=")
			 : least_in(cg, "blkio.throttle.read_bps_device", " ");
	f->io_ops = v2 ? least_in(cg, "io.max", "riops=")
		       : least_in(cg, "blkio.throttle.read_iops_device", " ");
}

void vz_why_read_groups(const struct vz_cg *cg, struct vz_why_facts *f)
{
	struct reader rd = { .cg = cg };

	read_counters(&rd, &f->c);
	add_forks_below(cg, &f->c);
	read_pressure(cg, f);
	read_memory(&rd, f);
	read_cpu(cg, f);
	read_io(cg, f);
	if (vz_cg_read_u64(cg, VZ_CG_PIDS, "pids.max", &f->pids_max))
		f->pids_max = VZ_UNLIMITED;
}

/* "vz/pool-web/101" to "vz/pool-web" and "web". */
static bool split_pool(const struct vz_cg *cg, struct vz_cg *ret, char *ret_name,
		       size_t size)
{
	char *slash, *name;

	*ret = *cg;
	slash = strrchr(ret->name, '/');
	if (!slash)
		return false;
	*slash = 0;
	slash = strrchr(ret->name, '/');
	name = slash ? slash + 1 : ret->name;
	if (strncmp(name, VZ_POOLGROUP, strlen(VZ_POOLGROUP)))
		return false;
	snprintf(ret_name, size, "%s", name + strlen(VZ_POOLGROUP));
	return true;
}

void vz_why_read_pool(const struct vz_cg *cg, struct vz_why_facts *f)
{
	static const struct {
		enum vz_why_counter of_pool, counter;
	} taken[] = {
		{ VZ_WHY_C_POOL_MEM_MAX, VZ_WHY_C_MEM_MAX },
		{ VZ_WHY_C_POOL_PERIODS, VZ_WHY_C_CPU_PERIODS },
		{ VZ_WHY_C_POOL_THROTTLED, VZ_WHY_C_CPU_THROTTLED },
		{ VZ_WHY_C_POOL_LOST, VZ_WHY_C_CPU_LOST },
	};
	struct reader rd = { 0 };
	struct vz_why_facts p;
	struct vz_cg pool;

	if (!split_pool(cg, &pool, f->pool, sizeof(f->pool)))
		return;
	vz_why_facts_init(&p);
	rd.cg = &pool;
	read_counters(&rd, &p.c);
	read_memory(&rd, &p);
	read_cpu(&pool, &p);
	for (size_t i = 0; i < VZ_ARRAY_SIZE(taken); i++)
		f->c.v[taken[i].of_pool] = p.c.v[taken[i].counter];
	/* Where the group of the limit counts, not that of who asked. */
	if (counts_at_limit(&pool))
		f->c.v[VZ_WHY_C_POOL_FORKS] = p.c.v[VZ_WHY_C_FORKS];
	f->pool_mem = p.mem_max;
	f->pool_cpu = p.cpu_max;
	if (vz_cg_read_u64(&pool, VZ_CG_PIDS, "pids.max", &f->pool_pids))
		f->pool_pids = VZ_UNLIMITED;
}
