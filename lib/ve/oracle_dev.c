/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network devices in the VE. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "sys/rtnl.h"
#include "ve/oracle_priv.h"

/* What CRIU makes again; tun it does not in a user namespace. */
static bool is_kept(const char *kind)
{
	static const char *const kept[] = { "veth", "bridge", "macvlan",
					    "gre",  "gretap", "sit" };

	for (size_t i = 0; i < VZ_ARRAY_SIZE(kept); i++)
		if (!strcmp(kept[i], kind))
			return true;
	return false;
}

static int check_link(const struct vz_link *link, void *data)
{
	struct oracle *o = data;

	if (!strcmp(link->name, "lo") ||
	    (*link->kind && is_kept(link->kind) &&
	     (strcmp(link->kind, "macvlan") != 0 || link->lower_netns < 0)))
		return 0;
	if (!*link->kind || !strcmp(link->kind, "macvlan"))
		oracle_tell(o, NULL,
			    ORACLE_WORD("device",
					"it is the node's, or belongs to one of it",
					"take it away (--netdev_del, --netif_del)"),
			    "network device %s", link->name);
	else
		oracle_tell(o, NULL,
			    ORACLE_WORD("device", "CRIU can't make such a one again",
					"delete it, or end the program that has it"),
			    "network device %s, %s", link->name, link->kind);
	return 0;
}

int oracle_scan_devices(struct oracle *o)
{
	vz_autofd int dir = oracle_open_task(o, &o->tasks[0]);
	vz_autofd int ns = -1;
	vz_autortnl struct vz_rtnl *nl = NULL;
	int r;

	ns = dir < 0 ? -1
		     : openat(dir, oracle_ns_files[ORACLE_NET], O_RDONLY | O_CLOEXEC);
	if (ns < 0)
		return -ESRCH;
	r = vz_rtnl_open_ns(ns, &nl, NULL);
	return r ? r : vz_rtnl_links(nl, check_link, o, NULL);
}
