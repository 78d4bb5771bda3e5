/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vzoversell: RAM and swap space that VEs may have, against what there is. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "tool/human.h"
#include "tool/main.h"
#include "vzcalc/ves.h"

enum { ALL, UBC };

static const struct vz_opt opts[] = {
	[ALL] = { "all", 'a', NULL, "VEs that do not run, too" },
	[UBC] = { "ubc", 0, "FILE", "counters from a saved user_beancounters" },
	{ 0 },
};

#define PAGE 4096u

/* What is to be said about a VE's line. */
enum flag {
	GUESSED = 1 << 0,
	NO_RAM_LIMIT = 1 << 1,
	NO_SWAP_LIMIT = 1 << 2,
	RAM_FAILED = 1 << 3,
	FAILED = 1 << 4,
};

static const struct {
	enum flag flag;
	char letter;
	const char *text;
} flags[] = {
	{ GUESSED, 'R', "no limit of RAM: half of privvmpages is taken for it" },
	{ NO_RAM_LIMIT, 'U', "no limit of RAM at all: not in the total" },
	{ NO_SWAP_LIMIT, 'S', "no limit of swap space: not in the total" },
	{ RAM_FAILED, 'f', "RAM was not enough, swap space was used" },
	{ FAILED, 'F', "something was refused: see vzubc(8)" },
};

/* Pages, but for fails; VZ_UBC_UNKNOWN goes through sums. */
struct memory {
	int64_t used, peak, limit, fails;
};

struct line {
	struct memory ram, swap;
	unsigned int flags;
};

static int64_t plus(int64_t a, int64_t b)
{
	int64_t sum;

	if (a == VZ_UBC_UNKNOWN || b == VZ_UBC_UNKNOWN)
		return VZ_UBC_UNKNOWN;
	return __builtin_add_overflow(a, b, &sum) ? VZ_UNLIMITED : sum;
}

static void add(struct memory *sum, const struct memory *m)
{
	sum->used = plus(sum->used, m->used);
	sum->peak = plus(sum->peak, m->peak);
	sum->fails = plus(sum->fails, m->fails);
	sum->limit = plus(sum->limit, m->limit == VZ_UNLIMITED ? 0 : m->limit);
}

static struct memory memory_of(const struct vz_ubc_value *v)
{
	return (struct memory){ v->held, v->maxheld, v->limit, v->failcnt };
}

static unsigned int failures(const struct vz_ubc *u)
{
	int64_t ram = u->v[VZ_UBC_PHYSPAGES].failcnt;

	for (int i = 0; i < VZ_UBC__COUNT; i++)
		if (i != VZ_UBC_PHYSPAGES && u->v[i].failcnt > 0)
			return FAILED;
	return ram > 0 ? RAM_FAILED : 0;
}

static struct line line_of(const struct vz_ubc *u)
{
	struct line l = { memory_of(&u->v[VZ_UBC_PHYSPAGES]),
			  memory_of(&u->v[VZ_UBC_SWAPPAGES]), failures(u) };
	int64_t private = u->v[VZ_UBC_PRIVVMPAGES].limit;

	if (l.ram.limit == VZ_UNLIMITED && private < VZ_UNLIMITED) {
		l.ram.limit = private == VZ_UBC_UNKNOWN ? private : private / 2;
		l.flags |= GUESSED;
	} else if (l.ram.limit == VZ_UNLIMITED) {
		l.flags |= NO_RAM_LIMIT;
	}
	if (l.swap.limit == VZ_UNLIMITED)
		l.flags |= NO_SWAP_LIMIT;
	return l;
}

static void print_memory(const struct memory *m)
{
	char b[4][VZ_HUMAN_MAX];

	printf(" %5s %5s %5s %5s", vz_human_bytes(m->used, PAGE, b[0]),
	       vz_human_bytes(m->peak, PAGE, b[1]), vz_human_bytes(m->limit, PAGE, b[2]),
	       vz_human_count(m->fails, b[3]));
}

static void print_line(const char *title, const struct line *l)
{
	char letters[VZ_ARRAY_SIZE(flags) + 1] = "";
	size_t n = 0;

	for (size_t i = 0; i < VZ_ARRAY_SIZE(flags); i++)
		if (l->flags & flags[i].flag)
			letters[n++] = flags[i].letter;
	printf("%10s", title);
	print_memory(&l->ram);
	putchar(' ');
	print_memory(&l->swap);
	printf("%s%s\n", n ? "  " : "", letters);
}

static void print_share(const char *title, int64_t have, int64_t given)
{
	char b[3][VZ_HUMAN_MAX];

	printf("%-10s available: %5s  allocated: %5s  oversell: %s\n", title,
	       vz_human_bytes(have, PAGE, b[0]), vz_human_bytes(given, PAGE, b[1]),
	       vz_human_share(given, have, b[2]));
}

static void print_total(const struct line *total, const struct vz_machine *m)
{
	int64_t ram = m->ram / PAGE, swap = m->swap / PAGE;
	struct line sum = *total;

	puts("           ----- ----- ----- -----  ----- ----- ----- -----");
	sum.flags = 0;
	print_line("TOTAL", &sum);
	putchar('\n');
	print_share("RAM", ram, total->ram.limit);
	print_share("Swap", swap, total->swap.limit);
	print_share("RAM+Swap", ram + swap, plus(total->ram.limit, total->swap.limit));
	if (total->flags)
		puts("\nFlags:");
	for (size_t i = 0; i < VZ_ARRAY_SIZE(flags); i++)
		if (total->flags & flags[i].flag)
			printf("  %c: %s\n", flags[i].letter, flags[i].text);
}

static void print_all(const struct ves *ves, const struct vz_machine *machine)
{
	struct line total = { 0 };

	puts("           --------- RAM ---------  -------- Swap ---------  Flags\n"
	     "            used  peak limit fails   used  peak limit fails");
	for (size_t i = 0; i < ves->n; i++) {
		struct line l = line_of(&ves->v[i].ubc);
		char title[16];

		snprintf(title, sizeof(title), "%u", ves->v[i].id);
		print_line(title, &l);
		if (!ves->v[i].running)
			l.ram.used = l.ram.peak = l.ram.fails = l.swap.used =
				l.swap.peak = l.swap.fails = 0;
		add(&total.ram, &l.ram);
		add(&total.swap, &l.swap);
		total.flags |= l.flags;
	}
	print_total(&total, machine);
}

static int oversell(struct vz_tool_run *run)
{
	const char *file = run->value[UBC];
	vz_autoves struct ves ves = { 0 };
	struct vz_machine machine;
	int r;

	if (run->words.n && file)
		return vz_err_set(run->err, VZ_E_SYNTAX, 0, "unexpected argument '%s'",
				  run->words.v[0]);
	if (run->words.n)
		file = run->words.v[0];
	r = vz_machine_read(run->ctx, &machine, run->err);
	if (!r)
		r = ves_load(run->ctx, file, run->value[ALL] ? VES_ALL : VES_RUNNING,
			     &ves, run->err);
	if (r)
		return r;
	print_all(&ves, &machine);
	return ves.partial;
}

int main(int argc, char **argv)
{
	static const struct vz_tool tool = {
		.name = "vzoversell",
		.args = "[-a] [[--ubc] FILE]",
		.about = "Show how much more RAM and swap space VEs may have than there "
			 "is.",
		.opts = opts,
		.words_max = 1,
		.plans = true,
		.run = oversell,
	};

	return vz_tool_main(&tool, argc, argv);
}
