/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_SOCKBUF_H
#define VZ_VE_SOCKBUF_H

#include "base/err.h"
#include "res/cfg.h"
#include "ve/ve.h"

/*
 * The limits of TCPSNDBUF and TCPRCVBUF, where the kernel keeps them: the sizes
 * to which TCP lets the buffers of a network namespace's sockets grow (tcp_wmem,
 * tcp_rmem). What programs see to is not done here (lib/bpf). Groups of version 1
 * have a limit of their own (memory.kmem.tcp), which is left alone: UDP's buffers
 * come from it as well, it is given back late, and refuses without a count.
 *
 * As a VE starts: `netns` is its network namespace, or the pidfd of its process 1.
 * What can't be limited is a warning.
 */
void vz_sockbuf_begin(const struct vz_ve *ve, int netns);
/*
 * Live: `old` is what is in force; what is the same in both is left alone, as
 * the VE's root may have less. VZ_E_UBC.
 */
int vz_sockbuf_apply(const struct vz_ve *ve, const struct vz_cfg *old,
		     const struct vz_cfg *cfg, struct vz_err *err);

#endif
