/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_BPF_ACCT_SHOW_H
#define VZ_BPF_ACCT_SHOW_H

/*
 * Reading: the rows, with what the kernel counts by itself put in at that
 * moment, as records for tools and as the text of /proc/user_beancounters.
 */

/* Counters of which nothing tells how often they refused: it is shown as `-`. */
const volatile __u32 unknown_fail = 0;
/* Where memory.stat's numbers are, when they are not where their names say. */
extern const void mem_cgroup_stats_index __ksym __weak;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct vz_acct_record);
} scratch SEC(".maps");

/* A number of v2's memory.stat, at most two seconds old; -1: not known here. */
static __always_inline __s64 memory_stat(struct mem_cgroup *memory, int item)
{
	struct memcg_vmstats *stats = BPF_CORE_READ(memory, vmstats);
	__s64 value = -1;
	__u32 at = item;

	if (!stats)
		return -1;
	if (bpf_core_field_size(stats->state) / sizeof(long) <
	    bpf_core_enum_value(enum memcg_stat_item, MEMCG_NR_STAT)) {
		__s8 index = 0;

		/* By 6.10 and later: those that are kept, one after the other; -1: is not. */
		if (!&mem_cgroup_stats_index ||
		    bpf_probe_read_kernel(&index, 1,
					  (void *)&mem_cgroup_stats_index + item) ||
		    index < 0)
			return -1;
		at = index;
	}
	if (at >= bpf_core_field_size(stats->state) / sizeof(long))
		return -1;
	bpf_probe_read_kernel(&value, sizeof(value),
			      (void *)stats + bpf_core_field_offset(stats->state) +
				      at * sizeof(long));
	return value < 0 ? 0 : value;
}

static __always_inline __s64 event_count(struct mem_cgroup *memory, __u32 event)
{
	__s64 n = 0;

	bpf_probe_read_kernel(&n, sizeof(n),
			      (void *)memory +
				      bpf_core_field_offset(memory->memory_events) +
				      event * sizeof(long));
	return n;
}

/* What the kernel counts, of which this VE's place is not known. */
static __always_inline void not_known(struct vz_acct_count *c)
{
	c->held = c->maxheld = c->failcnt = VZ_ACCT_UNKNOWN;
}

static __always_inline void put(struct vz_acct_count *c, __s64 held, __s64 max)
{
	c->held = held;
	c->maxheld = max > held ? max : held;
}

/*
 * v1, since 6.14: who is refused by the limit of memory and swap is not counted
 * any more, and that limit is asked first. Where there is none it refuses nobody.
 */
static __always_inline int sum_is_counted(struct mem_cgroup *memory)
{
	return !bpf_core_field_exists(memory->memsw.track_failcnt) ||
	       BPF_CORE_READ(memory, memsw.track_failcnt) ||
	       BPF_CORE_READ(memory, memsw.max) >= (unsigned long)NO_BOUND >> 12;
}

static __always_inline void show_swap(struct vz_acct_record *r, struct mem_cgroup *memory,
				      int v1)
{
	struct vz_acct_count *c = &r->c[VZ_UBC_SWAPPAGES];
	__s64 both, ram = BPF_CORE_READ(memory, memory.usage.counter);

	if (!v1) {
		put(c, BPF_CORE_READ(memory, swap.usage.counter),
		    BPF_CORE_READ(memory, swap.watermark));
		c->failcnt =
			event_count(memory, bpf_core_enum_value(enum memcg_memory_event,
								MEMCG_SWAP_MAX));
		return;
	}
	/* v1 has the sum of both only, and no maximum of their difference. */
	both = BPF_CORE_READ(memory, memsw.usage.counter);
	c->held = both > ram ? both - ram : 0;
	c->maxheld = VZ_ACCT_UNKNOWN;
	c->failcnt = sum_is_counted(memory) ? (__s64)BPF_CORE_READ(memory, memsw.failcnt)
					    : VZ_ACCT_UNKNOWN;
}

/* A group's maximum, or what was told of before the VE was restored into it. */
static __always_inline __s64 more(__s64 before, __s64 maximum)
{
	return before > maximum ? before : maximum;
}

static __always_inline void show_kernel_memory(struct vz_acct_record *r,
					       struct mem_cgroup *memory, int v1)
{
	struct vz_acct_count *c = &r->c[VZ_UBC_KMEMSIZE];
	__s64 pages, slab;

	if (v1) {
		/* A kernel without groups of version 1 has no such counter, nor such groups. */
		if (bpf_core_field_exists(memory->kmem))
			put(c, (__s64)BPF_CORE_READ(memory, kmem.usage.counter) << 12,
			    more(c->maxheld, (__s64)BPF_CORE_READ(memory, kmem.watermark)
						     << 12));
		r->c[VZ_UBC_DCACHESIZE].held = VZ_ACCT_UNKNOWN;
		r->c[VZ_UBC_DCACHESIZE].maxheld = VZ_ACCT_UNKNOWN;
		return;
	}
	pages = memory_stat(memory,
			    bpf_core_enum_value(enum memcg_stat_item, MEMCG_KMEM));
	slab = memory_stat(
		memory, bpf_core_enum_value(enum node_stat_item, NR_SLAB_RECLAIMABLE_B));
	put(c, pages < 0 ? VZ_ACCT_UNKNOWN : pages << 12, c->maxheld);
	put(&r->c[VZ_UBC_DCACHESIZE], slab < 0 ? VZ_ACCT_UNKNOWN : slab,
	    r->c[VZ_UBC_DCACHESIZE].maxheld);
}

static __always_inline void show_memory(struct vz_acct_record *r,
					const struct vz_acct_row *row)
{
	struct mem_cgroup *memory = (void *)row->from.memory;
	int v1 = row->cgroup1 & VZ_ACCT_MEMORY_V1;
	struct vz_acct_count *c = &r->c[VZ_UBC_PHYSPAGES];

	if (!memory || group_of(&memory->css) != row->from.memory_id) {
		not_known(c);
		not_known(&r->c[VZ_UBC_KMEMSIZE]);
		not_known(&r->c[VZ_UBC_DCACHESIZE]);
		not_known(&r->c[VZ_UBC_SWAPPAGES]);
		not_known(&r->c[VZ_UBC_OOMGUARPAGES]);
		return;
	}
	put(c, BPF_CORE_READ(memory, memory.usage.counter),
	    more(c->maxheld, BPF_CORE_READ(memory, memory.watermark)));
	if (v1 && !sum_is_counted(memory))
		c->failcnt = VZ_ACCT_UNKNOWN;
	else
		c->failcnt = v1 ? (__s64)BPF_CORE_READ(memory, memory.failcnt)
				: event_count(memory,
					      bpf_core_enum_value(enum memcg_memory_event,
								  MEMCG_MAX));
	show_swap(r, memory, v1);
	show_kernel_memory(r, memory, v1);
	/* What stays when others are short of memory, and who was killed for it. */
	put(&r->c[VZ_UBC_OOMGUARPAGES], c->held + r->c[VZ_UBC_SWAPPAGES].held,
	    v1 ? (__s64)BPF_CORE_READ(memory, memsw.watermark)
	       : r->c[VZ_UBC_OOMGUARPAGES].maxheld);
	r->c[VZ_UBC_OOMGUARPAGES].failcnt = event_count(
		memory, bpf_core_enum_value(enum memcg_memory_event, MEMCG_OOM_KILL));
}

static __always_inline void show_processes(struct vz_acct_record *r,
					   const struct vz_acct_row *row)
{
	struct pids_cgroup *pids = (void *)row->from.pids;
	struct pids_cgroup___two *two = (void *)pids;
	struct vz_acct_count *c = &r->c[VZ_UBC_NUMPROC];

	if (!pids || group_of(&pids->css) != row->from.pids_id) {
		not_known(c);
		return;
	}
	put(c, BPF_CORE_READ(pids, counter.counter),
	    bpf_core_field_exists(pids->watermark)
		    ? more(c->maxheld, BPF_CORE_READ(pids, watermark))
		    : c->maxheld);
	/* First: a limit of this group; second: forks that failed in it (v1). */
	if (bpf_core_field_exists(two->events_local))
		c->failcnt = row->cgroup1 & VZ_ACCT_PIDS_V1
				     ? BPF_CORE_READ(two, events_local[1].counter)
				     : BPF_CORE_READ(two, events_local[0].counter);
	else if (row->cgroup1 & VZ_ACCT_PIDS_V1)
		c->failcnt = BPF_CORE_READ(pids, events_limit.counter);
}

static __always_inline void show_namespaces(struct vz_acct_record *r,
					    const struct vz_acct_row *row)
{
	struct ipc_namespace *ipc = (void *)row->from.ipc;
	struct ucounts *signals = (void *)row->from.signals;
	struct vz_acct_count *c;

	if (ipc && BPF_CORE_READ(ipc, ns.inum) == row->from.ipc_id) {
		c = &r->c[VZ_UBC_SHMPAGES];
		put(c, BPF_CORE_READ(ipc, shm_tot), c->maxheld);
	} else {
		not_known(&r->c[VZ_UBC_SHMPAGES]);
	}
	if (signals && BPF_CORE_READ(signals, uid.val) == row->from.signals_id) {
		c = &r->c[VZ_UBC_NUMSIGINFO];
		put(c, queued_signals(row), c->maxheld);
	}
}

/* The most that any reader has seen is remembered, where the kernel does not. */
static __always_inline void remember(struct vz_acct_row *row, struct vz_acct_record *r)
{
	static const int seen_only[] = { VZ_UBC_KMEMSIZE, VZ_UBC_DCACHESIZE,
					 VZ_UBC_SHMPAGES, VZ_UBC_NUMSIGINFO,
					 VZ_UBC_OOMGUARPAGES };

	for (unsigned int i = 0; i < sizeof(seen_only) / sizeof(*seen_only); i++) {
		int id = seen_only[i];

		if (r->c[id].held != VZ_ACCT_UNKNOWN)
			raise_max(&row->c[id], r->c[id].held);
	}
}

static __always_inline void cover_lost(__u32 flags, struct vz_acct_record *r, int id)
{
	if (flags & VZ_ACCT_LOST(id))
		not_known(&r->c[id]);
}

static __always_inline void cover(const struct vz_acct_row *row, struct vz_acct_record *r)
{
	__u32 flags = row->cgroup1;

	for (int i = 0; i < VZ_UBC__COUNT; i++) {
		if (unknown_fail & VZ_UBC_BIT(i))
			r->c[i].failcnt = VZ_ACCT_UNKNOWN;
	}
	/* Those whose objects are noted one by one. */
	cover_lost(flags, r, VZ_UBC_NUMTCPSOCK);
	cover_lost(flags, r, VZ_UBC_NUMOTHERSOCK);
	cover_lost(flags, r, VZ_UBC_NUMFLOCK);
	cover_lost(flags, r, VZ_UBC_NUMPTY);
	cover_lost(flags, r, VZ_UBC_NUMFILE);
}

static __always_inline struct vz_acct_record *make_record(__u64 group,
							  struct vz_acct_row *row)
{
	__u32 zero = 0;
	struct vz_acct_record *r = bpf_map_lookup_elem(&scratch, &zero);

	if (!r)
		return NULL;
	r->group = group;
	r->veid = row->veid;
	r->sampled = row->sampled;
	__builtin_memcpy(r->c, row->c, sizeof(r->c));
	show_memory(r, row);
	show_processes(r, row);
	show_namespaces(r, row);
	/* What a guarantee of allocation is compared with: what is allocated. */
	put(&r->c[VZ_UBC_VMGUARPAGES], r->c[VZ_UBC_PRIVVMPAGES].held,
	    r->c[VZ_UBC_PRIVVMPAGES].maxheld);
	remember(row, r);
	cover(row, r);
	return r;
}

SEC("iter/bpf_map_elem")
int dump(struct bpf_iter__bpf_map_elem *ctx)
{
	struct vz_acct_row *row = ctx->value;
	struct vz_acct_record *r;
	__u64 *group = ctx->key;

	if (!row || !group)
		return 0;
	r = make_record(*group, row);
	if (r)
		bpf_seq_write(ctx->meta->seq, r, sizeof(*r));
	return 0;
}

/* -- text -- */

#define NAME_LEN 12
#define NUMBER_LEN 20
struct line {
	char uid[12];
	char name[NAME_LEN];
	struct {
		char blank;
		char digits[NUMBER_LEN];
	} number[5];
	char end;
};

/* The rows' names, and which counter each is; -1: a dummy. */
#define ROW_NAME(id, name) name,
#define ROW_ID(id, name) VZ_UBC_##id,
#define DUMMY_NAME "dummy       ",
#define DUMMY_ID -1,
static const char names[][NAME_LEN + 1] = { VZ_UBC_EACH(ROW_NAME, DUMMY_NAME) };
/* volatile: the verifier does not know what the compiler knows of them. */
static const volatile int ids[] = { VZ_UBC_EACH(ROW_ID, DUMMY_ID) };
#define ROWS (sizeof(ids) / sizeof(*ids))

#define COPY(to, text) __builtin_memcpy(to, text, NUMBER_LEN)

static __always_inline void put_number(char *digits, __u64 v)
{
	/* Most are one of these. */
	if (v == NO_BOUND) {
		COPY(digits, " 9223372036854775807");
		return;
	}
	COPY(digits, "                   -");
	if (v == (__u64)VZ_ACCT_UNKNOWN)
		return;
	/* More was given back than was taken: that is wrong, but less is not held. */
	if ((__s64)v < 0)
		v = 0;
	digits[NUMBER_LEN - 1] = '0' + v % 10;
	/* Unrolled: 6.1's verifier minds where the compiler puts a loop's head. */
#pragma unroll
	for (int i = NUMBER_LEN - 2; i >= 0; i--) {
		v /= 10;
		if (!v)
			break;
		digits[i] = '0' + v % 10;
	}
}

struct text {
	struct seq_file *seq;
	struct vz_acct_record *r;
	int with_uid;
};

static long put_line(__u32 i, struct text *t)
{
	struct line l;
	__u64 v[5] = { 0 };
	int id;

	if (i >= ROWS)
		return 1;
	id = ids[i];
	if (id >= 0 && id < VZ_UBC__COUNT) {
		struct vz_acct_count *c = &t->r->c[id];

		v[0] = c->held;
		v[1] = c->maxheld;
		v[2] = c->barrier;
		v[3] = c->limit;
		v[4] = c->failcnt;
	}
	__builtin_memset(l.uid, ' ', sizeof(l.uid));
	if (!i && t->with_uid) {
		__u32 n = t->r->veid;

		for (int k = 9; k >= 0; k--) {
			l.uid[k] = n || k == 9 ? '0' + n % 10 : ' ';
			n /= 10;
		}
		l.uid[10] = ':';
	}
	__builtin_memcpy(l.name, names[i], NAME_LEN);
#pragma unroll
	for (int k = 0; k < 5; k++) {
		l.number[k].blank = ' ';
		put_number(l.number[k].digits, v[k]);
	}
	l.end = '\n';
	bpf_seq_write(t->seq, &l, sizeof(l));
	return 0;
}

static const char head[] =
	"Version: 2.5\n"
	"       uid  resource                     held              maxheld"
	"              barrier                limit              failcnt\n";
static const char head_of_one[] =
	"Version: 2.5\n"
	"            resource                     held              maxheld"
	"              barrier                limit              failcnt\n";

static __always_inline void show(struct seq_file *seq, __u64 group,
				 struct vz_acct_row *row, int with_uid)
{
	struct text t = { seq, make_record(group, row), with_uid };

	if (t.r)
		bpf_loop(ROWS, put_line, &t, 0);
}

SEC("iter/bpf_map_elem")
int user_beancounters(struct bpf_iter__bpf_map_elem *ctx)
{
	struct vz_acct_row *row = ctx->value;
	__u64 *group = ctx->key, own;

	if (at_start(ctx->meta, row))
		bpf_seq_write(ctx->meta->seq, head, sizeof(head) - 1);
	if (!row || !group)
		return 0;
	/* A VE's process sees its own VE. */
	if (row_of_current(&own) && own != *group)
		return 0;
	show(ctx->meta->seq, *group, row, 1);
	return 0;
}

/* One VE's: its link names the group. */
SEC("iter/cgroup")
int resources(struct bpf_iter__cgroup *ctx)
{
	struct cgroup *cgroup = ctx->cgroup;
	struct vz_acct_row *row;
	__u64 group;

	if (!cgroup)
		return 0;
	group = BPF_CORE_READ(cgroup, kn, id);
	row = bpf_map_lookup_elem(&rows, &group);
	bpf_seq_write(ctx->meta->seq, head_of_one, sizeof(head_of_one) - 1);
	if (row)
		show(ctx->meta->seq, group, row, 0);
	return 0;
}

#endif
