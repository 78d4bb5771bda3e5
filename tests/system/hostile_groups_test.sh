#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A VE may make groups in the ones that are delegated to it: deep, many, with
# odd names, frozen, full of processes. Stop takes them all away.
# shellcheck disable=SC2016 # the VE's shell expands them
. "$(dirname "$0")/hostile.sh"

make_hostile 1430 || skip_all "no VE could be made"

groups_left() {
	our_groups | grep "/$CGROUP/1430"
}

# nest NAME GROUPS SCRIPT: what the VE does in its group before it is stopped, and
# how many groups that makes at least
nest() {
	local name=$1 made
	run_ok "$name: start" vzctl start 1430
	run vzctl exec 1430 "cd /sys/fs/cgroup && mkdir in-here 2>/dev/null; $3; true"
	[ "$status" = 0 ]
	ok $? "$name: done (status $status)" || diag "$err"
	made=$(our_groups | grep -c "/$CGROUP/1430/")
	[ "$made" -ge "$2" ]
	ok $? "$name: made at least $2 groups ($made)"
	run_ok "$name: stop" timeout 60 vzctl stop 1430 --fast
	is "$(groups_left)" "" "$name: no group is left"
	run vzctl status 1430
	like "$out" 'unmounted down' "$name: is down"
}

nest "odd names" 10 'mkdir -- "-rf" " " "a b" "$(printf "new\nline")" "$(printf "\\\\x01\\\\xff")" \
	"..." ".hidden" "*" "\$(reboot)" "x:y" "101" "tasks" "$(printf %0250d 1)"'
nest "deep" 150 'i=0; while [ $i -lt 150 ]; do mkdir d && cd d || break; i=$((i+1)); done'
nest "deeper than a path is long" 15 'n=$(printf %0220d 1); i=0; while [ $i -lt 50 ]; do mkdir $n && cd $n || break; i=$((i+1)); done'
nest "many" 500 'i=0; while [ $i -lt 500 ]; do mkdir g$i || break; i=$((i+1)); done'
nest "full" 8 'for i in 1 2 3 4 5 6 7 8; do mkdir p$i && (hostile ignore & echo $! >p$i/cgroup.procs); done'
nest "frozen" 1 'mkdir f; hostile ignore & echo $! >f/cgroup.procs; echo 1 >f/cgroup.freeze; sleep 0.2'
nest "all frozen" 2 'mkdir f; hostile ignore & echo $! >f/cgroup.procs
	mkdir self; (sleep 1; echo 1 >f/cgroup.freeze; echo 1 >/sys/fs/cgroup/in-here/cgroup.freeze) &
	echo $! >self/cgroup.procs; sleep 1.5'
nest "threaded" 2 'mkdir t t/u; echo threaded >t/cgroup.type; echo threaded >t/u/cgroup.type
	hostile ignore & echo $! >t/u/cgroup.threads'
nest "no more allowed" 1 'echo 0 >cgroup.max.descendants; echo 0 >cgroup.max.depth
	echo 0 >in-here/cgroup.max.descendants'
nest "fork bomb" 1 'mkdir b; (for i in 1 2 3 4 5 6 7 8; do
	(while :; do (hostile ignore & hostile ignore &) ; sleep 0.05; done) & done) >/dev/null 2>&1 & sleep 1'
nest "shut to its owner" 2 'mkdir m m/n; chmod 000 m m/n; chown 1:1 m; chmod 000 /sys/fs/cgroup'
# Two of them in a hierarchy that only v1 hosts have.
nest "systemd hierarchy" "$([ -d /sys/fs/cgroup/systemd ] && echo 4 || echo 1)" 'mkdir -p /s; mount -t cgroup -o none,name=systemd s /s 2>/dev/null && {
	mkdir -p /s/a/b/c "/s/x y"; hostile ignore & echo $! >/s/a/b/c/cgroup.procs; }'

# exec must work whatever the groups look like
run_ok "start" vzctl start 1430
run vzctl exec 1430 'cd /sys/fs/cgroup; mkdir -p exec vz .vz enter; for g in *; do
	[ -d $g ] && chmod 000 $g && chown 77 $g; done; echo 0 >cgroup.max.descendants; true'
run_ok "exec in a VE that shut its groups" vzctl exec 1430 true
run vzctl exec 1430 'cd /sys/fs/cgroup; for g in * .; do echo 1 2>/dev/null >$g/cgroup.freeze; done' &
frozen=$!
sleep 1
run timeout 20 vzctl status 1430
like "$out" 'running' "status of a frozen VE"
run_ok "stop of a frozen VE" timeout 60 vzctl stop 1430 --fast
wait $frozen
is "$(groups_left)" "" "no group is left"
host_untouched "in the end"
run_ok "destroy" vzctl destroy 1430
done_testing
