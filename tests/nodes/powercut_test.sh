#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The power goes in the midst of the commands that change what is on the disk. Nothing
# that was there before is lost, and the command run again succeeds or says why.
# POWERCUT_ROUNDS: which rounds, of 21; each has other steps and layouts (tests/nodes/cuts).
# `make check-powercut` does all.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/machine.sh"

need_machines
ROUNDS=${POWERCUT_ROUNDS:-5}

# on_it WHAT ROUND: its lines are checks, or to be looked at
on_it() {
	local said
	said=$(ask n1 "/check/tests/nodes/cuts $1 $2")
	status=$?
	while IFS= read -r line; do
		case $line in
		"ok "*) ok 0 "round $2, ${line#ok }" ;;
		"not ok "*) ok 1 "round $2, ${line#not ok }" ;;
		*) diag "$line" ;;
		esac
	done <<<"$said"
	return $status
}

make_base >"$T/base.log" 2>&1
ok $? "vz is installed on a machine" || diag "$(tail -n 20 "$T/base.log")"
machine_disk n1 3G
machine_begin n1
heard n1
ok $? "it boots"
for round in $ROUNDS; do
	on_it prepare "$round"
	ok $? "round $round: VEs" || break
	on_it strike "$round"
	ok $? "round $round: the commands are under way, and the power goes"
	machine_cut n1
	machine_begin n1
	heard n1
	ok $? "round $round: it boots again" || break
	on_it check "$round"
done
done_testing
