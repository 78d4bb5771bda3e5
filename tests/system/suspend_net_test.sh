#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A VE with an address and a bridged interface is suspended and resumed, and an open TCP
# connection goes on.
# shellcheck disable=SC2034 # lib.sh asks for it
OWN_NET=yes
. "$(dirname "$0")/../lib.sh"

need_net
need_criu
make_ve 2120 --ipadd 10.88.0.5 || skip_all "no VE could be made"
net_bridge br0
ip addr add 10.89.0.254/24 dev br0
net_host h1 br0 10.89.0.1/24
echo 1 >/proc/sys/net/ipv4/ip_forward
run_ok "an interface" vzctl set 2120 --netif_add eth0,,,,br0 --save
vzctl --quiet start 2120
vzctl exec 2120 'ip addr add 10.89.0.2/24 dev eth0; ip link set eth0 up; ip route add 10.90.0.0/16 via 10.89.0.1'

seen_inside() {
	vzctl exec 2120 'ip -o addr; ip route' |
		sed 's/valid_lft.*//; s/ tentative//; s/^[0-9]*: //' | sort
}

# What is said to the VE is said back, over a connection that is opened once.
vzctl exec 2120 'nc -l -p 7000 -e /bin/cat >/dev/null 2>&1 &' </dev/null
wait_for 5 eval "vzctl exec 2120 'netstat -ltn' | grep -q :7000"
coproc line { busybox nc 10.88.0.5 7000; }
say() {
	local answer=
	echo "$1" >&"${line[1]}"
	IFS= read -r -t $((20 * SLOW)) answer <&"${line[0]}"
	[ "$answer" = "$1" ]
}
say hello
ok $? "a connection to the VE"
was=$(seen_inside)
run_ok "suspend" vzctl suspend 2120
is "$(ip -o link | grep -c 2120)" 0 "its links are gone"
run_ok "resume" vzctl resume 2120
is "$(seen_inside)" "$was" \
	"its addresses and routes are there again"
say again
ok $? "the connection goes on"
pings 10.89.0.2 on_host h1
ok $? "its interface is plugged in again"
run_ok "suspend" vzctl suspend 2120
run_ok "start" vzctl start 2120
say thrice
ok $? "and goes on again"
run_ok "repair" vzctl repair 2120
run_ok "a limit is taken" vzctl set 2120 --ipadd 10.88.0.6 --save
pings 10.88.0.6
ok $? "an address is added to the VE"
run_ok "stop" vzctl stop 2120 --fast
done_testing
