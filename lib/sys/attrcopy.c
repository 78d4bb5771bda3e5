/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/attrcopy.h"

#include <archive_entry.h>
#include <errno.h>

#include "base/cleanup.h"
#include "sys/tarout_attr.h"
#include "sys/untar_attr.h"

static void entry_free(struct archive_entry **e)
{
	archive_entry_free(*e);
}

int vz_attrcopy(int from, uid_t uid, gid_t gid, int to, uid_t to_uid, gid_t to_gid)
{
	/* As it would lie in an archive: with the ids that it has in a VE. */
	VZ_CLEANUP(entry_free) struct archive_entry *e = archive_entry_new();
	int r = e ? vz_tarout_get_attrs(from, e, uid, gid) : -ENOMEM;

	if (r || !vz_untar_has_attrs(e))
		return r;
	return vz_untar_set_attrs(to, e, to_uid, to_gid);
}
