#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# RATE: what a VE sends and receives goes no faster, at start, live, over all
# its links, whatever its root does; and nothing of it is left.
# shellcheck disable=SC2034 # lib.sh reads it
OWN_NET=yes
. "$(dirname "$0")/../lib.sh"
need_net

net_bridge br0 && net_host other br0 10.77.0.9/24 || exit
ip addr add 10.77.0.1/24 dev br0 || exit
echo 1 >/proc/sys/net/ipv4/ip_forward

MIB=$((1 << 20))
make_ve 14601 || exit
stream=$(test_program stream) || skip_all "no stream"
cp "$stream" "$T/private/14601/bin/stream" || exit
run_ok "a rate is saved" vzctl --quiet set 14601 --ipadd 10.77.0.101 --rate 8000 --save
is "$(sed -n 's/^RATE=//p' "$VZ_CONFDIR/conf/14601.conf")" '"*:1:8000"' "as OpenVZ writes it"
run_ok "start" vzctl --quiet start 14601
is "$(ip -o link show vzifb14601 2>/dev/null | grep -c ' UP\|,UP')" 1 "the node has a device for it"

# sends BYTES / receives BYTES: bytes and microseconds, as the one who receives sees it
sends() {
	on_host other "$stream" receive 7000 >"$T/got" &
	vzctl exec 14601 "stream send 10.77.0.9 7000 $1" >/dev/null 2>&1
	wait $!
	cat "$T/got"
}
receives() {
	vzctl exec 14601 "stream receive 7000" >"$T/got" 2>/dev/null &
	on_host other "$stream" send 10.77.0.101 7000 "$1"
	wait $!
	cat "$T/got"
}
# held NAME RATE BURST BYTES MICROSECONDS: all came, and no faster than a token
# bucket lets it; a slower machine only makes that easier.
held() {
	local floor=$((($4 - $3) * 950000 / $2))
	[ "$4" = "$MIB" ] && [ "$5" -ge $floor ]
	ok $? "$1" || diag "$4 bytes in $5 us, expected at least $floor us"
}
RATE=1000000 BURST=65536
# shellcheck disable=SC2046 # two words
held "what it sends" $RATE $BURST $(sends $MIB)
# shellcheck disable=SC2046
held "what it receives" $RATE $BURST $(receives $MIB)

vzctl exec 14601 "tc qdisc del dev venet0 root; ip link set venet0 txqueuelen 100000;
	ip link set venet0 name x0" >/dev/null 2>&1
# shellcheck disable=SC2046
held "whatever its root does to its device" $RATE $BURST $(sends $MIB)

run_ok "live, another rate" vzctl --quiet set 14601 --rate '*:1:4000:128'
is "$(vzlist -H -o rate 14601)" "*:1:4000:128" "vzlist shows it"
# shellcheck disable=SC2046
held "holds at once" 500000 131072 $(sends $MIB)
run_ok "another address" vzctl --quiet set 14601 --ipadd 10.77.0.102
run_ok "live, none" vzctl --quiet set 14601 --rate ''
is "$(ip -o link show vzifb14601 2>/dev/null)" "" "the device is gone"
pings 10.77.0.101
ok $? "and the VE is still reached"
run_ok "and one again" vzctl --quiet set 14601 --rate 8000
ip link del vzifb14601
run_ok "repair makes what is lost" vzctl --quiet repair 14601
# shellcheck disable=SC2046
held "and it holds" $RATE $BURST $(sends $MIB)

ip link add vzifb14602 type bridge
make_ve 14602
vzctl --quiet set 14602 --ipadd 10.77.0.103 --rate 8000 --save
run_is 104 "a device of the node that has its name" vzctl start 14602
like "$err" "vzifb14602 that is not the VE's" "is told"
ip -o link show vzifb14602 | grep -q .
ok $? "and left alone"
ip link del vzifb14602

for bad in 0 x 7 -5 16000001 '*:2:100' 'a:b' '*:1:100:x' ':1:100' 1:2; do
	run_is 21 "bad: $bad" vzctl set 14602 --rate "$bad" --save
done
run_ok "stop" vzctl --quiet stop 14601 --fast
is "$(ip -o link | grep -c vzifb)" 0 "nothing is left"
done_testing
