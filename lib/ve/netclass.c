/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/netclass.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/num.h"
#include "base/str.h"

#define FILE_MAX (16 << 20)

int vz_netclass_parse(const char *line, uint32_t *ret_class, struct vz_ip *ret_net)
{
	char copy[128], *at, *class, *net;
	size_t n = strcspn(line, "#");
	struct vz_ip ip;
	uint64_t v;

	if (n >= sizeof(copy))
		return -EINVAL;
	memcpy(copy, line, n);
	copy[n] = 0;
	class = strtok_r(copy, " \t\r", &at);
	if (!class)
		return 0;
	net = strtok_r(NULL, " \t\r", &at);
	if (!net || strtok_r(NULL, " \t\r", &at) || !strchr(net, '/') ||
	    vz_parse_u64(class, VZ_TRAFFIC_CLASSES - 1, &v) || !v ||
	    vz_ip_parse(net, &ip))
		return -EINVAL;
	*ret_class = v;
	*ret_net = ip;
	return 1;
}

int vz_netclass_load(const struct vz_ctx *ctx, const struct vz_netguard *g,
		     struct vz_err *err)
{
	vz_autofree char *path = vz_strf("%s/conf/networks_classes", ctx->confdir);
	vz_autofree char *text = NULL;
	vz_autofree struct vz_netguard_class *list = NULL;
	size_t n = 0, number = 0, lines = 1;
	int r = path ? vz_read_file(path, FILE_MAX, &text, NULL) : -ENOMEM;

	if (r && r != -ENOENT)
		return vz_err_set(err, VZ_E_SYSTEM, -r, "can't read %s",
				  path ? path : "networks_classes");
	for (const char *s = text; s && *s; s++)
		lines += *s == '\n';
	list = calloc(lines, sizeof(*list));
	if (!list)
		return vz_err_set(err, VZ_E_RESOURCES, ENOMEM, "%s", path);
	for (char *line, *next = text; (line = strsep(&next, "\n"));) {
		number++;
		r = vz_netclass_parse(line, &list[n].class, &list[n].net);
		if (r < 0)
			return vz_err_set(err, VZ_E_BADCONF, 0,
					  "%s:%zu: %.60s: expected a class from 1 to %d "
					  "and a network such as 10.0.0.0/8",
					  path, number, line, VZ_TRAFFIC_CLASSES - 1);
		n += r;
	}
	return vz_netguard_classes(g, list, n, err);
}

int vz_netclass_open_guard(const struct vz_ctx *ctx, struct vz_netguard *ret,
			   struct vz_err *err)
{
	struct vz_err why = { 0 };
	bool fresh;
	int r = vz_netguard_open(ctx, ret, &fresh, err);

	if (!r && fresh && vz_netclass_load(ctx, ret, &why))
		vz_warn(ctx, "%s: all traffic is counted as class 0", why.text);
	return r;
}
