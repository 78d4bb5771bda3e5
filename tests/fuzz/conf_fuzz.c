/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Configuration files: whatever they say, a save and a load again give the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "res/cfg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(const struct vz_conf *a, const struct vz_conf *b)
{
	const char *key, *va, *vb;

	for (size_t i = 0; (key = vz_conf_key(a, i)); i++) {
		va = vz_conf_get(a, key);
		vb = vz_conf_get(b, key);
		if (!va != !vb || (va && strcmp(va, vb)))
			abort();
	}
}

static void read_as(const struct vz_ctx *ctx, const struct vz_conf *conf, bool global)
{
	vz_autocfg struct vz_cfg *cfg = NULL;
	struct vz_err err = { 0 };

	if (vz_cfg_new(101, &cfg))
		return;
	if (vz_cfg_read(cfg, ctx, conf, global, 0, &err)) {
		if (!err.status || !err.text[0])
			abort();
		return;
	}
	for (int id = 0; id < VZ_P__COUNT; id++)
		free(vz_cfg_text(cfg, id));
	vz_cfg_check(cfg, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	vz_autoconf struct vz_conf *conf = NULL, *again = NULL;
	struct vz_err err = { 0 };
	struct vz_ctx ctx;
	char *text;

	vz_ctx_init(&ctx);
	if (vz_conf_parse(&ctx, "fuzz", (const char *)data, size, &conf, &err))
		return 0;
	text = vz_conf_text(conf);
	if (!text || vz_conf_parse(&ctx, "again", text, strlen(text), &again, &err))
		abort();
	free(text);
	same(conf, again);
	same(again, conf);
	read_as(&ctx, conf, true);
	read_as(&ctx, conf, false);
	return 0;
}
