#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Reservations and pools: what is promised can be kept, and is; on cgroup v1 and v2.
. "$(dirname "$0")/../lib.sh"

is_root || skip_all "not root"
make_conf
make_ve 14201 || skip_all "no VE can be made"
ves=(14201)
for veid in 14202 14203 14204 14205; do
	make_ve "$veid" && ves+=("$veid")
done
is "${#ves[@]}" 5 "five VEs"
sed -i '/GUARPAGES/d' "$VZ_CONFDIR"/conf/142*.conf
cpus=$(getconf _NPROCESSORS_ONLN)
list=$VZ_RUNDIR/reserved/list
read -r -a cpu <<<"$(controller cpu)"
read -r -a mem <<<"$(controller memory)"
read -r -a pids <<<"$(controller pids)"

# VEs have 400 MiB and one CPU: VE 0 keeps the rest.
ram=$(awk '$1 == "MemTotal:" { print $2 }' /proc/meminfo)
printf '%s\n' "MEMRESERVE=\"$((ram / 4 - 102400))\"" "CPURESERVE=\"$((cpus * 100 - 100))\"" \
	>"$VZ_CONFDIR/conf/0.conf"

# pool NAME KEY=VALUE...: write a pool's file
pool() {
	mkdir -p "$VZ_CONFDIR/pools"
	printf '%s\n' "${@:2}" >"$VZ_CONFDIR/pools/$1.conf"
}

# value CONTROLLER-ARRAY GROUP V1-FILE V2-FILE: what the kernel has
value() {
	local -n at=$1
	case ${at[0]} in
	v1) cat "${at[1]}/$CGROUP/$2/$3" ;;
	v2) cat "${at[1]}/$CGROUP/$2/$4" ;;
	esac
}

weight() {
	value cpu "$1" cpu.shares cpu.weight
}

# guaranteed GROUP: bytes that are protected, or taken last
guaranteed() {
	value mem "$1" memory.soft_limit_in_bytes memory.min
}

running() {
	vzctl status "$1" | grep -q running
}

stop_all() {
	local veid
	for veid in "${ves[@]}"; do
		vzctl --quiet stop "$veid" --fast
	done
}

# set_all VEID OPTIONS...: into a file of a VE that does not run
save() {
	vzctl --quiet set "$@" --save
}

MIB=$((1 << 20))

# --- the groups of a pool ---

pool web 'CPUUNITS="2000"' 'CPULIMIT="80"' 'PHYSPAGES="0:64M"' 'NUMPROC="40"'
run_is 21 "a pool that is not there" vzctl set 14201 --pool nowhere --save
like "$err" "there is no pool nowhere: no file $VZ_CONFDIR/pools/nowhere.conf" "is named"
run_is 21 "nor is one for a new VE" vzctl create 14206 --pool nowhere --ostemplate "$BUSYBOX_TEMPLATE"
[ ! -e "$VZ_CONFDIR/conf/14206.conf" ]
ok $? "which is not made"
save 14201 --pool web
save 14202 --pool web
run_ok "a VE of a pool starts" vzctl start 14201
run_ok "another" vzctl start 14202
for top in "${cpu[1]}" "${mem[1]}" "${pids[1]}" "$(cgroup2_dir)"; do
	[ -d "$top/$CGROUP/pool-web/14201" ] && [ ! -d "$top/$CGROUP/14201" ]
	ok $? "its group is the pool's in $top"
done
init=$(sed -n 's/^pid = //p' "$VZ_RUNDIR/14201/state")
unlike "$(grep -v "/$CGROUP/pool-web/14201" "/proc/$init/cgroup" | grep -v '^[0-9]*:\(net_\|perf\|hugetlb\|rdma\|misc\)')" \
	"$CGROUP" "its init is in no other group of ours"
run_ok "exec works" vzctl exec 14201 true
held=$(vzlist -H -o numproc 14201)
[ "$held" -ge 1 ]
ok $? "vzlist reads its counters: $held processes"
is "$(value pids pool-web pids.max pids.max)" 40 "numproc of the pool"
is "$(value mem pool-web memory.limit_in_bytes memory.max)" $((64 * MIB)) "its memory"
case ${cpu[0]} in
v1)
	is "$(weight pool-web)" 2048 "its shares"
	is "$(value cpu pool-web cpu.cfs_quota_us -)" 80000 "its limit of CPU time"
	;;
v2)
	is "$(weight pool-web)" 200 "its shares"
	is "$(value cpu pool-web - cpu.max)" "80000 100000" "its limit of CPU time"
	;;
esac

# Forty processes are what both VEs have together.
# shellcheck disable=SC2016
forks='n=0; while [ $n -lt 30 ]; do sleep 300 & n=$((n + 1)); done; echo $n'
vzctl exec 14201 "$forks" >"$T/forks1" 2>&1
vzctl exec 14202 "$forks" >"$T/forks2" 2>&1
like "$(cat "$T/forks1")" '^30$' "thirty processes in one VE"
like "$(cat "$T/forks2")" "can't fork|Resource temporarily|Try again" "thirty more in the other are too many"
[ "$(value pids pool-web pids.current pids.current)" -le 40 ]
ok $? "the pool has no more than forty"
vzctl exec 14201 killall sleep
vzctl exec 14202 killall sleep

# 48 MB each, of which the pool has room for one.
fill='dd if=/dev/zero of=/dev/shm/fill bs=1M count=48 2>/dev/null && echo filled'
vzctl exec 14201 'mkdir -p /dev/shm; mount -t tmpfs none /dev/shm 2>/dev/null' >/dev/null 2>&1
vzctl exec 14202 'mkdir -p /dev/shm; mount -t tmpfs none /dev/shm 2>/dev/null' >/dev/null 2>&1
like "$(vzctl exec 14201 "$fill" 2>&1)" filled "one VE uses most of the pool's memory"
unlike "$(vzctl exec 14202 "$fill" 2>&1)" filled "the other finds too little left"
[ "$(value mem pool-web memory.usage_in_bytes memory.current)" -le $((64 * MIB)) ]
ok $? "the pool has no more than its limit"

# Live, of a pool whose VEs run.
vzctl exec 14201 'rm -f /dev/shm/fill'
run_ok "a pool is changed" vzctl pool-set web --ram 96M --numproc 60 --cpulimit 90 --cpuunits 1000
is "$(value mem pool-web memory.limit_in_bytes memory.max)" $((96 * MIB)) "its memory at once"
is "$(value pids pool-web pids.max pids.max)" 60 "and its processes"
is "$(weight pool-web)" "$(weight pool-web/14201)" "and its share"
like "$(cat "$VZ_CONFDIR/pools/web.conf")" 'PHYSPAGES="0:24576"' "and its file"
vzctl exec 14201 "$fill" >/dev/null 2>&1
run_is 1 "less memory than its VEs can't give back" vzctl pool-set web --ram 40M
is "$(value mem pool-web memory.limit_in_bytes memory.max)" $((96 * MIB)) "changes nothing"
like "$(cat "$VZ_CONFDIR/pools/web.conf")" 'PHYSPAGES="0:24576"' "not in the file either"
run_is 32 "a pool with VEs that run" vzctl pool-destroy web
row=$(vzctl pool-list | awk '$1 == "web"')
like "$row" "^web +2 +2 +1000 +90 +0 +0 +96 +0 +0 +[1-9][0-9]*$" "the list shows it"
vzctl exec 14201 'rm -f /dev/shm/fill'

run_ok "a VE is taken out of a pool" vzctl set 14202 --pool '' --save
like "$err" "POOL counts from the next start" "from its next start on"
run_ok "it stops" vzctl stop 14202 --fast
[ ! -e "${mem[1]}/$CGROUP/pool-web/14202" ] && [ -d "${mem[1]}/$CGROUP/pool-web/14201" ]
ok $? "where it was started"
run_ok "and starts" vzctl start 14202
[ -d "${mem[1]}/$CGROUP/14202" ]
ok $? "in no pool"
stop_all
is "$(our_groups | grep pool-)" "" "the pool's groups are gone with its last VE"

pool web 'CPUUNITS="2000"' 'HOSTNAME="x"'
run_is 85 "a key that is none of pools" vzctl start 14201
like "$err" "pools/web.conf:2: a pool of VEs has no key HOSTNAME" "is named"
pool web 'CPUUNITS="2000"' 'PHYSPAGES="0:32M"' 'MEMRESERVE="64M"'
run_is 85 "a pool that reserves more than it may have" vzctl start 14201
is "$(our_groups | grep pool-)" "" "no group is made for it"
save 14202 --memreserve 1M
run_ok "a VE of another" vzctl start 14202
like "$err" "Warning: .*web.conf: MEMRESERVE=16384: expected no more than" "is told of it, and starts"
run_ok "it stops" vzctl stop 14202 --fast
rm "$VZ_CONFDIR/pools/web.conf"
save 14201 --pool ''

# --- memory ---

save 14203 --memreserve 300M
save 14204 --memreserve 150M
run_ok "a VE reserves memory" vzctl start 14203
is "$(guaranteed 14203)" $((300 * MIB)) "the kernel knows"
run_is 36 "another would have more than is left" vzctl start 14204
like "$err" "^vzctl: .*can't reserve 150 MiB of memory: the node has (399|400) MiB, reserved are 300 MiB \(1 other VE.*free are (99|100) MiB" \
	"it is told how much there is"
is "$(wc -l <<<"$err")" 1 "in one line"
running 14204
is $? 1 "and does not run"
run_ok "--force" vzctl start 14204 --force
like "$err" "^Warning: .*can't reserve 150 MiB" "warns"
is "$(vzctl exec 14204 echo up)" up "and starts it"
run_ok "it stops" vzctl stop 14204 --fast
save 14204 --memreserve 64M
run_ok "less than is left" vzctl start 14204
run_is 36 "more of it live than there is" vzctl set 14204 --memreserve 128M --save
is "$(guaranteed 14204)" $((64 * MIB)) "changes nothing"
like "$(cat "$VZ_CONFDIR/conf/14204.conf")" 'MEMRESERVE="16384"' "not in the file either"
run_ok "less live" vzctl set 14203 --memreserve 200M
is "$(guaranteed 14203)" $((200 * MIB)) "is in force"
run_ok "so that the other may have more" vzctl set 14204 --memreserve 128M
is "$(guaranteed 14204)" $((128 * MIB)) "is in force"
case ${mem[0]} in
v2)
	is "$(cat "${mem[1]}/$CGROUP/memory.min")" $((328 * MIB)) "the group above protects both"
	;;
v1)
	run_ok "a VE without a guarantee" vzctl start 14205
	is "$(guaranteed 14205)" 0 "is the first to give memory back"
	;;
esac
run_is 36 "the file's value again" vzctl set 14203 --reset_ub
run_ok "when the other has less" vzctl set 14204 --memreserve 64M
run_ok "is in force again" vzctl set 14203 --reset_ub
stop_all
if [ "${mem[0]}" = v2 ]; then
	is "$(cat "${mem[1]}/$CGROUP/memory.min")" 0 "nothing is protected any more"
fi
is "$(cat "$list")" "" "nothing is reserved any more"

# Of what is promised by memory's beancounters, too.
save 14203 --memreserve 0 --oomguarpages 4096:unlimited --vmguarpages 8192:unlimited
if [ "${mem[0]}" = v2 ]; then
	run_ok "beancounters that guarantee" vzctl start 14203
	is "$(value mem 14203 - memory.min)" $((16 * MIB)) "oomguarpages is never taken"
	is "$(value mem 14203 - memory.low)" $((32 * MIB)) "vmguarpages is taken last"
	is "$(cat "${mem[1]}/$CGROUP/memory.low")" $((32 * MIB)) "nor from the group above"
	run_ok "it stops" vzctl stop 14203 --fast
fi

save 14203 --oomguarpages "$((ram / 4 / 10)):unlimited"
run_ok "a tenth of the RAM" vzctl start 14203
init=$(sed -n 's/^pid = //p' "$VZ_RUNDIR/14203/state")
score=$(cat "/proc/$init/oom_score_adj")
if capsh --has-p=cap_sys_resource 2>/dev/null; then
	[ "$score" -le -98 ] && [ "$score" -ge -100 ]
	ok $? "is a tenth of the score of who uses it all: $score"
else
	skip "is a tenth of the score of who uses it all" "no CAP_SYS_RESOURCE"
fi
run_ok "it stops" vzctl stop 14203 --fast

# Several at once: no two get the same memory.
for veid in "${ves[@]}"; do
	save "$veid" --pool '' --memreserve 128M
done
for veid in "${ves[@]}"; do
	(vzctl --quiet start "$veid" >/dev/null 2>&1; echo $? >"$T/s$veid") &
done
wait
is "$(cat "$T"/s142* | sort | uniq -c | xargs)" "3 0 2 36" "five at once: three fit"
# A VE that died with its supervisor holds nothing back.
dead='' refused=''
for veid in "${ves[@]}"; do
	running "$veid" || continue
	dead=$veid
	init=$(sed -n 's/^pid = //p' "$VZ_RUNDIR/$veid/state")
	super=$(awk '$1 == "PPid:" { print $2 }' "/proc/$init/status")
	kill -9 "$super" "$init"
	break
done
for veid in "${ves[@]}"; do
	[ "$(cat "$T/s$veid")" = 36 ] && refused=$veid
done
wait_for 10 test ! -d "/proc/$init"
like "$(cat "$list")" "^$dead |"$'\n'"$dead " "what a killed VE had is still written down"
run_ok "and is had by the next one" vzctl start "$refused"
stop_all

# --- reservations of pools ---

for veid in "${ves[@]}"; do
	save "$veid" --memreserve 0
done
pool web 'MEMRESERVE="200M"'
save 14201 --pool web --memreserve 150M
save 14202 --pool web --memreserve 100M
save 14203 --memreserve 250M
run_is 36 "what a pool keeps" vzctl start 14203
like "$err" "the node has (399|400) MiB, reserved are 200 MiB" "is nobody else's, before a VE of it runs"
save 14203 --memreserve 190M
run_ok "the rest is" vzctl start 14203
run_ok "a VE of the pool" vzctl start 14201
run_is 36 "a second one" vzctl start 14202
like "$err" "can't reserve 100 MiB of memory: pool web has 200 MiB, reserved are 150 MiB \(1 other VE .*free are 50 MiB" \
	"has no room in it"
pool web 'MEMRESERVE="200M"' 'EXPANDABLE="yes"'
run_is 36 "where the pool may grow" vzctl start 14202
like "$err" "the node has (399|400) MiB" "the node has no room"
run_ok "it has when another stops" vzctl stop 14203 --fast
run_ok "and so has the pool" vzctl start 14202
is "$(guaranteed pool-web/14202)" $((100 * MIB)) "the kernel knows"
if [ "${mem[0]}" = v2 ]; then
	is "$(value mem pool-web - memory.min)" $((250 * MIB)) "also of the pool"
fi
run_is 36 "a pool can't have less than its VEs" vzctl pool-set web --memreserve 200M --expandable no
like "$err" "pool web can't have 200 MiB of memory: VEs that run in it have reserved 250 MiB" "is told"
stop_all

# What VEs' files take is taken from those that have more than they are guaranteed.
disk=$(mktemp -d "/var/tmp/$VZ_TEST_TAG.XXXXXX")
chmod 777 "$disk"
fs=$(stat -f -c %T "$disk")
if [ "${mem[0]}" = v2 ] && [ "$fs" != tmpfs ]; then
	# The group of all VEs is asked for memory; what protects is that of the pool's, too.
	reclaim=${mem[1]}/$CGROUP/memory.reclaim
	pool cache 'CPUUNITS="1000"'
	for veid in 14201 14202; do
		save "$veid" --pool cache --memreserve 0 --bind_add "$disk:/mnt"
	done
	save 14201 --memreserve 48M
	run_ok "a VE with a guarantee" vzctl start 14201
	run_ok "one without" vzctl start 14202
	for veid in 14201 14202; do
		vzctl exec "$veid" "dd if=/dev/zero of=/mnt/$veid bs=1M count=32; sync; cat /mnt/$veid" >/dev/null 2>&1
	done
	before=$(value mem pool-cache/14201 - memory.current)
	if [ -e "$reclaim" ]; then
		echo 60M >"$reclaim" 2>/dev/null
		mine=$(value mem pool-cache/14201 - memory.current)
		other=$(value mem pool-cache/14202 - memory.current)
		[ "$before" -ge $((32 * MIB)) ] && [ "$mine" -ge $((32 * MIB)) ] && [ "$other" -lt $((16 * MIB)) ]
		ok $? "what is reserved is not taken: $before, and still $mine; the other has $other"
		run_ok "without it" vzctl set 14201 --memreserve 0
		echo 30M >"$reclaim" 2>/dev/null
		mine=$(value mem pool-cache/14201 - memory.current)
		[ "$mine" -lt $((16 * MIB)) ]
		ok $? "it is: $mine are left"
	else
		skip "what is reserved is not taken" "no memory.reclaim in this kernel"
	fi
	stop_all
	for veid in 14201 14202; do
		save "$veid" --bind_del all
	done
else
	skip "what is reserved is not taken" "memory of cgroup ${mem[0]}, files on $fs"
fi
rm -rf "$disk"

# --- CPU ---

for veid in "${ves[@]}"; do
	save "$veid" --pool '' --memreserve 0
done
before=$(cat "${cpu[1]}/$CGROUP/cpu.shares" "${cpu[1]}/$CGROUP/cpu.weight" 2>/dev/null)
save 14201 --cpureserve 70
save 14202 --cpureserve 40
run_ok "a VE reserves CPU time" vzctl start 14201
run_is 36 "another would have more than is left" vzctl start 14202
like "$err" "can't reserve 40% of a CPU: the node has 100%, reserved are 70% \(1 other VE.*free are 30%" "is told"
run_is 36 "or have it live" vzctl set 14201 --cpureserve 110
for veid in 14203 14204 14205; do
	run_ok "a VE without" vzctl start "$veid"
done
total=0
for dir in "${cpu[1]}/$CGROUP"/*/; do
	w=$(cat "$dir/cpu.shares" "$dir/cpu.weight" 2>/dev/null)
	total=$((total + w))
done
mine=$(weight 14201)
[ $((mine * 100)) -ge $((total * 70)) ]
ok $? "it weighs as much as it needs: $mine of $total"

usage() {
	value cpu "$1" cpuacct.usage cpu.stat | awk 'NR == 1 { print $NF }'
}
[ "${cpu[0]}" = v2 ] || cpuacct=$(controller cpuacct)
[ "${cpu[0]}" = v2 ] || read -r -a cpu <<<"$cpuacct"
busy='for i in '$(seq -s ' ' "$cpus")'; do (while :; do :; done) & done'
for veid in 14201 14203 14204 14205; do
	vzctl exec "$veid" "$busy" >/dev/null 2>&1
done
sleep 1
sum=0
for veid in 14201 14203 14204 14205; do
	declare "u$veid=$(usage "$veid")"
done
sleep $((3 * SLOW))
for veid in 14201 14203 14204 14205; do
	was=u$veid
	used=$(($(usage "$veid") - ${!was}))
	declare "u$veid=$used"
	sum=$((sum + used))
done
diag "used: $u14201, $u14203, $u14204, $u14205"
# 70 on a quiet machine, 25 without a reservation.
# shellcheck disable=SC2154
[ $((u14201 * 100)) -ge $((sum * 45)) ]
ok $? "and gets it when all want all: $((u14201 * 100 / sum)) per cent"
for veid in 14201 14203 14204 14205; do
	vzctl exec "$veid" 'killall sh' >/dev/null 2>&1
done
read -r -a cpu <<<"$(controller cpu)"
run_ok "it gives it back" vzctl set 14201 --cpureserve 0
is "$(weight 14201)" "$(weight 14203)" "and is one of them"
is "$(cat "${cpu[1]}/$CGROUP/cpu.shares" "${cpu[1]}/$CGROUP/cpu.weight" 2>/dev/null)" "$before" \
	"as is the group of them all"
stop_all

# In a pool: the pool has it first, then the VE of the pool.
pool web 'CPURESERVE="80"'
save 14201 --pool web --cpureserve 50
save 14203 --pool web
run_ok "a VE of a pool reserves CPU time" vzctl start 14201
run_ok "another does not" vzctl start 14203
run_ok "nor one beside the pool" vzctl start 14204
[ $(($(weight pool-web) * 100)) -ge $((($(weight pool-web) + $(weight 14204)) * 80)) ]
ok $? "the pool weighs what it needs: $(weight pool-web) to $(weight 14204)"
# 50 of at least 80, which the pool gets when all want all.
[ $(($(weight pool-web/14201) * 100)) -ge $((($(weight pool-web/14201) + $(weight pool-web/14203)) * 50)) ]
ok $? "so does the VE in it: $(weight pool-web/14201) to $(weight pool-web/14203)"
stop_all
is "$(our_groups | grep pool-)" "" "the pool's groups are gone"
for veid in "${ves[@]}"; do
	vzctl --quiet destroy "$veid"
done

done_testing
