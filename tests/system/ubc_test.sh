#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Beancounters against a known load: what is held, the most that was, the limit,
# and as many refusals as the program saw; then nothing is left.
. "$(dirname "$0")/../lib.sh"

is_root || skip_all "not root"
make_conf
make_ve 14601 || skip_all "no VE could be made"
sed -i '/^NUM/d; /^PRIVVM/d; /^SHM/d; /^LOCKED/d' "$VZ_CONFDIR/conf/14601.conf"
make_ve 14602
for ve in 14601 14602; do
	cp "$(test_program load)" "$T/private/$ve/bin/" || skip_all "no load"
done
run_ok "a VE starts" vzctl start 14601
unlike "$err" "counters" "without a complaint about its counters"
run_ok "and another" vzctl start 14602
bc=$VZ_RUNDIR/proc/user_beancounters
[ -e "$bc" ] || skip_all "this kernel keeps no beancounters"
# On the kernel's functions programs count exactly; else some are sampled.
exact=no
[ ! -e "$VZ_RUNDIR/bpf/acct-2/file_made" ] || exact=yes

# ubc VEID COUNTER held|maxheld|barrier|limit|failcnt
ubc() {
	local n
	case $3 in held) n=2 ;; maxheld) n=3 ;; barrier) n=4 ;; limit) n=5 ;; failcnt) n=6 ;; esac
	vzubc_sample
	awk -v id="$1:" -v c="$2" -v n=$n '/^ *[0-9]+:/ { on = $1 == id; sub(/^ *[0-9]+:/, "") }
		on && $1 == c { print $n }' "$bc"
}
# What is only sampled is sampled when a tool looks.
vzubc_sample() {
	vzubc >/dev/null
}

# busy KIND COUNT: the load runs; tells what it was given
busy() {
	rm -f "$T/go" "$T/said" && mkfifo "$T/go"
	vzctl exec 14601 "exec load $1 $2" <"$T/go" >"$T/said" 2>&1 &
	load=$!
	exec 9>"$T/go"
	given='' refused='' error=''
	wait_for 60 has_said
	grep -q given "$T/said" || diag "$(cat "$T/said")"
	read -r _ given _ refused _ error <"$T/said"
}
# It has told, or ended without a word.
has_said() {
	grep -q given "$T/said" || ! kill -0 "$load" 2>/dev/null
}
idle() {
	exec 9>&-
	wait "$load"
}

# look VEID COUNTER: all of its numbers, by one look
look() {
	vzubc >/dev/null
	read -r held maxheld barrier limit failcnt < <(awk -v id="$1:" -v c="$2" \
		'/^ *[0-9]+:/ { on = $1 == id; sub(/^ *[0-9]+:/, "") }
		on && $1 == c { print $2, $3, $4, $5, $6 }' "$bc")
}

# counted KIND COUNTER COUNT EACH ERRNO: COUNT more are held (EACH for one), and
# with a limit half way as many are refused as the program says
counted() {
	local kind=$1 counter=$2 n=$3 each=$4 errno=$5 before bound failed gap=0
	look 14601 "$counter"
	before=$held failed=$failcnt
	busy "$kind" "$n"
	look 14601 "$counter"
	is "$given" "$n" "$kind: $n are given"
	if is_strict "$kind"; then
		[ "$kind" != accept ] || before=$((before + 1)) # who listens
		is "$((held - before))" "$((n * each))" "$kind: $counter holds just them"
		[ "$kind" != accept ] || before=$((before - 1))
	else
		near "$((held - before))" "$((n * each))" "$kind: $counter holds them"
	fi
	[ "$maxheld" -ge "$held" ]
	ok $? "$kind: and remembers them" || diag "maxheld $maxheld held $held"
	idle
	settles 14601 "$counter" "$before" "$kind: $counter is back"
	[ -n "$errno" ] || return
	bound=$((before + (n / 2) * each))
	# A stack may grow between barrier and limit: who is refused lives on.
	[ "$kind" != mem ] || gap=500
	run_ok "$kind: a limit" vzctl set 14601 "--$counter" "$bound:$((bound + gap))"
	busy "$kind" "$((n / 2 + 1100))"
	look 14601 "$counter"
	is "$barrier:$limit" "$bound:$((bound + gap))" "$kind: is in force"
	is "$error" "$errno" "$kind: who is refused is told why"
	[ "${refused:-0}" -ge 1000 ]
	ok $? "$kind: a thousand are refused" || diag "$refused"
	is "$((failcnt - failed))" "$refused" "$kind: and all are counted"
	idle
	settles 14601 "$counter" "$before" "$kind: nothing is left of it"
	run_ok "$kind: no limit again" vzctl set 14601 "--$counter" unlimited
}

# Exact, and of things that the load has none of by itself.
is_strict() {
	case $1 in
	tcp | tcp6 | accept | shm) true ;;
	udp | unix | pair | lock | flock | pty) [ $exact = yes ] ;;
	*) false ;;
	esac
}

# Within two per cent, and equal where it is exact.
near() {
	local d=$(($1 - $2))
	[ ${d#-} -le $(($2 / 50 + slack)) ]
	ok $? "$3" || diag "got $1, expected $2"
}
settles() {
	local end=$((SECONDS + 5 * SLOW)) v
	while v=$(ubc "$1" "$2" held) && [ "$v" -gt "$(($3 + slack))" ] && [ $SECONDS -le $end ]; do
		sleep 0.1
	done
	near "$v" "$3" "$4"
}
slack=2

# --- in the VE ---

run vzctl exec 14602 cat /run/vz/proc/user_beancounters
is "$(head -n 1 <<<"$out")" "Version: 2.5" "a VE has a file of its own"
is "$(grep -c : <<<"$out") $(grep -cw 14602: <<<"$out")" "2 1" "of its own counters only"
is "$(wc -l <<<"$out")" 27 "in all of their rows"
run_is 8 "which it can't write" vzctl exec 14602 'echo 0 >/run/vz/proc/user_beancounters'
like "$(grep numproc "$VZ_RUNDIR/proc/bc/14602/resources")" '^ {12}numproc +[0-9]+ ' "as bc/VEID/resources on the node"

# --- limits that the kernel itself is told, from the start on ---

run_ok "limits of terminals and shared memory" \
	vzctl --quiet set 14602 --numpty 5 --shmpages 50 --lockedpages 60 --save
run_ok "start with them" vzctl --quiet restart 14602
for kind in "pty 5 28" "shm 50 28" "mlock 60 12"; do
	read -r kind max errno <<<"$kind"
	run vzctl exec 14602 "load $kind 1100"
	is "$out" "given $max refused $((1100 - max)) error $errno" "$kind: $max and no more"
done

[ $exact = no ] || is "$(ubc 14602 lockedpages failcnt)" 1040 "mlock: and the refusals are counted"

# --- rules of netfilter, in the VE's own namespace ---

rules() {
	nsenter -t "$(sed -n 's/^pid = //p' "$VZ_RUNDIR/14602/state")" -n nft "$@"
}
is "$(ubc 14602 numiptent held)" 0 "numiptent: a new VE has none"
if rules add table ip t 2>/dev/null && rules add chain ip t c; then
	for i in 1 2 3 4 5 6 7; do
		rules add rule ip t c tcp dport "$i" accept
	done
	is "$(ubc 14602 numiptent held)" 7 "numiptent: as many as there are"
	rules flush ruleset
	is "$(ubc 14602 numiptent held) $(ubc 14602 numiptent maxheld)" "0 7" "numiptent: and were"
else
	skip "numiptent" "no nft, or a kernel without nftables"
fi

# --- one after the other ---

counted proc numproc 100 1 11
counted tcp numtcpsock 200 1 105
counted tcp6 numtcpsock 200 1 ""
counted accept numtcpsock 50 2 ""
if [ $exact = yes ]; then
	counted udp numothersock 200 1 105
	counted unix numothersock 200 1 105
	counted file numfile 500 1 23
	counted lock numflock 300 1 37
	counted flock numflock 300 1 37
	counted mem privvmpages 8000 1 12
	counted pty numpty 100 1 28
	counted shm shmpages 100 1 28
else
	counted udp numothersock 200 1 105
	counted unix numothersock 200 1 ""
	counted file numfile 500 1 ""
	counted lock numflock 300 1 ""
	counted flock numflock 300 1 ""
	counted mem privvmpages 8000 1 ""
	counted pty numpty 100 1 ""
	counted shm shmpages 100 1 ""
fi
counted pair numothersock 100 2 ""
counted signal numsiginfo 200 1 ""
run_ok "a limit of signals" vzctl --quiet set 14601 --numsiginfo 100 --save
run_ok "from the next start" vzctl --quiet restart 14601
busy signal 1100
# The VE's init may have some pending, too.
[ "$given" -ge 90 ] && [ "$given" -le 100 ]
ok $? "signal: as many as may be" || diag "$given"
is "$refused $error" "$((1100 - given)) 11" "signal: no more"
is "$(ubc 14601 numsiginfo held) $(ubc 14601 numsiginfo failcnt)" "100 $refused" "signal: held and refused"
idle
counted mlock lockedpages 100 1 ""
done_testing
