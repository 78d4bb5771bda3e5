#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vzctl why: what real VEs were refused and slowed by, exactly, and nobody else's.
. "$(dirname "$0")/../lib.sh"

is_root || skip_all "not root"
controller pids >/dev/null || skip_all "no pids controller"
if ! make_ve 14300 || ! make_ve 14301; then
	skip_all "no VE can be made"
fi
hostile=$(test_program hostile) || skip_all "no hostile"
cp "$hostile" "$T/private/14300/bin/hostile" || exit
vzctl --quiet set 14300 --numproc 30 --save || exit
vzctl --quiet start 14300 && vzctl --quiet start 14301 || exit

# Time that is lost to others on a busy machine is of no interest here.
quiet_why() {
	vzctl why "$@" | grep -v -e '^slowed *pressure' -e '^note' -e '^SEVERITY'
}
# field VEID KIND WHAT FIELD [ARGUMENTS...]: of the JSON, "null" when it has no value
field() {
	vzctl why "$1" --json "${@:5}" | jq -r --arg kind "$2" --arg what "$3" --arg field "$4" \
		'.[] | select(.kind == $kind and (.what == $what or $what == "*")) | .[$field]'
}

like "$(vzctl why 14301)" '^nothing was|pressure' "a VE to which nothing happened"
is "$(quiet_why 14300 | grep -v '^nothing')" "" "nothing was refused"
vzctl why 14300 --json | jq -e 'type == "array"' >/dev/null
ok $? "JSON is an array"

# Forks.
is "$(vzctl exec 14300 hostile forks 17)" 17 "a VE is refused 17 forks"
like "$(vzctl why 14300)" 'refused +beancounter numproc +17 +- +[-0-9T:]+ +numproc=30 ' "the line says so"
is "$(field 14300 beancounter numproc count)" 17 "so does JSON"
is "$(field 14300 beancounter numproc limit_value)" 30 "with its limit"
unlike "$(vzctl why 14301)" numproc "another VE was refused none"

# A beancounter that is no group's, on hosts that count it exactly.
load=$(test_program load) && cp "$load" "$T/private/14300/bin/load"
vzctl --quiet set 14300 --numtcpsock 5
got=$(vzctl exec 14300 'load tcp 12 </dev/null')
refused=$(sed -n 's/.* refused \([0-9]*\) .*/\1/p' <<<"$got")
if [ "${refused:-0}" -gt 0 ]; then
	is "$(field 14300 beancounter numtcpsock count)" "$refused" "TCP sockets: $got"
	is "$(field 14300 beancounter numtcpsock limit_value)" 5 "with their limit"
	last=$(field 14300 beancounter numtcpsock last)
	[ $(($(date +%s) - $(date -d "$last" +%s))) -le $((60 * SLOW)) ]
	ok $? "and when it was last: $last"
	now=$(date +%s)
	is "$(field 14300 beancounter numtcpsock count --since @$((now - 60 * SLOW)))" "$refused" \
		"all since a while ago"
	wait_for 2 eval "[ \$(date +%s) -gt $now ]"
	is "$(field 14300 beancounter numtcpsock count --since @$((now + 1)))" "" "none since then"
else
	skip "TCP sockets" "this kernel refuses none ($got)"
fi

# From a mark on.
run_ok "a mark" vzctl why 14300 --mark
is "$out" "" "says nothing"
is "$(quiet_why 14300 --since mark | sed 's/,.*//')" "$(
	vzctl why 14300 --since mark | grep -q '^slowed' || echo "nothing was refused or slowed since its mark"
)" "nothing since it"
vzctl exec 14300 hostile forks 3 >/dev/null
is "$(field 14300 beancounter numproc count --since mark)" 3 "three since the mark"
is "$(field 14300 beancounter numproc count)" 20 "and twenty since the start"
vzctl why 14300 --since mark --mark | grep -q 'numproc *3'
ok $? "seen and marked at once"
is "$(field 14300 beancounter numproc count --since mark)" "" "none since then"
for text in 'INIT="x"' 'INIT="1"' garbage '' 'INIT=' 'TIME="99999999999999999999"' \
	"$(sed 's/^FORKS=.*/FORKS="-1"/' "$VZ_RUNDIR/14300/why")"; do
	printf '%s\n' "$text" >"$VZ_RUNDIR/14300/why"
	run vzctl why 14300 --since mark
	[ "$status" = 85 ] || [ "$status" = 21 ]
	ok $? "a damaged mark: ${text:0:12}" || diag "$status $err"
done
head -c 100000 /dev/urandom >"$VZ_RUNDIR/14300/why"
run vzctl why 14300 --since mark
[ "$status" != 0 ] && [ "$status" -lt 128 ] && [ -n "$err" ]
ok $? "rubbish in it"
is "$(field 14300 beancounter numproc count)" 20 "who does not ask for it does not mind"
run_ok "a new one" vzctl why 14300 --mark
is "$(field 14300 beancounter numproc count --since mark)" "" "is good again"

# CPU time.
if controller cpu >/dev/null; then
	vzctl --quiet set 14300 --cpulimit 10
	vzctl exec 14300 'busybox timeout 2 sh -c "while :; do :; done"' >/dev/null 2>&1
	count=$(field 14300 cpu throttled count)
	[ "${count:-0}" -ge 5 ]
	ok $? "a busy loop is throttled (${count:-0} times)"
	like "$(vzctl why 14300)" 'slowed +cpu +throttled +[0-9]+ +[0-9]+\.[0-9][0-9]s .* cpulimit=10% ' "the line says by what"
	[ "$(field 14300 cpu throttled lost_us)" -ge 100000 ]
	ok $? "and how much time it lost"
	vzctl --quiet set 14300 --cpulimit 0
else
	skip "CPU time" "no cpu controller"
fi

# Memory, and names that look like the log's own words.
if controller memory >/dev/null && [ -r /dev/kmsg ]; then
	vzctl --quiet set 14300 --physpages 0:24M --swappages 0:0
	vzctl exec 14300 hostile eat greedy >/dev/null 2>&1
	is "$(field 14300 oom greedy count)" 1 "a process that was killed for memory is named"
	like "$(field 14300 oom greedy text)" "^was killed, for the VE's memory had run out" "with the reason"
	like "$(vzctl why 14300 | sed -n 2p)" '^killed +oom +greedy +1 +- +20[0-9-]+T[0-9:]+ +physpages=24M ' "it is the worst"
	vzctl exec 14300 hostile eat greedy >/dev/null 2>&1
	is "$(field 14300 oom greedy count)" 2 "and counted"
	vzctl why 14300 --mark
	# shellcheck disable=SC2016 # the VE's shell
	vzctl exec 14300 'hostile eat "$(printf "a\033[2J,uid=0,")"' >/dev/null 2>&1
	vzctl exec 14300 'hostile eat x,task=y,pid=1' >/dev/null 2>&1
	vzctl why 14300 --since mark >"$T/why"
	is "$(grep -c '^killed' "$T/why")" 2 "names of ill will: two lines" || diag "$(cat "$T/why")"
	is "$(field 14300 oom 'x,task=y,pid=1' count --since mark)" 1 "as they are"
	is "$(tr -d '\n -~' <"$T/why" | wc -c)" 0 "nothing that a terminal would obey"
	vzctl why 14300 --since mark --json | jq -e length >/dev/null
	ok $? "JSON is whole"
	is "$(field 14300 oom greedy count --since mark)" "" "what was killed before the mark is not there"
	is "$(field 14300 oom greedy count --since 1d)" 2 "since yesterday it is"
	is "$(field 14301 oom '*' count)" "" "another VE lost none"
	# Its next run begins anew, though the log remembers.
	vzctl --quiet restart 14300 --fast || vzctl --quiet restart 14300
	is "$(field 14300 oom '*' count)" "" "a new start knows of no kills"
	run_is 21 "and of no mark" vzctl why 14300 --since mark
else
	skip "memory" "no memory controller or no kernel log"
fi

# Whatever its supervisor does.
super=$(ps -o ppid= -p "$(sed -n 's/^pid = //p' "$VZ_RUNDIR/14300/state" | head -n 1)" | tr -d ' ')
kill -9 "$super"
vzctl exec 14300 hostile forks 2 >/dev/null
is "$(field 14300 beancounter numproc limit_value)" 30 "a VE without its supervisor"

# One that reboots over and over is down, and it is told why.
vzctl --quiet stop 14301 --fast
printf '#!/bin/sh\nreboot -f\n' >"$T/private/14301/etc/init.d/rcS"
vzctl --quiet start 14301 2>/dev/null
wait_for 30 test -e "$VZ_RUNDIR/down-14301"
run_is 31 "a VE that was left down" vzctl why 14301
is "$err" "vzctl: VE 14301 is not running: it rebooted 6 times within 10 s each, and is left down" "says so"
printf '#!/bin/sh\n' >"$T/private/14301/etc/init.d/rcS"
wait_for 10 vzctl --quiet start 14301
vzctl --quiet stop 14301 --fast
run_is 31 "after another start" vzctl why 14301
is "$err" "vzctl: VE 14301 is not running" "no more"

# By a pool's limits.
if controller cpu >/dev/null && controller memory >/dev/null && [ -r /dev/kmsg ]; then
	mkdir -p "$VZ_CONFDIR/pools"
	printf '%s\n' 'CPULIMIT="10"' 'PHYSPAGES="0:32M"' 'SWAPPAGES="0:0"' 'NUMPROC="20"' \
		>"$VZ_CONFDIR/pools/web.conf"
	cp "$hostile" "$T/private/14301/bin/hostile"
	vzctl --quiet set 14301 --pool web --save && vzctl --quiet start 14301
	vzctl exec 14301 'busybox timeout 2 sh -c "while :; do :; done"' >/dev/null 2>&1
	like "$(vzctl why 14301)" 'slowed +pool +throttled +[1-9][0-9]* +[0-9.]+s .* web:cpulimit=10% ' "CPU time of the pool"
	vzctl exec 14301 'hostile forks 4' >/dev/null
	like "$(vzctl why 14301)" 'refused +(beancounter|pool) numproc +4 .* web:numproc=20 ' "its processes"
	vzctl exec 14301 'hostile eat greedy' >/dev/null 2>&1
	like "$(vzctl why 14301 | sed -n 2p)" '^killed +oom +greedy +1 .* web:physpages=32M +.*memory of the VE.s pool' "its memory"
	is "$(field 14301 oom greedy pool)" web "JSON names the pool"
	vzctl --quiet stop 14301 --fast
else
	skip "a pool" "no controllers or no kernel log"
fi

# A full disk: nothing in it is looked at.
mkdir "$T/small" && mount -t tmpfs -o size=12M,nr_inodes=3000 tmpfs "$T/small" || exit
# shellcheck disable=SC2016 # vzctl's variable
if make_ve 14302 --private "$T/small/\$VEID" && vzctl --quiet start 14302; then
	is "$(field 14302 disk '*' count)" "" "a disk with room"
	vzctl exec 14302 'dd if=/dev/zero of=/fill bs=64k; sync' >/dev/null 2>&1
	like "$(vzctl why 14302)" 'refused +disk +space +- +- +- +diskspace=12M +is full' "a full one"
	vzctl exec 14302 'rm /fill'
	is "$(field 14302 disk '*' count)" "" "with room again"
	# shellcheck disable=SC2016
	vzctl exec 14302 'i=0; while : >/tmp/$i; do i=$((i+1)); done' >/dev/null 2>&1
	like "$(vzctl why 14302)" 'refused +disk +inodes +- +- +- +diskinodes=3000 +is full' "one without inodes"
	vzctl --quiet stop 14302 --fast
else
	skip "a full disk" "no VE on a tmpfs"
fi
vzctl --quiet destroy 14302
umount "$T/small"

vzctl --quiet stop 14300 --fast
run_is 31 "a VE that was stopped" vzctl why 14300
done_testing
