#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vzubc on texts as /proc/user_beancounters is: exact output, options, damaged texts.
. "$(dirname "$0")/../lib.sh"

head='Version: 2.5
       uid  resource                     held              maxheld              barrier                limit              failcnt'
unlimited=9223372036854775807

# rows VEID [NAME HELD MAXHELD BARRIER LIMIT FAILCNT]...: a block
rows() {
	local id="$1:"
	shift
	while [ $# -gt 0 ]; do
		printf '%10s  %-12s %20s %20s %20s %20s %20s\n' "$id" "${@:1:6}"
		id=
		shift 6
	done
}

# sample HELD FAILCNT: three VEs
sample() {
	echo "$head"
	rows 101 kmemsize "$1" 5242880 14372700 14790164 0 \
		lockedpages 0 8 256 256 0 \
		privvmpages 40000 66000 65536 69632 "$2" \
		dummy 0 0 0 0 0 \
		numproc 21 32 240 240 0 \
		physpages 20000 30000 0 65536 0 \
		vmguarpages 0 0 33792 $unlimited 0 \
		numtcpsock 200 300 360 360 0 \
		numflock - - 188 206 - \
		numfile 123456 1234567 $unlimited $unlimited 0 \
		newthing 1 2 3 4 5
	rows 102 numproc 5 9 $unlimited $unlimited 0
	rows 103 numpty 0 16 16 16 1 kmemsize 0 0 0 0 0 numproc 200 200 100 100 0
}
sample 2752512 12 >"$T/ubc"

run_ok "a text" vzubc -f "$T/ubc"
is "$out" "VE 101
counter        held  bar%  lim% maxheld  bar%  lim% barrier   limit  fail
kmemsize      2.62M   19%   18%   5.00M   36%   35%   13.7M   14.1M     0
lockedpages       0    0%    0%   32.0K  3.1%  3.1%   1.00M   1.00M     0
privvmpages    156M   61%   57%    257M  100%   94%    256M    272M    12
numproc          21  8.7%  8.7%      32   13%   13%     240     240     0
physpages     78.1M     -   30%    117M     -   45%       0    256M     0
vmguarpages       0    0%     -       0    0%     -    132M   unlim     0
numtcpsock      200   55%   55%     300   83%   83%     360     360     0
numflock          -     -     -       -     -     -     188     206     -

VE 103
counter        held  bar%  lim% maxheld  bar%  lim% barrier   limit  fail
kmemsize          0     -     -       0     -     -       0       0     0
numproc         200  200%  200%     200  200%  200%     100     100     0
numpty            0    0%    0%      16  100%  100%      16      16     1" \
	"what has a bound, in the rows' order; unknown ones are passed over"
is "$err" "" "and nothing else"
run_ok "-q" vzubc -q -f "$T/ubc"
is "$(awk '{ print $1, $NF }' <<<"$out")" "VE 101
counter fail
privvmpages 12
numtcpsock 0
 
VE 103
counter fail
numproc 0
numpty 1" "what is near, over, or was refused"
run_ok "-q's ratios" vzubc -q -qh 60% -qm 0.9 -f "$T/ubc" 101
unlike "$out" "numtcpsock" "are as wanted"
run_ok "a ratio as a percentage" vzubc -q -qh 100 -qm 10 -f "$T/ubc" 101
like "$out" "numproc" "has no need of a sign"
run_ok "-v" vzubc -v -f "$T/ubc" 102 101
like "$out" "numproc           5     -     -       9     -     -   unlim   unlim     0" \
	"what is not limited, too"
like "$out" "numfile        123k     -     -   1.23M     -     -   unlim   unlim     0" \
	"large counts are in thousands"
is "$(grep -c '^VE' <<<"$out")" 2 "of the VEs that are named"
run_ok "-c" vzubc -c -f "$T/ubc" 101
is "$(grep -c $'\e\[1;31mprivvmpages.*\e\[0m$' <<<"$out")$(grep -c $'^\e\[33mnumtcp' <<<"$out")" 11 \
	"colours"
is "$(vzubc -v -f - 102 <"$T/ubc" | head -n 1)" "VE 102" "standard input"
run_is 1 "a VE that is not there" vzubc -f "$T/ubc" 103 109
is "$err" "vzubc: no counters of VE 109 there" "is told"
like "$out" "^VE 103" "and the others are shown"
run_is 1 "a name that nobody has" vzubc -f "$T/ubc" web1
is "$err" "vzubc: no VE has the number or name 'web1': No such file or directory" "is told"
echo 'NAME="web1"' >"$VZ_CONFDIR/conf/103.conf"
ln -s ../conf/103.conf "$VZ_CONFDIR/names/web1"
run_ok "a name" vzubc -f "$T/ubc" web1
is "$(head -n 1 <<<"$out")" "VE 103" "stands for its VE"

# --- from run to run ---
keep=$T/keep
run_ok "-r, first" vzubc -r -rd "$keep" -f "$T/ubc" 101
like "$out" "limit \+fail" "says that it is relative"
like "$out" "privvmpages .* 12"$'\n' "is all that there were"
is "$(stat -c %a "$keep" "$keep/failcnt" | paste -sd' ')" "700 600" "is kept for nobody else"
sample 2752512 15 >"$T/ubc"
run_ok "-r, again" vzubc -r -rd "$keep" -f "$T/ubc" 101 103
like "$out" "privvmpages .* 3"$'\n' "is the increase"
like "$out" "numpty .* 1$" "of a VE that was not looked at before, all"
run_ok "-r -q, nothing new" vzubc -r -q -qh 200% -qm 200% -rd "$keep" -f "$T/ubc" 101
is "$out" "" "has nothing to show"
sample 2752512 4 >"$T/ubc"
run_ok "-r, begun anew" vzubc -r -rd "$keep" -f "$T/ubc" 101
like "$out" "privvmpages .* 4"$'\n' "is all since then"
run_ok "-r of another VE" vzubc -r -rd "$keep" -f "$T/ubc" 103
like "$out" "numpty .* 0$" "still knows what was"
run_ok "-rc" vzubc -rc -r -rd "$keep" -f "$T/ubc" 103
like "$out" "numpty .* 1$" "forgets it"

run_ok "-i, first" vzubc -i -id "$keep" -f "$T/ubc" 101
like "$out" "held change" "has a column"
like "$out" $'\n'"kmemsize      2.62M          19%" "that is empty"
sample 1752512 4 >"$T/ubc"
run_ok "-i, again, with -q" vzubc -i -q -id "$keep" -f "$T/ubc" 101
like "$out" $'\n'"kmemsize      1.67M  -976K   12%" "shows what has changed"
is "$(awk 'length > 80' <<<"$out")" "" "in 80 columns"
is "$(grep -c . "$keep/held")" 27 "the kept text is whole"
run_ok "-ic" vzubc -ic -id "$keep" -f "$T/ubc" 101
[ ! -e "$keep/held" ]
ok $? "forgets it"
echo nonsense >"$keep/failcnt"
run_is 1 "a damaged kept text" vzubc -r -rd "$keep" -f "$T/ubc"
is "$err" "vzubc: $keep/failcnt is damaged: remove it, or use -rc and -ic" "is told"
chmod 777 "$keep"
run_is 1 "a directory that all may write to" vzubc -rc -r -rd "$keep" -f "$T/ubc"
like "$err" "can be written to by others" "is refused"

# --- JSON ---
run_ok "-j" vzubc -j -f "$T/ubc"
is "$(jq -c '[.[].ctid, .[0].numflock, .[1].numproc]' <<<"${out//$unlimited/1}")" \
	"[101,102,103,{\"held\":null,\"maxheld\":null,\"barrier\":188,\"limit\":206,\"failcnt\":null},{\"held\":5,\"maxheld\":9,\"barrier\":1,\"limit\":1,\"failcnt\":0}]" \
	"raw numbers, null for what is not known"
rm -rf "$keep"
vzubc -q -r -i -rd "$keep" -f "$T/ubc" >/dev/null
sample 1752513 6 >"$T/ubc"
run_ok "-j -q -r -i" vzubc -j -q -r -i -rd "$keep" -f "$T/ubc" 101
is "$(jq -c 'map(del(.numtcpsock))' <<<"$out")" '[{"ctid":101,"kmemsize":{"held":1752513,"maxheld":5242880,"barrier":14372700,"limit":14790164,"failcnt":0,"failed":0,"change":1},"privvmpages":{"held":40000,"maxheld":66000,"barrier":65536,"limit":69632,"failcnt":6,"failed":2,"change":0}}]' \
	"with what has changed"

# --- damaged texts ---
# bad NAME: of standard input
bad() {
	cat >"$T/bad"
	run_is 1 "$1" vzubc -f "$T/bad"
	is "$out$err" "vzubc: $T/bad is no text as /proc/user_beancounters, or damaged" "is told"
}
bad "an empty text" </dev/null
bad "another text" <<<"root:x:0:0:root:/root:/bin/sh"
bad "a word for a number" < <(sample 1 x)
bad "a negative number" < <(sample 1 -5)
bad "rows that are cut off" < <(sample 1 1 | sed 's/ 0$//')
bad "a zero byte" < <({ sample 1 1 && printf 'a\0b\n'; })
bad "a row of no VE" < <({ echo "$head" && rows "" numproc 1 1 1 1 1; })
bad "a number that no VE has" < <({ echo "$head" && rows 99999999999 numproc 1 1 1 1 1; })
echo "$head" >"$T/bad"
run_ok "a text without VEs" vzubc -f "$T/bad"
run_is 1 "a file that is not there" vzubc -f "$T/none"
is "$err" "vzubc: can't read $T/none: No such file or directory" "is told"

# --- usage ---
run_ok "--help" vzubc --help
like "$out" "^Usage: vzubc" "goes to standard output"
run_ok "--version" vzubc --version
for wrong in "-x" "-wn" "-wn 0" "-wn x" "-qh x" "-qm -1" "-qh 5%%" "--quiet=1" "-q -v" "-w -j" \
	"-w -f -" "--sources 101" "--sources -w"; do
	# shellcheck disable=SC2086 # words
	run_is 1 "vzubc $wrong" vzubc $wrong
	is "$(grep -c '^vzubc: ' <<<"$err")$out" 1 "one line says why"
done
vzubc -f "$T/ubc" >/dev/full 2>"$T/err"
is "$?" 1 "a full disk is an error"
vzubc -w -wn 0.1 -f "$T/ubc" | head -n 3 >"$T/got"
like "${PIPESTATUS[*]}" "^(0|141) 0$" "-w into a pipe ends with its reader"
like "$(head -n 1 "$T/got")" "  every 0.1 s$" "it has a title"

# --- on a terminal ---
if type -P script >/dev/null; then
	on_terminal 10 60 "vzubc -w -wn 0.3 -f $T/ubc" "VE 101" G "numpty" q
	is "$(cat "$T/status")" 0 "q ends -w"
	like "$(cat "$T/screen")" $'\e\\[\\?1049h.*every 0.3 s.*VE 101' "tables below a title"
	unlike "$(sed 's/every/\n/g' "$T/screen" | head -n 2)" "numpty" "what does not fit is not there"
	like "$(cat "$T/screen")" "numpty" "until one goes to the end"
	like "$(tail -c 20 "$T/screen")" $'\e\\[\\?1049l' "the terminal is left as it was"
	like "$(cat "$T/stty")" " icanon .* echo " "its modes, too"
	on_terminal 24 80 "vzubc -wt -wn 0.2 -f $T/ubc 101" "VE 101" '\003'
	unlike "$(cat "$T/screen")" "every" "-wt has no title"
	like "$(tail -c 20 "$T/screen")" $'\e\\[\\?1049l' "Ctrl-C leaves it so as well"
else
	skip "a terminal" "no script(1)"
fi
done_testing
