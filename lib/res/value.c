/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "res/value.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/num.h"

void vz_value_done(struct vz_value *v)
{
	free(v->str);
	vz_strv_done(&v->list);
	*v = (struct vz_value){ 0 };
}

int vz_value_copy(const struct vz_value *v, struct vz_value *ret)
{
	vz_autovalue struct vz_value c = { .num = v->num, .limit = v->limit };

	if (v->str && !(c.str = strdup(v->str)))
		return -ENOMEM;
	for (size_t i = 0; i < v->list.n; i++)
		if (vz_strv_add(&c.list, v->list.v[i]))
			return -ENOMEM;
	*ret = c;
	c = (struct vz_value){ 0 };
	return 0;
}

bool vz_value_equal(const struct vz_value *a, const struct vz_value *b)
{
	if (a->num != b->num || a->limit.barrier != b->limit.barrier ||
	    a->limit.limit != b->limit.limit || a->list.n != b->list.n ||
	    !a->str != !b->str || (a->str && strcmp(a->str, b->str)))
		return false;
	for (size_t i = 0; i < a->list.n; i++)
		if (strcmp(a->list.v[i], b->list.v[i]))
			return false;
	return true;
}

static int parse_bool(const char *s, uint64_t *ret)
{
	if (strcasecmp(s, "yes") && strcasecmp(s, "no"))
		return -EINVAL;
	*ret = !strcasecmp(s, "yes");
	return 0;
}

static int parse_enum(const struct vz_param *p, const char *s, uint64_t *ret)
{
	for (uint64_t i = 0; p->words[i]; i++)
		if (!strcmp(p->words[i], s)) {
			*ret = i;
			return 0;
		}
	return -EINVAL;
}

/* "1.5" in thousandths; more digits than three are cut. */
static int parse_milli(const char *s, uint64_t *ret)
{
	char whole[24];
	size_t n = strcspn(s, ".");
	uint64_t v, scale = 100;
	int r;

	if (n >= sizeof(whole))
		return -ERANGE;
	memcpy(whole, s, n);
	whole[n] = 0;
	r = vz_parse_u64(whole, INT64_MAX / 1000, &v);
	if (r)
		return r;
	v *= 1000;
	if (s[n] && (!s[n + 1] || s[n + 1 + strspn(s + n + 1, "0123456789")]))
		return -EINVAL;
	for (s += n + !!s[n]; *s; s++, scale /= 10)
		v += (*s - '0') * scale;
	*ret = v;
	return 0;
}

/* Per cent of all CPUs of the node ("25%"), or of one. */
static int parse_num(const struct vz_param *p, const char *s, uint64_t *ret)
{
	vz_autofree char *percent = NULL;
	size_t n = strlen(s);
	uint64_t v;
	int r;

	if (n && s[n - 1] == '%' &&
	    (p == &vz_params[VZ_P_CPULIMIT] || p == &vz_params[VZ_P_CPURESERVE])) {
		percent = strndup(s, n - 1);
		r = percent ? vz_parse_u64(percent, 100, &v) : -ENOMEM;
		v = r ? 0 : v * sysconf(_SC_NPROCESSORS_ONLN);
	} else {
		r = vz_parse_u64(s, UINT64_MAX, &v);
	}
	if (r)
		return r;
	if (v < p->min || (p->max && v > p->max))
		return -ERANGE;
	*ret = v;
	return 0;
}

static int parse_size(const struct vz_param *p, uint64_t bare, const char *s,
		      uint64_t *ret)
{
	uint64_t v;
	int r;

	if (!p->unit && strcasecmp(s, "unlimited"))
		r = vz_parse_u64(s, INT64_MAX, &v);
	else
		r = vz_parse_size(s, p->unit ? p->unit : 1,
				  bare	    ? bare
				  : p->bare ? p->bare
				  : p->unit ? p->unit
					    : 1,
				  &v);
	if (!r && p->max && v > p->max)
		r = -ERANGE;
	if (!r)
		*ret = v;
	return r;
}

/* vzctl 4 took what is greater than the greatest number for that. */
static int parse_limit_half(const struct vz_param *p, uint64_t bare, const char *s,
			    uint64_t *ret)
{
	int r = parse_size(p, bare, s, ret);

	if (r == -ERANGE) {
		*ret = VZ_UNLIMITED;
		r = 0;
	}
	return r;
}

static int parse_limit(const struct vz_param *p, uint64_t bare, const char *s,
		       struct vz_limit *ret)
{
	vz_autofree char *copy = strdup(s);
	struct vz_limit v;
	char *colon;
	int r;

	if (!copy)
		return -ENOMEM;
	colon = strchr(copy, ':');
	if (colon)
		*colon++ = 0;
	r = parse_limit_half(p, bare, copy, &v.barrier);
	v.limit = v.barrier;
	if (!r && colon)
		r = parse_limit_half(p, bare, colon, &v.limit);
	if (!r)
		*ret = v;
	return r;
}

static int parse_word(const struct vz_param *p, const char *s, char **ret)
{
	vz_autostr struct vz_str b = { 0 };
	int r = 0;

	if (p->word_fn && *s)
		r = p->word_fn(s, &b);
	else
		vz_str_add(&b, s);
	if (r)
		return r;
	*ret = vz_str_steal(&b);
	return *ret ? 0 : -ENOMEM;
}

static int parse_str(const struct vz_param *p, const char *s, char **ret)
{
	if (!*s && !(p->flags & VZ_PF_EMPTY))
		return -EINVAL;
	if (p->type == VZ_T_PATH && *s && *s != '/')
		return -EINVAL;
	return parse_word(p, s, ret);
}

static int parse_list(const struct vz_param *p, const char *s, struct vz_strv *ret)
{
	vz_autostrv struct vz_strv words = { 0 }, list = { 0 };
	int r = vz_strv_split(&words, s, p->sep);

	for (size_t i = 0; !r && i < words.n; i++) {
		vz_autofree char *word = NULL;

		r = parse_word(p, words.v[i], &word);
		if (!r)
			r = vz_value_list_put(p, &list, word);
	}
	if (!r) {
		*ret = list;
		list = (struct vz_strv){ 0 };
	}
	return r;
}

int vz_value_parse(const struct vz_param *p, uint64_t bare, const char *s,
		   struct vz_value *ret)
{
	struct vz_value v = { 0 };
	int r = -EINVAL;

	if (p->word && !strcmp(s, p->word)) {
		ret->num = p->word_value;
		return 0;
	}
	switch (p->type) {
	case VZ_T_BOOL:
		r = parse_bool(s, &v.num);
		break;
	case VZ_T_NUM:
		r = parse_num(p, s, &v.num);
		break;
	case VZ_T_SIZE:
		r = parse_size(p, bare, s, &v.num);
		break;
	case VZ_T_MILLI:
		r = parse_milli(s, &v.num);
		break;
	case VZ_T_LIMIT:
		r = parse_limit(p, bare, s, &v.limit);
		break;
	case VZ_T_ENUM:
		r = parse_enum(p, s, &v.num);
		break;
	case VZ_T_STR:
	case VZ_T_PATH:
		r = parse_str(p, s, &v.str);
		break;
	case VZ_T_LIST:
		r = parse_list(p, s, &v.list);
		break;
	}
	if (r)
		return r;
	vz_value_done(ret);
	*ret = v;
	return 0;
}

static void format_limit_half(uint64_t v, struct vz_str *b)
{
	if (v == VZ_UNLIMITED)
		vz_str_add(b, "unlimited");
	else
		vz_str_addf(b, "%llu", (unsigned long long)v);
}

static void format_milli(uint64_t v, struct vz_str *b)
{
	unsigned int frac = v % 1000, digits = 3;

	vz_str_addf(b, "%llu", (unsigned long long)(v / 1000));
	if (!frac)
		return;
	for (; frac % 10 == 0; frac /= 10)
		digits--;
	vz_str_addf(b, ".%0*u", digits, frac);
}

static void format_num(const struct vz_param *p, uint64_t v, struct vz_str *b)
{
	if (p->word && v == p->word_value && v > INT64_MAX)
		vz_str_add(b, p->word);
	else
		vz_str_addf(b, "%llu", (unsigned long long)v);
}

char *vz_value_format(const struct vz_param *p, const struct vz_value *v)
{
	vz_autostr struct vz_str b = { 0 };
	const char sep[2] = { p->sep ? *p->sep : 0 };

	switch (p->type) {
	case VZ_T_BOOL:
		vz_str_add(&b, v->num ? "yes" : "no");
		break;
	case VZ_T_NUM:
	case VZ_T_SIZE:
		format_num(p, v->num, &b);
		break;
	case VZ_T_MILLI:
		format_milli(v->num, &b);
		break;
	case VZ_T_LIMIT:
		format_limit_half(v->limit.barrier, &b);
		vz_str_add(&b, ":");
		format_limit_half(v->limit.limit, &b);
		break;
	case VZ_T_ENUM:
		vz_str_add(&b, p->words[v->num]);
		break;
	case VZ_T_STR:
	case VZ_T_PATH:
		vz_str_add(&b, v->str ? v->str : "");
		break;
	case VZ_T_LIST:
		return vz_strv_join(&v->list, sep);
	}
	return vz_str_steal(&b);
}

/* The part of an element that names it. */
static size_t id_of(const struct vz_param *p, const char *s, const char **ret)
{
	const char *q;

	*ret = s;
	switch (p->list_id) {
	case VZ_LIST_WHOLE:
		return strlen(s);
	case VZ_LIST_COLON:
		q = strrchr(s, ':');
		return q ? (size_t)(q - s) : strlen(s);
	case VZ_LIST_SLASH:
		return strcspn(s, "/");
	case VZ_LIST_FIELD:
		*ret = s += strncmp(s, "ifname=", 7) ? 0 : 7;
		return strcspn(s, ",");
	case VZ_LIST_TARGET:
		q = strchr(s, ':');
		*ret = s = q ? q + 1 : s;
		return strcspn(s, ":");
	}
	return 0;
}

static ssize_t find(const struct vz_param *p, const struct vz_strv *list,
		    const char *word)
{
	const char *id, *other;
	size_t n = id_of(p, word, &id);

	for (size_t i = 0; i < list->n; i++)
		if (id_of(p, list->v[i], &other) == n && !memcmp(id, other, n))
			return i;
	return -1;
}

int vz_value_list_put(const struct vz_param *p, struct vz_strv *list, const char *word)
{
	ssize_t at = find(p, list, word);
	char *copy;

	if (at < 0)
		return vz_strv_add(list, word);
	copy = strdup(word);
	if (!copy)
		return -ENOMEM;
	free(list->v[at]);
	list->v[at] = copy;
	return 0;
}

bool vz_value_list_remove(const struct vz_param *p, struct vz_strv *list,
			  const char *word)
{
	ssize_t at = find(p, list, word);

	if (at < 0)
		return false;
	free(list->v[at]);
	memmove(list->v + at, list->v + at + 1, (list->n - at) * sizeof(*list->v));
	list->n--;
	return true;
}

static void expected_num(const struct vz_param *p, struct vz_str *out)
{
	unsigned long long low = p->min, high = p->max;

	if (!p->max || p->max >= INT64_MAX)
		vz_str_add(out, "a number");
	else
		vz_str_addf(out, "a number from %llu to %llu", low, high);
}

void vz_param_expected(const struct vz_param *p, struct vz_str *out)
{
	static const char suffix[] = "with an optional suffix T, G, M, K, P or B";

	if (p->expected) {
		vz_str_add(out, p->expected);
		return;
	}
	switch (p->type) {
	case VZ_T_BOOL:
		vz_str_add(out, "yes or no");
		break;
	case VZ_T_NUM:
		expected_num(p, out);
		break;
	case VZ_T_SIZE:
		vz_str_addf(out, "a number %s", suffix);
		break;
	case VZ_T_MILLI:
		vz_str_add(out, "a number such as 1.5");
		break;
	case VZ_T_LIMIT:
		vz_str_addf(out, "one number or two as %s, each %s or unlimited",
			    p->arg ? p->arg : "BARRIER:LIMIT",
			    p->unit ? suffix : "whole");
		break;
	case VZ_T_ENUM:
		vz_str_addf(out, "one of %s", p->arg);
		break;
	case VZ_T_STR:
		vz_str_add(out, "a text");
		break;
	case VZ_T_PATH:
		vz_str_add(out, "an absolute path");
		break;
	case VZ_T_LIST:
		vz_str_add(out, "a list");
		break;
	}
	if (p->word)
		vz_str_addf(out, ", or %s", p->word);
}
