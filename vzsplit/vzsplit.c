/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vzsplit: a configuration of which a node has room for N. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/num.h"
#include "res/split.h"
#include "res/word.h"
#include "sys/cgroup.h"
#include "tool/main.h"

enum { NUMBER, NAME, SWAP, VSWAP };

static const struct vz_opt opts[] = {
	[NUMBER] = { "number", 'n', "NUM", "how many VEs the node is to have room for" },
	[NAME] = { "file", 'f', "NAME",
		   "write the sample NAME, for create --config NAME" },
	[SWAP] = { "swap", 's', "KBYTES", "reckon with so much swap space" },
	[VSWAP] = { "vswap", 'v', "yes|no", "RAM and swap only, or all beancounters" },
	{ 0 },
};

static int ask_number(struct vz_tool_run *run, uint64_t *ret)
{
	char line[64];
	int r = -EINVAL;

	fputs("Number of VEs: ", stderr);
	if (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		r = vz_parse_u64(line, UINT32_MAX, ret);
	} else {
		fputc('\n', stderr);
	}
	return r ? vz_err_set(run->err, VZ_E_SYNTAX, 0,
			      "bad number of VEs: expected 1 to %u, or -n", UINT32_MAX)
		 : 0;
}

static int find_number(struct vz_tool_run *run, uint64_t *ret)
{
	const char *word = run->value[NUMBER];

	if (!word)
		return ask_number(run, ret);
	if (vz_parse_u64(word, UINT32_MAX, ret) || !*ret)
		return vz_err_set(run->err, VZ_E_VALUE, 0,
				  "-n %s: expected a number of VEs from 1 to %u", word,
				  UINT32_MAX);
	return 0;
}

/* The whole of what a file system has, where new VEs' files go. */
static void find_disk(const struct vz_ctx *ctx, struct vz_split_node *node)
{
	vz_autocfg struct vz_cfg *global = NULL;
	vz_autofree char *path = NULL;
	struct statfs fs;
	char *slash;

	if (vz_cfg_load_global(ctx, &global, NULL) ||
	    !(path = vz_cfg_text(global, VZ_P_VE_PRIVATE)))
		return vz_warn(ctx, "VE_PRIVATE of vz.conf is not known: VEs get a small "
				    "disk");
	slash = strchr(path, '$');
	if (slash)
		*slash = '\0';
	if (statfs(path, &fs))
		return vz_warn(ctx,
			       "can't ask how large the disk of %s is (%s): VEs get a "
			       "small one",
			       path, strerror(errno));
	node->disk = (uint64_t)fs.f_blocks * (fs.f_bsize / 512) / 2;
	node->inodes = fs.f_files;
}

/* RAM and swap can be limited wherever there is a controller of memory. */
static int find_mode(struct vz_tool_run *run, bool *ret)
{
	const char *word = run->value[VSWAP];
	struct vz_cg_host host;

	if (word && strcmp(word, "yes") && strcmp(word, "no"))
		return vz_err_set(run->err, VZ_E_SYNTAX, 0, "-v %s: expected yes or no",
				  word);
	*ret = word ? !strcmp(word, "yes")
		    : !vz_cg_probe(run->ctx, &host, NULL) &&
			       vz_cg_mount(&host, VZ_CG_MEMORY);
	return 0;
}

static int find_node(struct vz_tool_run *run, struct vz_split_node *node)
{
	const char *swap = run->value[SWAP];
	int r = vz_machine_read(run->ctx, &node->machine, run->err);

	if (r)
		return r;
	if (swap && vz_parse_u64(swap, UINT64_MAX >> 16, &node->machine.swap))
		return vz_err_set(run->err, VZ_E_VALUE, 0,
				  "-s %s: expected swap space in kilobytes", swap);
	if (swap)
		node->machine.swap <<= 10;
	find_disk(run->ctx, node);
	return 0;
}

static int sample_path(struct vz_tool_run *run, char **ret)
{
	const char *name = run->value[NAME];
	vz_autostr struct vz_str word = { 0 };

	*ret = NULL;
	if (!name)
		return 0;
	if (vz_word_file(name, &word))
		return vz_err_set(
			run->err, VZ_E_VALUE, 0,
			"-f %.80s: expected a sample's name without directories", name);
	*ret = vz_strf("%s/conf/ve-%s.conf-sample", run->ctx->confdir, name);
	if (!*ret)
		return vz_err_set(run->err, VZ_E_RESOURCES, ENOMEM, "can't write it");
	if (!access(*ret, F_OK))
		return vz_err_set(run->err, VZ_E_VALUE, 0,
				  "%s is there already: take another name, or remove it",
				  *ret);
	return 0;
}

static int write_out(struct vz_tool_run *run, const struct vz_split *s, const char *path)
{
	vz_autostr struct vz_str text = { 0 };
	int r;

	vz_split_format(s, &text);
	if (text.failed)
		return vz_err_set(run->err, VZ_E_RESOURCES, ENOMEM, "can't write it");
	if (!path) {
		fputs(text.s, stdout);
		return 0;
	}
	r = vz_replace_file(path, text.s, text.len, 0644);
	if (r)
		return vz_err_set(run->err, VZ_E_SAVE, -r, "can't write %s", path);
	printf("%s is written\n", path);
	return 0;
}

static int split(struct vz_tool_run *run)
{
	struct vz_split_node node = { 0 };
	vz_autofree char *path = NULL;
	struct vz_split s;
	bool vswap = false;
	uint64_t n = 0;
	int r = sample_path(run, &path);

	if (!r)
		r = find_mode(run, &vswap);
	if (!r)
		r = find_number(run, &n);
	if (!r)
		r = find_node(run, &node);
	if (!r)
		r = vz_split(&node, n, vswap, &s, run->err);
	if (r)
		return r;
	if (s.small_disk)
		vz_warn(run->ctx,
			"the disk of VEs has less than 20 GB: half of it is left "
			"to the node");
	if (s.disk_full)
		vz_warn(run->ctx,
			"the disk of VEs has no room for so many: the small size "
			"that each gets is more than there is");
	return write_out(run, &s, path);
}

int main(int argc, char **argv)
{
	static const struct vz_tool tool = {
		.name = "vzsplit",
		.args = "[-n NUM] [-f NAME] [-s KBYTES] [-v yes|no]",
		.about = "Make the configuration of one of NUM VEs that share this node "
			 "out among them.",
		.opts = opts,
		.plans = true,
		.run = split,
	};

	return vz_tool_main(&tool, argc, argv);
}
