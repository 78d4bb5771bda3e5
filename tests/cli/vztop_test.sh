#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vztop without VEs: options, batch mode, and how it behaves on a terminal.
. "$(dirname "$0")/../lib.sh"

is_root || skip_all "vztop needs root"

columns="   VEID NAME         STATUS    CPU%   MEM  MEM%  PROC PCPU PMEM  PIO  FAIL +FAIL"

run_ok "-b -n 1" vztop -b -n 1
is "$(sed -n '1s/^..:..:.. [^ ]*  up .* load .*  0 VEs run, 0 frozen  by -cpu$/yes/p' <<<"$out")" \
	yes "says what the node does"
like "$(sed -n 2p <<<"$out")" "^CPU \[[| ]{10}\] [0-9-]+%? of [0-9]+  Mem \[[| ]{10}\] [0-9.]+[KMGT] of " \
	"how much is used"
is "$(sed -n '3,$p' <<<"$out")" "
$columns" "and there is no VE"
is "$(awk 'length > 80' <<<"$out")" "" "80 columns are enough"
run_ok "-b twice" vztop -b -n 2 -d 0.1 -s name -o veid,name
is "$(grep -c "^   VEID NAME$" <<<"$out") $(grep -c "by name$" <<<"$out")" "2 2" "two looks"
run_ok "-H" vztop -b -H -n 2 -d 0.1
is "$out" "" "nothing but VEs"
run_ok "-j" vztop -j -n 1
is "$out" "[]" "an empty array"
run_ok "-L" vztop -L
is "$(grep -c '^[a-z%]* *[A-Z+%]*$' <<<"$out") $(wc -l <<<"$out")" "16 16" "lists the fields"
run_ok "--help" vztop --help
like "$out" "^Usage: vztop" "goes to standard output"
run_ok "--version" vztop --version
for wrong in "-b -n 0" "-b -n x" "-b -d 0" "-b -d x" "-b -o nothing" "-b -s nothing" "-b 101"; do
	# shellcheck disable=SC2086 # words
	run_is 1 "vztop $wrong" vztop $wrong
	is "$(grep -c '^vztop: ' <<<"$err")$out" 1 "one line says why"
done
run_is 1 "no terminal" vztop
is "$err" "vztop: standard output is no terminal that can be drawn on: use vztop -b" "is told"
vztop -b -n 1 >/dev/full 2>/dev/null
is "$?" 1 "a full disk is an error"
timeout 10 vztop -b -d 0.1 | head -n 1 >"$T/got"
like "${PIPESTATUS[*]}" "^(0|141) 0$" "it ends with its reader"

left=$'\e\\[\\?1049l'
if ! type -P script >/dev/null; then
	skip "a terminal" "no script(1)"
	done_testing
fi
on_terminal 12 80 vztop "No VE runs" h "choose a VE" x "No VE runs" r "by cpu" '\033[B\033Oqjk' \
	"No VE runs" q
is "$(cat "$T/status")" 0 "q ends it"
screen=$(cat "$T/screen")
like "$screen" "choose a VE" "h explains"
like "$screen" "by cpu" "r turns the order"
is "$(sed 's/\x1b\[H/\n/g' "$T/screen" | sed 's/\x1b\[[0-9;?]*[A-Za-z]//g; s/\r//g' |
	awk 'length > 80')" "" "lines are cut at the edge"
like "$(tail -c 20 "$T/screen")" "$left" "the terminal is left as it was"
like "$(cat "$T/stty")" " icanon .* echo " "its modes, too"
on_terminal 12 80 vztop "No VE runs" '\003'
is "$(cat "$T/status")" 0 "Ctrl-C ends it"
like "$(tail -c 20 "$T/screen")" "$left" "and the terminal is as it was"
on_terminal 12 80 'vztop -d 0.2 -n 3 </dev/null'
is "$(cat "$T/status") $(grep -o 'VEs run' "$T/screen" | wc -l)" "0 3" "it needs no keyboard"
TERM_KIND=dumb on_terminal 12 80 vztop
is "$(cat "$T/status")" 1 "a terminal that can't be drawn on is refused"

# What the inner shell does to it while it is shown.
meanwhile() {
	on_terminal 12 80 "vztop -d 0.2 & p=\$!; until grep -q 'VEs run' $T/screen; do sleep 0.1; done
		$1; kill \$p; wait \$p"
}
meanwhile :
like "$(tail -c 20 "$T/screen")" "$left" "SIGTERM leaves the terminal as it was"
# shellcheck disable=SC2016 # the inner shell's variables
meanwhile 'stty rows 3 cols 30; kill -WINCH $p; sleep '"$SLOW"
is "$(sed 's/\x1b\[H/\n/g' "$T/screen" | tail -n 3 | tr -d '\r' | cut -c 1-38 | grep -c .)" 3 \
	"it is drawn anew in another size"
unlike "$(sed 's/\x1b\[H/\n/g' "$T/screen" | tail -n 3)" "NAME" "which three lines fill"
# shellcheck disable=SC2016
meanwhile 'kill -TSTP $p; sleep 0.3; ps -o stat= $p >'"$T/stat; stty -a >$T/stty2"'; kill -CONT $p; sleep '"$SLOW"
like "$(cat "$T/stat")" "^T" "Ctrl-Z stops it"
like "$(cat "$T/stty2")" " icanon " "with the terminal as it was"
is "$(grep -o $'\e\\[?1049[hl]' "$T/screen" | tr -d '\n\033')" "[?1049h[?1049l[?1049h[?1049l" \
	"and it comes back"
done_testing
