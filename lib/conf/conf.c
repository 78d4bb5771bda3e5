/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf/conf.h"

#include <dictionary.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/str.h"
#include "conf/scan.h"

/* Much more than 65,536 addresses; a file that is larger is none of ours. */
#define CONF_MAX (4u << 20)

/* A line (or several, in quotes) as it stands in the file. */
struct item {
	char *text;
	char *key; /* NULL: a comment or an empty line */
	size_t raw, raw_len; /* the value with its quotes, in text */
	int line; /* 0: not from a file */
	bool last; /* the key's last occurrence: the one in force */
	bool first; /* the key's first occurrence */
};

struct vz_conf {
	char *path;
	struct item *items;
	size_t n, cap;
	dictionary *values; /* key to value, unquoted; not iniparser's lower case */
};

static void item_done(struct item *it)
{
	free(it->text);
	free(it->key);
}

void vz_conf_free(struct vz_conf *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n; i++)
		item_done(&c->items[i]);
	free(c->items);
	if (c->values)
		dictionary_del(c->values);
	free(c->path);
	free(c);
}

int vz_conf_new(const char *path, struct vz_conf **ret)
{
	vz_autoconf struct vz_conf *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->path = strdup(path);
	c->values = dictionary_new(0);
	if (!c->path || !c->values)
		return -ENOMEM;
	*ret = vz_take(c);
	return 0;
}

static struct item *find(const struct vz_conf *c, const char *key)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->items[i].last && !strcmp(c->items[i].key, key))
			return &c->items[i];
	return NULL;
}

static struct item *add_item(struct vz_conf *c)
{
	size_t cap = c->cap ? c->cap * 2 : 64;
	struct item *items;

	if (c->n == c->cap) {
		items = reallocarray(c->items, cap, sizeof(*items));
		if (!items)
			return NULL;
		c->items = items;
		c->cap = cap;
	}
	c->items[c->n] = (struct item){ 0 };
	return &c->items[c->n++];
}

/* Keep a scanned piece; the one in force before it is not so any more. */
static int add_scanned(struct vz_conf *c, const struct vz_scan_item *s,
		       const struct vz_ctx *ctx)
{
	struct item *it = add_item(c), *old;
	char *value;

	if (!it)
		return -ENOMEM;
	it->line = s->line;
	it->text = strndup(s->text, s->text_len);
	if (!it->text)
		return -ENOMEM;
	if (!s->key)
		return 0;
	it->raw = s->raw - s->text;
	it->raw_len = s->raw_len;
	it->key = strndup(s->key, s->key_len);
	value = malloc(s->value_len + 1);
	if (it->key && value)
		value[vz_scan_unquote(s, value)] = 0;
	if (!it->key || !value || dictionary_set(c->values, it->key, value)) {
		free(value);
		return -ENOMEM;
	}
	free(value);
	old = find(c, it->key);
	if (old)
		vz_warn(ctx, "%s:%d: %s is set again (first on line %d): this one counts",
			c->path, it->line, it->key, old->line);
	it->first = !old;
	it->last = true;
	if (old)
		old->last = false;
	return 0;
}

static int parse(struct vz_conf *c, const struct vz_ctx *ctx, const char *text,
		 size_t len, struct vz_err *err)
{
	struct vz_scan_item s;
	const char *problem;
	struct vz_scan scan;
	int r;

	if (memchr(text, 0, len))
		return vz_err_set(err, VZ_E_BADCONF, 0,
				  "%s: not a configuration file: it has NUL bytes",
				  c->path);
	vz_scan_init(&scan, text, len);
	while ((r = vz_scan_next(&scan, &s, &problem)) > 0) {
		r = add_scanned(c, &s, ctx);
		if (r)
			return vz_err_set(err, VZ_E_RESOURCES, -r, "%s", c->path);
	}
	if (r)
		return vz_err_set(err, VZ_E_BADCONF, 0, "%s:%d: %s", c->path, s.line,
				  problem);
	return 0;
}

int vz_conf_parse(const struct vz_ctx *ctx, const char *path, const char *text,
		  size_t len, struct vz_conf **ret, struct vz_err *err)
{
	vz_autoconf struct vz_conf *c = NULL;
	int r = vz_conf_new(path, &c);

	if (r)
		return vz_err_set(err, VZ_E_RESOURCES, -r, "%s", path);
	r = parse(c, ctx, text, len, err);
	if (!r)
		*ret = vz_take(c);
	return r;
}

int vz_conf_load(const struct vz_ctx *ctx, const char *path, struct vz_conf **ret,
		 struct vz_err *err)
{
	vz_autofree char *text = NULL;
	struct stat st;
	size_t len;
	int r;

	/* Opening a fifo would wait for whoever writes to it. */
	if (!stat(path, &st) && !S_ISREG(st.st_mode))
		return vz_err_set(err, VZ_E_BADCONF, 0,
				  "%s: not a configuration file: it is no regular file",
				  path);
	r = vz_read_file(path, CONF_MAX, &text, &len);
	if (r)
		return vz_err_set(err, r == -ENOENT ? VZ_E_NOCONF : VZ_E_SYSTEM, -r,
				  "can't read %s", path);
	return vz_conf_parse(ctx, path, text, len, ret, err);
}

const char *vz_conf_get(const struct vz_conf *c, const char *key)
{
	return dictionary_get(c->values, key, NULL);
}

int vz_conf_line(const struct vz_conf *c, const char *key)
{
	const struct item *it = find(c, key);

	return it ? it->line : 0;
}

const char *vz_conf_path(const struct vz_conf *c)
{
	return c->path;
}

const char *vz_conf_key(const struct vz_conf *c, size_t i)
{
	for (size_t k = 0; k < c->n; k++)
		if (c->items[k].first && !i--)
			return c->items[k].key;
	return NULL;
}

/* The value as it is to stand in a file that shells read too. */
static char *quote(const char *value, bool vars)
{
	vz_autostr struct vz_str b = { 0 };

	vz_str_add(&b, "\"");
	for (; *value; value++) {
		if (strchr("\"\\`", *value) || (*value == '$' && !vars))
			vz_str_add(&b, "\\");
		vz_str_addn(&b, value, 1);
	}
	vz_str_add(&b, "\"");
	return vz_str_steal(&b);
}

static int replace_raw(struct item *it, const char *raw)
{
	char *text = vz_strf("%.*s%s%s", (int)it->raw, it->text, raw,
			     it->text + it->raw + it->raw_len);

	if (!text)
		return -ENOMEM;
	free(it->text);
	it->text = text;
	it->raw_len = strlen(raw);
	return 0;
}

/* The file's last line may lack its end; what comes after needs it. */
static int end_last_line(struct vz_conf *c)
{
	struct item *it = c->n ? &c->items[c->n - 1] : NULL;
	size_t len = it ? strlen(it->text) : 0;
	char *text;

	if (!len || it->text[len - 1] == '\n')
		return 0;
	text = vz_strf("%s\n", it->text);
	if (!text)
		return -ENOMEM;
	free(it->text);
	it->text = text;
	return 0;
}

static int append(struct vz_conf *c, const char *key, const char *raw)
{
	vz_autofree char *text = vz_strf("%s=%s\n", key, raw);
	vz_autofree char *name = strdup(key);
	struct item *it;

	it = text && name && !end_last_line(c) ? add_item(c) : NULL;
	if (!it)
		return -ENOMEM;
	it->raw = strlen(key) + 1;
	it->raw_len = strlen(raw);
	it->text = vz_take(text);
	it->key = vz_take(name);
	it->first = it->last = true;
	return 0;
}

/* Remove all of a key's lines, or all but the one in force. */
static void drop(struct vz_conf *c, const char *key, bool keep_last)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->n; i++) {
		struct item *it = &c->items[i];

		if (!it->key || strcmp(it->key, key) || (keep_last && it->last))
			c->items[kept++] = *it;
		else
			item_done(it);
	}
	c->n = kept;
}

static int set(struct vz_conf *c, const char *key, const char *value, bool vars)
{
	vz_autofree char *raw = value ? quote(value, vars) : NULL;
	struct item *it = find(c, key);
	int r;

	if (!value) {
		dictionary_unset(c->values, key);
		drop(c, key, false);
		return 0;
	}
	if (!raw)
		return -ENOMEM;
	r = it ? replace_raw(it, raw) : append(c, key, raw);
	if (!r && dictionary_set(c->values, key, value))
		r = -ENOMEM;
	if (r)
		return r;
	drop(c, key, true);
	find(c, key)->first = true;
	return 0;
}

int vz_conf_set(struct vz_conf *c, const char *key, const char *value)
{
	return set(c, key, value, false);
}

int vz_conf_set_vars(struct vz_conf *c, const char *key, const char *value)
{
	return set(c, key, value, true);
}

char *vz_conf_text(const struct vz_conf *c)
{
	vz_autostr struct vz_str b = { 0 };

	for (size_t i = 0; i < c->n; i++)
		vz_str_add(&b, c->items[i].text);
	return vz_str_steal(&b);
}

int vz_conf_save(struct vz_conf *c, const char *path, struct vz_err *err)
{
	vz_autofree char *text = vz_conf_text(c), *real = NULL;
	int r;

	if (!path)
		path = c->path;
	/* A link (a cluster's shared directory, say) stays one. */
	real = realpath(path, NULL);
	r = text ? vz_replace_file(real ? real : path, text, strlen(text), 0644)
		 : -ENOMEM;
	if (r)
		return vz_err_set(err, VZ_E_SAVE, -r, "can't save %s", path);
	return 0;
}
