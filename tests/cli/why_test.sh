#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vzctl why: its words, and a VE that does not run.
. "$(dirname "$0")/../lib.sh"

is_root || skip_all "not root"

run_is 20 "no VEID" vzctl why
run_is 20 "a bad VEID" vzctl why 99999999999
run_is 14 "a VE that does not exist" vzctl why 14310
is "$out" "" "nothing on standard output"
run_is 14 "an unknown name" vzctl why nobody

printf 'OSTEMPLATE="x"\n' >"$VZ_CONFDIR/conf/14310.conf"
run_is 31 "a VE that does not run" vzctl why 14310
is "$out" "" "nothing on standard output"
is "$err" "vzctl: VE 14310 is not running" "it is said"
run_is 31 "the same as JSON" vzctl why 14310 --json
is "$out" "" "nothing on standard output"
run_is 31 "a mark of it" vzctl why 14310 --mark
run_is 31 "since its mark" vzctl why 14310 --since mark
printf 'DISABLED="yes"\n' >>"$VZ_CONFDIR/conf/14310.conf"
run_is 31 "a VE that is not to run" vzctl why 14310
like "$err" 'DISABLED=yes' "that is said, too"
[ ! -e "$VZ_RUNDIR/14310" ]
ok $? "nothing was written"

run_is 20 "an unknown option" vzctl why 14310 --frob
run_is 20 "a word too many" vzctl why 14310 more
run_is 20 "--since without a time" vzctl why 14310 --since
for bad in '' tomorrow 10x 25:00 2026-13-01 @ @x -5m 99999999999999d "now; ls" @99999999999; do
	run_is 21 "--since '$bad'" vzctl why 14310 --since "$bad"
done
for good in start 10m 0s 2h 1d 00:00 @1 2020-01-01 '2020-01-01 12:30' 2020-01-01T12:30:15; do
	run_is 31 "--since '$good'" vzctl why 14310 "--since=$good"
done
like "$(vzctl --help)" 'why VEID' "--help knows it"
done_testing
