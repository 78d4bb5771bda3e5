/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool reserve(struct vz_str *b, size_t more)
{
	size_t cap = b->cap ? b->cap : 64;
	char *s;

	if (b->failed)
		return false;
	while (cap < b->len + more + 1)
		cap *= 2;
	if (cap == b->cap)
		return true;
	s = realloc(b->s, cap);
	if (!s) {
		b->failed = true;
		return false;
	}
	b->s = s;
	b->cap = cap;
	return true;
}

void vz_str_addn(struct vz_str *b, const char *s, size_t n)
{
	if (!reserve(b, n))
		return;
	memcpy(b->s + b->len, s, n);
	b->len += n;
	b->s[b->len] = 0;
}

void vz_str_add(struct vz_str *b, const char *s)
{
	vz_str_addn(b, s, strlen(s));
}

void vz_str_addf(struct vz_str *b, const char *fmt, ...)
{
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	if (n >= 0 && reserve(b, n)) {
		vsnprintf(b->s + b->len, n + 1, fmt, again);
		b->len += n;
	}
	va_end(again);
	va_end(ap);
}

void vz_str_done(struct vz_str *b)
{
	free(b->s);
	*b = (struct vz_str){ 0 };
}

char *vz_str_steal(struct vz_str *b)
{
	char *s = NULL;

	if (!b->failed && reserve(b, 0))
		s = vz_take(b->s);
	if (s)
		s[b->len] = 0;
	vz_str_done(b);
	return s;
}

char *vz_strf(const char *fmt, ...)
{
	char *s = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;
	va_end(ap);
	return s;
}

int vz_strv_addn(struct vz_strv *l, const char *s, size_t n)
{
	char **v = reallocarray(l->v, l->n + 2, sizeof(*v));

	if (!v)
		return -ENOMEM;
	l->v = v;
	v[l->n] = strndup(s, n);
	if (!v[l->n])
		return -ENOMEM;
	v[++l->n] = NULL;
	return 0;
}

int vz_strv_add(struct vz_strv *l, const char *s)
{
	return vz_strv_addn(l, s, strlen(s));
}

int vz_strv_split(struct vz_strv *l, const char *s, const char *sep)
{
	size_t n;
	int r;

	for (s += strspn(s, sep); *s; s += strspn(s, sep)) {
		n = strcspn(s, sep);
		r = vz_strv_addn(l, s, n);
		if (r)
			return r;
		s += n;
	}
	return 0;
}

bool vz_strv_has(const struct vz_strv *l, const char *s)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->v[i], s))
			return true;
	return false;
}

bool vz_strv_remove(struct vz_strv *l, const char *s)
{
	size_t kept = 0, was = l->n;

	for (size_t i = 0; i < was; i++) {
		if (strcmp(l->v[i], s))
			l->v[kept++] = l->v[i];
		else
			free(l->v[i]);
	}
	if (was)
		l->v[kept] = NULL;
	l->n = kept;
	return kept != was;
}

char *vz_strv_join(const struct vz_strv *l, const char *sep)
{
	vz_autostr struct vz_str b = { 0 };

	for (size_t i = 0; i < l->n; i++) {
		if (i)
			vz_str_add(&b, sep);
		vz_str_add(&b, l->v[i]);
	}
	return vz_str_steal(&b);
}

void vz_strv_done(struct vz_strv *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	*l = (struct vz_strv){ 0 };
}
