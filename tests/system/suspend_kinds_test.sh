#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# VEs of other kinds are suspended and resumed: on overlay, with a directory of the node,
# without a user namespace; by the node's shutdown and boot.
# shellcheck disable=SC2034 # lib.sh reads it
ON_DISK=yes
. "$(dirname "$0")/../lib.sh"

need_criu
keeper=$(test_program keeper) || skip_all "no keeper"
chmod a+x "$T" "${T%/*}"
mkdir "$T/bound" && echo here >"$T/bound/file"

# begin VEID: with a keeper in it
begin() {
	vzctl --quiet start "$1" && vzctl exec "$1" 'cat >/bin/keeper && chmod 755 /bin/keeper' <"$keeper" &&
		vzctl exec "$1" 'mkdir -p /root/k && { keeper /root/k >/root/log 2>&1 </dev/null & }' &&
		wait_for 10 vzctl exec "$1" test -e /root/k/said
}
# What its keeper has lost, or nothing.
lost() {
	vzctl exec "$1" 'rm -f /root/k/said; echo 1<>/root/k/ask'
	wait_for 20 vzctl exec "$1" test -e /root/k/said || echo "no answer"
	vzctl exec "$1" cat /root/k/said | grep -v -e '^ok ' -e '^end$'
}
# keeps VEID WHAT
keeps() {
	run_ok "$2 is suspended" vzctl suspend "$1"
	run_ok "and resumed" vzctl resume "$1"
	is "$(lost "$1")" "" "and has all it had"
}

if make_ve 2140 --layout overlay >"$T/made" 2>&1; then
	vzctl --quiet set 2140 --tcpsndbuf 131072:131072 --save
	begin 2140
	keeps 2140 "a VE on overlay"
	is "$(vzctl exec 2140 cut -f3 /proc/sys/net/ipv4/tcp_wmem)" 131072 \
		"and TCP's buffers as large as they may be"
	vzctl --quiet stop 2140 --fast
else
	for what in "is suspended" "and resumed" "and has all it had" "and TCP's buffers"; do
		skip "a VE on overlay $what" "$(tail -n 1 "$T/made")"
	done
fi

make_ve 2141 >/dev/null 2>&1
echo "BIND=\"$T/bound:/mnt:ro\"" >>"$VZ_CONFDIR/conf/2141.conf"
begin 2141
keeps 2141 "a VE with a directory of the node"
is "$(vzctl exec 2141 cat /mnt/file)" here "which it sees"
run_is 8 "and can't write to" vzctl exec 2141 touch /mnt/other

# Two that have ended, of one session, which init is about to reap: CRIU may never end the
# restore of such.
init=$(sed -n 's/^pid *= *//p' "$VZ_RUNDIR/2141/state")
# shellcheck disable=SC2016 # the VE's shell
vzctl exec 2141 'setsid sh -c "sleep 1001 & exec sleep 1000" >/dev/null 2>&1 </dev/null &
	until [ $(pidof sleep | wc -w) = 2 ]; do usleep 10000; done'
kill -STOP "$init" && pkill -9 --ns "$init" --nslist pid sleep
run_is 16 "suspend --check-only, when init reaps nothing" vzctl suspend 2141 --check-only
like "$out" "process [0-9]+ \(sleep\): ended, as did its session's leader [0-9]+: .*init" "names one"
{ sleep 0.3; kill -CONT "$init"; } &
keeps 2141 "a VE whose init has to reap"

make_ve 2142 --local_uid 0 >/dev/null 2>&1
begin 2142
# Where a program limits shared memory, kernel.shmall is the kernel's own: more than the
# VE may write, and so criu may not either as it restores one.
privileged=yes
if vzubc -v 2142 2>/dev/null | grep -q shm_alloc; then
	privileged=no
	skip "a VE without a user namespace" "its kernel.shmall can't be restored beside ACCOUNTING's limit"
	vzctl --quiet stop 2142 --fast
else
	keeps 2142 "a VE without a user namespace"
fi

vzctl --quiet set 2141 --onboot yes --save
[ $privileged = no ] || vzctl --quiet set 2142 --onboot yes --save
cat >>"$VZ_CONFDIR/vz.conf" <<-'END'
	VE_STOP_MODE="suspend"
	SKIP_SYSCTL_SETUP="yes"
END
run_ok "shutdown with VE_STOP_MODE=suspend" vzctl shutdown
like "$(vzctl status 2141)" "down suspended" "suspends a VE"
[ $privileged = no ] || like "$(vzctl status 2142)" "down suspended" "and another"
run_ok "boot" vzctl boot
is "$(lost 2141)" "" "lets it go on"
[ $privileged = no ] || is "$(lost 2142)" "" "and the other"
vzctl --quiet stop 2141 --fast
vzctl --quiet stop 2142 --fast
done_testing
