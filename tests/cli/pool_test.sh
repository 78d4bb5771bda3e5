#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Pools of VEs: their files, and what is refused.
. "$(dirname "$0")/../lib.sh"

is_root || skip_all "not root"
make_conf
pools=$VZ_CONFDIR/pools
ram=$(awk '$1 == "MemTotal:" { print $2 }' /proc/meminfo)
cpus=$(getconf _NPROCESSORS_ONLN)
# VEs have 400 MiB and one CPU.
printf '%s\n' "MEMRESERVE=\"$((ram / 4 - 102400))\"" "CPURESERVE=\"$((cpus * 100 - 100))\"" \
	>"$VZ_CONFDIR/conf/0.conf"

# refused STATUS MESSAGE COMMAND...: one line on stderr, and the pools as they were
refused() {
	local want=$1 message=$2 before
	shift 2
	before=$(cat "$pools"/* 2>/dev/null | md5sum)
	run_is "$want" "$*" vzctl "$@"
	is "$err" "vzctl: $message" "says what is wrong"
	is "$(cat "$pools"/* 2>/dev/null | md5sum)" "$before" "and changes nothing"
}

run_ok "no pools" vzctl pool-list
is "$(wc -l <<<"$out")" 3 "are none"
refused 14 "there is no pool web: no file $pools/web.conf" pool-set web --cpulimit 50
refused 14 "there is no pool web" pool-list web
refused 14 "there is no pool web: no file $pools/web.conf" pool-destroy web
refused 20 "no pool: vzctl pool-create NAME ..." pool-create --cpulimit 50
refused 21 "bad name of a pool '../x'" pool-create ../x
refused 21 "bad name of a pool '.x'" pool-destroy .x
refused 20 "unknown option '--hostname'" pool-create web --hostname x
refused 21 '--cpulimit "x": expected a number from 0 to 1000000' pool-create web --cpulimit x
refused 21 '--expandable "maybe": expected yes or no' pool-create web --expandable maybe
refused 21 'CPURESERVE=60: expected no more than CPULIMIT, which is 50' \
	pool-create web --cpulimit 50 --cpureserve 60
[ ! -e "$pools/web.conf" ]
ok $? "no file is made by what fails"

run_ok "a pool" vzctl pool-create web --ram 512M --memreserve 256M --cpulimit 80 --cpuunits 2000
is "$(cat "$pools/web.conf")" 'CPUUNITS="2000"
CPULIMIT="80"
PHYSPAGES="0:131072"
MEMRESERVE="65536"' "is a file"
refused 21 "there is a pool web already: $pools/web.conf" pool-create web
refused 27 "nothing to set: see vzctl(8) for what pools have" pool-set web
sed -i '1i # ours' "$pools/web.conf"
run_ok "other values" vzctl pool-set web --cpuunits 3000 --expandable yes --description 'the "web"'
is "$(cat "$pools/web.conf")" '# ours
CPUUNITS="3000"
CPULIMIT="80"
PHYSPAGES="0:131072"
MEMRESERVE="65536"
DESCRIPTION="the \"web\""
EXPANDABLE="yes"' "keep comments and order"

run_is 36 "more than the node has" vzctl pool-set web --memreserve 450M
like "$err" "can't reserve 450 MiB of memory: the node has (399|400) MiB" "is refused"
run_is 36 "more than another leaves" vzctl pool-create db --memreserve 200M
like "$err" "can't reserve 200 MiB of memory: the node has (399|400) MiB, reserved are 256 MiB" "is refused"
[ ! -e "$pools/db.conf" ]
ok $? "and makes no file"
run_ok "--force" vzctl pool-create db --memreserve 200M --force
like "$err" "^Warning: can't reserve 200 MiB" "warns"
run_ok "a pool less" vzctl pool-destroy db
[ ! -e "$pools/db.conf" ]
ok $? "is gone"

echo 'POOL="web"' >"$VZ_CONFDIR/conf/1201.conf"
echo 'POOL="other"' >"$VZ_CONFDIR/conf/1202.conf"
run_ok "the list" vzctl pool-list
is "$(sed 's/  */ /g; s/\(399\|400\) MiB of/400 MiB of/; s/free 14[34]/free 144/' <<<"$out")" \
	'POOL VES RUN CPUUNI CPULIM CPURSV VESRSV MEMLIM MEMRSV VESRSV MEMUSED
web 1 0 3000 80 0 0 512 256 0 -
For VEs the node has 100% of a CPU, reserved 0%, free 100%;
400 MiB of memory, reserved 256 MiB, free 144 MiB.' "shows it and the node"
[ "$(awk '{ n = length($0) > n ? length($0) : n } END { print n }' <<<"$out")" -le 90 ]
ok $? "in the width of a terminal"
run_ok "as JSON" vzctl pool-list --json web
if type -P jq >/dev/null; then
	is "$(jq -c '.pools[0] | [.name, .ves, .running, .expandable, .memory_bytes.limit, .memory_bytes.reserved, .memory_bytes.used, .cpu_percent.limit]' <<<"$out")" \
		'["web",[1201],[],true,536870912,268435456,null,80]' "says the same"
	is "$(jq '.node.cpu_percent.for_ves' <<<"$out")" 100 "of the node, too"
else
	skip "says the same" "no jq"
	skip "of the node, too" "no jq"
fi

sed -i 's/^CPULIMIT=.*/CPULIMIT="x"/' "$pools/web.conf"
refused 85 "$pools/web.conf:3: CPULIMIT=\"x\": expected a number from 0 to 1000000" \
	pool-set web --cpuunits 1000
run_ok "a broken one" vzctl pool-list
like "$err" "^Warning: $pools/web.conf:3" "is a warning in the list"

done_testing
