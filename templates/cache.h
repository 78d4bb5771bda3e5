/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TEMPLATES_CACHE_H
#define TEMPLATES_CACHE_H

#include "templates/vztmpl.h"

/*
 * How a template gets into TEMPLATE/cache: a work directory beside the others
 * (.NAME.work, locked while somebody works there, removed at the end and when
 * found dead), a file made in it, and a rename. NAME.tar.X.sha256 has the
 * file's sum in the form of sha256sum(1); it goes before a new file comes, so
 * that a crash leaves a template without a sum, not one with a wrong sum.
 */
struct tmpl_work {
	char *dir;
	int fd;
};
#define TMPL_WORK_NONE ((struct tmpl_work){ .fd = -1 })

/* VZ_E_LOCKED when another command works on the same name. */
int tmpl_work_begin(const struct tmpl_inv *inv, const char *name, struct tmpl_work *ret);
void tmpl_work_done(struct tmpl_work *w);
#define tmpl_autowork VZ_CLEANUP(tmpl_work_done)

/* The one word of a command's arguments that is a template's name. */
int tmpl_name(const struct tmpl_inv *inv, const char *word);

/*
 * Put file into the cache as NAMEEXT, durably, with its sum; when `want` (in
 * hexadecimal) is not NULL the sum must be that one.
 */
int tmpl_install(const struct tmpl_inv *inv, const char *file, const char *name,
		 const char *ext, const char *want);

/*
 * Run argv (fd[] as vz_run() has it) until it ends or a signal comes; the
 * caller holds signals. 0, or -errno with the error set to what failed.
 */
int tmpl_run(const struct tmpl_inv *inv, const char *const *argv, const int fd[3],
	     const char *what);

#endif
