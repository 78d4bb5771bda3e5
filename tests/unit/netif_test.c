/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interfaces as values: what is read is what is written, fields change alone. */
#include "res/netif.h"

#include <errno.h>

#include "tap.h"

static void format_is(const struct vz_netif *n, const char *want, const char *name)
{
	vz_autostr struct vz_str text = { 0 };

	vz_netif_format(n, &text);
	tap_is_str(text.s, want, name);
}

static void test_parse(void)
{
	struct vz_netif n = { 0 };

	tap_is_int(vz_netif_parse("eth0,00:18:51:aA:0b:01,veth1.0.,FE:FF:FF:FF:FF:FF,br0",
				  &n),
		   0, "libvirt's form");
	tap_is_str(n.ifname, "eth0", "ifname");
	tap_is_int(n.mac[3], 0xaa, "mac");
	tap_is_str(n.host_ifname, "veth1.0.", "host_ifname");
	tap_is_int(n.host_mac[0], 0xfe, "host_mac");
	tap_is_str(n.bridge, "br0", "bridge");
	tap_is_int(n.no_mac_filter, false, "mac_filter is on");
	tap_is_int(n.vlan, 0, "no VLAN");
	format_is(&n,
		  "ifname=eth0,mac=00:18:51:AA:0B:01,host_ifname=veth1.0.,"
		  "host_mac=FE:FF:FF:FF:FF:FF,bridge=br0",
		  "as a file has it");
	tap_is_int(vz_netif_parse("eth0,00:18:51:1:2:3", &n), -EINVAL, "a short MAC");
	tap_is_str(n.host_ifname, "veth1.0.", "leaves the value as it was");
	tap_is_int(vz_netif_parse("bridge=br1,eth0", &n), -EINVAL,
		   "a name in MAC's place");
	tap_is_int(vz_netif_parse("", &n), -EINVAL, "nothing");
	tap_is_int(vz_netif_parse(",", &n), -EINVAL, "commas");
	tap_is_int(vz_netif_parse("eth0,,,,,", &n), -EINVAL, "a field too many");
	tap_is_int(vz_netif_parse("eth0,color=red", &n), -EINVAL, "an unknown field");
	tap_is_int(vz_netif_parse("eth0,bridge=", &n), -EINVAL, "a field without value");
	tap_is_int(vz_netif_parse("eth0,vlan=-1", &n), -EINVAL, "a negative VLAN");
	tap_is_int(vz_netif_parse("eth/0", &n), -EINVAL, "a slash");
	tap_is_int(vz_netif_parse("fifteen-letters", &n), 0, "a name of 15 letters");
	tap_is_int(vz_netif_parse("sixteen--letters", &n), -EINVAL, "of 16");
}

static void test_set(void)
{
	struct vz_netif n = { 0 };

	tap_is_int(vz_netif_parse("eth0,bridge=br0", &n), 0, "one to change");
	tap_is_int(vz_netif_set(&n, "vlan", "4094"), 0, "the last VLAN");
	tap_is_int(vz_netif_set(&n, "mac_filter", "off"), 0, "no filter");
	format_is(&n, "ifname=eth0,bridge=br0,mac_filter=off,vlan=4094", "are there");
	tap_is_int(vz_netif_set(&n, "ifname", ""), -EINVAL, "no name");
	tap_is_int(vz_netif_set(&n, "type", "macvlan"), -EINVAL, "a macvlan on a bridge");
	tap_is_int(vz_netif_set(&n, "colour", "red"), -EINVAL, "an unknown field");
	format_is(&n, "ifname=eth0,bridge=br0,mac_filter=off,vlan=4094",
		  "change nothing");
	tap_is_int(vz_netif_set(&n, "bridge", ""), 0, "no bridge");
	tap_is_int(vz_netif_set(&n, "vlan", ""), 0, "no VLAN");
	tap_is_int(vz_netif_set(&n, "mac_filter", "on"), 0, "the filter");
	format_is(&n, "ifname=eth0", "what is default is not written");
}

int main(void)
{
	test_parse();
	test_set();
	return tap_done();
}
