/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZMIGRATE_STAGING_H
#define VZMIGRATE_STAGING_H

#include <stdbool.h>
#include <stdint.h>

#include "vzmigrate/exit.h"

/*
 * PRIVATE.migrating on the destination, where all of a VE is until it is this node's:
 * `root` its files, `conf` its configuration and scripts, `dump` its processes.
 *
 * The dump is in memory where there is twice the room for it: it is read once, moments
 * after it came, and were the node to lose its power until then, the source, which has
 * the VE standing still, would have it go on.
 */

/* To be freed by the caller; NULL: no memory. */
char *staging_path(const char *private);
/* What is there of the files stays. memory: of the VE, bytes; 0: none goes along. */
int staging_make(const char *staging, bool live, uint64_t memory, struct vz_err *err);
/* Whether its dump is in memory now; and how many bytes of that are free on this node. */
bool staging_dump_in_memory(const char *staging);
uint64_t staging_free_memory(void);
/* The dump, if it is in memory: of what is kept there only the files are of use. */
void staging_drop_dump(const char *staging);
/* rsync of a connection that has just ended may still write there: that is waited for. */
int staging_remove(const char *staging, struct vz_err *err);

#endif
