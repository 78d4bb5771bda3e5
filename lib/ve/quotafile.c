/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/quotafile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "ve/diskquota.h"

#define FILE_MAX (4 << 20)

/* "101: /path" begins a block; its other lines begin with a blank. */
static bool begins_block(const char *line, uint32_t *ret_veid)
{
	char *end;
	unsigned long id;

	if (*line < '0' || *line > '9')
		return false;
	id = strtoul(line, &end, 10);
	*ret_veid = id;
	return *end == ':';
}

int vz_quotafile_edit(const char *text, uint32_t veid, const char *block,
		      struct vz_str *out)
{
	bool skip = false, done = false;

	if (strncmp(text, VZ_QUOTAFILE_HEAD, sizeof(VZ_QUOTAFILE_HEAD) - 1))
		text = VZ_QUOTAFILE_HEAD;
	while (*text) {
		size_t n = strcspn(text, "\n");
		uint32_t id;

		n += text[n] == '\n';
		if (begins_block(text, &id)) {
			skip = id == veid;
			if (!done && id >= veid) {
				vz_str_add(out, block ? block : "");
				done = true;
			}
		}
		if (!skip)
			vz_str_addn(out, text, n);
		text += n;
	}
	if (!done)
		vz_str_add(out, block ? block : "");
	return out->failed ? -ENOMEM : 0;
}

static void add_row(struct vz_str *out, const char *what, uint64_t used, uint64_t soft,
		    uint64_t hard, uint64_t until, uint64_t grace)
{
	vz_str_addf(out,
		    "%11s %14" PRIu64 " %14" PRIu64 " %14" PRIu64 " %10" PRIu64
		    " %10" PRIu64 "\n",
		    what, used, soft ? soft : hard, hard, until, grace);
}

/* NULL: no quota is kept for it. */
static char *make_block(const struct vz_ve *ve)
{
	const char *private = vz_ve_private(ve, NULL);
	uint64_t grace = vz_cfg_u64(ve->cfg, VZ_P_QUOTATIME);
	vz_autostr struct vz_str b = { 0 };
	struct vz_quota v;

	if (!private || vz_diskquota_read(ve->ctx, ve->id, private, &v))
		return NULL;
	vz_str_addf(&b, "%u: %s\n", ve->id, private);
	add_row(&b, "1k-blocks", (v.space + 1023) / 1024, v.space_soft, v.space_hard,
		v.space_until, grace);
	add_row(&b, "inodes", v.inodes, v.inode_soft, v.inode_hard, v.inode_until, grace);
	return vz_str_steal(&b);
}

/* The file, and the lock of who changes it; false: there is no RUNDIR/proc/vz. */
static bool open_file(const struct vz_ctx *ctx, int *ret_lock, char **ret_path)
{
	vz_autofree char *dir = vz_strf("%s/proc/vz", ctx->rundir);
	vz_autofree char *lock = vz_strf("%s/vzquota.lock", ctx->rundir);

	*ret_path = dir ? vz_strf("%s/vzquota", dir) : NULL;
	*ret_lock = *ret_path && lock && !access(dir, F_OK) ? vz_lock_wait(lock) : -1;
	return *ret_lock >= 0;
}

static void edit_file(const char *path, uint32_t veid, const char *block)
{
	vz_autofree char *was = NULL;
	vz_autostr struct vz_str out = { 0 };
	size_t len;

	if (vz_read_file(path, FILE_MAX, &was, &len))
		was = strdup("");
	if (!was || vz_quotafile_edit(was, veid, block, &out))
		return;
	if (strcmp(was, out.s) && !vz_replace_volatile(path, out.s, out.len))
		chmod(path, 0444);
}

static void put_block(const struct vz_ctx *ctx, uint32_t veid, const char *block)
{
	vz_autofree char *path = NULL;
	vz_autofd int lock = -1;

	if (open_file(ctx, &lock, &path))
		edit_file(path, veid, block);
}

void vz_quotafile_put(const struct vz_ve *ve)
{
	vz_autofree char *block = make_block(ve);

	put_block(ve->ctx, ve->id, block);
}

void vz_quotafile_drop(const struct vz_ctx *ctx, uint32_t veid)
{
	put_block(ctx, veid, NULL);
}

void vz_quotafile_refresh(const struct vz_ctx *ctx)
{
	vz_autofree char *path = NULL, *text = NULL;
	vz_autofd int lock = -1;
	char *at, *line;
	uint32_t id;
	size_t len;

	if (!open_file(ctx, &lock, &path) || vz_read_file(path, FILE_MAX, &text, &len))
		return;
	at = text;
	while ((line = strsep(&at, "\n"))) {
		vz_autove struct vz_ve ve = { 0 };
		vz_autofree char *block = NULL;

		if (!begins_block(line, &id))
			continue;
		if (!vz_ve_open(ctx, id, &ve, NULL))
			block = make_block(&ve);
		edit_file(path, id, block);
	}
	/* Its time says when all of it was true, changed or not. */
	utimensat(AT_FDCWD, path, NULL, 0);
}
