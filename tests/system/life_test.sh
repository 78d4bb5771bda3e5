#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Start, stop, mount and status, twice each; halt and reboot from inside; a
# supervisor, and vzctl, that are killed; roots that are traps for the launch.
. "$(dirname "$0")/../lib.sh"

is_root || skip_all "not root"
make_conf
make_ve 1210 --hostname life || skip_all "no VE could be made"
root=$T/private/1210

status_is() {
	run vzctl status 1210
	is "$out" "CTID 1210 $1" "$2"
}
is_down() {
	vzctl status 1210 | grep -q 'unmounted down$'
}
is_running() {
	vzctl status 1210 | grep -q 'running$'
}
init_pid() {
	sed -n 's/^pid = //p' "$VZ_RUNDIR/1210/state"
}
super_pid() {
	local f
	for f in /proc/[0-9]*/cmdline; do
		{ tr '\0' ' ' <"$f"; } 2>/dev/null | grep -q "^vzsuper 1210 .* $T/" || continue
		f=${f#/proc/}
		echo "${f%/*}"
		return
	done
	return 1
}

kill_super() {
	local super
	super=$(super_pid) && kill -9 "$super" && wait_for 5 test ! -d "/proc/$super"
}
shown() {
	vzctl exec 1210 'echo shown >/dev/console' && grep -q shown "$T/shown"
}
typed() {
	printf 'typed\r' >&8
	grep -q '^typed' "$T/typed"
}
# console_works NAME: both ways
console_works() {
	local pid reader
	rm -f "$T/keys" && mkfifo "$T/keys" && exec 8<>"$T/keys"
	vzctl --quiet console 1210 <&8 >"$T/shown" 2>&1 &
	pid=$!
	wait_for 10 shown
	ok $? "$1 shows what the VE writes" || diag "$(cat "$T/shown")"
	# shellcheck disable=SC2016 # for the shell in the VE
	vzctl exec 1210 'read -r line </dev/console; echo "$line"' >"$T/typed" 8>&- &
	reader=$!
	wait_for 10 typed
	ok $? "and the VE what is typed"
	printf '\e.' >&8
	exec 8>&-
	wait $pid
	kill $reader 2>/dev/null
	wait $reader 2>/dev/null
}

# --- twice each ---

status_is "exist unmounted down" "a new VE is down"
run_is 40 "umount of an unmounted one" vzctl umount 1210
run_ok "mount" vzctl mount 1210
run_ok "mount of a mounted one" vzctl mount 1210
status_is "exist mounted down" "mounted"
run_ok "umount" vzctl umount 1210
run_ok "start, by somebody who is nice" nice -n 7 vzctl start 1210
is "$(cut -d" " -f19 "/proc/$(init_pid)/stat")" 0 "the VE is not: its CPU time is what its parameters say"
like "$out" 'Starting container\.\.\.' "and says so"
status_is "exist mounted running" "running"
run_is 32 "start of a running one" vzctl start 1210
run_is 32 "umount of a running one" vzctl umount 1210
run vzctl exec 1210 hostname
is "$out" "life" "the host name is set"
run vzctl exec 1210 'cut -d. -f1 /proc/uptime'
[ "${out:-999}" -lt $((60 * SLOW)) ]
ok $? "its uptime begins with it"
run_is 20 "an unknown option" vzctl stop 1210 --nonsense
run_ok "stop" vzctl stop 1210
run_ok "stop of a stopped one" vzctl stop 1210
status_is "exist unmounted down" "down again"
run vzctl --quiet start 1210
is "$out$err" "" "--quiet says nothing"
run_ok "stop --fast --skip-umount" vzctl stop 1210 --fast --skip-umount
status_is "exist mounted down" "and stays mounted"
run_ok "restart of a stopped one" vzctl restart 1210
was=$(init_pid)
run_ok "restart of a running one" vzctl restart 1210 --fast
[ "$was" != "$(init_pid)" ]
ok $? "is another init"
run_ok "stop" vzctl stop 1210 --fast
echo 'DISABLED="yes"' >>"$VZ_CONFDIR/conf/1210.conf"
run_is 105 "start of a disabled one" vzctl start 1210
run_ok "start --force of it" vzctl start 1210 --force
run_ok "stop" vzctl stop 1210 --fast
sed -i '/^DISABLED/d' "$VZ_CONFDIR/conf/1210.conf"
mv "$root" "$root.away"
run_is 43 "start without a private area" vzctl start 1210
mv "$root.away" "$root"

# --- from inside ---

vzctl --quiet start 1210
vzctl exec 1210 halt >/dev/null 2>&1
wait_for 20 is_down
ok $? "halt from inside ends it, and all is cleaned up"
bad=0
for _ in 1 2 3 4; do
	vzctl --quiet start 1210 || bad=1
	pid=$(init_pid)
	vzctl exec 1210 halt >/dev/null 2>&1
	while [ -d "/proc/$pid" ]; do :; done
	run vzctl --quiet set 1210 --onboot no --save
	[ "$status" = 0 ] || { bad=1; break; }
done
ok $bad "a command that comes in the middle of this waits for it"
vzctl --quiet start 1210
was=$(init_pid)
another_init() {
	local is
	is_running && is=$(init_pid) && [ -n "$is" ] && [ "$is" != "$was" ]
}
vzctl exec 1210 reboot >/dev/null 2>&1
wait_for 20 another_init
ok $? "reboot from inside starts it again"

# --- the supervisor is killed ---

super=$(super_pid)
is "$(grep -c "/$CGROUP/.super\$" "/proc/$super/cgroup")" \
	"$(grep -cE ':name=systemd:|^0::' "/proc/$super/cgroup")" \
	"the supervisor is in no group of who started the VE"
console_works "the console"
console=$(vzctl exec 1210 'stat -c "%F %u %g %a %t" /dev/console')
mounts=$(vzctl exec 1210 'wc -l </proc/mounts')
kill_super
status_is "exist mounted running" "without its supervisor it runs on"
run vzctl exec 1210 echo inside
is "$out" inside "and can be entered"
run_is 3 "but has no console" vzctl console 1210
run_ok "the next command" vzctl --quiet set 1210 --cpuunits 1000
is "$out$err" "" "says nothing"
wait_for 5 super_pid
ok $? "and gives it another supervisor"
console_works "a console anew"
is "$(vzctl exec 1210 'stat -c "%F %u %g %a %t" /dev/console')" "$console" "is like the first"
is "$(vzctl exec 1210 'wc -l </proc/mounts')" "$mounts" "and in its place"
was=$(init_pid)
vzctl exec 1210 reboot >/dev/null 2>&1
wait_for 20 another_init
ok $? "a reboot from inside is seen by the second, too" ||
	diag "$(vzctl status 1210; cat "$VZ_RUNDIR/down-1210" 2>&1)"
for trap in 'mount --bind /dev/null /dev/pts/ptmx' 'umount /dev/pts/ptmx; umount /dev/console' \
	'ln -sf pts/ptmx /dev/console' 'mount -t tmpfs none /dev'; do
	wait_for 5 super_pid
	vzctl exec 1210 "$trap" || diag "$trap: $?"
	kill_super
	run vzctl --quiet set 1210 --cpuunits 1000
	is "$status" 0 "after $trap"
	like "$err" "^.*VE 1210 has no console until it is restarted, .*: .*[^:]\$" "says that it has none"
	wait_for 5 super_pid
	run_is 3 "and there is none" vzctl console 1210
	like "$err" "the console of VE 1210 went with its supervisor" "is told"
done
kill_super
vzctl --quiet set 1210 --cpuunits 1000
vzctl exec 1210 halt >/dev/null 2>&1
wait_for 20 is_down
ok $? "which sees it end"
vzctl --quiet start 1210
kill -9 "$(super_pid)"
run_ok "stop without a supervisor" vzctl stop 1210 --fast
is_down
ok $? "leaves nothing"

# --- the one that launches is killed: it would have been the supervisor ---

mkdir -p "$T/bound" && chmod a+x "$T" "${T%/*}"
cp "$VZ_CONFDIR/conf/1210.conf" "$T/1210.conf"
echo "BIND=\"$T/bound:/mnt:ro\"" >>"$VZ_CONFDIR/conf/1210.conf"
bad=''
for us in 0 200 400 600 800 1000 1200 1400 1600 1800 2000 2300 2600 3000 3500 4000; do
	vzctl --quiet start 1210 >/dev/null 2>&1 &
	pid=$!
	launcher=''
	while kill -0 $pid 2>/dev/null; do
		read -r launcher _ 2>/dev/null <"/proc/$pid/task/$pid/children" && break
	done
	sleep "0.$(printf %06d $us)"
	[ -z "$launcher" ] || kill -9 "$launcher" 2>/dev/null
	wait $pid 2>/dev/null
	run vzctl --quiet start 1210
	[ "$status" = 0 ] || [ "$status" = 32 ] || bad+="start after $us us: $status $err; "
	run vzctl --quiet stop 1210 --fast
	[ "$status" = 0 ] || bad+="stop after $us us: $status $err; "
	left=$(find_left)
	[ -z "$left" ] || bad+="left after $us us: $left; "
done
is "$bad" "" "killed at 16 points, the next start and stop work and leave nothing"
cp "$T/1210.conf" "$VZ_CONFDIR/conf/1210.conf"

# --- vzctl is killed, wherever it is ---

bad=0
for ms in 0 1 2 3 4 5 6 7 8 9 10 12 14 17 20 25; do
	vzctl --quiet start 1210 &
	pid=$!
	sleep "0.$(printf %03d $ms)"
	kill -9 $pid 2>/dev/null
	wait $pid 2>/dev/null
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		run vzctl start 1210
		[ "$status" = 9 ] || break
		sleep 0.1
	done
	[ "$status" = 0 ] || [ "$status" = 32 ] || { bad=1; diag "start after $ms ms: $status $err"; }
	vzctl --quiet stop 1210 --fast &
	pid=$!
	sleep "0.$(printf %03d $ms)"
	kill -9 $pid 2>/dev/null
	wait $pid 2>/dev/null
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		run vzctl stop 1210 --fast
		[ "$status" = 9 ] || break
		sleep 0.1
	done
	[ "$status" = 0 ] || { bad=1; diag "stop after $ms ms: $status $err"; }
	is_down || { bad=1; diag "after $ms ms: $(vzctl status 1210)"; }
	left=$(find_left)
	[ -z "$left" ] || { bad=1; diag "left after $ms ms: $left"; }
done
ok $bad "vzctl killed at 16 points of start and of stop"

# --- traps ---

mkdir "$T/host"
for dir in dev proc sys run; do
	mv "$root/$dir" "$root/$dir.away"
	ln -s "$T/host" "$root/$dir"
	run_is 50 "/$dir is a link to the host" vzctl start 1210
	is "$(ls -A "$T/host")" "" "where nothing was made"
	rm "$root/$dir"
	mv "$root/$dir.away" "$root/$dir"
done
is_down
ok $? "and nothing is left"
mv "$root/sbin/init" "$root/sbin/init.away"
ln -s /nowhere "$root/sbin/init"
mv "$root/bin/sh" "$root/bin/sh.away"
run_is 47 "no init that can be run" vzctl start 1210
is_down
ok $? "leaves nothing"
mv "$root/bin/sh.away" "$root/bin/sh"
mv "$root/sbin/init.away" "$root/sbin/init"
run_ok "the VE starts when it is sound again" vzctl start 1210
run_ok "stop" vzctl stop 1210 --fast

# None of our own processes may still have the lock when a command has returned.
bad=0
for _ in $(seq 30); do
	for command in start "stop --fast" mount umount; do
		# shellcheck disable=SC2086 # an option is a word of its own
		run vzctl --quiet ${command%% *} 1210 ${command#"${command%% *}"} && continue
		bad=1
		diag "$command: $status $err"
	done
done
ok $bad "120 commands in a row never meet a lock"

done_testing
