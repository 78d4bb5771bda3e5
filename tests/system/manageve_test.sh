#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Pacemaker's own agent for VEs, ocf:heartbeat:ManageVE of Debian's package
# resource-agents, drives vzctl: its exit codes are what a cluster goes by.
. "$(dirname "$0")/../lib.sh"

is_root || skip_all "needs root"

# The agent alone: the package has far more than that, and is not installed.
root=/usr/lib/ocf
if [ ! -e $root/resource.d/heartbeat/ManageVE ]; then
	(cd "$T" && apt-get -q download resource-agents) >"$T/apt.log" 2>&1 ||
		skip_all "no ManageVE: $(tail -n 1 "$T/apt.log")"
	dpkg -x "$T"/resource-agents*.deb "$T/agents" || exit
	root=$T/agents/usr/lib/ocf
fi
sed "s|^VZCTL=/usr/sbin/vzctl|VZCTL=$(type -P vzctl)|" "$root/resource.d/heartbeat/ManageVE" >"$T/agent"

# agent ACTION [VEID]: prints its exit code
agent() {
	OCF_ROOT=$root OCF_FUNCTIONS_DIR=$root/lib/heartbeat OCF_RESOURCE_INSTANCE=ve \
		HA_RSCTMP=$T HA_LOGFILE=$T/agent.log OCF_RESKEY_veid=${2-20001} AWK=awk \
		bash "$T/agent" "$1" >"$T/agent.out" 2>&1 </dev/null
	echo $?
}
make_ve 20001 || exit
is "$(agent meta-data)" 0 "the agent runs"
is "$(agent validate-all)" 0 "it accepts the VE"
is "$(agent monitor)" 7 "which is not running"
is "$(agent start)" 0 "start"
is "$(vzctl status 20001)" "CTID 20001 exist mounted running" "starts it"
is "$(agent monitor)" 0 "it runs"
is "$(agent status)" 0 "also by status"
is "$(agent start)" 0 "start of a running one"
is "$(agent stop)" 0 "stop"
is "$(vzctl status 20001)" "CTID 20001 exist unmounted down" "stops it"
is "$(agent monitor)" 7 "it is not running"
is "$(agent stop)" 0 "stop of a stopped one"
[ "$(agent monitor 20002)" != 0 ]
ok $? "a VE that there is none of is not running"
[ "$(agent start 20002)" != 0 ]
ok $? "and can't be started"
vzctl --quiet start 20001
vzctl exec 20001 halt >/dev/null 2>&1
halted() {
	[ "$(agent monitor)" = 7 ]
}
wait_for 20 halted
ok $? "one that went down by itself is seen"
done_testing
