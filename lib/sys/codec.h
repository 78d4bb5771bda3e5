/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_SYS_CODEC_H
#define VZ_SYS_CODEC_H

#include <stddef.h>
#include <stdint.h>

/*
 * Decompress a file of zstd, gzip or xz (told by its first bytes; anything
 * else is passed on as it is), with every check that the format has: each
 * frame's or member's checksum and length, and that the file is whole. What
 * may follow one another, frames and members, may; bytes that belong to none
 * may not, but for the zeros with which tapes and disks fill up a block.
 *
 * Reads in to its end, writes out. *done counts the bytes taken in, for
 * whoever watches. 0; -EBADMSG: damaged, *ret_why says how; -EPIPE: out is
 * not read any more; another errno of reading, or -ENOMEM.
 */
int vz_codec_decompress(int in, int out, _Atomic uint64_t *done, const char **ret_why);

#endif
