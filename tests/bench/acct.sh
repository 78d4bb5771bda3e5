#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the beancounters cost: who is counted, who is not, and who reads them.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/verdict.sh"

BIN=$O/tests/bench
VES=${VES:-1000}
RUNNING=${RUNNING:-1000}

is_root || skip_all "not root"
make_conf
dir=$(cgroup2_dir)/$CGROUP

echo "counting, in microseconds (median of 45 rounds of 2,000 calls, in 9 turns)"
"$BIN/acct" "$dir" "$VES" >"$T/us" || exit 1
declare -A us
while read -r name value; do
	us[$name]=$value
	printf '  %-16s %12s\n' "$name" "$value"
done <"$T/us"
verdict "socket and close in a VE / bare" "$(ratio "${us[socket_ve]}" "${us[socket_bare]}")" most 1.2
verdict "socket and close on the node / bare" "$(ratio "${us[socket_node]}" "${us[socket_bare]}")" most 1.03
verdict "open and close in a VE / bare" "$(ratio "${us[file_ve]}" "${us[file_bare]}")" most 1.2
verdict "open and close on the node / bare" "$(ratio "${us[file_node]}" "${us[file_bare]}")" most 1.03
verdict "reading all counters of $VES VEs, ms" "$(ratio "${us[read_records]}" 1000)" most 2
verdict "reading user_beancounters of $VES VEs, ms" "$(ratio "${us[read_text]}" 1000)" most 10
for d in "$dir"/*/; do rmdir "$d" 2>/dev/null; done
umount "$VZ_RUNDIR/bpf" 2>/dev/null

busybox_template
for ((i = 0; i < RUNNING; i++)); do
	vzctl --quiet create $((20000 + i)) --ostemplate "$BUSYBOX_TEMPLATE" || exit 1
	vzctl --quiet start $((20000 + i)) || exit 1
done
counters=numproc,physpages,privvmpages,numfile,numtcpsock,numothersock,kmemsize,numflock,numpty,shmpages
{
	printf 'without\t%s\n' "vzlist -a -H -o ctid,status,hostname"
	printf 'with\t%s\n' "vzlist -a -H -o ctid,status,hostname,$counters"
	printf 'plan\t%s\n' "vzcalc --node"
} >"$T/list"
"$BIN/timeit" 41 0 <"$T/list" >"$T/times" || exit 1
declare -A ms
while read -r name median _; do ms[$name]=$median; done <"$T/times"
echo "vzlist of $RUNNING running VEs: ${ms[without]} ms, with ten counters ${ms[with]} ms"
verdict "vzlist with ten counters / without" "$(ratio "${ms[with]}" "${ms[without]}")" most 1.5
verdict "vzcalc --node of $RUNNING VEs, ms" "${ms[plan]}" most 1000
exit $((missed != 0))
