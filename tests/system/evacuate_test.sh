#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vzmigrate --all: a node's VEs to two others, with a plan, going on after failures.
export OWN_NET=yes
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/migrate.sh"

need_nodes
node_up n1 && node_up n2 && node_up n3 || exit

# evacuate [options]
evacuate() {
	on n1 vzmigrate --all --ssh="-F $T/ssh/config" "$@" 10.98.0.2 10.98.0.3
}

run_ok "nothing to do" evacuate
for veid in 1711 1712 1713 1714; do
	run_ok "VE $veid" node_ve n1 $veid --name "ve$veid" --config vswap-256m
done
run_ok "two run" on n1 vzctl --quiet start 1711
run_ok "two run" on n1 vzctl --quiet start 1712
run_ok "the plan alone" evacuate --dry-run --json
is "$(jq -rs 'map(select(.event == "plan")) | length' <<<"$out")" 4 "is for all"
is "$(jq -rs 'map(select(.event == "plan" and .status == "running").destination) | sort | join(" ")' <<<"$out")" \
	"10.98.0.2 10.98.0.3" "those that run are spread"
is "$(on n1 vzlist -a -H -o ctid | wc -l)" 4 "and nothing has moved"
run_ok "the same for eyes" evacuate --dry-run
like "$out" "1711 ve1711 +running +768M +10\.98\.0\.[23]" "with names and where to"
conf=$T/n1/etc/conf/1712.conf
cp "$conf" "$T/conf" && echo 'MEMRESERVE="1000000000"' >>"$conf"
run_is 7 "one for which there is no room" evacuate --dry-run
like "$out" "1712 ve1712 .*no node has room" "is named"
run_ok "unless that is no matter" evacuate --dry-run --nodeps=capacity
cp "$T/conf" "$conf"
run_is 1 "a bad number" evacuate --parallel 0
run_is 1 "no node" on n1 vzmigrate --all
run_is 4 "a node that is not there" on n1 vzmigrate --all --ssh="-F $T/ssh/config -o ConnectTimeout=1" 10.98.0.2 10.98.0.9

# One can't: its private area's place is taken on both.
mkdir -p "$T/n2/private/1713/x" "$T/n3/private/1713/x"
run_is 9 "all go, but for one" evacuate --parallel 3
like "$err" "VE 1713 stays: exit status 9: .*1713 is there already" "which is named, and why"
is "$(on n1 vzlist -a -H -o ctid | tr -d ' ')" 1713 "it stays"
is "$(on n2 vzlist -H -o ctid | wc -l)$(on n3 vzlist -H -o ctid | wc -l)" 11 "one runs on each of the others"
is "$({ on n2 vzlist -a -H -o ctid && on n3 vzlist -a -H -o ctid; } | tr -d ' ' | sort | paste -sd' ')" \
	"1711 1712 1714" "and none was lost"
rm -r "$T/n2/private/1713" "$T/n3/private/1713"
run_ok "run again it sees to the rest" evacuate --quiet
is "$out$(on n1 vzlist -a -H -o ctid 2>/dev/null)" "" "quietly, and nothing is left here"
is "$(nothing_left)" "" "nor of the migrations"
done_testing
