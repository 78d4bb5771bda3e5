#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# One command at a time on a VE; whoever comes too soon is told so. That our own
# processes never are such holders is in system/life.
. "$(dirname "$0")/../lib.sh"

is_root || skip_all "not root"

lck=$T/lock/1490.lck
mkdir -p "$T/private/1490"
echo 'OSTEMPLATE="none"' >"$VZ_CONFDIR/conf/1490.conf"

# hold SECONDS: the lock, in the background; returns when it is held
hold() {
	flock "$lck" -c "touch '$T/held'; sleep $1" &
	wait_for 5 test -e "$T/held"
	rm -f "$T/held"
}

run_ok "nobody has it" vzctl set 1490 --description one --save
like "$(cat "$lck")" '^[0-9]+$' "the file says who had it"
is "$(stat -c %a "$lck")" 600 "who may not open it can't keep it"

echo $$ >"$lck"
hold 1
run_is 9 "a command that lives has it" vzctl set 1490 --description two --save
like "$err" "locked by another command \(pid $$\)" "and is named"
wait

hold 30 2>/dev/null
run_is 9 "one that does not let go" timeout 10 vzctl set 1490 --description four --save
kill %% 2>/dev/null
for pid in $(fuser "$lck" 2>/dev/null); do
	kill "$pid"
done
wait
run_ok "killed, it does not hold it" vzctl set 1490 --description five --save
like "$(cat "$VZ_CONFDIR/conf/1490.conf")" 'DESCRIPTION="five"' "what was said last is there"

ln -sf "$T/target" "$lck"
run vzctl set 1490 --description six --save
[ "$status" = 77 ] && [ ! -e "$T/target" ]
ok $? "a link in its place is not followed (status $status)"
done_testing
