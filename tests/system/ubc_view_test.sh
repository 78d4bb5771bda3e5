#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What vzlist, vzubc, vztop and vzpid show of VEs that run.
. "$(dirname "$0")/../lib.sh"

is_root || skip_all "not root"
A=14110 B=14111

make_ve $A --hostname a.example && vzctl --quiet set $A --name alpha --numproc 60:60 --save || exit
mkdir -p "$VZ_CONFDIR/pools" && echo 'CPUUNITS="2000"' >"$VZ_CONFDIR/pools/web.conf"
make_ve $B --hostname b.example && vzctl --quiet set $B --pool web --save || exit
is "$(vzlist -H -o numproc,numproc.m,numproc.f,numproc.b,numproc.l $A | tr -s ' ')" \
	" - - - 60 60" "a stopped VE has nothing but barrier and limit"
vzctl --quiet start $A && vzctl --quiet start $B || exit
for ve in $A $B; do
	vzctl exec "$ve" 'until [ -e /run/up ]; do sleep 0.1; done'
done
vzctl exec $A 'for i in 1 2 3 4 5; do sleep 1000 >/dev/null 2>&1 & done'

dir=$(cgroup2_dir)/$CGROUP/$A
tasks() {
	find "$dir" -name cgroup.threads -exec cat {} + | wc -l
}

# --- vzlist ---
is "$(vzlist -H -o numproc $A | tr -d ' ')" "$(tasks)" "numproc is how many processes there are"
read -r max fail barrier limit < <(vzlist -H -o numproc.m,numproc.f,numproc.b,numproc.l $A)
[ "$max" -ge "$(tasks)" ]
ok $? "maxheld is at least that ($max)"
is "$fail $barrier $limit" "0 60 60" "nothing was refused yet; barrier and limit"
out=$(vzlist -j -o ctid,numproc $A $B)
is "$(jq -c '.[0].numproc | [.held, .barrier, .limit, .failcnt]' <<<"$out")" "[$(tasks),60,60,0]" "the same in JSON"
is "$(jq -c 'map(.ctid)' <<<"$out")" "[$A,$B]" "of both"
is "$(vzlist -H -o numproc $A $B | paste -sd' ' | tr -s ' ')" \
	"$(for ve in $A $B; do vzlist -H -o numproc "$ve"; done | paste -sd' ' | tr -s ' ')" \
	"one by one or all at once"
# shellcheck disable=SC2016 # the VE's shell
vzctl exec $A 'i=0; while [ $i -lt 80 ]; do sleep 1000 >/dev/null 2>&1 & i=$((i + 1)); done' \
	>/dev/null 2>&1
refused=$(vzlist -H -o numproc.f $A | tr -d ' ')
[ "$refused" -gt 0 ]
ok $? "refusals are counted ($refused)"
is "$(vzlist -H -o numproc.m $A | tr -d ' ')" 60 "maxheld is at the limit"

# --- vzubc ---
run_ok "vzubc" vzubc $A
is "$(head -n 1 <<<"$out")" "VE $A alpha" "has a table"
is "$(awk '$1 == "numproc" { print $5, $8, $9, $10 }' <<<"$out")" "60 60 60 $refused" \
	"with the same numbers"
is "$(vzubc -q $A $B | awk '$1 == "numproc" { print $10 }')" "$refused" "-q shows what was refused"
is "$(vzubc -j | jq -c 'map(.ctid)')" "[$A,$B]" "JSON of all that run"
is "$(vzubc alpha | head -n 1)" "VE $A alpha" "by name"
vzubc -r >/dev/null
is "$(vzubc -r $A | awk '$1 == "numproc" { print $10 }')" 0 "-r: none since the last time"
[ -e "$VZ_RUNDIR/vzubc/failcnt" ]
ok $? "kept in the run directory"
run_ok "--sources" vzubc --sources
is "$(grep -c '^[a-z]' <<<"$out") $(awk 'length > 80' <<<"$out")" "22 " "a line for each counter, in 80 columns"
like "$out" "numproc      exact       pids.current +pids.max: EAGAIN" "how it is known, and enforced"
is "$(vzubc --sources -j | jq -c '.[] | select(.counter == "numproc")')" \
	'{"counter":"numproc","known":"exact","source":"pids.current","enforced":"pids.max: EAGAIN","live":true}' \
	"the same in JSON"
like "$(vzubc -v $A)" "VE $A alpha.*counter +known" "-v has it below the VEs' tables"
run_is 1 "a VE that does not run" vzubc 14112
is "$err" "vzubc: no counters of VE 14112: it does not run" "is told"

# --- vztop ---
out=$(vztop -j -n 1)
is "$(jq -c 'map([.veid, .name, .pool, .status])' <<<"$(vztop -j -n 1 -s veid)")" \
	"[[$A,\"alpha\",null,\"running\"],[$B,\"b.example\",\"web\",\"running\"]]" "vztop lists both"
is "$(jq ".[] | select(.veid == $A) | .numproc" <<<"$out")" \
	"$(vzlist -H -o numproc $A | tr -d ' ')" "with their processes"
[ "$(jq ".[] | select(.veid == $A) | .failcnt" <<<"$out")" -ge "$refused" ]
ok $? "and refusals"
vzctl exec $B 'while :; do :; done' &
hog=$!
out=$(sleep 0.5; vztop -b -H -n 2 -d 1 -o veid,cpu,pcpu)
is "$(sed -n 3p <<<"$out" | awk '{ print $1 }')" $B "the busiest is the first"
cpu=$(sed -n 3p <<<"$out" | awk '{ print int($2) }')
[ "$cpu" -gt 3 ] && [ "$cpu" -lt 110 ]
ok $? "with what it used within a second ($cpu %)"
kill $hog
is "$(vztop -b -n 1 | awk 'length > 80')" "" "80 columns are enough"
on_terminal 20 80 "vztop -s veid" "$A alpha" b "numproc +[0-9]" '\033[C' "VE $B" '\033' \
	"by veid" 'n' "by name" q
is "$(cat "$T/status")" 0 "on a screen"
like "$(cat "$T/screen")" $'\e\\[1;31mnumproc' "the counters of one, refused ones in red"
like "$(cat "$T/screen")" "VE $B b.example" "and of the next"
on_terminal 8 80 "vztop -s veid" "$A alpha" "ba" "privvmpages" G "swappages" q
is "$(cat "$T/status")" 0 "a small screen can be scrolled"
like "$(cat "$T/screen")" "swappages" "to the last counter"

# --- vzpid ---
init=$(sed -n 's/^pid *= *//p' "$VZ_RUNDIR/$A/state" | tr -d '"')
is "$(vzpid -p "$init" | tail -n 1 | cut -f 2,3)" "1	$A" "vzpid knows the VE's init"
find "$dir" -name cgroup.procs -exec cat {} + >"$T/pids"
is "$(vzpid - <"$T/pids" | sed 1d | cut -f 2 | sort -u)" $A "and all its processes"

find "${dir%/*}/pool-web/$B" -name cgroup.procs -exec cat {} + >"$T/pids"
is "$(vzpid - <"$T/pids" | sed 1d | cut -f 2 | sort -u)" $B "and those of a VE in a pool"

# --- without programs ---
for d in "$VZ_RUNDIR"/bpf/acct*; do
	mv "$d" "${d%/*}/hidden-${d##*/}"
done
is "$(vzlist -H -o numproc,numproc.l,numtcpsock $A | tr -s ' ')" " $(tasks) 60 -" \
	"without the programs, what groups count and no more"
is "$(vztop -j -n 1 -s veid | jq -c 'map(.numproc > 0)')" "[true,true]" "in vztop as well"
like "$(vzubc --sources)" "numfile      -           no programs: see vzubc\(8\)" "vzubc says so"
for d in "$VZ_RUNDIR"/bpf/hidden-*; do
	mv "$d" "${d%/*}/${d##*/hidden-}"
done

# --- what the page says of this kind of kernel, and what is so ---

# page KIND VERSION: of each counter how it is known, the errors that its limit gives, and
# whether that holds at once, by the table of vzubc(8): for a kernel that takes programs
# on its functions, or on groups, whose groups of memory are of that version.
page() {
	awk -F '\t' -v kind="$1" -v version="$2" '
	/^\.TE/ { on = 0 }
	/^_$/ { on = 1; next }
	!on { next }
	/T\{$/ { sub(/T\{$/, ""); row = $0; more = 1; next }
	more && /^T\}/ { more = 0; $0 = row }
	more { row = row $0 " "; next }
	{
		known = kind == "groups" && $3 != "the same" ? $3 : $2
		if (match(known, version ": [^;]*"))
			known = substr(known, RSTART + 4, RLENGTH - 4)
		if (known == "2 s old") known = $1 == "kmemsize" ? "sampled" : "approximate"
		if (known ~ /^as /) known = "approximate"
		errors = ""; live = "at once"
		n = split($4, part, /; */)
		for (i = 1; i <= n; i++) {
			if (part[i] ~ /^(functions|groups): / && index(part[i], kind) != 1) continue
			while (match(part[i], /E[A-Z]+[A-Z]/)) {
				word = substr(part[i], RSTART, RLENGTH)
				if (!index(errors, word)) errors = errors word " "
				part[i] = substr(part[i], 1, RSTART - 1) substr(part[i], RSTART + RLENGTH)
			}
			if (part[i] ~ /from the start on/) live = "later"
		}
		if (errors == "") live = ""
		print $1, known, errors live
	}' "$TESTS/../vzlist/vzubc.8"
}
so() {
	vzubc --sources -j | jq -r '.[] | (.enforced // "" | [scan("\\bE[A-Z]+")] | unique | join(" ")) as $e |
		"\(.counter) \(.known // "-") " + if $e == "" then "" else
		$e + if .live then " at once" else " later" end end'
}
kind=groups
[ ! -e "$VZ_RUNDIR/bpf/acct-2/file_made" ] || kind=functions
if [ -e "$VZ_RUNDIR/bpf/acct-2/seal" ] && [ -e "$TESTS/../vzlist/vzubc.8" ]; then
	is "$(so)" "$(page $kind "$(controller memory | cut -d' ' -f1)")" "vzubc(8) says what is so"
	is "$(page $kind v2 | wc -l)" 21 "of all counters"
else
	skip "what vzubc(8) says" "no programs, or no page"
fi

# --- one ends ---
vzctl --quiet stop $A --fast
is "$(vzlist -H -o ctid)" "$(printf '%10s' $B)" "a VE that has stopped is not listed"
is "$(vztop -j -n 1 | jq -c 'map(.veid)')" "[$B]" "nor by vztop"
is "$(vzubc -j | jq -c 'map(.ctid)')" "[$B]" "nor by vzubc"
done_testing
