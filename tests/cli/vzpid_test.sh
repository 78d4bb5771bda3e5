#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vzpid on processes of the node, and in groups as VEs have them.
. "$(dirname "$0")/../lib.sh"

tab=$'\t'

run_ok "a process of the node" vzpid $$
is "$out" "Pid${tab}CTID${tab}Name
$$${tab}0${tab}$(cat /proc/$$/comm)" "belongs to 0"
run_ok "with its PID inside" vzpid -p $$
is "$(tail -n 1 <<<"$out")" "$$${tab}$$${tab}0${tab}$(cat /proc/$$/comm)" "which is the same"
echo "  $$ 1
$$ " >"$T/pids"
vzpid - <"$T/pids" >"$T/got"
is "$(cut -f 1 "$T/got" | paste -sd' ')" "Pid $$ 1 $$" "PIDs from standard input"
vzpid - </dev/null >"$T/got"
is "$?$(wc -l <"$T/got")" "01" "none at all is no error"

run_is 1 "without arguments" vzpid
like "$err" "^Usage: vzpid" "usage is told"
run_is 1 "an unknown option" vzpid -x 1
like "$err" "^vzpid: unknown option -x" "is named"
run_ok "--help" vzpid --help
like "$out" "^Usage: vzpid" "--help goes to standard output"
run_ok "--version" vzpid --version
like "$out" "^vzpid version [0-9.]+$" "--version"
run_is 1 "a word that is no number" vzpid x -1 $$
is "$err" "vzpid: bad PID 'x': expected a number
vzpid: bad PID '-1': expected a number" "is named"
is "$(wc -l <<<"$out")" 2 "and the others are shown"
sh -c 'exit 0' &
gone=$!
wait $gone
run_is 1 "a process that has ended" vzpid "$gone" $$
is "$err" "vzpid: can't tell whose process $gone is: there is none" "is told"
is "$(tail -n 1 <<<"$out" | cut -f 1)" $$ "and the others are shown"
vzpid $$ >/dev/full 2>"$T/got"
is "$?" 1 "a full disk is an error"
like "$(cat "$T/got")" "^vzpid: can't write" "that is told"

# below GROUP NAME: a process in a group of that name, its PID in $pid
below() {
	local dir=$unified/$1
	mkdir -p "$dir" || return
	sh -c 'echo $$ >"$1/cgroup.procs" && exec sleep 100' sh "$dir" &
	pid=$!
	pids+=("$pid")
	wait_for 5 grep -q "/$1\$" "/proc/$pid/cgroup"
}

if is_root && unified=$(cgroup2_dir) && mkdir "$unified/$CGROUP" 2>/dev/null; then
	pids=()
	below "$CGROUP/14101"
	is "$(vzpid "$pid" | tail -n 1 | cut -f 2)" 14101 "a VE's group"
	below "$CGROUP/14101/init.scope/14102"
	is "$(vzpid "$pid" | tail -n 1 | cut -f 2)" 14101 "a group that the VE has made"
	below "$CGROUP/pool/14103"
	is "$(vzpid "$pid" | tail -n 1 | cut -f 2)" 14103 "a VE in a group of several"
	is "$(vzpid -p "$pid" | tail -n 1 | cut -f 2,3)" "-${tab}14103" "not in a PID namespace of it"
	below "$CGROUP/.super"
	is "$(vzpid "$pid" | tail -n 1 | cut -f 2)" 0 "the supervisors' group"
	below "$CGROUP-other/14104"
	is "$(vzpid "$pid" | tail -n 1 | cut -f 2)" 0 "a group that only begins alike"
	cp "$(type -P busybox)" "$T/sleep"
	mv "$T/sleep" "$T/"$'a\e[31\u9b'
	(cd "$T" && exec -a sleep ./$'a\e[31\u9b' 100) &
	pid=$!
	pids+=("$pid")
	wait_for 5 grep -q 31 "/proc/$pid/comm"
	is "$(vzpid "$pid" | tail -n 1 | cut -f 3)" "a?[31?" "a name can't talk to the terminal"
	kill -9 "${pids[@]}"
	wait "${pids[@]}" 2>/dev/null
	wait_for 5 sh -c "! grep -q . '$unified/$CGROUP-other/14104/cgroup.procs'"
	rmdir "$unified/$CGROUP-other/14104" "$unified/$CGROUP-other"
else
	skip "groups" "no root, or no cgroup2 to write to"
fi
done_testing
