#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Who waits on the node for quota calls of what was brought into a VE. Any VE will do
# for this, also where no quotas are kept, if it is said to have a filter that asks.
. "$(dirname "$0")/../lib.sh"

is_root || skip_all "not root"
VE=2180
make_conf
run_ok "a VE" make_ve $VE
run_ok "… runs" vzctl --quiet start $VE

state=$VZ_RUNDIR/$VE/state
flags=$(sed -n 's/^seccomp *= *//p' "$state")
sed -i "s/^seccomp *=.*/seccomp = $((flags | 16))/" "$state"

# Processes of the node that have a filter's listener, and were begun in this test's name.
waiting() {
	local fd
	find /proc/[0-9]*/fd -lname 'anon_inode:seccomp notify' 2>/dev/null | while read -r fd; do
		tr '\0' ' ' <"${fd%/fd/*}/cmdline" | grep -q "exec $VE" && echo "${fd%/fd/*}"
	done
}
one() { [ "$(waiting | wc -l)" = 1 ]; }
none() { [ -z "$(waiting)" ]; }
moved() { grep -q "/\.super$" "$1/cgroup"; }
holds() { [ "$(cd "$1/fd" && echo *)" = "$2" ]; }

# Whoever can open a lock can keep it.
is "$(find "$VZ_RUNDIR" "$T/lock" -xdev \( -name '*.lock' -o -name '*.lck' \) ! -perm 600)" "" \
	"locks are root's alone"
is "$(cd "$VZ_RUNDIR" && echo reserved.lock uid.lock vz*.lock)" "reserved.lock uid.lock vzquota.lock" \
	"… those of the node among them"

# Nobody waits for what has ended.
mkdir "$T/busy"
run_ok "a program that ends" vzctl exec $VE true
run_ok "… leaves nobody" wait_for 20 none
(cd "$T/busy" && vzctl exec $VE 'sleep 1000 </dev/null >/dev/null 2>&1 & echo $! >/sleeper')
run_ok "one waits for what stays" wait_for 20 one
p=$(waiting)
run_ok "… in the group of supervisors" wait_for 20 moved "$p"
is "$(readlink "$p/cwd")" / "… not in the way where it was begun"
is "$(readlink "$p/fd/0") $(readlink "$p/fd/1") $(readlink "$p/fd/2")" "/dev/null /dev/null /dev/null" \
	"… nor with what was open there"
run_ok "… and holds nothing else" wait_for 20 holds "$p" "0 1 2 3"

run_is 16 "no dump of a VE that shows quotas" vzctl suspend $VE
like "$err" "QUOTAUGIDLIMIT" "… and why"
is "$(vzctl status $VE)" "CTID $VE exist mounted running" "… it runs on"

# shellcheck disable=SC2016 # the VE's shell
run_ok "what stayed ends" vzctl exec $VE 'kill $(cat /sleeper)'
run_ok "… and who waited" wait_for 20 none

# Such a one that answers calls of an image's users has a file of it open until it ends.
printf '#!/bin/sh\n: >%q\n' "$T/umounts" >"$VZ_CONFDIR/conf/$VE.umount"
chmod +x "$VZ_CONFDIR/conf/$VE.umount"
(
	cd "$T/root/$VE" || exit
	until [ -e "$T/umounts" ]; do sleep 0.02; done
	sleep 0.1
) &
run_ok "who is about to end is waited for by umount" vzctl --quiet stop $VE --fast
is "$(vzctl status $VE)" "CTID $VE exist unmounted down" "… and it is done"
wait
done_testing
