/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A configuration put back into a VE's file: only what changed. */
#include <errno.h>
#include <string.h>

#include "res/cfg_priv.h"

/* The key under which the file has the parameter: the last of its spellings. */
static const char *key_in_file(const struct vz_conf *conf, const struct vz_param *p)
{
	const char *key = p->key;
	int line = vz_conf_line(conf, key);

	for (size_t i = 0; i < VZ_ARRAY_SIZE(p->alias); i++)
		if (p->alias[i] && vz_conf_line(conf, p->alias[i]) > line) {
			key = p->alias[i];
			line = vz_conf_line(conf, key);
		}
	return key;
}

static int remove_keys(const struct vz_param *p, struct vz_conf *conf)
{
	int r = vz_conf_set(conf, p->key, NULL);

	for (size_t i = 0; !r && i < VZ_ARRAY_SIZE(p->alias); i++)
		if (p->alias[i])
			r = vz_conf_set(conf, p->alias[i], NULL);
	return r;
}

static int store(const struct vz_cfg *cfg, enum vz_param_id id, struct vz_conf *conf,
		 bool *ret_changed)
{
	const struct vz_param *p = &vz_params[id];
	const char *key = key_in_file(conf, p), *was = vz_conf_get(conf, key);
	vz_autofree char *text = NULL;

	if (!vz_cfg_own(cfg, id)) {
		*ret_changed = was != NULL;
		return was ? remove_keys(p, conf) : 0;
	}
	text = vz_cfg_text(cfg, id);
	if (!text)
		return -ENOMEM;
	*ret_changed = !was || strcmp(was, text);
	if (!*ret_changed)
		return 0;
	return p->type == VZ_T_PATH ? vz_conf_set_vars(conf, key, text)
				    : vz_conf_set(conf, key, text);
}

/* Whether the parameter is none of the change from old to new. */
static bool untouched(const struct vz_cfg *old, const struct vz_cfg *new,
		      enum vz_param_id id)
{
	if (!old)
		return !vz_cfg_own(new, id);
	return vz_cfg_own(old, id) == vz_cfg_own(new, id) && vz_cfg_same(old, new, id);
}

int vz_cfg_store(const struct vz_cfg *old, const struct vz_cfg *new, struct vz_conf *conf,
		 unsigned int *ret_changed)
{
	unsigned int n = 0;
	bool changed;

	for (int i = 0; i < VZ_P__COUNT; i++) {
		if (vz_params[i].scope == VZ_SCOPE_GLOBAL || untouched(old, new, i))
			continue;
		if (store(new, i, conf, &changed))
			return -ENOMEM;
		n += changed;
	}
	if (ret_changed)
		*ret_changed = n;
	return 0;
}
