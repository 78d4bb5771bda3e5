#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# exec, exec2, enter, runscript and console: words, input, output and exit codes.
. "$(dirname "$0")/../lib.sh"

is_root || skip_all "not root"
V=1220
make_ve $V --hostname inside || skip_all "no VE could be made"
# shellcheck disable=SC2016 # for the shell in the VE
printf '%s\n' '#!/bin/sh' 'hostname' 'ls -d /proc/1' 'read -r x && echo "read $x"' 'exit 3' >"$T/script"

status_is() {
	is "$(vzctl status $V)" "CTID $V exist $1" "$2"
}

# --- down ---

for verb in exec exec2; do
	run_is 31 "$verb in a VE that is down" vzctl $verb $V true
done
run_is 31 "enter" vzctl enter $V
run_is 31 "console" vzctl console $V
run_is 3 "runscript gives the script's code" vzctl runscript $V "$T/script"
is "$out" $'Container is mounted\ninside\n/proc/1\nContainer is unmounted' "that ran in the VE"
is "$err" "" "and nothing is complained of"
status_is "unmounted down" "it is down as before"
vzctl --quiet mount $V
run_is 3 "runscript in one that is mounted" vzctl --quiet runscript $V "$T/script"
status_is "mounted down" "leaves it mounted"

# --- running ---

vzctl --quiet start $V
run_is 3 "runscript in one that runs" vzctl runscript $V "$T/script"
is "$out" $'inside\n/proc/1' "has its host name and processes"
run_is 8 "exec of what fails" vzctl exec $V 'exit 7'
run_is 7 "exec2 of it" vzctl exec2 $V 'exit 7'
# shellcheck disable=SC2016
run_is 137 "one that is killed" vzctl exec2 $V 'kill -9 $$'
run_is 127 "none that there is" vzctl exec2 $V nosuch
run_is 20 "no command" vzctl exec $V
run vzctl exec $V echo 'a  b' '|' tr a c
is "$out" "c b" "words are joined, and the VE's shell reads them"
run vzctl exec $V 'echo out; echo err >&2'
is "$out/$err" "out/err" "output and errors stay apart"
is "$(echo typed | vzctl exec $V cat)" typed "a command reads standard input"
echo 'hostname; exit 4' | vzctl exec2 $V - >"$T/said"
is "$? $(cat "$T/said")" "4 inside" "- reads a script from it"
is "$(vzctl exec2 $V - </dev/null; echo $?)" 0 "an empty one"
head -c 3000000 /dev/zero >"$T/zeros"
is "$(vzctl exec $V 'cat | wc -c' <"$T/zeros")" 3000000 "three megabytes go in"
is "$(vzctl exec $V 'head -c 3000000 /dev/zero' | wc -c)" 3000000 "and out"
is "$(vzctl exec $V 'head -c 3000000 /dev/zero' | head -c 1 | wc -c)" 1 "or to who reads no more"
run_is 5 "enter --exec" vzctl enter $V --exec 'hostname; exit 5'
# Without a terminal the command writes by itself: it may be first.
like "$out" "entered into CT $V" "says where one is"
like "$out" "inside.*exited from CT $V\$" "and was"
run_is 20 "enter with words after it" vzctl enter $V hostname
run_is 20 "enter --exec without a command" vzctl enter $V --exec
run_is 20 "a console that there is not" vzctl console $V 99
run_is 20 "no number of a console" vzctl console $V tty1x
is "$(vzctl status $V)" "CTID $V exist mounted running" "it runs"

# Nobody's lock is in their way.
exec 9>>"$T/lock/$V.lck"
flock 9
run_ok "exec beside a command that has the lock" vzctl exec $V true
run_ok "status" vzctl status $V
run_ok "enter" vzctl enter $V --exec true
exec 9>&-
run_ok "stop" vzctl stop $V --fast
done_testing
