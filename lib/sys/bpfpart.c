/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Apart from bpffs.c, since a start of a VE and a list of them do without libbpf. */
#include "sys/bpfpart.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/bpffs.h"

static int pin_link(struct bpf_link *link, const char *dir, const char *name)
{
	char path[PATH_MAX];
	int r = link ? vz_bpffs_pin(dir, name, bpf_link__fd(link)) : -errno;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	/* Nobody but root finds it on the node, and a VE's root is nobody there. */
	if (!r && chmod(path, 0444))
		r = -errno;
	if (link)
		bpf_link__destroy(link);
	return r;
}

int vz_bpfpart_pin(const struct bpf_program *prog, enum vz_bpfpart how, int rows,
		   const char *dir)
{
	union bpf_iter_link_info info = { .map = { rows } };
	LIBBPF_OPTS(bpf_iter_attach_opts, opts, .link_info = &info,
		    .link_info_len = sizeof(info));
	const char *name = bpf_program__name(prog);
	char path[PATH_MAX];

	if (!bpf_program__autoload(prog)) {
		/* Of a way that was not gone to its end. */
		snprintf(path, sizeof(path), "%s/%s", dir, name);
		unlink(path);
		return 0;
	}
	switch (how) {
	case VZ_BPFPART_ATTACH:
		return pin_link(bpf_program__attach(prog), dir, name);
	case VZ_BPFPART_ITERATE:
		return pin_link(bpf_program__attach_iter(prog, NULL), dir, name);
	case VZ_BPFPART_ITERATE_ROWS:
		return pin_link(bpf_program__attach_iter(prog, &opts), dir, name);
	default:
		return vz_bpffs_pin(dir, name, bpf_program__fd(prog));
	}
}
