#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The guard on VEs' links: what a VE's root can't send whatever it does, and
# that what passes is counted, exactly, by class, and never lost.
# shellcheck disable=SC2034 # lib.sh reads it
OWN_NET=yes
. "$(dirname "$0")/../lib.sh"
need_net

net_bridge br0 && net_host other br0 10.77.0.9/24 fd77::9/64 || exit
ip addr add 10.77.0.1/24 dev br0 && ip addr add fd77::1/64 dev br0 nodad || exit
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 1 >/proc/sys/net/ipv6/conf/all/forwarding

make_ve 14501 && make_ve 14502 || exit
cp "$(test_program spoof)" "$T/private/14501/bin/" || skip_all "no spoof"
printf '%s\n' '# the test' '1 10.77.0.0/24' '2 fd77::/64 # v6' '3 10.77.0.9/32' \
	>"$VZ_CONFDIR/conf/networks_classes"
run_ok "start" vzctl --quiet set 14501 --ipadd 10.77.0.101 --ipadd fd77::101 --save
run_ok "one VE" vzctl --quiet start 14501
vzctl --quiet set 14502 --ipadd 10.77.0.102 --ipadd fd77::102 --save
run_ok "and another" vzctl --quiet start 14502

# counts VEID in|out|dropped [CLASS]: packets and bytes
counts() {
	vzctl traffic "$1" --json | jq -r --arg w "$2" --argjson c "${3:-0}" '.[0] |
		if $w == "dropped" then .dropped
		else (.classes[] | select(.class == $c))[$w] // {packets: 0, bytes: 0} end |
		"\(.packets) \(.bytes)"'
}
dropped() {
	counts 14501 dropped | cut -d' ' -f1
}
# What the VE may send arrives: else the test of what may not proves nothing.
pings 10.77.0.9 vzctl exec 14501
ok $? "the VE's own packets arrive"
vzctl exec 14501 spoof venet0 ipv4 10.77.0.101 10.77.0.9
is $? 0 "so do those that it builds by hand"
before=$(dropped)
is "${before:-0}" 0 "nothing was dropped so far"

# spoofs WHAT ARGUMENTS: each is dropped and counted
n=0
spoofs() {
	local what=$1
	shift
	run_ok "$what: sent" vzctl exec 14501 "spoof venet0 $*"
	n=$((n + 1))
	is "$(dropped)" $n "$what: dropped"
}
spoofs "a neighbour's address" ipv4 10.77.0.102 10.77.0.9
spoofs "the node's address" ipv4 10.77.0.1 10.77.0.9
spoofs "an unknown one" ipv4 192.0.2.1 10.77.0.9
spoofs "no address" ipv4 0.0.0.0 10.77.0.9
spoofs "a fragment" ipv4 10.77.0.102 10.77.0.9 fragment
spoofs "behind a VLAN tag" ipv4 10.77.0.102 10.77.0.9 vlan
spoofs "its own address behind a tag" ipv4 10.77.0.101 10.77.0.9 vlan
spoofs "a neighbour's IPv6 address" ipv6 fd77::102 fd77::9
spoofs "an unknown one" ipv6 2001:db8::1 fd77::9
spoofs "IPv4 inside of IPv6's space" ipv6 ::ffff:10.77.0.101 fd77::9
spoofs "ARP" arp 02:00:00:00:00:01
run_ok "IPv6's own link: sent" vzctl exec 14501 "spoof venet0 ipv6 fe80::1 fd77::9"
is "$(dropped)" $n "goes nowhere, and is no attack"

# A flood of what the node would have to look for: so many at once, and slowly more.
kept() {
	ip neigh show dev br0 | grep -c '^10\.77\.1[2-9]\|^10\.77\.2'
}
ip addr add 10.77.0.1/16 dev br0
before=$(dropped)
run_ok "a flood of 20000 destinations is sent" vzctl exec 14501 "spoof venet0 dials 10.77.0.101 20000"
[ $(($(dropped) - before)) -gt 10000 ]
ok $? "most of it is dropped" || diag "$before, then $(dropped)"
[ "$(kept)" -gt 0 ] && [ "$(kept)" -lt 6000 ]
ok $? "and the node looks for few of them" || diag "$(kept)"
pings 10.77.0.9 vzctl exec 14502
ok $? "others go on"
n=$(dropped)
ip addr del 10.77.0.1/16 dev br0

# With the addresses of others on its device.
vzctl exec 14501 "ip addr add 10.77.0.102/32 dev venet0; ip addr add 10.77.0.55/32 dev venet0" >/dev/null
vzctl exec 14501 "busybox ping -c 1 -W 1 -I 10.77.0.55 10.77.0.9" >/dev/null 2>&1
is "$(dropped)" $((n + 1)) "an address that the VE gave itself"
pings 10.77.0.102 on_host other
ok $? "who has the address keeps it"
is "$(vzctl exec 14502 "ip -o addr show dev venet0" | grep -c 10.77.0.102)" 1 "and its packets"

# What it does to its device.
vzctl exec 14501 "ip link set venet0 down; ip link set venet0 name x0; ip link set x0 address 02:00:00:00:00:09
	ip link set x0 arp on; ip link set x0 up; ip addr add 10.77.0.66/32 dev x0; ip route add default dev x0
	spoof x0 ipv4 10.77.0.66 10.77.0.9" >/dev/null 2>&1
is "$(dropped)" $((n + 2)) "renamed, with another MAC and ARP: still guarded"
is "$(tc filter show dev venet14501 ingress 2>/dev/null | grep -c from_ve || :)" \
	"$(type -P tc >/dev/null && echo 1 || echo 0)" "the filter is there"

# Counters: exactly what was sent.
run_ok "restart" vzctl --quiet restart 14501
a=$(counts 14501 out 3)
i=$(counts 14501 in 3)
vzctl exec 14501 "busybox ping -c 5 -s 972 -i 0.01 10.77.0.9" >/dev/null 2>&1 ||
	vzctl exec 14501 "busybox ping -c 5 -s 972 10.77.0.9" >/dev/null 2>&1
b=$(counts 14501 out 3)
j=$(counts 14501 in 3)
is "$((${b% *} - ${a% *})) $((${b#* } - ${a#* }))" "5 5000" "what it sent, to the byte, by class"
is "$((${j% *} - ${i% *})) $((${j#* } - ${i#* }))" "5 5000" "what it received"
[ "${a% *}" -gt 0 ]
ok $? "counts go on over a restart of the VE"
a=$(counts 14501 out 2)
vzctl exec 14501 "busybox ping6 -c 2 fd77::9" >/dev/null 2>&1
b=$(counts 14501 out 2)
is "$((${b% *} - ${a% *}))" 2 "IPv6 is of its class"

is "$(vzlist -H -o net_dropped 14501 | tr -d " ")" "$(dropped)" "vzlist has what was dropped"
is "$(vzlist -H -o net_out 14501 | tr -d " ")" \
	"$(vzctl traffic 14501 --json | jq '[.[0].classes[].out.bytes] | add')" "and what was sent"
is "$(vzlist -j -o net_in 14501 | jq -r '.[0].net_in | type')" number "a number in JSON"

# As a file of the kernel's, as ioacct.
netacct() {
	awk -v k="$1" '$1 == k { print $2 }' "$VZ_RUNDIR/proc/bc/14501/netacct"
}
is "$(netacct out_packets_03) $(netacct out_bytes_03)" "$(counts 14501 out 3)" "netacct has the same"
is "$(netacct in_packets_02) $(netacct in_bytes_02)" "$(counts 14501 in 2)" "of each class"
is "$(netacct dropped_packets)" "$(dropped)" "and what was dropped"
like "$(cat "$VZ_RUNDIR/proc/bc/14502/netacct")" "in_packets_00" "each VE has its own"

# The node goes down by a power cut: what was saved is there again.
run_ok "saved" vzctl traffic --save
saved=$(vzctl traffic 14501 --json)
vzctl --quiet stop 14501 --fast
vzctl --quiet stop 14502 --fast
! [ -e "$VZ_RUNDIR/proc/bc/14501" ] && ! [ -e "$VZ_RUNDIR/proc/bc/14502" ]
ok $? "no file is left"
umount "$VZ_RUNDIR/bpf"
is "$(vzctl traffic 14501 --json)" "$saved" "without the kernel's counters, the file's"
run_ok "start after that" vzctl --quiet start 14501
b=$(counts 14501 out 3)
vzctl exec 14501 "busybox ping -c 1 10.77.0.9" >/dev/null 2>&1
a=$(counts 14501 out 3)
is "${b#* }" "$(jq -r '.[0].classes[] | select(.class == 3).out.bytes' <<<"$saved")" "goes on from there"
[ "${a% *}" -gt "${b% *}" ]
ok $? "and counts"

printf '1 10.0.0.0/8\n99 10.0.0.0/8\n' >"$VZ_CONFDIR/conf/networks_classes"
run_is 85 "a bad class" vzctl traffic --classes
like "$err" 'networks_classes:2: 99' "is told with file and line"
rm "$VZ_CONFDIR/conf/networks_classes"
run_ok "no classes" vzctl traffic --classes
a=$(counts 14501 out 0)
vzctl exec 14501 "busybox ping -c 1 10.77.0.9" >/dev/null 2>&1
b=$(counts 14501 out 0)
is "$((${b% *} - ${a% *}))" 1 "all is of class 0"

vzctl --quiet stop 14501 --fast
run_ok "destroy" vzctl --quiet destroy 14501
make_ve 14501
is "$(counts 14501 out 0) $(counts 14501 in 0)" "0 0 0 0" "a new VE of the number begins at 0"
run_is 14 "no such VE" vzctl traffic 999999
run_is 20 "which VE?" vzctl traffic
done_testing
