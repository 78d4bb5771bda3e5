#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The /proc-like files beside the beancounters, in OpenVZ's formats: what they
# show is alive.
# shellcheck disable=SC2034 # lib.sh reads it
OWN_NET=yes
. "$(dirname "$0")/../lib.sh"

need_net
make_conf
make_ve 14400 || skip_all "no VE could be made"
make_ve 14401
run_ok "a VE starts" vzctl start 14400
is "$err" "" "without a complaint about its files"
proc=$VZ_RUNDIR/proc
[ -e "$proc/vz/veinfo" ] || skip_all "this kernel takes no programs for files"

# heads FILE EXTENDED-REGEX: how many lines match
heads() {
	grep -cE "$2" "$proc/$1"
}

# line FILE VEID [FIELD]: the VE's line, or one field of it
line() {
	awk -v ve="$2" -v n="${3-0}" '$1 == ve { print $n }' "$proc/$1"
}

is "$(heads user_beancounters '^Version: ')" 1 "one VE's counters have one head"
run_ok "another one has an address" vzctl set 14401 --ipadd 10.144.1.1 --save
run_ok "and starts" vzctl start 14401
is "$(heads user_beancounters '^Version: ')" 1 "and so have two VEs'"

# --- version ---

like "$(cat "$proc/vz/version")" '^[0-9]+\.[0-9]+\.[0-9]+$' "vz/version"

# --- veinfo: VEID, class, processes, addresses ---

is "$(line vz/veinfo 14400)" "     14400     0     1" "vz/veinfo has a line for a VE"
is "$(line vz/veinfo 14401)" "     14401     0     1      10.144.1.1" \
	"and one for each, with the address that it started with"
is "$(wc -l <"$proc/vz/veinfo")" 2 "and for no other"
run_ok "it is given addresses" vzctl set 14400 --ipadd 10.144.0.1 --ipadd fd44::1 \
	--ipadd 10.144.0.2/24
is "$(line vz/veinfo 14400)" \
	"     14400     0     1      10.144.0.1         fd44::1      10.144.0.2" \
	"which veinfo shows"
run_ok "one is taken" vzctl set 14400 --ipdel 10.144.0.1
is "$(line vz/veinfo 14400)" "     14400     0     1         fd44::1      10.144.0.2" \
	"and is gone from it"
run_ok "all are taken" vzctl set 14400 --ipdel all
is "$(line vz/veinfo 14400)" "     14400     0     1" "and are gone"
vzctl exec 14400 'sleep 100 & sleep 100 & :'
is "$(line vz/veinfo 14400 3)" 3 "processes are counted"

# --- vestat ---

is "$(heads vz/vestat '^Version: 2\.2 {239}$')" 1 "vz/vestat: its version"
head=$(printf '%20s ' VEID user nice system uptime idle strv uptime used maxlat totlat \
	numsched)
is "$(sed -n 2p "$proc/vz/vestat")" "${head% }" "its columns"
is "$(heads vz/vestat '^ *144[0-9][0-9]( +([0-9]+|-)){11}$')" 2 "a line a VE"
is "$(awk 'length() != 251' "$proc/vz/vestat")" "" "each column as wide as it is to be"
user=$(line vz/vestat 14400 2)
used=$(line vz/vestat 14400 9)
other=$(line vz/vestat 14401 2)
like "$user $used" '^[0-9]+ [0-9]+$' "CPU times are numbers"
# shellcheck disable=SC2016 # the shell inside expands it
vzctl exec 14400 'i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done'
[ "$(line vz/vestat 14400 2)" -gt "$user" ]
ok $? "what its programs compute is user time"
[ "$(line vz/vestat 14401 2)" -le $((other + 5)) ]
ok $? "and its alone"
(($(line vz/vestat 14400 9) - used > 10000000))
ok $? "in nanoseconds as well"
system=$(line vz/vestat 14400 4)
vzctl exec 14400 'dd if=/dev/zero of=/dev/null bs=1 count=1000000' 2>/dev/null
[ "$(line vz/vestat 14400 4)" -gt "$system" ]
ok $? "what the kernel does for them is system time"
# Without a first process of a VE's own in a namespace that the VE made.
vzctl exec 14400 'unshare -p -f sleep 100 & sleep 0.3' 2>/dev/null
is "$(heads vz/vestat '^ *14400 ')" 1 "a VE's own namespaces add no line"
up=$(line vz/vestat 14400 5)
inside=$(vzctl exec 14400 cat /proc/uptime | awk '{ print int($1 * 100) }')
# They begin some steps of the start apart, and are read one after the other.
apart=$((inside - up))
[ "${apart#-}" -lt $((200 * SLOW)) ]
ok $? "its uptime is the one that it has inside" || diag "$up, $inside inside"
ns=$(line vz/vestat 14400 8)
[ $((ns / 10000000 - up)) -lt $((200 * SLOW)) ]
ok $? "also in nanoseconds"

# --- vswap ---

run_ok "it is given memory" vzctl set 14400 --ram 64M --swap 32M
is "$(heads vz/vswap '^Version: 1\.0$')" 1 "vz/vswap: its version"
like "$(line vz/vswap 14400)" '^     14400 +[0-9]+ +16384 +([0-9]+|-) +8192$' \
	"pages that are used, and limits"
is "$(line vz/vswap 14400 2)" "$(awk '$1 == "physpages" { print $2 }' \
	"$proc/bc/14400/resources")" "as the counters have it"

# --- vzquota ---

like "$(cat "$proc/vz/vzquota")" '^qid: path +usage +softlimit +hardlimit +time +expire$' \
	"vz/vzquota: no VE has a quota"

# --- who reads ---

# From a process in a VE's group, which its files are not given to.
in_group() {
	sh -c 'echo $$ >"$0/cgroup.procs" && cat "$@"' "$(cgroup2_dir)/$CGROUP/14400" \
		"$proc/vz/veinfo" "$proc/vz/vestat" "$proc/vz/vswap"
}
if own=$(in_group 2>/dev/null); then
	is "$(awk '$1 ~ /^144[0-9][0-9]$/ { print $1 }' <<<"$own" | paste -sd' ')" \
		"14400 14400 14400" "a VE's process sees its own VE only"
else
	skip "a VE's process sees its own VE only" "the group takes no process of its own"
fi

# --- ioacct ---

# io VEID NAME
io() {
	awk -v name="$2" '$1 == name { print $2 }' "$proc/bc/$1/ioacct"
}

like "$(cat "$proc/bc/14400/ioacct")" "^$(for name in read write dirty cancel missed \
	syncs_total fsyncs_total fdatasyncs_total range_syncs_total syncs_active fsyncs_active \
	fdatasyncs_active range_syncs_active vfs_reads vfs_read_chars vfs_writes \
	vfs_write_chars io_pbs; do printf '\t%-20s +([0-9]+|-)\n' "$name"; done)\$" \
	"bc/VEID/ioacct has OpenVZ's lines"
is "$(awk 'length() != 43' "$proc/bc/14400/ioacct")" "" "of its width"
chars=$(io 14400 vfs_read_chars) calls=$(io 14400 vfs_writes)
other=$(io 14401 vfs_read_chars)
vzctl exec 14400 'dd if=/dev/zero of=/dev/null bs=1000 count=500' 2>/dev/null
(($(io 14400 vfs_read_chars) - chars >= 500000 && $(io 14400 vfs_writes) - calls >= 500))
ok $? "what a program read and wrote, which has ended"
is "$(io 14401 vfs_read_chars)" "$other" "is not another VE's"
chars=$(io 14400 vfs_read_chars)
mkfifo "$T/private/14400/hold"
vzctl exec 14400 'dd if=/dev/zero bs=1000 count=500 | cat >/dev/null; cat /hold' \
	>/dev/null 2>&1 &
holder=$!
exec 9>"$T/private/14400/hold"
printf 'some text\n' >&9
enough() {
	[ $(($(io 14400 vfs_read_chars) - chars)) -ge $((1000000 + $1)) ]
}
wait_for 10 enough 10
ok $? "what one read that still runs counts as well"
seen=$(io 14400 vfs_read_chars)
exec 9>&-
wait $holder
[ "$(io 14400 vfs_read_chars)" -ge "$seen" ] &&
	[ $(($(io 14400 vfs_read_chars) - seen)) -lt 100000 ]
ok $? "and once, when it has ended"
# An emulated disk is slow: what one sync does is enough.
dirty=$(io 14400 dirty) syncs=$(io 14400 syncs_total)
vzctl exec 14400 'dd if=/dev/zero of=/file bs=1000 count=500; sync' 2>/dev/null
if [ "$(stat -f -c %T "$T")" = tmpfs ]; then
	skip "what it writes to files is dirty" "on a tmpfs nothing is"
else
	(($(io 14400 dirty) - dirty >= 400000))
	ok $? "what it writes to files is dirty"
fi

if [ "$syncs" = - ]; then
	is "$(io 14400 syncs_total)$(io 14400 fsyncs_total)$(io 14400 syncs_active)" "---" \
		"no sync is counted, and none made up"
else
	is "$(io 14400 syncs_total)" $((syncs + 1)) "a sync is counted"
	syncs=$(io 14400 fsyncs_total)
	vzctl exec 14400 'dd if=/dev/zero of=/file bs=1000 count=1 conv=fsync' 2>/dev/null
	is "$(io 14400 fsyncs_total)" $((syncs + 1)) "and so is one of a file"
	is "$(io 14400 syncs_active) $(io 14400 fsyncs_active)" "0 0" "none is under way"
fi
if [ "$(controller io)" = "v2 $(cgroup2_dir)" ]; then
	like "$(io 14400 write)" '^[0-9]+$' "what went to disks is counted"
else
	is "$(io 14400 write)" - "what went to disks is not known, and not made up"
fi

# --- the end ---

run_ok "a VE stops" vzctl stop 14401
is "$(cat "$proc"/vz/ve* "$proc/vz/vswap" | grep -cw 14401)" 0 "and is in no file"
[ ! -e "$proc/bc/14401" ]
ok $? "nor among the beancounters"
done_testing
