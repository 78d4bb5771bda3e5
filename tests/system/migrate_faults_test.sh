#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A VE is never lost: things die at each step of its migration, on both nodes, and in
# the end it runs once, with its data. A few of them here; `make check-migrate` does
# all, MIGRATE_RUNS of them, each at its own moment. The VE goes to and fro.
export OWN_NET=yes
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/migrate.sh"

RUNS=${MIGRATE_RUNS:-8} FIRST=${MIGRATE_FIRST:-1}
VE=1801

need_nodes
node_up n1 && node_up n2 || exit
node_ve n1 $VE && on n1 vzctl --quiet set $VE --onboot yes --save || exit
dd if=/dev/urandom of="$T/n1/private/$VE/home/ballast" bs=1M count=6 status=none
ballast=$(sha256sum <"$T/n1/private/$VE/home/ballast")
on n1 vzctl --quiet start $VE || exit

# What dies, and at which state of which node's journal. The order is mixed so that a
# few of them are of all kinds.
cases=(
	"kill-source copying out" "power-dest prepared in" "power-source handed out"
	"kill-serve taking in" "cut stopping out" "kill-rsync copying out" "full - -"
	"kill-source handed out" "kill-source stopping out" "kill-serve receiving in"
	"power-source copying out" "power-dest taking in" "kill-ssh copying out"
	"cut handed out" "power-dest receiving in" "kill-source clearing out"
	"kill-serve prepared in" "power-source stopping out" "power-both handed out"
	"key copying out" "kill-rsync-dest receiving in" "cut receiving in"
	"power-source clearing out" "power-dest done in" "kill-serve done in"
	"key handed out" "kill-ssh stopping out" "kill-ssh handed out" "cut taking in"
	"power-both stopping out" "power-both taking in" "kill-source receiving in"
	"power-source prepared in" "power-source taking in" "power-dest copying out"
	"power-dest handed out" "kill-both stopping out" "kill-both handed out"
	"kill-both taking in" "cut copying out" "full - -" "cut clearing out"
	"key stopping out" "power-both prepared in" "kill-rsync-dest stopping out"
)

# kill_all NODE PROGRAM: those of this node, which is a pid namespace
kill_all() {
	# shellcheck disable=SC2016 # for the node's shell
	on "$1" sh -c 'kill -9 $(pidof "$0")' "$2" 2>/dev/null
}

# await NODE in|out STATE PID: until the journal says so, or the process is gone. Asked
# every 3 ms, without a process for each time.
await() {
	local line
	until ! kill -0 "$4" 2>/dev/null; do
		mapfile -t line 2>/dev/null <"$T/$1/state/migrate/$VE.$2" || line=()
		[ "${line[0]-}" != "STATE=\"$3\"" ] || return
		read -rt 0.003 <&"$never"
	done 2>/dev/null
}

# strike FAULT SOURCE DEST
strike() {
	local src=$2 dst=$3
	case $1 in
	kill-source) kill_all "$src" vzmigrate ;;
	kill-serve) kill_all "$dst" vzmigrate ;;
	kill-both) kill_all "$src" vzmigrate && kill_all "$dst" vzmigrate ;;
	kill-rsync) kill_all "$src" rsync ;;
	kill-rsync-dest) kill_all "$dst" rsync ;;
	kill-ssh) kill_all "$src" ssh ;;
	cut) ip link set "to-$dst" down ;;
	power-source) node_cut "$src" ;;
	power-dest) node_cut "$dst" ;;
	power-both) node_cut "$src" && node_cut "$dst" ;;
	key) mv "$T/ssh/allowed" "$T/ssh/away" && kill_all "$src" vzmigrate ;;
	esac
}

# mend FAULT SOURCE DEST: what was broken is whole again; journals are as they are
mend() {
	local n
	case $1 in
	cut) ip link set "to-$3" up ;;
	key)
		recover "$2" >/dev/null 2>&1
		mv "$T/ssh/away" "$T/ssh/allowed"
		;;
	full) on "$3" umount "$T/$3/private" ;;
	esac
	for n in n1 n2; do
		[ -n "${node_pid[$n]-}" ] || node_boot $n >/dev/null 2>&1
	done
}

# Has it processes? Asked of the groups, not of what vz wrote down.
lives_on() {
	our_groups | grep "/$CGROUP-$1/.*$VE" | while read -r f; do
		cat "$f/cgroup.procs"
	done 2>/dev/null | grep -q .
}

where() {
	local n
	for n in n1 n2; do
		! lives_on $n || echo $n
	done | paste -sd+
}

settled() {
	recover n1 >/dev/null 2>&1
	recover n2 >/dev/null 2>&1
	[ -z "$(nothing_left)" ] && case $(where) in n1 | n2) ;; *) false ;; esac
}

# one NUMBER FAULT STATE in|out
one() {
	local i=$1 fault=$2 state=$3 side=$4 src dst at job token said
	src=$(where)
	case $src in n1 | n2) ;; *) return 1 ;; esac
	dst=n2
	[ "$src" = n1 ] || dst=n1
	token=$RANDOM$RANDOM
	on "$src" vzctl exec $VE "echo $token >/home/token; sync /home/token" >/dev/null 2>&1
	if [ "$fault" = full ]; then
		on "$dst" mount -t tmpfs -o size=2m tmpfs "$T/$dst/private"
	fi
	migrate $dst --nodeps=space,capacity -v $VE >"$T/said" 2>&1 &
	job=$!
	at=$src
	[ "$side" = out ] || at=$dst
	if [ "$fault" != full ]; then
		await "$at" "$side" "$state" $job
		[ "$i" -le ${#cases[@]} ] || sleep "0.0$((RANDOM % 80))"
		strike "$fault" "$src" "$dst"
	fi
	wait $job
	said="exit status $?"
	mend "$fault" "$src" "$dst"
	wait_for 120 settled
	ok $? "$i: $fault at $state: one VE runs, nothing is left" ||
		diag "from $src to $dst, $said: $(cat "$T/said")" "runs on: $(where)" "left: $(nothing_left)" \
			"$(recover n1 2>&1)" "$(recover n2 2>&1)" "$(cat "$T"/n?/state/migrate/* 2>/dev/null)"
	at=$(where)
	case $at in n1 | n2) ;; *) return 1 ;; esac
	[ "$(on "$at" vzctl exec $VE cat /home/token)" = $token ] &&
		[ "$(sha256sum <"$T/$at/private/$VE/home/ballast")" = "$ballast" ] &&
		[ "$(find "$T"/n?/private -mindepth 1 -maxdepth 1 | wc -l)" = 1 ] &&
		[ "$(status_of "$at" $VE)" = "exist mounted running" ]
	ok $? "$i: on $at, with its data, and there is no other" || ! diag "$(find "$T"/n?/private -maxdepth 1)"
}

mkfifo "$T/never" && exec {never}<>"$T/never"
for ((i = FIRST; i < FIRST + RUNS; i++)); do
	read -r fault state side <<<"${cases[(i - 1) % ${#cases[@]}]}"
	one $i "$fault" "$state" "$side" || break
done

# Its administrator stops it before anybody looks at what the dead migration left.
src=$(where)
dst=n2
[ "$src" = n1 ] || dst=n1
migrate $dst --nodeps=space,capacity $VE >"$T/said" 2>&1 &
await "$src" out stopping $!
kill_all "$src" vzmigrate
wait $!
[ "$(head -n 1 "$T/$src/state/migrate/$VE.out")" = 'STATE="stopping"' ]
ok $? "a migration dies as it stops the VE"
on "$src" vzctl --quiet stop $VE --fast
is "$?" 0 "the administrator stops it"
stays_down() {
	recover "$src" >/dev/null 2>&1
	[ -z "$(nothing_left)" ]
}
wait_for 120 stays_down
is "$? $(where) $(status_of "$src" $VE)" "0  exist unmounted down" "and --recover starts it no more"
done_testing
