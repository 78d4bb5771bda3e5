/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_DUMPLINKS_H
#define VZ_VE_DUMPLINKS_H

#include "ve/ve.h"

/*
 * A VE's links to the node in a dump. CRIU keeps the VE's network namespace with its
 * ends, addresses, routes and connections; the node's ends are vz's. The file `links`
 * of a dump: "NODE_NAME NODE_MAC NOARP IFNAME", one a line.
 */

/*
 * Those of the VE whose process 1 is `init`, added to what CRIU is told.
 * VZ_E_CHECKPOINT when it has something that can't be kept (a device of the node).
 */
int vz_dumplinks_save(const struct vz_ve *ve, pid_t init, int dir,
		      struct vz_strv *external, struct vz_err *err);
/*
 * Let nothing reach the VE any more, so that it acknowledges nothing that is not in
 * the dump; and nothing leave it: connections whose processes stand still go on sending
 * again what was not acknowledged, with times that are later than those in the dump, and
 * whoever has heard these refuses what the restored ones say for as long as it stood
 * still (PAWS). Or let it all through again, as fast as the configuration says.
 */
int vz_dumplinks_hold(const struct vz_ve *ve, struct vz_err *err);
int vz_dumplinks_release(const struct vz_ve *ve, struct vz_err *err);

/*
 * Pairs for CRIU to move one end of into the VE, the node's end being down. What a
 * failed restore leaves of them vz_dumplinks_drop() removes.
 */
int vz_dumplinks_make(const struct vz_ve *ve, int dir, struct vz_strv *external,
		      struct vz_err *err);
void vz_dumplinks_drop(const struct vz_ve *ve, int dir);

#endif
