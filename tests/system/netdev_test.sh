#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Devices of the node that a VE has: they go in, and come back whatever happens.
# shellcheck disable=SC2034 # OWN_NET is lib.sh's
OWN_NET=yes
. "$(dirname "$0")/../lib.sh"
need_net

conf=$VZ_CONFDIR/conf/14820.conf

in_ve() {
	vzctl exec 14820 "$@" 2>/dev/null
}

# back NAME [WORD]: the node has the device, as it was
back() {
	[[ $(ip -o link show dev "$1" 2>/dev/null) == *"${2-}"* ]] &&
		ip link show dev "$1" >/dev/null 2>&1
}

not_kept() {
	[ ! -e "$VZ_RUNDIR/14820/netns" ] && [ ! -e "$VZ_RUNDIR/14820/netdev" ]
}

stop_it() {
	vzctl --quiet stop 14820 --fast
}

halt_it() {
	in_ve poweroff
}

kill_it() {
	kill -9 "$(sed -n 's/^ *pid *= *//p' "$VZ_RUNDIR/14820/state")"
}

net_host h1 - 10.2.0.1/24
ip link set h1 address 02:00:00:00:00:77 mtu 1400
ip link add nd0 type veth peer name nd1
make_ve 14820 || skip_all "no VE can be made"
run_ok "NETDEV is saved" vzctl set 14820 --netdev_add h1 --save
run_ok "a VE with a device of the node starts" vzctl start 14820
is "$err" "" "without a warning"
! back h1
ok $? "the node has it no more"
in_ve 'ip addr add 10.2.0.2/24 dev h1; ip link set h1 up'
pings 10.2.0.1 in_ve
ok $? "the VE works with it"

run_ok "another one, live" vzctl set 14820 --netdev_add nd0
! back nd0 && is "$(in_ve cat /sys/class/net/nd0/address | wc -c)" 18 "is in the VE"
run_ok "and back" vzctl set 14820 --netdev_del nd0
back nd0
ok $? "is on the node"
run_is 104 "a device that is missing" vzctl set 14820 --netdev_add nodev
is "$err" "vzctl: the node has no device nodev" "is told"
run_is 104 "the loopback device" vzctl set 14820 --netdev_add lo
net_bridge br0
ip link set nd0 master br0
run_is 104 "a bridge's port" vzctl set 14820 --netdev_add nd0
like "$err" 'ip link set nd0 nomaster' "says what to do"
ip link set nd0 nomaster
run_is 104 "two, of which one is missing" vzctl set 14820 --netdev_add "nd0 nodev"
back nd0
ok $? "neither is moved"

in_ve 'ip link set h1 down; ip link set h1 name mine; ip link set mine address 02:00:00:00:00:99 mtu 1300'
in_ve 'ip link add h1 type veth peer name h1p'
run_ok "what the VE renamed and changed" vzctl set 14820 --netdev_del h1
back h1 02:00:00:00:00:77 && back h1 'mtu 1400'
ok $? "is as it was"
like "$(in_ve ls /sys/class/net | xargs)" 'h1.*lo' "and the VE's own stays"
in_ve ip link del h1

bad=0
for end in stop_it halt_it kill_it; do
	vzctl --quiet set 14820 --netdev_add h1 || bad=1
	back h1 && bad=1
	$end
	wait_for 20 back h1 02:00:00:00:00:77 || { bad=1; diag "not back after: $end"; }
	wait_for 20 not_kept || { bad=1; diag "kept after: $end"; }
	vzctl --quiet stop 14820 --fast
	vzctl --quiet start 14820 || bad=1
done
ok $bad "it comes back when the VE is stopped, halts, or is killed"
vzctl --quiet stop 14820 --fast

bad=0
for ms in 5 10 15 20 30 40 60; do
	timeout -s KILL "0.0$((ms / 10))$((ms % 10))" vzctl --quiet start 14820 >/dev/null 2>&1
	sleep 0.2
	vzctl --quiet stop 14820 --fast 2>"$T/why" || bad=1
	wait_for 10 back h1 02:00:00:00:00:77 || bad=1
done 2>/dev/null
ok $bad "also when the start was killed" || diag "$(cat "$T/why")"

run_ok "nothing is lost without NETDEV" vzctl set 14820 --netdev_del all --save
is "$(grep ^NETDEV "$conf")" 'NETDEV=""' "it is empty"
run_ok "a missing device" vzctl set 14820 --netdev_add nodev --netdev_add h1 --save
run_is 104 "fails the start" vzctl start 14820
back h1
ok $? "and the others are back"
done_testing
