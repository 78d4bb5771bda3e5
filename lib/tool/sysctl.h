/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_TOOL_SYSCTL_H
#define VZ_TOOL_SYSCTL_H

#include <stdbool.h>

#include "base/ctx.h"

/*
 * The node's settings that VEs need, each said when it is changed: limits which
 * they share are raised, never lowered; what is for their addresses and from them
 * is forwarded, IPv6 (if v6) without losing what routers advertise to the node.
 */
void vz_sysctls_set(const struct vz_ctx *ctx, bool v6);

#endif
