/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_OVFOLD_H
#define VZ_SYS_OVFOLD_H

/*
 * Fold an overlay's layer into the one right above it: what `lower` has and `upper`
 * neither has nor hides moves up, the rest goes, and `lower` is empty in the end.
 * The two, over whatever lies below, show the same after each single step, so who is
 * killed just does it again. Neither may be mounted. Both are descriptors of the
 * layers' directories, on one file system.
 *
 * Whiteouts and opaque directories are honoured. A file whose contents or place are
 * another layer's (metacopy, redirect), which overlays of vz never have, is not
 * touched: -EOPNOTSUPP. 0 or -errno; -ELOOP: nested too deeply.
 */
int vz_ovfold(int lower, int upper);

#endif
