/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_TOOL_NODE_H
#define VZ_TOOL_NODE_H

/* The VEs of a node as its boot and shutdown see them. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ctx.h"
#include "base/err.h"

enum vz_onboot {
	VZ_ONBOOT_UNSET,
	VZ_ONBOOT_NO,
	VZ_ONBOOT_YES,
};

struct vz_node_ve {
	uint32_t id;
	enum vz_onboot onboot;
	bool has_order;
	uint64_t order; /* BOOTORDER */
	bool disabled;
	bool running;
	bool ran; /* when the node was last shut down */
};

struct vz_node {
	struct vz_node_ve *ves;
	size_t n;
};

/* All defined VEs, the first to start first: BOOTORDER descending, unset last. */
int vz_node_load(const struct vz_ctx *ctx, struct vz_node *ret, struct vz_err *err);
void vz_node_done(struct vz_node *node);
#define vz_autonode VZ_CLEANUP(vz_node_done)

/* Whether boot starts it: it ran and ONBOOT is not no, or ONBOOT=yes. */
bool vz_node_starts(const struct vz_node_ve *ve);

/*
 * Write down which VEs run, so that the next boot starts them again. What an
 * earlier shutdown wrote that no boot has read yet stays in.
 */
int vz_node_remember(const struct vz_ctx *ctx, const struct vz_node *node,
		     struct vz_err *err);
/* A boot has read it. */
int vz_node_forget(const struct vz_ctx *ctx, struct vz_err *err);

#endif
