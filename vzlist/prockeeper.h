/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VZLIST_PROCKEEPER_H
#define VZ_VZLIST_PROCKEEPER_H

#include "vzlist/procview.h"

/*
 * Keep a view right while processes come and go, in a process of its own that
 * ends when this mount namespace has no other process. It also keeps `node`, the
 * mount namespace before this one, to which a link in the view leads. Returns
 * when the view is right; the caller has no child more than before. 0 or -errno.
 */
int prockeeper_start(const struct procview *v, int node);

#endif
