/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What VEs sent and received: to read, to bill, to keep. A timer of the node
 * calls it with --save each minute.
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "ve/ids.h"
#include "ve/netclass.h"
#include "ve/quotafile.h"
#include "ve/repair.h"
#include "ve/traffic.h"
#include "ve/ubc.h"
#include "vzctl/cmds.h"

enum { OPT_ALL, OPT_JSON, OPT_SAVE, OPT_CLASSES, OPT__COUNT };

static const struct vz_opt options[] = {
	[OPT_ALL] = { "all", 'a', NULL, "of all VEs that were counted" },
	[OPT_JSON] = { "json", 'j', NULL, "as JSON" },
	[OPT_SAVE] = { "save", 0, NULL, "write the counts to disk, print nothing" },
	[OPT_CLASSES] = { "classes", 0, NULL,
			  "count from now on by conf/networks_classes as it is now" },
	{ 0 },
};

static void print_row(uint32_t veid, const char *class, const struct vz_guard_count *in,
		      const struct vz_guard_count *out)
{
	printf("%10u %7s %12" PRIu64 " %16" PRIu64 " %12" PRIu64 " %16" PRIu64 "\n", veid,
	       class, (uint64_t)in->packets, (uint64_t)in->bytes, (uint64_t)out->packets,
	       (uint64_t)out->bytes);
}

static void print_text(uint32_t veid, const struct vz_guard_traffic *t)
{
	static const struct vz_guard_count none;
	char class[8];

	for (size_t i = 0; i < VZ_TRAFFIC_CLASSES; i++) {
		snprintf(class, sizeof(class), "%zu", i);
		if (!i || t->in[i].packets || t->out[i].packets)
			print_row(veid, class, &t->in[i], &t->out[i]);
	}
	if (t->dropped.packets)
		print_row(veid, "dropped", &none, &t->dropped);
}

static json_t *to_count(const struct vz_guard_count *c)
{
	return json_pack("{sIsI}", "packets", (json_int_t)c->packets, "bytes",
			 (json_int_t)c->bytes);
}

static json_t *to_json(uint32_t veid, const struct vz_guard_traffic *t)
{
	json_t *classes = json_array();

	for (size_t i = 0; i < VZ_TRAFFIC_CLASSES; i++)
		if (!i || t->in[i].packets || t->out[i].packets)
			json_array_append_new(
				classes, json_pack("{sIsoso}", "class", (json_int_t)i,
						   "in", to_count(&t->in[i]), "out",
						   to_count(&t->out[i])));
	return json_pack("{sIsoso}", "ctid", (json_int_t)veid, "classes", classes,
			 "dropped", to_count(&t->dropped));
}

static int show(struct vz_inv *inv, const struct vz_ids *ids, bool all, bool json)
{
	vz_autotraffic struct vz_traffic counts = { 0 };
	json_t *list = json ? json_array() : NULL;
	struct vz_guard_traffic t;
	int r = vz_traffic_open(inv->ctx, &counts, inv->err);

	if (!r && !json)
		printf("%10s %7s %12s %16s %12s %16s\n", "CTID", "CLASS", "IN_PACKETS",
		       "IN_BYTES", "OUT_PACKETS", "OUT_BYTES");
	for (size_t i = 0; i < ids->n && !r; i++) {
		r = vz_traffic_read(&counts, ids->v[i], &t);
		if (r == -ENOENT) {
			r = 0;
			if (all)
				continue;
			memset(&t, 0, sizeof(t));
		}
		if (!r && json)
			json_array_append_new(list, to_json(ids->v[i], &t));
		else if (!r)
			print_text(ids->v[i], &t);
	}
	if (!r && json) {
		json_dumpf(list, stdout, JSON_INDENT(2));
		putchar('\n');
	}
	json_decref(list);
	return r;
}

static int take_classes(struct vz_inv *inv)
{
	vz_autonetguard struct vz_netguard guard = VZ_NETGUARD_NONE;
	int r = vz_netguard_open(inv->ctx, &guard, NULL, inv->err);

	return r ? r : vz_netclass_load(inv->ctx, &guard, inv->err);
}

static int find_ids(struct vz_inv *inv, const char *const *words, size_t n, bool all,
		    struct vz_ids *ids)
{
	uint32_t id;
	int r = all ? vz_ids_defined(inv->ctx, ids) : 0;

	for (size_t i = 0; i < n && !r; i++) {
		struct vz_ve ve = { 0 };

		r = vz_ve_lookup(inv->ctx, words[i], &id, inv->err);
		if (!r)
			r = vz_ve_open(inv->ctx, id, &ve, inv->err);
		vz_ve_close(&ve);
		if (!r)
			r = vz_ids_add(ids, id);
	}
	return r;
}

/* What else is to be done as often. */
static void each_minute(const struct vz_ctx *ctx)
{
	/* Beancounters that are sampled, for who only reads the file. */
	vz_ubc_sample(ctx);
	vz_quotafile_refresh(ctx);
	vz_repair_ended(ctx);
}

static int run(struct vz_inv *inv)
{
	const char *given[OPT__COUNT] = { NULL };
	vz_autostrv struct vz_strv words = { 0 };
	const struct vz_opt_parse how = { .own = options,
					  .ret_values = given,
					  .words = &words };
	vz_autoids struct vz_ids ids = { 0 };
	int r = vz_opt_parse(&how, inv->argc, inv->argv, inv->err);

	if (r)
		return inv->err->status;
	if (given[OPT_CLASSES] && take_classes(inv))
		return inv->err->status;
	if (given[OPT_SAVE] && vz_traffic_save(inv->ctx, inv->err))
		return inv->err->status;
	if (given[OPT_SAVE])
		each_minute(inv->ctx);
	if (given[OPT_CLASSES] || given[OPT_SAVE])
		return 0;
	if (!words.n && !given[OPT_ALL]) {
		vz_err_set(inv->err, VZ_E_SYNTAX, 0,
			   "of which VE? traffic VEID... | --all");
		return VZ_E_SYNTAX;
	}
	r = find_ids(inv, (const char *const *)words.v, words.n, given[OPT_ALL], &ids);
	if (!r)
		r = show(inv, &ids, given[OPT_ALL], given[OPT_JSON]);
	if (r && !inv->err->status)
		vz_err_set(inv->err, VZ_E_SYSTEM, -r, "can't list the VEs");
	return r ? (int)inv->err->status : 0;
}

const struct vz_cmd vz_cmd_traffic = {
	.name = "traffic",
	.args = "VEID... | --all [--json] | --save | --classes",
	.help = "show what VEs sent and received, by class",
	.flags = VZ_CMD_NOVE,
	.opts = options,
	.run = run,
};
