/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vzctl/flags.h"

#include <string.h>

int vz_flags(struct vz_inv *inv, const struct vz_flag *flags)
{
	for (int i = 1; i < inv->argc; i++) {
		const struct vz_flag *f = flags;

		while (f->name && strcmp(f->name, inv->argv[i]))
			f++;
		if (!f->name)
			return vz_err_set(inv->err, VZ_E_SYNTAX, 0,
					  "%s: unknown option '%s'", inv->argv[0],
					  inv->argv[i]);
		*f->set = true;
	}
	return 0;
}
