/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/template.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/str.h"

/* In the order in which create prefers them: by how fast they unpack. */
static const char *const exts[] = { ".tar.zst", ".tar.gz", ".tar.xz" };

enum { NAME_LEN = 200, LISTED = 20 };

const char *vz_bad_template(const char *s)
{
	static const char words[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-";

	if (!*s || *s == '.' || *s == '-' || strlen(s) > NAME_LEN || s[strspn(s, words)])
		return "letters, digits and ._+-, not beginning with . or -";
	return NULL;
}

static int preference(const char *file, size_t *ret_len)
{
	size_t len = strlen(file), n;

	for (size_t i = 0; i < VZ_ARRAY_SIZE(exts); i++) {
		n = strlen(exts[i]);
		if (len > n && !strcmp(file + len - n, exts[i])) {
			*ret_len = len - n;
			return i;
		}
	}
	return -1;
}

static struct vz_template *find(struct vz_templates *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++)
		if (!strcmp(t->v[i].name, name))
			return &t->v[i];
	return NULL;
}

static struct vz_template *add(struct vz_templates *t, char *name)
{
	struct vz_template *v = reallocarray(t->v, t->n + 1, sizeof(*v));

	if (!v)
		return NULL;
	t->v = v;
	v[t->n] = (struct vz_template){ .name = name };
	return &v[t->n++];
}

static int add_file(struct vz_templates *t, const char *dir, int dirfd, const char *file)
{
	vz_autofree char *name = NULL;
	struct vz_template *v;
	struct stat st;
	size_t len;
	int pref = preference(file, &len);

	if (pref < 0)
		return 0;
	name = strndup(file, len);
	if (!name)
		return -ENOMEM;
	if (vz_bad_template(name) || fstatat(dirfd, file, &st, 0) || !S_ISREG(st.st_mode))
		return 0;
	v = find(t, name);
	if (v && preference(v->path, &len) < pref)
		return 0;
	if (!v) {
		v = add(t, name);
		if (!v)
			return -ENOMEM;
		name = NULL;
	}
	free(v->path);
	v->path = vz_strf("%s/cache/%s", dir, file);
	v->ext = exts[pref];
	v->size = st.st_size;
	v->mtime = st.st_mtime;
	return v->path ? 0 : -ENOMEM;
}

static int compare(const void *a, const void *b)
{
	const struct vz_template *x = a, *y = b;

	return strcmp(x->name, y->name);
}

int vz_template_list(const char *dir, struct vz_templates *ret, struct vz_err *err)
{
	vz_autotemplates struct vz_templates t = { 0 };
	vz_autofree char *cache = vz_strf("%s/cache", dir);
	vz_autodir DIR *d = cache ? opendir(cache) : NULL;
	struct dirent *e;
	int r = 0;

	if (!d && errno != ENOENT)
		return vz_err_set(err, VZ_E_SYSTEM, errno, "can't read %s/cache", dir);
	while (d && !r && (e = readdir(d)))
		r = add_file(&t, dir, dirfd(d), e->d_name);
	if (r)
		return vz_err_set(err, VZ_E_SYSTEM, -r, "can't list %s/cache", dir);
	if (t.n)
		qsort(t.v, t.n, sizeof(*t.v), compare);
	*ret = t;
	t = (struct vz_templates){ 0 };
	return 0;
}

void vz_templates_done(struct vz_templates *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->v[i].name);
		free(t->v[i].path);
	}
	free(t->v);
	*t = (struct vz_templates){ 0 };
}

static int not_found(const char *dir, const char *name, const struct vz_templates *t,
		     struct vz_err *err)
{
	vz_autostr struct vz_str names = { 0 };

	for (size_t i = 0; i < t->n && i < LISTED; i++)
		vz_str_addf(&names, "%s%s", i ? ", " : "", t->v[i].name);
	if (t->n > LISTED)
		vz_str_add(&names, ", …");
	vz_err_set(
		err, VZ_E_NOTEMPLATE, 0,
		"no OS template '%s' in %s/cache: there %s %s ('vztmpl make' makes one)",
		name, dir, t->n == 1 ? "is" : "are", t->n && names.s ? names.s : "none");
	return -ENOENT;
}

int vz_template_find(const char *dir, const char *name, char **ret_path,
		     struct vz_err *err)
{
	vz_autotemplates struct vz_templates t = { 0 };
	const char *bad = vz_bad_template(name);
	struct vz_template *v;
	int r;

	if (bad)
		return vz_err_set(err, VZ_E_VALUE, 0,
				  "bad name of an OS template '%s': expected %s", name,
				  bad);
	r = vz_template_list(dir, &t, err);
	if (r)
		return r;
	v = find(&t, name);
	if (!v)
		return not_found(dir, name, &t, err);
	*ret_path = vz_take(v->path);
	return 0;
}
