/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/area.h"

#include <errno.h>
#include <fcntl.h>
#include <iniparser.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/num.h"

enum { MARKER_MAX = 1 << 20, WORD_MAX_LEN = 200 };

/* Sections in their order, each with its keys in theirs: as they are written. */
struct section {
	char *name;
	struct vz_strv keys, values;
};

struct vz_area_ini {
	struct section *v;
	size_t n;
};

static void section_done(struct section *s)
{
	free(s->name);
	vz_strv_done(&s->keys);
	vz_strv_done(&s->values);
}

static void ini_free(struct vz_area_ini *ini)
{
	for (size_t i = 0; ini && i < ini->n; i++)
		section_done(&ini->v[i]);
	if (ini)
		free(ini->v);
	free(ini);
}

static struct section *find_section(const struct vz_area_ini *ini, const char *name)
{
	for (size_t i = 0; i < ini->n; i++)
		if (!strcmp(ini->v[i].name, name))
			return &ini->v[i];
	return NULL;
}

static struct section *need_section(struct vz_area_ini *ini, const char *name)
{
	struct section *s = find_section(ini, name), *v;
	char *copy;

	if (s)
		return s;
	v = reallocarray(ini->v, ini->n + 1, sizeof(*v));
	copy = strdup(name);
	if (v)
		ini->v = v;
	if (!v || !copy) {
		free(copy);
		return NULL;
	}
	v[ini->n] = (struct section){ .name = copy };
	return &v[ini->n++];
}

static bool is_word(const char *s, bool space)
{
	static const char words[] = "abcdefghijklmnopqrstuvwxyz0123456789_.-+:/";

	if (!*s || strlen(s) > WORD_MAX_LEN)
		return false;
	for (; *s; s++)
		if (!strchr(words, *s) && !(space && *s == ' '))
			return false;
	return true;
}

static int find_key(const struct section *s, const char *key)
{
	for (size_t i = 0; i < s->keys.n; i++)
		if (!strcmp(s->keys.v[i], key))
			return i;
	return -1;
}

static int replace(char **at, const char *value)
{
	char *copy = strdup(value);

	if (!copy)
		return -ENOMEM;
	free(*at);
	*at = copy;
	return 0;
}

static void remove_at(struct vz_strv *l, size_t i)
{
	free(l->v[i]);
	memmove(&l->v[i], &l->v[i + 1], (l->n - i) * sizeof(*l->v));
	l->n--;
}

static int ini_set(struct vz_area_ini *ini, const char *section, const char *key,
		   const char *value)
{
	struct section *s = need_section(ini, section);
	int i = s ? find_key(s, key) : -1, r;

	if (!s)
		return -ENOMEM;
	if (value && i >= 0)
		return replace(&s->values.v[i], value);
	if (value) {
		r = vz_strv_add(&s->keys, key);
		return r ? r : vz_strv_add(&s->values, value);
	}
	if (i >= 0) {
		remove_at(&s->keys, i);
		remove_at(&s->values, i);
	}
	return 0;
}

const char *vz_area_get(const struct vz_area *a, const char *section, const char *key)
{
	const struct section *s = a->ini ? find_section(a->ini, section) : NULL;
	int i = s ? find_key(s, key) : -1;

	return i < 0 ? NULL : s->values.v[i];
}

uint64_t vz_area_get_u64(const struct vz_area *a, const char *section, const char *key,
			 uint64_t none)
{
	const char *s = vz_area_get(a, section, key);
	uint64_t v;

	return s && !vz_parse_u64(s, UINT64_MAX, &v) ? v : none;
}

int vz_area_set(struct vz_area *a, const char *section, const char *key,
		const char *value)
{
	if (!a->ini || !is_word(section, true) || !is_word(key, false) ||
	    (value && !is_word(value, false)))
		return -EINVAL;
	return ini_set(a->ini, section, key, value);
}

int vz_area_set_u64(struct vz_area *a, const char *section, const char *key,
		    uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	return vz_area_set(a, section, key, text);
}

void vz_area_drop_section(struct vz_area *a, const char *section)
{
	struct section *s = a->ini ? find_section(a->ini, section) : NULL;
	size_t i;

	if (!s)
		return;
	i = s - a->ini->v;
	section_done(s);
	memmove(s, s + 1, (a->ini->n - i - 1) * sizeof(*s));
	a->ini->n--;
}

int vz_area_sections(const struct vz_area *a, const char *prefix, struct vz_strv *ret)
{
	int r = 0;

	for (size_t i = 0; a->ini && i < a->ini->n && !r; i++)
		if (!strncmp(a->ini->v[i].name, prefix, strlen(prefix)))
			r = vz_strv_add(ret, a->ini->v[i].name);
	return r;
}

/* --- reading --- */

static int copy_section(const dictionary *d, const char *name, struct vz_area_ini *ini)
{
	int n = iniparser_getsecnkeys(d, name), r = 0;
	vz_autofree const char **keys = calloc(n + 1, sizeof(*keys));

	if (!keys || !need_section(ini, name))
		return -ENOMEM;
	if (n && !iniparser_getseckeys(d, name, keys))
		return -EBADMSG;
	for (int i = 0; i < n && !r; i++) {
		const char *value = iniparser_getstring(d, keys[i], "");

		/* "section:key" */
		r = ini_set(ini, name, keys[i] + strlen(name) + 1, value);
	}
	return r;
}

static int silent(const char *fmt, ...)
{
	return 0;
}

static int parse(const char *path, struct vz_area_ini *ini)
{
	dictionary *d;
	int r = 0;

	iniparser_set_error_callback(silent);
	d = iniparser_load(path);
	iniparser_set_error_callback(NULL);
	if (!d)
		return -EBADMSG;
	for (int i = 0; i < iniparser_getnsec(d) && !r; i++)
		r = copy_section(d, iniparser_getsecname(d, i), ini);
	iniparser_freedict(d);
	return r;
}

static int damaged(const struct vz_area *a, const char *why, struct vz_err *err)
{
	return vz_err_set(err, VZ_E_NOPRIVATE, EBADMSG,
			  "the private area %s can't be used: its %s %s", a->path,
			  VZ_AREA_MARKER, why);
}

/* Is the marker one that only the host's root can have made? */
static int has_marker(const struct vz_area *a)
{
	struct stat dir, st;

	if (fstat(a->fd, &dir) ||
	    fstatat(a->fd, VZ_AREA_MARKER, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : -errno;
	return !dir.st_uid && !(dir.st_mode & 022) && !st.st_uid && S_ISREG(st.st_mode) &&
	       st.st_nlink == 1 && !(st.st_mode & 022) && st.st_size <= MARKER_MAX;
}

static int read_marker(struct vz_area *a, struct vz_err *err)
{
	char path[64];
	const char *layout;
	int r;

	a->ini = calloc(1, sizeof(*a->ini));
	if (!a->ini)
		return vz_err_set(err, VZ_E_SYSTEM, ENOMEM, "can't read %s", a->path);
	snprintf(path, sizeof(path), "/proc/self/fd/%d/" VZ_AREA_MARKER, a->fd);
	r = parse(path, a->ini);
	if (r == -ENOMEM)
		return vz_err_set(err, VZ_E_SYSTEM, ENOMEM, "can't read %s", a->path);
	if (r)
		return damaged(a, "can't be read", err);
	layout = vz_area_get(a, "area", "layout");
	a->version = vz_area_get_u64(a, "area", "version", 0);
	a->veid = vz_area_get_u64(a, "area", "veid", 0);
	if (!layout || !a->version || strlen(layout) >= sizeof(a->layout))
		return damaged(a, "does not say layout and version", err);
	strcpy(a->layout, layout);
	return 0;
}

int vz_area_open(const char *path, struct vz_area *ret, struct vz_err *err)
{
	vz_autoarea struct vz_area a = VZ_AREA_NONE;
	int r;

	a.path = strdup(path);
	a.fd = a.path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (a.fd < 0)
		return vz_err_set(err,
				  errno == ENOENT || errno == ENOTDIR ? VZ_E_NOPRIVATE
								      : VZ_E_SYSTEM,
				  errno, "the private area %s can't be used", path);
	strcpy(a.layout, "simfs");
	r = has_marker(&a);
	if (r < 0)
		return vz_err_set(err, VZ_E_SYSTEM, -r,
				  "the private area %s can't be used", path);
	r = r ? read_marker(&a, err) : 0;
	if (r)
		return r;
	*ret = a;
	a = VZ_AREA_NONE;
	return 0;
}

void vz_area_close(struct vz_area *a)
{
	if (a->fd >= 0)
		close(a->fd);
	ini_free(a->ini);
	free(a->path);
	*a = VZ_AREA_NONE;
}

/* --- writing --- */

int vz_area_new(const char *path, int fd, const char *layout, uint32_t version,
		uint32_t veid, struct vz_area *ret, struct vz_err *err)
{
	vz_autoarea struct vz_area a = VZ_AREA_NONE;
	int r = 0;

	a.path = strdup(path);
	a.fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	a.ini = calloc(1, sizeof(*a.ini));
	a.version = version;
	a.veid = veid;
	snprintf(a.layout, sizeof(a.layout), "%s", layout);
	if (!a.path || a.fd < 0 || !a.ini)
		return vz_err_set(err, VZ_E_SYSTEM, errno, "can't make %s", path);
	r = vz_area_set(&a, "area", "layout", layout);
	if (!r)
		r = vz_area_set_u64(&a, "area", "version", version);
	if (!r)
		r = vz_area_set_u64(&a, "area", "veid", veid);
	if (r)
		return vz_err_set(err, VZ_E_SYSTEM, -r, "can't make %s", path);
	*ret = a;
	a = VZ_AREA_NONE;
	return 0;
}

static void write_section(struct vz_str *b, const struct section *s)
{
	vz_str_addf(b, "[%s]\n", s->name);
	for (size_t i = 0; i < s->keys.n; i++)
		vz_str_addf(b, "%s = %s\n", s->keys.v[i], s->values.v[i]);
}

int vz_area_save(struct vz_area *a, bool fresh, struct vz_err *err)
{
	vz_autostr struct vz_str b = { 0 };
	char path[64];
	int r;

	for (size_t i = 0; i < a->ini->n; i++)
		write_section(&b, &a->ini->v[i]);
	snprintf(path, sizeof(path), "/proc/self/fd/%d/" VZ_AREA_MARKER, a->fd);
	if (b.failed)
		r = -ENOMEM;
	else
		r = fresh ? vz_replace_volatile(path, b.s, b.len)
			  : vz_replace_file(path, b.s, b.len, 0600);
	return r ? vz_err_set(err,
			      r == -ENOSPC || r == -EDQUOT ? VZ_E_NOSPACE
							   : VZ_E_NEWPRIVATE,
			      -r, "can't write %s/" VZ_AREA_MARKER, a->path)
		 : 0;
}
