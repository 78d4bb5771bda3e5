/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/procfiles.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "procfiles.skel.h"
#include "sys/bpffs.h"
#include "sys/bpfpart.h"

#define KIND VZ_PROCFILES_VERSION

static void procfiles_destroyp(struct procfiles **p)
{
	procfiles__destroy(*p);
}

static int quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	return 0;
}

/* What is made of a program: see sys/bpfpart.h. */
#define PIN_PROGRAM VZ_BPFPART_PIN
#define ATTACH VZ_BPFPART_ATTACH
#define ITERATE VZ_BPFPART_ITERATE
#define ITERATE_ROWS VZ_BPFPART_ITERATE_ROWS
/* What a kernel may lack, each with those before it. */
enum need {
	NEED_ROWS,
	NEED_SUMS, /* trace points, iterators over tasks and groups */
	NEED_TRACE, /* programs on the kernel's functions */
};
static const struct part {
	const char *name;
	enum vz_bpfpart how;
	enum need need;
} parts[] = {
	{ "veinfo", ITERATE_ROWS },
	{ "vswap", ITERATE_ROWS },
	{ "vestat", ITERATE, NEED_SUMS },
	{ "task_freed", ATTACH, NEED_SUMS },
	{ "task_ended", ATTACH, NEED_SUMS },
	{ "bio_queued", ATTACH, NEED_SUMS },
	{ "ioacct", PIN_PROGRAM, NEED_SUMS },
	{ "sync_begun", ATTACH, NEED_TRACE },
	{ "sync_done", ATTACH, NEED_TRACE },
	{ "file_sync_begun", ATTACH, NEED_TRACE },
	{ "file_sync_done", ATTACH, NEED_TRACE },
	{ "data_sync_begun", ATTACH, NEED_TRACE },
	{ "data_sync_done", ATTACH, NEED_TRACE },
	{ "range_sync_begun", ATTACH, NEED_TRACE },
	{ "range_sync_done", ATTACH, NEED_TRACE },
};
enum { TEXT_VERSION, TEXT_VZQUOTA };
static const struct {
	const char *name, *text;
} texts[] = {
	[TEXT_VERSION] = { "version", VZ_VERSION "\n" },
	/* Nobody's quota is known yet. */
	[TEXT_VZQUOTA] = { "vzquota", "qid: path            usage      softlimit      "
				      "hardlimit       "
				      "time     expire\n" },
};

static bool has_function(const struct btf *kernel, const char *name)
{
	return btf__find_by_name_kind(kernel, name, BTF_KIND_FUNC) > 0;
}

static struct procfiles *load_some(const struct btf *kernel, unsigned int level, int rows,
				   enum need most)
{
	VZ_CLEANUP(procfiles_destroyp) struct procfiles *p = procfiles__open();

	if (!p || bpf_map__reuse_fd(p->maps.rows, rows))
		return NULL;
	p->rodata->level = level;
	p->rodata->flush_by_css = has_function(kernel, "css_rstat_flush");
	p->rodata->flush_by_group = has_function(kernel, "cgroup_rstat_flush");
	p->rodata->group_by_id = has_function(kernel, "bpf_cgroup_from_id");
	for (size_t i = 0; i < VZ_ARRAY_SIZE(parts); i++)
		bpf_program__set_autoload(
			bpf_object__find_program_by_name(p->obj, parts[i].name),
			parts[i].need <= most);
	p->rodata->syncs_are_counted = most == NEED_TRACE;
	/* Without a way to bring a group's sums up to date they say nothing. */
	if (!p->rodata->flush_by_css && !p->rodata->flush_by_group)
		bpf_program__set_autoload(p->progs.vestat, false);
	return procfiles__load(p) ? NULL : vz_take(p);
}

/* RUNDIR/proc/vz: links to what is pinned, and plain files. */
static int make_dir(const struct vz_ctx *ctx, const char *dir)
{
	vz_autofree char *vz = vz_strf("%s/proc/vz", ctx->rundir);
	int r = vz ? vz_mkdir_p(vz, 0755) : -ENOMEM;

	for (size_t i = 0; i < VZ_ARRAY_SIZE(parts) && !r; i++) {
		if (parts[i].how != ITERATE && parts[i].how != ITERATE_ROWS)
			continue;
		vz_autofree char *from = vz_strf("%s/%s", dir, parts[i].name);
		vz_autofree char *to = vz_strf("%s/%s", vz, parts[i].name);

		if (!from || !to)
			return -ENOMEM;
		unlink(to);
		if (!access(from, F_OK) && symlink(from, to))
			r = -errno;
	}
	for (size_t i = 0; i < VZ_ARRAY_SIZE(texts) && !r; i++) {
		vz_autofree char *to = vz_strf("%s/%s", vz, texts[i].name);

		/* See ve/quotafile.h: VEs may be in it. */
		if (to && !access(to, F_OK) && i == TEXT_VZQUOTA)
			continue;
		r = to ? vz_replace_volatile(to, texts[i].text, strlen(texts[i].text))
		       : -ENOMEM;
	}
	return r;
}

static int pin_all(const struct vz_ctx *ctx, struct procfiles *p, const char *dir)
{
	int r = vz_bpffs_pin(dir, "addresses", bpf_map__fd(p->maps.addresses));

	if (!r)
		r = vz_bpffs_pin(dir, "io", bpf_map__fd(p->maps.io));
	for (size_t i = 0; i < VZ_ARRAY_SIZE(parts) && !r; i++)
		r = vz_bpfpart_pin(
			bpf_object__find_program_by_name(p->obj, parts[i].name),
			parts[i].how, bpf_map__fd(p->maps.rows), dir);
	if (!r)
		r = make_dir(ctx, dir);
	return r ? r : vz_bpffs_pin(dir, "seal", bpf_map__fd(p->maps.addresses));
}

static int load(const struct vz_ctx *ctx, const char *dir, unsigned int level, int rows,
		struct vz_err *err)
{
	VZ_CLEANUP(procfiles_destroyp) struct procfiles *p = NULL;
	struct btf *kernel = btf__load_vmlinux_btf();
	int r = -ENOENT;

	errno = 0;
	if (kernel) {
		for (int most = NEED_TRACE; most >= NEED_ROWS && !p; most--)
			p = load_some(kernel, level, rows, most);
		r = p ? pin_all(ctx, p, dir) : errno ? -errno : -EINVAL;
	}
	btf__free(kernel);
	return r ? vz_err_set(err, VZ_E_KERNEL, -r,
			      "%s/proc/vz is not there: the kernel does not take its "
			      "programs (BPF)",
			      ctx->rundir)
		 : 0;
}

static bool is_there(const struct vz_ctx *ctx)
{
	int fd = vz_bpffs_get(ctx, KIND, "seal");

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

int vz_procfiles_open(const struct vz_ctx *ctx, unsigned int level,
		      const struct vz_acct *acct, struct vz_err *err)
{
	vz_autofd int lock = -1;
	char dir[PATH_MAX];
	int r;

	if (is_there(ctx))
		return 0;
	libbpf_set_print(quiet);
	r = vz_bpffs_lock(ctx, KIND, dir, sizeof(dir), &lock, err);
	/* Another one may have been faster. */
	if (!r && !is_there(ctx))
		r = load(ctx, dir, level, acct->fd[VZ_ACCT_FD_ROWS], err);
	return r;
}
