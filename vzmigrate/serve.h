/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZMIGRATE_SERVE_H
#define VZMIGRATE_SERVE_H

#include "base/ctx.h"

/*
 * `vzmigrate --serve`, the destination: does what the source asks on standard
 * input, until that ends. What has not been handed over by then is undone.
 * Returns an exit status.
 */
int serve(const struct vz_ctx *ctx);

#endif
