/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/feature.h"

#include <errno.h>
#include <string.h>

const struct vz_feature_row vz_features[VZ_F__COUNT] = {
	[VZ_F_SYSFS] = { "sysfs", true, "a read-only /sys" },
	/* A user namespace VE can't mount NFS on mainline: a privileged one can. */
	[VZ_F_NFS] = { "nfs", false, "NFS client", .modules = "nfs" },
	[VZ_F_SIT] = { "sit", false, "IPv6 over IPv4 tunnels", .modules = "sit" },
	[VZ_F_IPIP] = { "ipip", false, "IP over IP tunnels", .modules = "ipip" },
	[VZ_F_PPP] = { "ppp", false, "PPP", .modules = "ppp_generic", .node = "ppp",
		       .major = 108, .minor = 0 },
	[VZ_F_IPGRE] = { "ipgre", false, "GRE tunnels", .modules = "ip_gre" },
	[VZ_F_BRIDGE] = { "bridge", false, "bridges", .modules = "bridge" },
	[VZ_F_NFSD] = { "nfsd", false, "NFS server", .modules = "nfsd" },
	[VZ_F_FUSE] = { "fuse", false, "file systems of its own programs",
			.modules = "fuse", .node = "fuse", .major = 10, .minor = 229 },
	[VZ_F_TUN] = { "tun", false, "tun and tap devices", .modules = "tun",
		       .node = "net/tun", .major = 10, .minor = 200 },
	[VZ_F_NESTING] = { "nesting", false, "containers inside the VE" },
	[VZ_F_KEYCTL] = { "keyctl", false, "kernel keyrings" },
	[VZ_F_IOURING] = { "iouring", false,
			   "io_uring (stands in the way of migration)" },
};

static int find_n(const char *name, size_t len)
{
	for (int f = 0; f < VZ_F__COUNT; f++)
		if (strlen(vz_features[f].name) == len &&
		    !strncasecmp(vz_features[f].name, name, len))
			return f;
	return -1;
}

int vz_feature_find(const char *name)
{
	return find_n(name, strlen(name));
}

static int parse_entry(const char *entry, bool *ret_on, struct vz_err *err)
{
	size_t len = strcspn(entry, ":");
	int f = find_n(entry, len);

	if (f < 0)
		return vz_err_set(err, VZ_E_VALUE, 0, "unknown feature '%.*s'", (int)len,
				  entry);
	if (strcmp(entry + len, ":on") && strcmp(entry + len, ":off"))
		return vz_err_set(err, VZ_E_VALUE, 0,
				  "feature '%s' is not of the form NAME:on or NAME:off",
				  entry);
	*ret_on = entry[len + 2] == 'n';
	return f;
}

int vz_feature_check(const char *entry, struct vz_err *err)
{
	bool on;
	int f = parse_entry(entry, &on, err);

	return f < 0 ? f : 0;
}

int vz_feature_parse(const struct vz_strv *list, uint32_t *ret_mask, struct vz_err *err)
{
	uint32_t mask = 0;
	bool on;
	int f;

	for (f = 0; f < VZ_F__COUNT; f++)
		if (vz_features[f].on)
			mask |= VZ_F_BIT(f);
	for (size_t i = 0; list && i < list->n; i++) {
		f = parse_entry(list->v[i], &on, err);
		if (f < 0)
			return f;
		mask = on ? mask | VZ_F_BIT(f) : mask & ~VZ_F_BIT(f);
	}
	*ret_mask = mask;
	return 0;
}
