#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What vz.conf says of venet: NEIGHBOUR_DEVS, VE_ROUTE_SRC_DEV, FORCE_ROUTE,
# SKIP_ARPDETECT, IPV6.
# shellcheck disable=SC2034 # lib.sh reads it
OWN_NET=yes
. "$(dirname "$0")/../lib.sh"
need_net

net_bridge br0 && net_host other br0 10.77.0.9/24 || exit
net_bridge br1 && net_host third br1 10.78.0.9/24 || exit
ip addr add 10.77.0.1/24 dev br0 && ip addr add 10.78.0.1/24 dev br1 || exit
echo 1 >/proc/sys/net/ipv4/ip_forward
cp "$VZ_CONFDIR/vz.conf" "$T/vz.conf"

# says LINE...: what vz.conf has beside the test's own
says() {
	cp "$T/vz.conf" "$VZ_CONFDIR/vz.conf"
	[ $# = 0 ] || printf '%s\n' "$@" >>"$VZ_CONFDIR/vz.conf"
}
proxies() {
	ip neigh show proxy | awk '{ print $1, $3 }' | sort | xargs
}
fresh() {
	vzctl --quiet set 14301 --ipdel all
}

make_ve 14301 || exit
run_ok "start" vzctl --quiet start 14301
run_ok "by default" vzctl --quiet set 14301 --ipadd 10.77.0.101 --ipadd 10.99.0.1
is "$(proxies)" "10.77.0.101 br0" "an address is announced where its network is"
fresh
is "$(proxies)" "" "and no more when it goes"

says 'NEIGHBOUR_DEVS="detect"'
vzctl --quiet set 14301 --ipadd 10.78.0.101
is "$(proxies)" "10.78.0.101 br1" "detect is that, too"
fresh
says 'NEIGHBOUR_DEVS="list:br1"'
vzctl --quiet set 14301 --ipadd 10.77.0.101
is "$(proxies)" "10.77.0.101 br1" "list: those, whatever their networks are"
fresh
says 'NEIGHBOUR_DEVS="list:br0 br1"'
vzctl --quiet set 14301 --ipadd 10.77.0.101
is "$(proxies)" "10.77.0.101 br0 10.77.0.101 br1" "several"
fresh
says 'NEIGHBOUR_DEVS="all"'
vzctl --quiet set 14301 --ipadd 10.77.0.101
is "$(proxies)" "10.77.0.101 br0 10.77.0.101 br1" "all: but no port of a bridge, no lo, no VE's"
fresh
says 'NEIGHBOUR_DEVS="list:"'
vzctl --quiet set 14301 --ipadd 10.77.0.101
is "$(proxies)" "" "an empty list: none"
fresh
says 'NEIGHBOUR_DEVS="nonsense"'
run_is 85 "what is none of these" vzctl set 14301 --ipadd 10.77.0.101
like "$err" "NEIGHBOUR_DEVS" "is named"
says

source_of() {
	ip route get "$1" | sed -n 's/.* src \([^ ]*\).*/\1/p'
}
says 'VE_ROUTE_SRC_DEV="br1"'
vzctl --quiet set 14301 --ipadd 10.77.0.101
is "$(source_of 10.77.0.101)" 10.78.0.1 "VE_ROUTE_SRC_DEV: the node's address towards VEs"
fresh
says 'VE_ROUTE_SRC_DEV="br9"'
run vzctl set 14301 --ipadd 10.77.0.101
[ "$status" != 0 ]
ok $? "a device that is not there"
like "$err" "VE_ROUTE_SRC_DEV.*br9" "is named"
says

ip route add 10.77.0.150/32 dev br1
run_is 34 "a route of the node is in the way" vzctl set 14301 --ipadd 10.77.0.150
like "$err" "by br1: FORCE_ROUTE=yes" "whose, and what to do"
is "$(ip -o route show 10.77.0.150 | awk '{ print $3 }')" br1 "it stays"
says 'FORCE_ROUTE="yes"'
run_ok "FORCE_ROUTE" vzctl --quiet set 14301 --ipadd 10.77.0.150
is "$(ip -o route show 10.77.0.150 | awk '{ print $3 }')" venet14301 "replaces it"
fresh
make_ve 14302 && vzctl --quiet start 14302
says
vzctl --quiet set 14302 --ipadd 10.77.0.160
says 'FORCE_ROUTE="yes"'
run_is 78 "but never that of another VE" vzctl set 14301 --ipadd 10.77.0.160

says 'ERROR_ON_ARPFAIL="yes"'
run_is 78 "another machine has the address" vzctl set 14301 --ipadd 10.77.0.9
says 'ERROR_ON_ARPFAIL="yes"' 'SKIP_ARPDETECT="yes"'
run_ok "SKIP_ARPDETECT: nobody is asked" vzctl --quiet set 14301 --ipadd 10.77.0.9
fresh

says 'IPV6="no"'
run_ok "IPV6=no" vzctl set 14301 --ipadd 10.77.0.101 --ipadd fd77::101
like "$err$out" "IPv6 addresses are not set" "says so"
is "$(vzctl exec 14301 ip -6 -o addr show dev venet0 | grep -c fd77)" 0 "and has none"
vzctl --quiet stop 14301 --fast
vzctl --quiet stop 14302 --fast
sleep 1.2 # announcements are made twice
done_testing
