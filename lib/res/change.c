/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a command line says, put into a configuration. */
#include <errno.h>
#include <string.h>

#include "res/cfg_priv.h"
#include "res/netif.h"

int vz_changes_add(struct vz_changes *c, enum vz_param_id id,
		   const struct vz_param_opt *opt, const char *text)
{
	struct vz_change *v = reallocarray(c->v, c->n + 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	c->v = v;
	v[c->n++] = (struct vz_change){ .id = id, .opt = opt, .text = text };
	return 0;
}

void vz_changes_done(struct vz_changes *c)
{
	free(c->v);
	*c = (struct vz_changes){ 0 };
}

static int bad_value(const struct vz_param *p, const struct vz_change *c,
		     struct vz_err *err)
{
	vz_autostr struct vz_str want = { 0 };

	vz_param_expected(p, &want);
	return vz_err_set(err, p->bad_status ? p->bad_status : VZ_E_VALUE, 0,
			  "--%s \"%.80s\": expected %s", c->opt->name, c->text,
			  want.s ? want.s : "?");
}

static int no_memory(struct vz_err *err)
{
	return vz_err_set(err, VZ_E_RESOURCES, ENOMEM, "can't change the configuration");
}

/* A list as it is, to be changed and put back. */
static int list_now(const struct vz_cfg *cfg, enum vz_param_id id, struct vz_value *ret)
{
	return vz_value_copy(&cfg->v[id].value, ret);
}

/* `first`: nothing of this command line stands in the list yet. */
static int set(struct vz_cfg *cfg, const struct vz_change *c, bool first,
	       struct vz_err *err)
{
	const struct vz_param *p = &vz_params[c->id];
	vz_autovalue struct vz_value v = { 0 }, more = { 0 };
	int r;

	r = vz_value_parse(p, c->opt->bare, c->text, &more);
	if (r)
		return r == -ENOMEM ? no_memory(err) : bad_value(p, c, err);
	if (p->type != VZ_T_LIST || first)
		return vz_cfg_put(cfg, c->id, VZ_ORIGIN_OWN, &more) ? no_memory(err) : 0;
	r = list_now(cfg, c->id, &v);
	for (size_t i = 0; !r && i < more.list.n; i++)
		r = vz_value_list_put(p, &v.list, more.list.v[i]);
	return r || vz_cfg_put(cfg, c->id, VZ_ORIGIN_OWN, &v) ? no_memory(err) : 0;
}

static int add(struct vz_cfg *cfg, const struct vz_change *c, struct vz_err *err)
{
	const struct vz_param *p = &vz_params[c->id];
	vz_autovalue struct vz_value v = { 0 }, more = { 0 };
	int r = vz_value_parse(p, 0, c->text, &more);

	if (r == -ENOMEM)
		return no_memory(err);
	if (r || !more.list.n)
		return bad_value(p, c, err);
	r = list_now(cfg, c->id, &v);
	for (size_t i = 0; !r && i < more.list.n; i++)
		r = vz_value_list_put(p, &v.list, more.list.v[i]);
	return r || vz_cfg_put(cfg, c->id, VZ_ORIGIN_OWN, &v) ? no_memory(err) : 0;
}

/* What is to go may be written in another way than it stands. */
static void remove_word(const struct vz_param *p, struct vz_strv *list, const char *word)
{
	vz_autostr struct vz_str canonical = { 0 };

	if (p->word_fn && !p->word_fn(word, &canonical) && canonical.s)
		word = canonical.s;
	vz_value_list_remove(p, list, word);
}

static int del(struct vz_cfg *cfg, const struct vz_change *c, struct vz_err *err)
{
	const struct vz_param *p = &vz_params[c->id];
	vz_autostrv struct vz_strv words = { 0 };
	vz_autovalue struct vz_value v = { 0 };
	int r = list_now(cfg, c->id, &v);

	if (!r)
		r = vz_strv_split(&words, c->text, p->sep);
	if (r)
		return no_memory(err);
	if (!words.n)
		return bad_value(p, c, err);
	for (size_t i = 0; i < words.n; i++) {
		if (!strcmp(words.v[i], "all"))
			vz_strv_done(&v.list);
		else
			remove_word(p, &v.list, words.v[i]);
	}
	return vz_cfg_put(cfg, c->id, VZ_ORIGIN_OWN, &v) ? no_memory(err) : 0;
}

/* --ram 256M: no barrier, and a limit of so many pages. */
static int total(struct vz_cfg *cfg, const struct vz_change *c, struct vz_err *err)
{
	const struct vz_param *p = &vz_params[c->id];
	vz_autovalue struct vz_value v = { 0 };
	int r = strchr(c->text, ':') ? -EINVAL
				     : vz_value_parse(p, c->opt->bare, c->text, &v);

	if (r)
		return vz_err_set(err, VZ_E_VALUE, 0,
				  "--%s \"%.80s\": expected a number with an optional "
				  "suffix T, G, M, K, P or B, or unlimited",
				  c->opt->name, c->text);
	v.limit.barrier = 0;
	return vz_cfg_put(cfg, c->id, VZ_ORIGIN_OWN, &v) ? no_memory(err) : 0;
}

static bool find_netif(const struct vz_strv *list, const char *ifname,
		       struct vz_netif *ret)
{
	for (size_t i = 0; i < list->n; i++)
		if (!vz_netif_parse(list->v[i], ret) && !strcmp(ret->ifname, ifname))
			return true;
	return false;
}

static int field(struct vz_cfg *cfg, const struct vz_change *c, const char *ifname,
		 struct vz_err *err)
{
	vz_autovalue struct vz_value v = { 0 };
	vz_autostr struct vz_str text = { 0 };
	struct vz_netif netif;

	if (!ifname)
		return vz_err_set(err, VZ_E_SYNTAX, 0,
				  "--%s needs --ifname: which interface is it for?",
				  c->opt->name);
	if (list_now(cfg, c->id, &v))
		return no_memory(err);
	if (!find_netif(&v.list, ifname, &netif))
		return vz_err_set(err, VZ_E_VETH, 0,
				  "the VE has no interface '%.80s': --netif_add", ifname);
	if (vz_netif_set(&netif, c->opt->name, c->text))
		return vz_err_set(err, VZ_E_VALUE, 0, "--%s \"%.80s\": expected %s",
				  c->opt->name, c->text, c->opt->arg);
	vz_netif_format(&netif, &text);
	if (text.failed || vz_value_list_put(&vz_params[c->id], &v.list, text.s) ||
	    vz_cfg_put(cfg, c->id, VZ_ORIGIN_OWN, &v))
		return no_memory(err);
	return 0;
}

/* Whether an earlier option of the command line set the same parameter. */
static bool first_of(const struct vz_changes *c, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (c->v[i].id == c->v[at].id && c->v[i].opt->op == VZ_OP_SET)
			return false;
	return true;
}

static int change(struct vz_cfg *cfg, const struct vz_changes *c, size_t at,
		  const char *ifname, struct vz_err *err)
{
	switch (c->v[at].opt->op) {
	case VZ_OP_SET:
		return set(cfg, &c->v[at], first_of(c, at), err);
	case VZ_OP_ADD:
		return add(cfg, &c->v[at], err);
	case VZ_OP_TOTAL:
		return total(cfg, &c->v[at], err);
	case VZ_OP_FIELD:
		return field(cfg, &c->v[at], ifname, err);
	case VZ_OP_DEL:
	case VZ_OP_SELECT:
		break;
	}
	return 0;
}

int vz_cfg_change(struct vz_cfg *cfg, const struct vz_changes *c, struct vz_err *err)
{
	const char *ifname = NULL;
	int r = 0;

	for (size_t i = 0; !r && i < c->n; i++)
		if (c->v[i].opt->op == VZ_OP_DEL)
			r = del(cfg, &c->v[i], err);
	for (size_t i = 0; !r && i < c->n; i++) {
		if (c->v[i].opt->op == VZ_OP_SELECT)
			ifname = c->v[i].text;
		r = change(cfg, c, i, ifname, err);
	}
	return r;
}

int vz_cfg_set(struct vz_cfg *cfg, enum vz_param_id id, const char *text,
	       struct vz_err *err)
{
	const struct vz_param *p = &vz_params[id];
	vz_autostr struct vz_str want = { 0 };
	vz_autovalue struct vz_value v = { 0 };
	int r;

	if (!text)
		return vz_cfg_unset(cfg, id) ? no_memory(err) : 0;
	r = vz_value_parse(p, 0, text, &v);
	if (r && r != -ENOMEM) {
		vz_param_expected(p, &want);
		return vz_err_set(err, VZ_E_VALUE, 0, "%s=\"%.80s\": expected %s", p->key,
				  text, want.s ? want.s : "?");
	}
	return r || vz_cfg_put(cfg, id, VZ_ORIGIN_OWN, &v) ? no_memory(err) : 0;
}
