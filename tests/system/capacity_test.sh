#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Planning with VEs that run: current figures are those of their counters, by hand.
. "$(dirname "$0")/../lib.sh"

is_root || skip_all "not root"
make_ve 14011 --config basic || skip_all "no VE could be made"
run_ok "vzcalc of a VE that is down" vzcalc -v 14011
like "$out" "Num. Proc +n/a +n/a +[0-9.]+" "has no current figures"
run_ok "starts" vzctl start 14011
run_ok "a process" vzctl exec 14011 'for i in 1 2 3 4 5; do sleep 1000 & done'

bc=$VZ_RUNDIR/proc/user_beancounters
[ -e "$bc" ] || skip_all "this kernel keeps no beancounters"
run_ok "a look at the counters" vzubc 14011
cp "$bc" "$T/bc"
is "$(grep -c Version "$T/bc")" 1 "have one header, also of a single VE"

# share FORMULA: per cent, of the held values h[] and the node's numbers, or "-"
share() {
	awk -v formula="$1" -v threads="$(cat /proc/sys/kernel/threads-max)" \
		-v ram="$(awk '/^MemTotal:/ { print $2 * 1024 }' /proc/meminfo)" \
		-v all="$(awk '/^(MemTotal|SwapTotal):/ { s += $2 } END { print s * 1024 }' /proc/meminfo)" '
		{ sub(/^ *[0-9]+:/, ""); h[$1] = $2 }
		END {
			known = h["kmemsize"] != "-" && h["tcpsndbuf"] != "-" && h["tcprcvbuf"] != "-" &&
				h["othersockbuf"] != "-" && h["dgramrcvbuf"] != "-"
			k = h["kmemsize"] + h["tcpsndbuf"] + h["tcprcvbuf"] + h["othersockbuf"] + h["dgramrcvbuf"]
			if (formula == "proc") print h["numproc"] == "-" ? "-" : h["numproc"] / threads * 100
			else if (formula == "ram") print !known || h["physpages"] == "-" ? "-" : (h["physpages"] * 4096 + k) / ram * 100
			else print !known || h["privvmpages"] == "-" ? "-" : (h["privvmpages"] * 4096 + k) / all * 100
		}' "$T/bc"
}

# near GOT WANT NAME: as far as two decimals say it, or both unknown
near() {
	awk -v a="$1" -v b="$2" 'BEGIN {
		if (a == "-" || b == "-") exit a != b
		exit !(a - b <= 0.006 && b - a <= 0.006)
	}'
	ok $? "$3" || diag "got $1, expected $2"
}

run_ok "vzcalc of the counters as they were" vzcalc -v --ubc "$T/bc" 14011
near "$(awk '/^Num. Proc/ { print $3 }' <<<"$out")" "$(share proc)" "processes"
near "$(awk '/^Total RAM/ { print $3 }' <<<"$out")" "$(share ram)" "RAM"
near "$(awk '/^Alloc. Mem/ { print $3 }' <<<"$out")" "$(share all)" "allocations"
run_ok "vzcalc of the VE" vzcalc -v 14011
like "$out" "Num. Proc +(-|0\.[0-9]+) " "has current figures"
unlike "$out" "Memory +n/a" "and a sum"
run_ok "vzcalc --node" vzcalc --node
like "$out" "1 VEs, 1 of them running" "knows that it runs"
like "$out" "Processes +[0-9.kM]+ +([6-9]|[1-9][0-9]|-) " "and how many processes there are"
run_ok "vzmemcheck -v" vzmemcheck -v
like "$out" $'\n14011 ' "shows it"
run_ok "vzcpucheck -v" vzcpucheck -v
like "$out" $'\n14011 +1000\n' "has its CPU units"
run_ok "vzoversell" vzoversell
like "$out" $'\n     14011 ' "has its line"
run_ok "stops" vzctl stop 14011 --fast
run_ok "then vzmemcheck -v" vzmemcheck -v
unlike "$out" 14011 "does not show it"
run_ok "nor vzoversell" vzoversell
unlike "$out" 14011 "does"
done_testing
