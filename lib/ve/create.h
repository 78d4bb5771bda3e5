/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_CREATE_H
#define VZ_VE_CREATE_H

#include "conf/conf.h"
#include "ve/unpacked.h"
#include "ve/ve.h"

/*
 * What a new VE's configuration begins as: its file when there is one already
 * (then `sample` must be NULL: VZ_E_COPYCONF), else the sample, else
 * CONFIGFILE of vz.conf, else nothing. *ret_conf is the file in memory.
 */
struct vz_create_base {
	struct vz_cfg *cfg; /* owned */
	struct vz_conf *conf; /* owned */
	char *sample; /* owned; NULL: none was used */
	bool existed; /* it is the VE's own file */
};
int vz_create_base(const struct vz_ctx *ctx, uint32_t id, const char *sample,
		   struct vz_create_base *ret, struct vz_err *err);
void vz_create_base_done(struct vz_create_base *b);
#define vz_autobase VZ_CLEANUP(vz_create_base_done)

/*
 * Make a VE: its id range from the pool, its private area from the cached
 * template, POST_CREATE in it, its configuration and name. The caller holds
 * the VE's lock. A failure or signal leaves nothing behind, and what a killed
 * create left is removed by the next one of the same number.
 *
 * Who has the command's answer does not wait for the disk, which takes longer
 * than the unpacking; a power cut before that is known at the next mount: see
 * vz_area_settle().
 */
struct vz_create_part {
	const char *file;
	bool (*want)(void *data, const char *path);
	void *data;
};
struct vz_create {
	const struct vz_create_base *base;
	const struct vz_cfg *cfg; /* the base's, with what the options say */
	int lock_fd; /* of the VE; -1: none */
	/*
	 * Instead of an OS template: the files below a directory (`below`) of archives,
	 * one after the other, as they are, without POST_CREATE; of each all, or those
	 * that it is asked for (see vz_untar()). When they are there unpacked() may
	 * find that something is missing. NULL: the template.
	 */
	const struct vz_create_part *part;
	size_t parts;
	const char *below;
	int (*unpacked)(void *data, struct vz_err *err);
	void *unpacked_data;
	/* For a layout over an unpacked template: that, held meanwhile. NULL: none. */
	const struct vz_unpacked *over;
	/*
	 * Limits of its users and groups (ve/ugidquota.h), set before the VE has a name.
	 * What can't be kept here is warned of. NULL: none.
	 */
	const char *quota;
	/* Called now and then, with bytes of the template; may be NULL. */
	void (*progress)(void *data, uint64_t done, uint64_t total);
	void *progress_data;
};
int vz_ve_create(const struct vz_ctx *ctx, uint32_t id, const struct vz_create *how,
		 struct vz_err *err);

#endif
