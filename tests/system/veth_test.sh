#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Ethernet interfaces of VEs: at start and live, on a bridge with other machines,
# names that collide, commands that are killed, macvlans.
# shellcheck disable=SC2034 # OWN_NET is lib.sh's
OWN_NET=yes
. "$(dirname "$0")/../lib.sh"
need_net

conf1=$VZ_CONFDIR/conf/14801.conf
mac1=00:18:51:00:00:01

# link_of NAME WORD...: whether ip link says each WORD of the node's device
link_of() {
	local name=$1 word text
	shift
	text=$(ip -o -d link show dev "$name" 2>/dev/null) || return 1
	for word; do
		[[ $text == *"$word"* ]] || return 1
	done
}

no_link() {
	! ip link show dev "$1" >/dev/null 2>&1
}

# give VEID DEVICE ADDRESS...: as the VE's own scripts would
give() {
	local veid=$1 dev=$2 address
	shift 2
	for address; do
		vzctl exec "$veid" ip addr add "$address" dev "$dev"
	done
	vzctl exec "$veid" ip link set "$dev" up
}

in_ve() {
	vzctl exec "$@" 2>/dev/null
}

net_bridge br0
ip addr add 10.0.0.254/24 dev br0
net_host h1 br0 10.0.0.1/24 fd00::1/64
make_ve 14801 --netif_add eth0,$mac1,,,br0 || skip_all "no VE can be made"
make_ve 14802

# --- at start ---
like "$(grep ^NETIF "$conf1")" \
	"^NETIF=\"ifname=eth0,mac=$mac1,host_ifname=veth14801\\.0,host_mac=00:18:51:[0-9A-F:]{8},bridge=br0\"$" \
	"create saves the names and MACs that were not given"
run_ok "a VE with an interface starts" vzctl start 14801
is "$err" "" "without a warning"
link_of veth14801.0 'master br0' UP 'alias vz 14801 eth0'
ok $? "the node's end is up, on the bridge, and marked"
like "$(in_ve 14801 ip link show eth0)" "link/ether $mac1" "the VE's end has its MAC"
is "$(vzlist -H -o netif 14801)" "$(sed -n 's/^NETIF="\(.*\)"/\1/p' "$conf1")" \
	"vzlist has the field netif"
give 14801 eth0 10.0.0.2/24 fd00::2/64
for a in 10.0.0.1 fd00::1 10.0.0.254; do
	pings $a in_ve 14801
	ok $? "the VE reaches $a"
done
pings fd00::2 on_host h1
ok $? "and is reached"

# --- live ---
run_ok "an empty VE starts" vzctl start 14802
run_ok "netif_add to it" vzctl set 14802 --netif_add eth0,,veth14802.0.,FE:FF:FF:FF:FF:FF,br0
is "$err" "" "says nothing"
link_of veth14802.0. 'master br0' 'link/ether fe:ff:ff:ff:ff:ff'
ok $? "a host name that ends in a dot is kept"
is "$(grep -c ^NETIF "$VZ_CONFDIR/conf/14802.conf")" 0 "it is not saved"
mac2=$(in_ve 14802 cat /sys/class/net/eth0/address)
like "$mac2" '^00:18:51:' "the VE's MAC is one of ours"
give 14802 eth0 10.0.0.3/24 fd00::3/64
pings 10.0.0.3 in_ve 14801
ok $? "one VE reaches another"
pings fd00::3 in_ve 14801
ok $? "in IPv6, too"
run_ok "the same again, saved" vzctl set 14802 --netif_add eth0,,veth14802.0.,,br0 --save
is "$(in_ve 14802 cat /sys/class/net/eth0/address)" "$mac2" "keeps the MAC"
like "$(grep ^NETIF "$VZ_CONFDIR/conf/14802.conf")" "mac=${mac2^^}" "and saves it"

run_ok "another MAC" vzctl set 14801 --ifname eth0 --mac 00:18:51:00:00:11 --save
is "$(in_ve 14801 cat /sys/class/net/eth0/address)" 00:18:51:00:00:11 "is in force at once"
pings 10.0.0.1 in_ve 14801
ok $? "and works"
in_ve 14801 'ip link set eth0 down; ip link set eth0 name wan; ip link set wan up'
run_ok "of an interface that the VE renamed" vzctl set 14801 --ifname eth0 --mac 00:18:51:00:00:12
is "$(in_ve 14801 cat /sys/class/net/wan/address)" 00:18:51:00:00:12 "too"
in_ve 14801 'ip link set wan down; ip link set wan name eth0; ip link set eth0 up'
net_bridge br1
run_ok "another bridge, name and MAC on the node" vzctl set 14801 --ifname eth0 --bridge br1 \
	--host_ifname lan5 --host_mac 02:00:00:00:00:05
no_link veth14801.0 && link_of lan5 'master br1' UP 'link/ether 02:00:00:00:00:05'
ok $? "are in force"
run_ok "no bridge" vzctl set 14801 --ifname eth0 --bridge ''
link_of lan5 UP && ! link_of lan5 master
ok $? "is in force"
run_ok "two more, and one of them away" vzctl set 14801 --netif_add eth1,,,,br1 --netif_add 'eth2'
run_ok "and away" vzctl set 14801 --netif_del eth1
no_link veth14801.1 && link_of veth14801.2 UP && link_of lan5 UP
ok $? "the others stay"
is "$(in_ve 14801 ls /sys/class/net | sort | xargs)" "eth0 eth2 lo" "also in the VE"

# --- the MAC filter: what the VE's root sends, whatever it does ---
make_ve 14804 --netif_add eth0,00:18:51:00:00:04,,,br0
cp "$(test_program spoof)" "$T/private/14804/bin/" || skip_all "no spoof"
run_ok "a hostile VE" vzctl start 14804
give 14804 eth0 10.0.0.4/24 fd00::4/64
dropped() {
	vzctl traffic 14804 --json | jq -r '.[0].dropped.packets'
}
# learned MAC: whether the bridge has seen it come from the VE
learned() {
	bridge fdb show dev veth14804.0 | grep -v permanent | grep -qi "$1"
}
pings 10.0.0.1 in_ve 14804
ok $? "its own packets arrive"
learned 00:18:51:00:00:04
ok $? "the bridge learns its MAC"
in_ve 14804 spoof eth0 arp 00:18:51:00:00:04
n=$(dropped)
in_ve 14804 "spoof eth0 arp $mac2"
! learned "$mac2" && is "$(dropped)" $((n + 1)) "a frame from another VE's MAC goes nowhere"
in_ve 14804 "spoof eth0 arp 02:00:00:00:00:99"
! learned 02:00:00:00:00:99 && is "$(dropped)" $((n + 2)) "nor from one that nobody has"
in_ve 14804 "spoof eth0 arp 00:18:51:00:00:04 $mac2"
is "$(dropped)" $((n + 3)) "nor ARP that says another VE's MAC"
# IPv6 says it otherwise: to who knows the other VE.
pings fd00::3 on_host h1
told() {
	on_host h1 ip -6 neigh show fd00::3 | grep -q "$1"
}
for how in "" hopopts many; do
	n=$(dropped)
	in_ve 14804 "spoof eth0 na fd00::3 02:00:00:00:00:66 $how"
	is "$(dropped)" $((n + 1)) "nor a neighbour's advertisement that does ${how:+, $how}"
done
told "$mac2" && ! told 02:00:00:00:00:66
ok $? "nobody is misled"
n=$(dropped)
in_ve 14804 "spoof eth0 na fd00::4 00:18:51:00:00:04"
is "$(dropped)" "$n" "what it says of itself passes"

# A flood of entries: so many at once, and slowly more.
ip addr add 10.77.0.1/16 dev br0
in_ve 14804 "spoof eth0 askers 10.77.0.1 20000"
[ $(($(dropped) - n)) -gt 10000 ]
ok $? "a flood of ARP from 20000 addresses is dropped" || diag "$n, then $(dropped)"
[ "$(ip neigh show dev br0 | grep -c '^10\.77\.')" -lt 6000 ]
ok $? "and the node keeps few" || diag "$(ip neigh show dev br0 | grep -c '^10\.77\.')"
ip addr del 10.77.0.1/16 dev br0
pings 10.0.0.1 in_ve 14802
ok $? "others go on"

in_ve 14804 "ip link set eth0 down; ip link set eth0 address 02:00:00:00:00:98; ip link set eth0 up"
! in_ve 14804 busybox ping -c 1 -W 1 10.0.0.1 >/dev/null && ! learned 02:00:00:00:00:98
ok $? "a MAC that it gave itself is of no use"
run_ok "mac_filter off" vzctl set 14804 --ifname eth0 --mac_filter off
in_ve 14804 spoof eth0 arp 02:00:00:00:00:99
learned 02:00:00:00:00:99
ok $? "lets it through"
in_ve 14804 "spoof eth0 na fd00::3 02:00:00:00:00:66"
wait_for 5 told 02:00:00:00:00:66
ok $? "and would mislead others"
on_host h1 ip neigh del fd00::3 dev eth0
run_ok "mac_filter on" vzctl set 14804 --ifname eth0 --mac_filter on
n=$(dropped)
in_ve 14804 spoof eth0 arp 02:00:00:00:00:97
! learned 02:00:00:00:00:97 && is "$(dropped)" $((n + 1)) "and not any more"
is "$(in_ve 14804 cat /sys/class/net/eth0/address)" 00:18:51:00:00:04 "the MAC is the right one again"
run_ok "it stops" vzctl stop 14804 --fast

# --- what can't be ---
run_is 130 "a bridge that is missing" vzctl set 14801 --netif_add eth3,,,,nobr
is "$err" "vzctl: eth3: the node has no bridge nobr: make it first (ip link add nobr type bridge)" \
	"is told"
no_link veth14801.3
ok $? "and nothing is made"
ip link add other type dummy 2>/dev/null || ip link add other type veth peer name other2
run_is 130 "a device that is no bridge" vzctl set 14801 --netif_add eth3,,,,other
run_is 130 "a name of the node's" vzctl set 14801 --netif_add eth3,,other
is "$err" "vzctl: eth3: the node has a device other, which is not ours: give another host_ifname" \
	"is told"
run_is 130 "another VE's name" vzctl set 14801 --netif_add eth3,,veth14802.0.
link_of other && link_of veth14802.0. 'alias vz 14802 eth0'
ok $? "and both are as they were"
in_ve 14801 ip link add eth4 type dummy || in_ve 14801 ip link add eth4 type bridge
run_is 130 "a name that the VE has given itself" vzctl set 14801 --netif_add eth4
no_link veth14801.4
ok $? "leaves nothing on the node"
run_is 130 "a VLAN on a bridge without" vzctl set 14801 --ifname eth2 --bridge br0 --vlan 7
like "$err" 'vlan_filtering 1$' "says what to do"
link_of veth14801.2 && ! link_of veth14801.2 master
ok $? "and all is as it was"
run_is 130 "a VLAN without a bridge" vzctl set 14801 --ifname eth2 --vlan 7
run_is 21 "a name that is too long" vzctl set 14801 --netif_add a234567890123456
run_is 21 "a MAC of a group" vzctl set 14801 --netif_add eth6,01:00:5e:00:00:01
run_is 130 "two of one name on the node" vzctl set 14801 --netif_add a0,,same --netif_add a1,,same
is "$err" "vzctl: the interfaces a0 and a1 have the same host_ifname" "is told"
run_is 130 "two of one MAC" vzctl set 14801 --netif_add a0,$mac1 --netif_add a1,$mac1
run_ok "what is in force goes" vzctl set 14801 --netif_del all
is "$(in_ve 14801 ls /sys/class/net | sort | xargs)" "eth4 lo" "all of ours, and none of the VE's"

# --- macvlan ---
net_host h2 - 10.1.0.1/24
run_ok "a macvlan" vzctl set 14801 --netif_add eth0,type=macvlan,link=h2,mode=bridge
give 14801 eth0 10.1.0.2/24
pings 10.1.0.1 in_ve 14801
ok $? "reaches the machine on the device's network"
run_is 130 "on a device that is missing" vzctl set 14801 --netif_add eth1,type=macvlan,link=nodev
like "$err" 'the node has no device nodev' "is told"
run_ok "it goes" vzctl set 14801 --netif_del eth0
is "$(in_ve 14801 ls /sys/class/net | sort | xargs)" "eth4 lo" "from the VE"

# --- repair ---
run_ok "repair of what needs none" vzctl repair 14801
is "$err" "" "says nothing"
make_ve 14803 --netif_add eth0,,,,br0 --netif_add eth1,,,,br0
run_ok "a VE to break" vzctl start 14803
ip link set veth14803.0 nomaster down
ip link set veth14803.1 address 02:00:00:00:00:66
in_ve 14803 ip link set eth1 address 02:00:00:00:00:67
run_ok "repair" vzctl repair 14803
link_of veth14803.0 'master br0' UP && is "$(in_ve 14803 cat /sys/class/net/eth1/address)" \
	"$(sed -n 's/.*ifname=eth1,mac=\([^,]*\).*/\L\1/p' "$VZ_CONFDIR/conf/14803.conf")" \
	"puts back bridge and MACs"
ip link del br0
net_bridge br0
ip link set h1 master br0
ip link del veth14803.1
run_ok "a new bridge, and an end that is gone" vzctl repair --all
link_of veth14803.0 'master br0' UP && link_of veth14803.1 'master br0' UP
ok $? "repair --all puts all back"
ip link add old type veth peer name old2
ip link set old alias "vz 14899 eth0"
ip link set old2 alias "my vz 14899"
run_ok "what belongs to no VE that runs" vzctl repair --all
like "$out" 'VE 14899 does not run: its device old is removed' "is removed and told"
no_link old
ok $? "it is gone"
link_of veth14803.0 'master br0' && link_of other
ok $? "and nothing else"
run_is 14 "a VE that does not exist" vzctl repair 14898
run_is 20 "no VEID" vzctl repair
run_is 21 "the node itself" vzctl repair 0
# Older kernels rename what is down only.
ip link set br0 down
ip link set br0 name br9
run_is 130 "what can't be repaired" vzctl repair --all
like "$err" 'the node has no bridge br0' "is told"
ip link set br9 name br0
ip link set br0 up
run_ok "and is by the next one" vzctl repair --all
run_ok "stop" vzctl stop 14803 --fast

# --- killed commands ---
# killed SECONDS COMMAND...: one that does not end by itself in time
killed() {
	{ timeout -s KILL "$@"; } >/dev/null 2>&1
	# It dies a moment after timeout does.
	wait_for 5 unlocked
}

unlocked() {
	vzctl --quiet set 14801 --onboot no --save 2>"$T/lock.err" || ! grep -q locked "$T/lock.err"
}

bad=0
for ms in 5 10 15 20 25 30 40 50 60; do
	killed "0.00$((ms / 10))$((ms % 10))" vzctl --quiet set 14801 --netif_add eth0,,k0,,br0
	vzctl --quiet set 14801 --netif_add eth0,,k0,,br0 >"$T/again" 2>&1 || bad=1
	link_of k0 'master br0' UP 'alias vz 14801 eth0' || bad=1
	killed "0.00$((ms / 10))$((ms % 10))" vzctl --quiet set 14801 --netif_del all
	vzctl --quiet set 14801 --netif_del all >>"$T/again" 2>&1 || bad=1
	no_link k0 || bad=1
done
ok $bad "set --netif_add and --netif_del, killed at any moment and given again" ||
	diag "$(cat "$T/again")"
vzctl --quiet stop 14801 --fast
bad=0
for ms in 5 10 15 20 25 30 40; do
	killed "0.0$((ms / 10))$((ms % 10))" vzctl --quiet start 14801
	wait_for 10 vzctl --quiet stop 14801 --fast || bad=1
	wait_for 5 no_link veth14801.0 || bad=1
	vzctl --quiet start 14801 >"$T/again" 2>&1 && link_of veth14801.0 'master br0' UP || bad=1
	vzctl --quiet stop 14801 --fast
done
ok $bad "start, killed at any moment and given again" || diag "$(cat "$T/again")"

# --- at the end ---
run_ok "a config without MACs" vzctl set 14801 --netif_del all --save
echo 'NETIF="ifname=eth0,bridge=br0"' >>"$conf1"
run_ok "starts" vzctl start 14801
like "$(tail -n 1 "$conf1")" 'mac=00:18:51:.*host_ifname=veth14801\.0' "and has them from then on"
before=$(ip -o link show veth14801.0 | cut -d: -f1)
in_ve 14801 reboot
is_back() {
	link_of veth14801.0 'master br0' UP && [ "$(ip -o link show veth14801.0 | cut -d: -f1)" != "$before" ]
}
wait_for 20 is_back
ok $? "it has its interface again after a reboot"
wait_for 10 vzctl exec 14801 test -e /run/up
in_ve 14801 poweroff
wait_for 20 no_link veth14801.0
ok $? "a VE that halts by itself leaves no device"
run_ok "a missing bridge" vzctl set 14801 --ifname eth0 --bridge nobr --save
run_is 130 "fails the start" vzctl start 14801
like "$(vzctl status 14801)" 'unmounted down' "and leaves nothing"
run_ok "stop" vzctl stop 14802 --fast
is "$(our_net)" "" "nothing of ours is on the node"
link_of other && link_of br0 && link_of h1 'master br0'
ok $? "and what is the node's is there"
done_testing
