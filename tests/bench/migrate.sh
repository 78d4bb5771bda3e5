#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a client notices of vzmigrate --live: a VE with 256 MiB in use, of which 64 are
# rewritten at 40 MiB/s, asked over one TCP connection every 10 ms while it moves between
# two nodes of this machine; beside criu's dump and restore of the same program alone, in
# memory. One run, medians. ROUNDS=N for more.
# shellcheck disable=SC2034,SC2154 # what lib.sh and migrate.sh read and set
export OWN_NET=yes SAME_POOL=yes
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../system/migrate.sh"
. "$(dirname "$0")/verdict.sh"

ROUNDS=${ROUNDS:-4}
VE=1901 IP=10.98.0.99 PORT=7901

need_nodes
need_criu
hot=$(test_program hot) || skip_all "no hot"
criu=$("$TESTS/criu.sh") || skip_all "no criu"

median() {
	sort -g | awk '{ v[NR] = $1 } END { print NR ? v[int((NR + 1) / 2)] : "none" }'
}
now_ms() {
	echo $((${EPOCHREALTIME/./} / 1000))
}

# --- criu alone ---

bare() {
	local dir pid from
	dir=$(mktemp -d /dev/shm/vz-bench.XXXXXX) || return
	setsid "$hot" serve 7900 256 64 40 </dev/null >/dev/null 2>&1 &
	pid=$!
	wait_for 20 sh -c 'ss -Hltn sport = :7900 | grep -q .'
	from=$(now_ms)
	"$criu" dump -t "$pid" -D "$dir" -o dump.log --tcp-established >&2 &&
		"$criu" restore -d -D "$dir" -o restore.log --tcp-established >&2 &&
		echo $(($(now_ms) - from))
	kill -9 "$pid"
	wait "$pid" 2>/dev/null
	rm -rf "$dir"
}

# --- a migration ---

# moved TO [options]: a line of the client's "gap answers wrong" and vzmigrate's own word
moved() {
	local to=$1 job
	shift
	rm -f "$T/done"
	"$hot" ask $IP $PORT "$T/done" >"$T/client" 2>&1 &
	job=$!
	sleep 0.5
	migrate "$to" --live --json "$@" $VE >"$T/json" 2>"$T/said" || {
		cat "$T/said" "$T/json" >&2
		return 1
	}
	sleep 0.5
	: >"$T/done"
	wait $job || {
		cat "$T/client" >&2
		return 1
	}
	echo "$(awk '{ printf "%s ", $2 }' "$T/client") $(jq -rs last.down_ms "$T/json")" \
		"$(jq -rs 'last.times_ms | tojson' "$T/json")"
}

# rounds NAME [options]: measured to and fro, into $T/NAME
rounds() {
	local name=$1 i to
	shift
	: >"$T/$name"
	for ((i = 0; i < ROUNDS; i++)); do
		to=n2
		[ "$(status_of n1 $VE | grep -c running)" = 1 ] || to=n1
		moved $to "$@" >>"$T/$name" || return
	done
	sed "s/^/  $name: gap, answers, wrong, stood still: /" "$T/$name"
}

stood() {
	awk '{ print $4 }' "$T/$1" | median
}

node_up n1 && node_up n2 || exit
ip addr add 10.98.0.254/24 dev switch
for n in n1 n2; do
	on $n sysctl -qw net.ipv4.ip_forward=1
done
node_ve n1 $VE --ipadd $IP || exit
install -o "$(stat -c %u "$T/n1/private/$VE/bin/busybox")" \
	-g "$(stat -c %g "$T/n1/private/$VE/bin/busybox")" "$hot" "$T/n1/private/$VE/bin/hot"
on n1 vzctl --quiet start $VE &&
	on n1 vzctl exec $VE "hot serve $PORT 256 64 40 </dev/null >/dev/null 2>&1 &" || exit
wait_for 30 sh -c "echo | busybox nc -w 1 $IP $PORT >/dev/null"

for ((i = 0; i < 3; i++)); do
	bare
done | median >"$T/bare"
bare=$(cat "$T/bare")
echo "criu alone: dump and restore in $bare ms"
rounds live
gap=$(cut -d' ' -f1 "$T/live" | median)
verdict "gap for a client, ms (--live)" "$gap" most 700
verdict "gap / criu alone" "$(ratio "$gap" "$bare")" most 3
verdict "wrong words of memory" "$(awk '{ n += $3 } END { print NR ? n : "none" }' "$T/live")" most 0
rounds at-once --no-pre-copy
verdict "standstill / that without pre-copy" "$(ratio "$(stood live)" "$(stood at-once)")" most 0.7
on n1 vzctl --quiet stop $VE --fast
on n2 vzctl --quiet stop $VE --fast
exit "$missed"
