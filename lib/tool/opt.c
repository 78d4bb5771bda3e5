/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tool/opt.h"

#include <errno.h>
#include <string.h>

/* What one argument of a command line turned out to be. */
struct found {
	const struct vz_opt *own; /* NULL: a parameter's, or none */
	const struct vz_param_opt *param;
	enum vz_param_id id;
	const char *attached; /* the value in the same argument; NULL: none */
};

static void find_long(const struct vz_opt_parse *how, const char *s, struct found *f)
{
	size_t n = strcspn(s, "=");
	vz_autofree char *name = strndup(s, n);

	*f = (struct found){ .attached = s[n] ? s + n + 1 : NULL };
	for (const struct vz_opt *o = how->own; name && o && o->name; o++)
		if (!strcmp(o->name, name)) {
			f->own = o;
			return;
		}
	if (name && how->params)
		f->param = vz_param_by_opt(name, how->params, &f->id);
}

static void find_short(const struct vz_opt_parse *how, const char *s, struct found *f)
{
	*f = (struct found){ .attached = s[1] ? s + 1 : NULL };
	for (const struct vz_opt *o = how->own; o && o->name; o++)
		if (o->letter && o->letter == *s)
			f->own = o;
}

static bool takes_value(const struct found *f)
{
	return f->param || (f->own && f->own->arg);
}

/* Whether s is an option at all; what it is goes to f. "-" is a word. */
static bool is_option(const struct vz_opt_parse *how, const char *s, struct found *f)
{
	if (s[0] != '-' || !s[1])
		return false;
	if (s[1] == '-')
		find_long(how, s + 2, f);
	else
		find_short(how, s + 1, f);
	return true;
}

static int keep(const struct vz_opt_parse *how, const struct found *f, const char *value,
		struct vz_err *err)
{
	if (f->own)
		how->ret_values[f->own - how->own] = value ? value : "";
	else if (vz_changes_add(how->changes, f->id, f->param, value))
		return vz_err_set(err, VZ_E_RESOURCES, ENOMEM, "can't parse the options");
	return 0;
}

static int parse_word(const struct vz_opt_parse *how, const char *s, struct vz_err *err)
{
	if (!how->words)
		return vz_err_set(err, VZ_E_SYNTAX, 0, "unexpected argument '%s'", s);
	if (vz_strv_add(how->words, s))
		return vz_err_set(err, VZ_E_RESOURCES, ENOMEM, "can't parse the options");
	return 0;
}

/*
 * One option at argv[*at], which moves to its value when that stands apart.
 * Flags of one letter may stand together, `-vA`.
 */
static int parse_option(const struct vz_opt_parse *how, const struct found *f, int argc,
			char **argv, int *at, struct vz_err *err)
{
	const char *s = argv[*at], *value = f->attached;

	if (!f->own && !f->param)
		return vz_err_set(err, VZ_E_SYNTAX, 0, "unknown option '%s'", s);
	if (!takes_value(f) && value && s[1] == '-')
		return vz_err_set(err, VZ_E_SYNTAX, 0, "option '%s' takes no value", s);
	if (!takes_value(f)) {
		struct found next;
		int r = keep(how, f, NULL, err);

		if (r || !value)
			return r;
		find_short(how, value, &next);
		return parse_option(how, &next, argc, argv, at, err);
	}
	if (!value) {
		if (*at + 1 == argc)
			return vz_err_set(err, VZ_E_SYNTAX, 0,
					  "option '%s' needs a value", s);
		value = argv[++*at];
	}
	return keep(how, f, value, err);
}

int vz_opt_parse(const struct vz_opt_parse *how, int argc, char **argv,
		 struct vz_err *err)
{
	bool words_only = false;
	struct found f;
	int r = 0;

	for (int i = 1; !r && i < argc; i++) {
		if (words_only || !is_option(how, argv[i], &f))
			r = parse_word(how, argv[i], err);
		else if (!strcmp(argv[i], "--"))
			words_only = true;
		else
			r = parse_option(how, &f, argc, argv, &i, err);
	}
	return r;
}

int vz_opt_first_word(const struct vz_opt_parse *how, int argc, char **argv)
{
	struct found f;
	int i;

	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--"))
			return i + 1;
		if (!is_option(how, argv[i], &f))
			break;
		while (argv[i][1] != '-' && f.attached && f.own && !takes_value(&f))
			find_short(how, f.attached, &f);
		i += takes_value(&f) && !f.attached;
	}
	return i < argc ? i : argc;
}
