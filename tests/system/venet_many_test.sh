#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# venet in numbers and under fire: 200 VEs with two addresses each come, change
# and go; vzctl is killed half-way. Nothing of them stays on the node, and what
# is there is what should be.
# shellcheck disable=SC2034,SC2016 # lib.sh reads it; words for the shell inside
OWN_NET=yes
. "$(dirname "$0")/../lib.sh"
need_net
VES=${VES:-200}

net_bridge br0 && ip addr add 10.77.255.1/16 dev br0 && ip addr add fd77::ffff/64 dev br0 nodad || exit
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 1 >/proc/sys/net/ipv6/conf/all/forwarding

first=14100
last=$((first + VES - 1))
v4() {
	echo "10.77.$(($1 / 250)).$(($1 % 250 + 1))"
}

# all COMMAND...: for each VE, two at once; prints how many failed
all() {
	local bad
	bad=$(seq $first $last | xargs -P 2 -I{} sh -c '"$@" >/dev/null 2>&1 || echo {}' sh "$@")
	wc -w <<<"$bad"
}

# on_node: devices, routes, proxy entries of VEs, and nothing else
on_node() {
	echo "$(ip -o link | grep -c ': venet') $(ip route show proto 118 | wc -l)" \
		"$(ip -6 route show proto 118 | wc -l) $(ip -4 neigh show proxy | wc -l)" \
		"$(ip -6 neigh show proxy | wc -l)"
}

make_ve $first || exit
one=$VZ_CONFDIR/conf/$first.conf
for ((veid = first; veid <= last; veid++)); do
	base=$((1200000000 + (veid - first) * 65536))
	[ $veid = $first ] || {
		sed "s/^LOCAL_\(.\)ID=.*/LOCAL_\1ID=\"$base\"/" "$one" >"$VZ_CONFDIR/conf/$veid.conf"
		cp -a "$T/private/$first" "$T/private/$veid" &&
			chown -R -h "$base:$base" "$T/private/$veid" || exit
	}
	sed -i '/^VE_PRIVATE=/d;/^IP_ADDRESS=/d' "$VZ_CONFDIR/conf/$veid.conf"
	printf '%s\n' "VE_PRIVATE=\"$T/private/$veid\"" \
		"IP_ADDRESS=\"$(v4 $((veid - first))) fd77::$((veid - first + 1))\"" \
		>>"$VZ_CONFDIR/conf/$veid.conf"
	mkdir -p "$T/root/$veid"
done

is "$(all vzctl --quiet start {})" 0 "$VES VEs with two addresses each start"
is "$(on_node)" "$VES $VES $VES $VES $VES" "each has its device, routes and entries"
pings "$(v4 $((VES - 1)))"
ok $? "the last is reached"
is "$(all vzctl --quiet set {} --ipdel all)" 0 "all give their addresses up"
is "$(on_node | cut -d' ' -f2-)" "0 0 0 0" "no route and no entry is left"
is "$(all vzctl --quiet repair {})" 0 "repair of VEs that are as they should be"
is "$(on_node | cut -d' ' -f2-)" "0 0 0 0" "adds nothing"
is "$(all sh -c 'vzctl --quiet stop $1 --fast && vzctl --quiet start $1' sh {})" 0 "all restart"
is "$(on_node)" "$VES $VES $VES $VES $VES" "and have what is saved"

# What a restart of the node's network loses.
ip route flush proto 118
ip -6 route flush proto 118
ip -4 neigh show proxy | while read -r ip _ dev _; do ip neigh del proxy "$ip" dev "$dev"; done
ip route add 10.99.99.99 dev venet$first proto 118
is "$(all vzctl --quiet repair {})" 0 "repair"
is "$(on_node)" "$VES $VES $VES $VES $VES" "puts back what is lost, and removes what should not be"
is "$(all vzctl --quiet stop {} --fast)" 0 "all stop"
is "$(on_node)" "0 0 0 0 0" "nothing of them is on the node"

# killed COMMAND...: kill -9 of it and what it started, somewhere on its way
killed() {
	local pid
	"$@" >/dev/null 2>&1 &
	pid=$!
	sleep "0.00$((RANDOM % 10))$((RANDOM % 10))"
	# shellcheck disable=SC2046 # words
	kill -9 $pid $(pgrep -P $pid) 2>/dev/null
	wait $pid 2>/dev/null
}

# stays_right VEID: after repair the node has exactly what vzlist says
stays_right() {
	local want have
	vzctl --quiet repair "$1" || return
	want=$(vzlist -H -o ip "$1" | tr ' ' '\n' | grep -v : | sort)
	have=$(ip -o route show dev "venet$1" proto 118 2>/dev/null | awk '{ print $1 }' | sort)
	[ "$want" = "$have" ] &&
		[ "$want" = "$(vzctl exec "$1" ip -o -4 addr show dev venet0 | awk '{ sub("/32", "", $4); print $4 }' | sort)" ] &&
		[ "$(ip -4 neigh show proxy | wc -l)" = "$(wc -w <<<"$have")" ]
}

vzctl --quiet start $first
bad=0
for i in {1..25}; do
	killed vzctl --quiet set $first --ipadd "10.77.200.$i" --save
	stays_right $first || bad=$((bad + 1))
done
is "$bad" 0 "vzctl set --ipadd, killed 25 times on its way: repair makes it right"
vzctl --quiet stop $first --fast
bad=0
for i in {1..25}; do
	killed vzctl --quiet start $first
	wait_for 5 vzctl --quiet stop $first --fast
	[ "$(on_node)" = "0 0 0 0 0" ] || bad=$((bad + 1))
done
is "$bad" 0 "vzctl start, killed 25 times on its way: nothing is left after a stop"
# Who announces an address does so for a second, whatever became of its VE.
sleep 1.2
done_testing
