#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A VE sees its own memory and CPUs through the node's lxcfs; and what becomes of
# VEs when that is dead, hung, or not there. The daemon is the test's own.
. "$(dirname "$0")/../lib.sh"

is_root || skip_all "not root"
type -P lxcfs >/dev/null || skip_all "no lxcfs"
[ -c /dev/fuse ] || skip_all "no /dev/fuse"
VE=14500

# start_lxcfs [OPTIONS]: on $T/lxcfs, its process is $daemon
start_lxcfs() {
	mkdir -p "$T/lxcfs"
	setsid lxcfs -f -p "$T/lxcfs.pid" "$@" "$T/lxcfs" >"$T/lxcfs.log" 2>&1 </dev/null &
	daemon=$!
	wait_for 10 test -e "$T/lxcfs/proc/meminfo"
}

stop_lxcfs() {
	[ -n "$daemon" ] || return 0
	kill -9 "$daemon" 2>/dev/null
	wait "$daemon" 2>/dev/null
	daemon=
	umount -l "$T/lxcfs" 2>/dev/null
}
daemon=
trap 'stop_lxcfs; at_exit' EXIT

# bound: what of lxcfs the VE has mounted
bound() {
	vzctl exec $VE cat /proc/mounts | awk '$3 == "fuse.lxcfs" { print $2 }' | sort | xargs
}

# give PROGRAM...: the node's, as own-PROGRAM, with the libraries that it needs. A link
# of the VE's that has such a name leads to the node from here: it is replaced.
give() {
	local program file root=$T/private/$VE
	for program; do
		program=$(type -P "$program") || return
		cp --remove-destination -L "$program" "$root/usr/bin/own-${program##*/}"
		ldd "$program" | grep -o '/[^ )]*' | while read -r file; do
			mkdir -p "$root${file%/*}"
			cp --remove-destination -L "$file" "$root$file"
		done
	done
	mkdir -p "$root/lib/terminfo/d"
	cp --remove-destination -L /lib/terminfo/d/dumb "$root/lib/terminfo/d/"
}

if ! start_lxcfs; then
	diag "$(cat "$T/lxcfs.log")"
	stop_lxcfs
	skip_all "lxcfs can't be mounted here"
fi
echo "LXCFS=\"$T/lxcfs\"" >>"$VZ_CONFDIR/vz.conf"
make_ve $VE --ram 128M --swap 64M
give free top nproc

run_ok "start" vzctl start $VE
unlike "$err" lxcfs "without a word"
all="/proc/cpuinfo /proc/loadavg /proc/meminfo /proc/swaps"
is "$(bound)" "$all /sys/devices/system/cpu/online" "lxcfs is in the VE"
is "$(vzctl exec $VE awk "'/^MemTotal/ { print \$2 }' /proc/meminfo")" 131072 \
	"/proc/meminfo: its memory"
swap=$(awk '/^SwapTotal/ { print ($2 < 65536) ? $2 : 65536 }' /proc/meminfo)
is "$(vzctl exec $VE awk "'/^SwapTotal/ { print \$2 }' /proc/meminfo")" "$swap" \
	"and its swap, as far as the node has any"
is "$(vzctl exec $VE own-free | awk '/^Mem:/ { print $2 }')" 131072 "free"
like "$(vzctl exec $VE TERM=dumb own-top -b -n 1)" 'MiB Mem : +128\.0 total' "top"
vzctl exec $VE 'tail /dev/zero' >/dev/null 2>&1 &
hog=$!
wait_for 20 wait $hog
like "$(vzctl exec $VE own-free | awk '/^Mem:/ { print $2 }')" '^131072$' \
	"after it was out of memory, too"

# shellcheck disable=SC2016 # the VE's own shell's
is "$(vzctl exec $VE 'for f in /proc/meminfo /proc/swaps; do
	mount -o remount,bind,rw $f 2>/dev/null && echo $f; done
	chmod 777 /proc/meminfo 2>/dev/null && echo chmod')" "" "it is read-only for good"
is "$(awk -v d="$VZ_RUNDIR" 'index($5, d "/1") == 1' /proc/self/mountinfo)" "" \
	"nothing is left of it on the node"

# Of lxcfs's /proc/stat and uptime the time namespace knows nothing.
# shellcheck disable=SC2016 # the VE's own shell's
run_ok "its times agree" vzctl exec $VE \
	'b=$(sed -n "s/^btime //p" /proc/stat); now=$(date +%s); up=$(cut -d. -f1 /proc/uptime)
	d=$((now - b - up)); [ $d -ge -1 ] && [ $d -le 1 ]'

# CPUs
vzctl --quiet stop --fast $VE
run_ok "one CPU" vzctl set $VE --cpus 1 --save
run_ok "start" vzctl start $VE
is "$(vzctl exec $VE grep -c ^processor /proc/cpuinfo)" 1 "/proc/cpuinfo has one"
is "$(vzctl exec $VE own-nproc)" 1 "nproc"
unlike "$(vzctl exec $VE cat /sys/devices/system/cpu/online)" '[-,]' "and online in /sys"

# What an administrator chooses
vzctl --quiet stop --fast $VE
vzctl --quiet set $VE --cpus 0 --meminfo none --lxcfs cpuinfo,meminfo,stat --save
vzctl --quiet start $VE
is "$(bound)" "/proc/cpuinfo /proc/stat" "LXCFS_FILES says what, and MEMINFO none what not"
is "$(vzctl exec $VE cat /proc/meminfo | head -n 1)" "$(head -n 1 /proc/meminfo)" \
	"then its memory is the node's"
if [[ $(controller cpuacct) == v1* ]]; then
	# However busy the node is: until it has had half a second.
	# shellcheck disable=SC2016 # the VE's shell's
	vzctl exec $VE 'while read -r s </proc/self/stat; set -- $s; [ $((${14} + ${15})) -lt 60 ]; do :; done'
	like "$(vzctl exec $VE cat /proc/stat | awk '/^cpu / { print $2 + $4 }')" \
		'^([5-9].|[1-9]..)$' "stat: the CPU time that it had, not the node's"
else
	skip "stat: the CPU time that it had" "lxcfs has it of cpuacct of cgroup v1 only"
fi
run_is 21 "no other files" vzctl set $VE --lxcfs uptime --save
vzctl --quiet stop --fast $VE
vzctl --quiet set $VE --meminfo pages:1 --lxcfs cpuinfo,meminfo,swaps --features nesting:on --save
vzctl --quiet start $VE
is "$(bound)" "" "a VE that has containers in it needs its /proc uncovered"
run_ok "so that they can have theirs" vzctl exec $VE unshare -Urmpf mount -t proc proc /proc
vzctl --quiet stop --fast $VE
vzctl --quiet set $VE --features nesting:off --save
vzctl --quiet start $VE

# A new library without losing the mounts
kill -USR1 "$daemon"
sleep 0.5
is "$(vzctl exec $VE own-free | awk '/^Mem:/ { print $2 }')" 131072 "after a reload"

# Hung
kill -STOP "$daemon"
make_ve $((VE + 1)) --ram 64M
begin=$SECONDS
run_ok "another VE starts while lxcfs hangs" vzctl start $((VE + 1))
[ $((SECONDS - begin)) -le $((10 * SLOW)) ]
ok $? "soon"
is "$(grep -c lxcfs <<<"$err")" 1 "with a word"
like "$err" "VE $((VE + 1)) sees the node's .*: lxcfs on $T/lxcfs does not answer" "that says why"
run_ok "exec in a VE that has it" vzctl exec $VE true
kill -CONT "$daemon"
vzctl --quiet stop --fast $((VE + 1))

# Dead
stop_lxcfs
mkdir -p "$T/lxcfs"
run_ok "exec when lxcfs was killed" vzctl exec $VE true
run vzctl exec $VE cat /proc/meminfo
like "$err" 'not connected' "what it showed can't be read"
run_ok "repair" vzctl repair $VE
is "$(bound)" "" "takes that from the VE"
run_ok "the kernel's own is below" vzctl exec $VE cat /proc/meminfo
start_lxcfs
run_ok "repair when there is another lxcfs" vzctl repair $VE
is "$(bound)" "/proc/cpuinfo /proc/meminfo /proc/swaps" "gives the VE its files"
is "$(vzctl exec $VE own-free | awk '/^Mem:/ { print $2 }')" 131072 "of which it sees its memory"
is "$(vzctl exec $VE 'mount -o remount,bind,rw /proc/meminfo 2>/dev/null && echo rw')" "" \
	"read-only for good"
stop_lxcfs
start_lxcfs
run_ok "repair what is dead by what is not" vzctl repair --all
is "$(vzctl exec $VE own-free | awk '/^Mem:/ { print $2 }')" 131072 "in one step"
is "$(bound)" "/proc/cpuinfo /proc/meminfo /proc/swaps" "one above nothing"
stop_lxcfs
run_ok "set" vzctl set $VE --ram 96M --save
run_ok "vzlist" vzlist -o ctid,status,physpages,laverage $VE
run_ok "start the other" vzctl start $((VE + 1))
like "$err" "lxcfs on $T/lxcfs is not mounted: start it" "says that it is not mounted"
run_ok "stop it" vzctl stop $((VE + 1))
run_ok "stop" vzctl stop $VE
start_lxcfs -l
kill -9 "$daemon"
wait "$daemon" 2>/dev/null
run_ok "start when lxcfs is dead, and mounted" vzctl start $VE
is "$(grep -c lxcfs <<<"$err")" 1 "with a word"
like "$err" "lxcfs on $T/lxcfs is dead: start it again" "that says why"
is "$(bound)" "" "it has nothing of it"
is "$(vzctl exec $VE cat /proc/meminfo | head -n 1)" "$(head -n 1 /proc/meminfo)" \
	"but the kernel's own"
umount -l "$T/lxcfs"
start_lxcfs -l
vzctl set $VE --lxcfs loadavg,meminfo --save >/dev/null
run_ok "restart with lxcfs again" vzctl restart $VE
unlike "$err" lxcfs "without a word"
is "$(vzctl exec $VE own-free | awk '/^Mem:/ { print $2 }')" 98304 "it has its memory again"
# How many processes its load average is about.
own_load() {
	vzctl exec $VE cat /proc/loadavg | grep -E '^([0-9.]+ ){3}[0-9]+/[0-9] '
}
wait_for 20 own_load
ok $? "its own load average, with lxcfs -l" || diag "$(vzctl exec $VE cat /proc/loadavg)"

# Not wanted
sed -i 's/^LXCFS=.*/LXCFS=""/' "$VZ_CONFDIR/vz.conf"
run_ok "restart with no LXCFS" vzctl restart $VE
unlike "$err" lxcfs "without a word"
is "$(bound)" "" "and nothing of it"
done_testing
