/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZMIGRATE_IMAGES_H
#define VZMIGRATE_IMAGES_H

#include "vzmigrate/peer.h"

/*
 * The files of a dump, as bytes behind one message of the talk there is: {"op": "images",
 * "files": [[NAME, SIZE], …]}, then the contents in this order. They are few, small and
 * flat, unless memory is among them.
 */

/* The source: those of the directory but logs. MIG_E_COPY, MIG_E_CONNECT. */
int images_send(struct peer *p, int dir, struct vz_err *err);

/* The destination: into a directory. All bytes are taken, whatever fails. */
int images_receive(struct wire *w, const json_t *ask, int dir, struct vz_err *err);

#endif
