/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VZ_RES_VALUE_H
#define VZ_RES_VALUE_H

#include "res/param.h"
#include "res/ubc.h"

/* One parameter's value, as its row's type says. All zeros holds nothing. */
struct vz_value {
	uint64_t num; /* BOOL, NUM, SIZE, MILLI, ENUM */
	struct vz_limit limit;
	char *str; /* STR, PATH */
	struct vz_strv list;
};

void vz_value_done(struct vz_value *v);
#define vz_autovalue VZ_CLEANUP(vz_value_done)
int vz_value_copy(const struct vz_value *v, struct vz_value *ret);
bool vz_value_equal(const struct vz_value *a, const struct vz_value *b);

/*
 * From text. bare: bytes of a number without suffix, 0 for the row's own.
 * 0, -EINVAL, -ERANGE or -ENOMEM; ret is then untouched.
 */
int vz_value_parse(const struct vz_param *p, uint64_t bare, const char *text,
		   struct vz_value *ret);
/* As a file has it, to be freed by the caller; NULL: no memory. */
char *vz_value_format(const struct vz_param *p, const struct vz_value *v);

/* Lists: put an element in place of the one with its id, or last. */
int vz_value_list_put(const struct vz_param *p, struct vz_strv *list, const char *word);
/* Take out the element with this id (a whole element will do, too). */
bool vz_value_list_remove(const struct vz_param *p, struct vz_strv *list,
			  const char *word);

#endif
