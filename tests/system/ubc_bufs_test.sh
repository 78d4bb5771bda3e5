#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Limits of what sockets have in flight, and of iptables' tables: no buffer is
# larger, what is over the limit is refused or dropped, as often as failcnt says,
# and what has been read may come again.
. "$(dirname "$0")/../lib.sh"

is_root || skip_all "not root"
make_conf
make_ve 14621 || skip_all "no VE could be made"
sed -i '/BUF=/d; /^NUM/d' "$VZ_CONFDIR/conf/14621.conf"
cp "$(test_program load)" "$T/private/14621/bin/" || skip_all "no load"
run_ok "limits" vzctl --quiet set 14621 --tcpsndbuf 65536:131072 --tcprcvbuf 100000 \
	--othersockbuf 200000 --dgramrcvbuf 400000 --numiptent 300 --netfilter full --save
run_ok "a VE starts with them" vzctl start 14621
unlike "$err" "buffers|counters" "without a complaint"
bc=$VZ_RUNDIR/proc/user_beancounters
[ -e "$bc" ] || skip_all "this kernel keeps no beancounters"
[ -e "$VZ_RUNDIR/bpf/acct-2/group_option_set" ] ||
	skip_all "this kernel takes none of the programs that limit these"
exact=no
[ ! -e "$VZ_RUNDIR/bpf/acct-2/message_sent" ] || exact=yes

inside() {
	vzctl exec 14621 "$@"
}
ubc() {
	vzubc >/dev/null
	awk -v c="$1" -v n="$2" '{ sub(/^ *[0-9]+:/, "") } $1 == c { print $n }' "$bc"
}
sizes() {
	inside 'cat /proc/sys/net/ipv4/tcp_wmem /proc/sys/net/ipv4/tcp_rmem' |
		awk '{ print $3 }' | paste -sd' '
}
own=$(awk '{ print $3 }' /proc/sys/net/ipv4/tcp_wmem /proc/sys/net/ipv4/tcp_rmem | paste -sd' ')

# --- of each socket ---

is "$(sizes)" "131072 100000" "TCP's buffers grow no further"
is "$(inside 'load buffer tcp 5000000')" "131072 100000" "nor are they set to more"
is "$(inside 'load buffer unix 5000000')" "200000 400000" "nor those of other sockets"
is "$(inside 'load buffer tcp 20000')" "40000 40000" "less is as it was asked for"
run_is 8 "the VE's root can't raise its own" \
	vzctl exec 14621 'echo 4096 16384 131073 >/proc/sys/net/ipv4/tcp_wmem'
blanks='                         '
run_is 8 "nor behind blanks" \
	vzctl exec 14621 "printf '4096 16384$blanks%s' 131073 >/proc/sys/net/ipv4/tcp_wmem"
run_is 8 "nor by a number half of which is too far off" \
	vzctl exec 14621 "printf '1 2${blanks:5}%s' 131073 >/proc/sys/net/ipv4/tcp_wmem"
is "$(sizes)" "131072 100000" "and they are what they were"
run_ok "but have less" vzctl exec 14621 'echo 4096 16384 90000 >/proc/sys/net/ipv4/tcp_wmem'
run_ok "and as much again" vzctl exec 14621 'echo 4096 16384 131072 >/proc/sys/net/ipv4/tcp_wmem'
run_ok "its other sysctls are its own" vzctl exec 14621 'echo 9 >/proc/sys/net/ipv4/tcp_retries2'

# --- of all ---

# all KIND COUNTER COUNT ERRNO: some are taken, the others refused and counted
all() {
	local kind=$1 counter=$2 n=$3 errno=$4 before held
	before=$(ubc "$counter" 6)
	rm -f "$T/go" "$T/said" && mkfifo "$T/go"
	vzctl exec 14621 "exec load $kind $n" <"$T/go" >"$T/said" 2>&1 &
	load=$!
	exec 9>"$T/go"
	wait_for 60 grep -q given "$T/said"
	read -r _ given _ refused _ error <"$T/said"
	held=$(ubc "$counter" 2)
	[ "${given:-0}" -ge 10 ] && [ "${refused:-0}" -ge 1000 ]
	ok $? "$kind: some are taken, a thousand are not" || diag "$(cat "$T/said")"
	is "$error" "$errno" "$kind: who is refused is told"
	counted=$(($(ubc "$counter" 6) - before))
	# A datagram that comes when its socket has been closed is lost, and not by a limit.
	if [ "$kind" = datagram ]; then
		[ $counted -ge 500 ] && [ $counted -le "$refused" ]
		ok $? "$kind: and are counted" || diag "$counted of $refused"
	else
		is $counted "$refused" "$kind: and all are counted"
	fi
	[ "$held" -gt 0 ] && [ "$held" -le "$(ubc "$counter" 5)" ]
	ok $? "$kind: the limit is kept" || diag "$held"
	[ "$(ubc "$counter" 3)" -ge "$held" ]
	ok $? "$kind: maxheld"
	exec 9>&-
	wait $load
	like "$(inside "load $kind 10 </dev/null")" '^given 10 refused 0 ' \
		"$kind: when they are gone there is room again"
}
all datagram dgramrcvbuf 1200 11
if [ $exact = yes ]; then
	all message othersockbuf 1200 105
else
	like "$(inside 'load message 200 </dev/null')" '^given 200 ' \
		"message: without programs on functions each socket is on its own"
fi
[ -e /proc/net/ip_tables_names ] || modprobe -q iptable_filter
if inside 'load rules 1 </dev/null' | grep -q 'given 1 '; then
	before=$(ubc numiptent 6)
	run vzctl exec 14621 'load rules 1400 </dev/null'
	read -r _ given _ refused _ error <<<"$out"
	[ "${given:-0}" -gt 250 ] && [ "${refused:-0}" -ge 1000 ]
	ok $? "rules: a thousand are refused" || diag "$out"
	is "$error" 12 "rules: for want of memory"
	is "$(($(ubc numiptent 6) - before))" "$refused" "rules: and all are counted"
	is "$(ubc numiptent 2)" 300 "rules: as many as may be"
else
	skip "rules" "no older iptables in this kernel"
fi

# nft as one of the VE's processes, which the VE itself has none of
init=$(sed -n 's/^pid = //p' "$VZ_RUNDIR/14621/state")
leaf=$(cgroup2_dir)$(sed -n 's/^0:://p' "/proc/$init/cgroup")
ve_nft() {
	(
		echo $BASHPID >"$leaf/cgroup.procs" || exit
		exec nsenter -t "$init" -n nft "$@"
	)
}
if [ $exact = yes ] && ve_nft add table ip t 2>"$T/nft" && ve_nft add chain ip t c; then
	there=$(ubc numiptent 2)
	run_ok "nftables: a limit" vzctl --quiet set 14621 --numiptent $((there + 5))
	before=$(ubc numiptent 6) given=0 refused=0
	for port in 1 2 3 4 5 6 7 8 9; do
		if ve_nft add rule ip t c tcp dport $port accept 2>>"$T/nft"; then
			given=$((given + 1))
		else
			refused=$((refused + 1))
		fi
	done
	is "$given $refused" "5 4" "nftables: as many rules as may be, and no more"
	like "$(cat "$T/nft")" "Cannot allocate memory" "nftables: who is refused is told"
	is "$(($(ubc numiptent 6) - before)) $(ubc numiptent 2)" "4 $((there + 5))" "nftables: and all are counted"
	run_ok "nftables: to delete is not refused" ve_nft flush chain ip t c
	is "$(ubc numiptent 2)" "$there" "nftables: nothing is left"
	run_ok "nftables: and there is room again" ve_nft add rule ip t c tcp dport 1 accept
else
	skip "nftables" "no nft, or no programs on functions"
fi

# --- while it runs ---

run_ok "other limits" vzctl --quiet set 14621 --tcpsndbuf 300000 --dgramrcvbuf unlimited \
	--tcprcvbuf unlimited --othersockbuf unlimited
is "$(sizes)" "300000 ${own#* }" "hold at once"
is "$(inside 'load buffer tcp 5000000' | cut -d' ' -f1)" 300000 "in what is set"
like "$(inside 'load datagram 300 </dev/null; load message 100 </dev/null')" \
	'^given 300 refused 0 .*given 100 refused 0 ' "and what has none is not bound"
run_ok "none" vzctl --quiet set 14621 --tcpsndbuf unlimited
is "$(sizes)" "$own" "and all are the node's own again"
done_testing
