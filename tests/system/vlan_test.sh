#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# VLANs of bridges that VEs are in; devices of the kinds that not each kernel has.
# shellcheck disable=SC2034 # OWN_NET is lib.sh's
OWN_NET=yes
. "$(dirname "$0")/../lib.sh"
need_net
net_bridge br0 vlan_filtering 1 2>/dev/null ||
	skip_all "this kernel's bridges can't tell VLANs apart"

in_ve() {
	vzctl exec 14840 "$@" 2>/dev/null
}

no_pings() {
	! in_ve busybox ping -c 1 -W 1 "$1" >/dev/null
}

# vlans DEVICE: "10" and such, those of the port
vlans() {
	bridge -j vlan show dev "$1" | jq -r '[.[].vlans[].vlan] | join(" ")'
}

net_host h10 br0 10.3.0.10/24
net_host h20 br0 10.3.0.20/24
net_host h1 br0 10.3.0.1/24
bridge vlan del dev h10 vid 1 && bridge vlan add dev h10 vid 10 pvid untagged
bridge vlan del dev h20 vid 1 && bridge vlan add dev h20 vid 20 pvid untagged

make_ve 14840 --netif_add eth0,bridge=br0,vlan=10 || skip_all "no VE can be made"
run_ok "a VE in a VLAN starts" vzctl start 14840
is "$(vlans veth14840.0)" 10 "its port is in that one only"
in_ve 'ip addr add 10.3.0.2/24 dev eth0; ip link set eth0 up'
pings 10.3.0.10 in_ve
ok $? "it reaches who is in it"
no_pings 10.3.0.20 && no_pings 10.3.0.1
ok $? "and nobody else"
in_ve 'ip link add link eth0 name eth0.20 type vlan id 20 && ip addr flush dev eth0 &&
	ip addr add 10.3.0.2/24 dev eth0.20 && ip link set eth0.20 up'
no_pings 10.3.0.20
ok $? "nor with another VLAN's tag"
in_ve 'ip link del eth0.20; ip addr add 10.3.0.2/24 dev eth0'

run_ok "another VLAN" vzctl set 14840 --ifname eth0 --vlan 20
is "$(vlans veth14840.0)" 20 "the port is in that one only"
pings 10.3.0.20 in_ve
ok $? "it reaches who is in it"
no_pings 10.3.0.10
ok $? "and not who was"
bridge vlan add dev veth14840.0 vid 10
run_ok "repair" vzctl repair 14840
is "$(vlans veth14840.0)" 20 "takes what should not be"
run_ok "none" vzctl set 14840 --ifname eth0 --vlan 0
is "$(vlans veth14840.0)" 1 "the port is in the bridge's own"
pings 10.3.0.1 in_ve
ok $? "with who is there"
net_bridge br1
run_is 130 "a VLAN of a bridge that has none" vzctl set 14840 --ifname eth0 --bridge br1 --vlan 5
is "$(vlans veth14840.0)" 1 "changes nothing"
run_is 21 "VLAN 4095" vzctl set 14840 --ifname eth0 --vlan 4095

if ip link add d0 type dummy 2>/dev/null; then
	ip link set d0 address 02:00:00:00:00:d0
	run_ok "a dummy device" vzctl set 14840 --netdev_add d0
	like "$(in_ve ip link show d0)" 02:00:00:00:00:d0 "goes into the VE"
	in_ve poweroff
	wait_for 60 ip link show dev d0
	ok $? "and is not lost with it"
else
	skip "a dummy device" "the kernel has none"
fi
done_testing
