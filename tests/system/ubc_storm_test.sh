#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Nothing is lost and nothing counted twice: processes that end in every way,
# descriptors that are handed on, groups within the VE, restarts, the OOM
# killer, several readers at once; and what becomes of a VE without counters.
. "$(dirname "$0")/../lib.sh"

is_root || skip_all "not root"
make_conf
make_ve 14611 || skip_all "no VE could be made"
sed -i '/^NUM/d; /^PRIVVM/d; /^DISK/d' "$VZ_CONFDIR/conf/14611.conf"
for f in load hostile; do
	cp "$(test_program $f)" "$T/private/14611/bin/" || skip_all "no $f"
done
bc=$VZ_RUNDIR/proc/user_beancounters
all="numproc numtcpsock numothersock numfile numflock numpty shmpages numsiginfo privvmpages"

ubc() {
	vzubc >/dev/null
	awk -v c="$1" -v n="${2:-2}" '{ sub(/^ *[0-9]+:/, "") } $1 == c { print $n }' "$bc"
}
# What is held by all counters, one word each; kernel threads of a moment settle.
held() {
	local c
	vzubc >/dev/null
	for c in $all; do
		awk -v c="$c" '{ sub(/^ *[0-9]+:/, "") } $1 == c { printf "%s=%s ", c, $2 }' "$bc"
	done
}
is_back() {
	[ "$(held)" = "$before" ]
}
back() {
	wait_for 10 is_back
	ok $? "$1: all is given back" || diag "before $before" "after  $(held)"
}

# --- before the first VE: a place where nothing can be pinned ---

: >"$VZ_RUNDIR/bpf"
run_ok "a VE starts without counters" vzctl --quiet start 14611
like "$err" 'bpf|counters' "and says so"
is "$(wc -l <<<"$err")" 1 "in one line"
run vzlist -H -o numproc 14611
like "$out" '^ *[1-9][0-9]*$' "what its groups count is shown"
run vzlist -H -o numfile 14611
like "$out" '^ *-$' "and nothing is made up"
run_ok "it stops" vzctl --quiet stop 14611 --fast
run_ok "a VE that is not to be without" vzctl --quiet set 14611 --accounting required --save
run_is 5 "is not" vzctl start 14611
like "$err" 'ACCOUNTING=required' "and says why"
like "$(vzctl status 14611)" 'unmounted down$' "nothing is left of it"
rm "$VZ_RUNDIR/bpf"

# --- with them ---

run_ok "it starts" vzctl --quiet start 14611
[ -e "$bc" ] || skip_all "this kernel keeps no beancounters"
wait_for 10 vzctl exec 14611 test -e /run/up
# What the init's own children left pending in its first moments is none of the load.
is_quiet() {
	[[ $(held) == "numproc=1 "*" numsiginfo=0 "* ]]
}
wait_for 30 is_quiet
before=$(held)

run vzctl exec 14611 'load storm 400 </dev/null'
like "$out" 'given 400 ' "four hundred processes"
back "processes that exit, exec and are killed"

mkfifo "$T/go"
vzctl exec 14611 'exec load pass 50' <"$T/go" >"$T/said" 2>&1 &
load=$!
exec 9>"$T/go"
wait_for 30 grep -q given "$T/said"
is "$(cat "$T/said")" "given 50 refused 0 error 0" "descriptors are handed on"
[ "$(ubc numtcpsock)" -ge 50 ]
ok $? "and stay counted when who made them has ended" || diag "$(ubc numtcpsock)"
exec 9>&-
wait $load
back "what was handed on"

vzctl exec 14611 'mkdir -p /sys/fs/cgroup/part && exec load tcp 40' <"$T/go" >"$T/said" 2>&1 &
load=$!
exec 9>"$T/go"
wait_for 30 grep -q given "$T/said"
# shellcheck disable=SC2016 # the VE's shell has it
vzctl exec 14611 'for p in $(pidof load); do echo $p >/sys/fs/cgroup/part/cgroup.procs; done' 2>"$T/moved"
is "$(ubc numtcpsock)" 40 "processes in a group of the VE's own are the VE's" || diag "$(cat "$T/moved")"
exec 9>&-
wait $load
vzctl exec 14611 'rmdir /sys/fs/cgroup/part' 2>/dev/null
back "what they had"

# --- readers ---

vzctl exec 14611 'exec load file 100' <"$T/go" >"$T/said" 2>&1 &
load=$!
exec 9>"$T/go"
wait_for 30 grep -q given "$T/said"
n=$(ubc numfile)
for _ in 1 2 3 4 5 6; do
	vzubc >/dev/null &
	readers+=($!)
done
kill -9 "${readers[2]}" 2>/dev/null
wait "${readers[@]}" 2>/dev/null
is "$(ubc numfile)" "$n" "many readers at once, and one that is killed, count once"
exec 9>&-
wait $load
back "files"

# --- tools of a later version: its pins have another name, these go on ---

make_ve 14612
cp "$T/private/14611/bin/load" "$T/private/14612/bin/"
run_ok "a limit" vzctl --quiet set 14611 --numtcpsock 50
mv "$VZ_RUNDIR/bpf/acct-2" "$VZ_RUNDIR/bpf/acct-0"
run_ok "after an upgrade a VE starts" vzctl --quiet start 14612
vzctl exec 14612 'exec load tcp 40' <"$T/go" >"$T/said" 2>&1 &
load=$!
exec 9>"$T/go"
wait_for 30 grep -q given "$T/said"
is "$(vzubc -j 14612 | jq '.[].numtcpsock.held')" 40 "and is counted"
is "$(vzlist -H -o numproc.l,numfile 14611 | awk '{ print ($1 > 0), $2 }')" "1 -" \
	"one of before shows what its groups count, and nothing that is made up"
run vzctl exec 14611 'load tcp 80 </dev/null'
like "$out" '^given 50 refused 30 error 105$' "and its limits are kept"
exec 9>&-
wait $load
run_ok "the new one stops" vzctl --quiet stop 14612 --fast
rm -r "$VZ_RUNDIR/bpf/acct-2"
mv "$VZ_RUNDIR/bpf/acct-0" "$VZ_RUNDIR/bpf/acct-2"
is "$(ubc numtcpsock 6)" 30 "what was refused meanwhile has been counted"
run_ok "no limit" vzctl --quiet set 14611 --numtcpsock unlimited
back "sockets"

# --- memory ---

if [ "$(ubc physpages)" != - ]; then
	run_ok "a limit of memory" vzctl --quiet set 14611 --physpages 0:32M --swappages 0:0
	killed=$(ubc oomguarpages 6)
	run vzctl exec2 14611 'hostile eat 64'
	[ "$status" != 0 ]
	ok $? "who wants more is killed" || diag "$out" "$err"
	is "$(($(ubc oomguarpages 6) - killed))" 1 "and that is counted"
	max=$(ubc physpages 3)
	near=$((8192 - max))
	[ "$max" -le 8192 ] && [ $near -le 164 ]
	ok $? "the most that was held is the limit" || diag "$max"
	back "who was killed"
fi

# --- again ---

vzctl exec 14611 'load tcp 900 </dev/null' >/dev/null
[ "$(ubc numtcpsock 3)" -ge 900 ]
ok $? "the most is remembered" || diag "$(ubc numtcpsock 3)"
run_ok "a restart" vzctl --quiet restart 14611
wait_for 10 vzctl exec 14611 test -e /run/up
max=$(ubc numtcpsock 3)
[ "$max" -lt 100 ]
ok $? "begins anew" || diag "$max"
is "$(grep -c ':' "$bc")" 2 "and leaves no block of before"
run_ok "it stops" vzctl --quiet stop 14611 --fast
is "$(grep -c '[0-9]:' "$bc")" 0 "no VE, no block"
is "$(ls "$VZ_RUNDIR/proc/bc")" resources "and no directory"
done_testing
