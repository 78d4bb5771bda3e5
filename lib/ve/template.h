/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_VE_TEMPLATE_H
#define VZ_VE_TEMPLATE_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/err.h"

/*
 * The templates of a node: TEMPLATE/cache/NAME.tar.zst, .tar.gz or .tar.xz.
 * `dir` is always TEMPLATE; its cache need not exist.
 */
struct vz_template {
	char *name; /* debian-12-x86_64 */
	char *path; /* of the file that create would take */
	const char *ext; /* ".tar.zst" */
	uint64_t size;
	time_t mtime;
};

struct vz_templates {
	struct vz_template *v;
	size_t n;
};

/*
 * NULL when s can be a template's name, else what was expected. Names come
 * from users and become parts of paths.
 */
const char *vz_bad_template(const char *s);

/* All there are, by name; of several files with a name the best. 0 or -errno. */
int vz_template_list(const char *dir, struct vz_templates *ret, struct vz_err *err);
void vz_templates_done(struct vz_templates *t);
#define vz_autotemplates VZ_CLEANUP(vz_templates_done)

/*
 * The best file of that name: the one that unpacks fastest. VZ_E_NOTEMPLATE
 * says what there is instead. *ret_path is to be freed by the caller.
 */
int vz_template_find(const char *dir, const char *name, char **ret_path,
		     struct vz_err *err);

#endif
