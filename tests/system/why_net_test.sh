#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vzctl why: packets that the guard dropped, and those that waited for RATE.
# shellcheck disable=SC2034 # lib.sh reads it
OWN_NET=yes
. "$(dirname "$0")/../lib.sh"
need_net

net_bridge br0 && net_host other br0 10.77.0.9/24 || exit
ip addr add 10.77.0.1/24 dev br0 || exit
echo 1 >/proc/sys/net/ipv4/ip_forward
if ! make_ve 14310 || ! make_ve 14311; then
	skip_all "no VE can be made"
fi
spoof=$(test_program spoof) || skip_all "no spoof"
stream=$(test_program stream) || skip_all "no stream"
cp "$spoof" "$stream" "$T/private/14310/bin/" || exit
vzctl --quiet set 14310 --ipadd 10.77.0.101 --save
vzctl --quiet set 14311 --ipadd 10.77.0.102 --save
vzctl --quiet start 14310 && vzctl --quiet start 14311 || exit

# count VEID WHAT: null when there is no such line
count() {
	vzctl why "$1" --json "${@:3}" | jq --arg what "$2" \
		'[.[] | select(.kind == "net" and .what == $what)][0].count'
}
is "$(count 14310 foreign)" null "nothing was dropped"
for _ in 1 2 3 4 5; do
	vzctl exec 14310 "spoof venet0 ipv4 10.77.0.102 10.77.0.9" >/dev/null
done
is "$(count 14310 foreign)" 5 "packets of another's address: as many as were sent"
like "$(vzctl why 14310)" 'refused +net +foreign +5 ' "the line says so"
is "$(count 14311 foreign)" null "the other VE sent none"
run_ok "a mark" vzctl why 14310 --mark
vzctl exec 14310 "spoof venet0 ipv4 192.0.2.1 10.77.0.9" >/dev/null
is "$(count 14310 foreign --since mark)" 1 "one since the mark"
vzctl --quiet set 14310 --ipadd 10.77.0.103 && vzctl --quiet repair 14310
is "$(count 14310 foreign)" 6 "another address and a repair change nothing"
vzctl --quiet restart 14310 --fast
is "$(count 14310 foreign)" null "another start begins anew"
is "$(vzctl traffic 14310 --json | jq '.[0].dropped.packets')" 6 "the sum over all starts goes on"
vzctl exec 14310 "spoof venet0 ipv4 192.0.2.1 10.77.0.9" >/dev/null
is "$(count 14310 foreign)" 1 "and counts"

is "$(count 14310 rate)" null "no rate"
vzctl --quiet set 14310 --rate 8000
on_host other "$stream" receive 7000 >/dev/null &
vzctl exec 14310 "stream send 10.77.0.9 7000 1048576" >/dev/null 2>&1
wait $!
like "$(vzctl why 14310)" 'slowed +net +rate +[0-9]+ .* rate=1000000bytes/s .*, and [1-9][0-9]* times one had to wait' \
	"packets waited for the rate"
is "$(count 14311 rate)" null "the other VE's did not"
done_testing
