#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Boot and shutdown of the node: which VEs, in what order, how many at once.
. "$(dirname "$0")/../lib.sh"

is_root || skip_all "VEs need root"
type -P busybox >/dev/null || skip_all "no busybox-static"
export VZ_STATEDIR=$T/state
cat >>"$VZ_CONFDIR/vz.conf" <<-END
	SKIP_SYSCTL_SETUP="yes"
	VE_PARALLEL="1"
END
sed -i 's/^LOGGING=.*/LOGGING="yes"/' "$VZ_CONFDIR/vz.conf"

running() {
	vzlist -1 2>/dev/null | paste -sd' ' | tr -s ' ' | sed 's/^ //'
}

# What the log says began since last asked, in its order.
began() {
	sed -n "s/.* CT \([0-9]*\) : $1: begin.*/\1/p" "$T/vzctl.log" | paste -sd' '
	: >"$T/vzctl.log"
}

for veid in 1611 1612 1613 1614 1615; do
	run_ok "create $veid" make_ve $veid --private "$T/private/\$VEID"
done
vzctl --quiet set 1611 --onboot yes --bootorder 5 --save
vzctl --quiet set 1612 --onboot yes --save
vzctl --quiet set 1613 --onboot no --save
vzctl --quiet set 1614 --onboot yes --bootorder 20 --save
sed -i '/^ONBOOT/d' "$VZ_CONFDIR/conf/1615.conf"
: >"$T/vzctl.log"

run_ok "the first boot" vzctl boot
is "$(began start)" "1614 1611 1612" "starts ONBOOT=yes by BOOTORDER, unset last"
is "$(running)" "1611 1612 1614" "and nothing else"
run_ok "a second boot" vzctl boot
is "$(began start)" "" "starts nothing again"
run_ok "by hand" vzctl --quiet start 1613
run_ok "by hand" vzctl --quiet start 1615
: >"$T/vzctl.log"

run_ok "shutdown" vzctl shutdown
is "$(began stop)" "1615 1613 1612 1611 1614" "goes the other way"
is "$(running)" "" "and stops all"
is "$(sort "$T/state/running" | paste -sd' ')" "1611 1612 1613 1614 1615" "which ran is written down"
run_ok "shutdown of nothing" vzctl shutdown
is "$(wc -l <"$T/state/running")" 5 "loses nothing of what an earlier one wrote"
: >"$T/vzctl.log"

vzctl --quiet set 1612 --disabled yes --save
: >"$T/vzctl.log"
run_ok "the next boot" vzctl boot
is "$(began start)" "1614 1611 1615" "starts what ran, but ONBOOT=no, and no disabled one"
like "$out" "VE 1612 is disabled" "of which it says so"
[ ! -e "$T/state/running" ]
ok $? "the list is used up"

# failures
mv "$T/private/1611" "$T/private/away"
vzctl --quiet stop 1611 >/dev/null 2>&1
vzctl --quiet stop 1611 --fast >/dev/null 2>&1
run_is 3 "a VE that can't start" vzctl boot
like "$err" "VE 1611: start failed with exit status 43" "is named with its exit status"
mv "$T/private/away" "$T/private/1611"

run_ok "mount one" vzctl --quiet mount 1611
run_ok "all at once" env - PATH="$PATH" VZ_STATEDIR="$VZ_STATEDIR" VZ_CONFDIR="$VZ_CONFDIR" \
	VZ_RUNDIR="$VZ_RUNDIR" VZ_LIBEXECDIR="${VZ_LIBEXECDIR:-/usr/libexec/vz}" vzctl shutdown
is "$(running)" "" "stops what ran"
is "$(vzlist -H -o status 1611)" stopped "and unmounts what was mounted"

sed -i 's/^VE_PARALLEL.*/VE_PARALLEL="4"/; s/^VIRTUOZZO.*/VIRTUOZZO="no"/' "$VZ_CONFDIR/vz.conf"
run_ok "VIRTUOZZO=no" vzctl boot
is "$(running)" "" "starts nothing"
sed -i 's/^VIRTUOZZO.*/VIRTUOZZO="yes"/' "$VZ_CONFDIR/vz.conf"
vzctl --quiet set 1612 --disabled no --save
run_ok "four at once" vzctl boot
is "$(running)" "1611 1612 1614 1615" "start as well"
is "$(vzlist -H -o uptime 1611 | tr -d ' ' | cut -c1-10)" "000d00h:00" "uptime is that of the VE"
like "$(vzlist -H -o numproc,status 1611)" "^ +[1-9][0-9]* running$" "processes are counted"
vzctl --quiet shutdown >/dev/null 2>&1
for veid in 1611 1612 1613 1614 1615; do
	vzctl --quiet destroy $veid >/dev/null
done
done_testing
