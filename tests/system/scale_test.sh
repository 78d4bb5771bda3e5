#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# 1,000 defined and 200 running VEs at once: each one starts, answers, stops,
# and nothing is left of any.
. "$(dirname "$0")/../lib.sh"

is_root || skip_all "needs root"
DEFINED=${SCALE_DEFINED:-1000} RUNNING=${SCALE_RUNNING:-200}
first=16001 last=$((16000 + RUNNING))

make_ve $first --config light
base=$(sed -n 's/^LOCAL_UID="\(.*\)"/\1/p' "$VZ_CONFDIR/conf/$first.conf")
# The others are copies with ids of their own; those that don't run need no files.
for ((i = 1; i < DEFINED; i++)); do
	sed "s/^LOCAL_\([UG]ID\)=.*/LOCAL_\1=\"$((base + 65536 * i))\"/" \
		"$VZ_CONFDIR/conf/$first.conf" >"$VZ_CONFDIR/conf/$((first + i)).conf"
	mkdir "$T/private/$((first + i))"
done
# A BusyBox root of a few files; each VE's own, as its ids are its own.
for ((i = 1; i < RUNNING; i++)); do
	cp -a "$T/private/$first/." "$T/private/$((first + i))/" || exit
	chown -R -h "$((base + 65536 * i)):$((base + 65536 * i))" "$T/private/$((first + i))"
done
is "$(vzlist -a -H -o ctid | wc -l)" "$DEFINED" "$DEFINED VEs are defined"

# each N VERB [OPTIONS]: of those that run, N at once; says which failed, and why
each() {
	local n=$1 verb=$2
	shift 2
	# shellcheck disable=SC2016 # the inner shell's
	seq $first $last | xargs -P "$n" -I{} sh -c 'said=$(vzctl --quiet "$1" "$0" $2 2>&1) ||
		echo "$0: $1: $? $said"' {} "$verb" "$*" | head -n 5
}

is "$(each 4 start)" "" "$RUNNING VEs start, four at once"
is "$(vzlist -H -o ctid | wc -l)" "$RUNNING" "all of them run"
is "$(vzlist -H -o ctid,numproc | awk '$2 < 1')" "" "each has its processes"
is "$(each 4 exec 'true')" "" "each runs a command"
is "$(find "$VZ_RUNDIR/uid" -type l | wc -l)" "$RUNNING" "each has ids of its own"
# BusyBox sleeps for two seconds of its stop.
is "$(each 40 stop)" "" "all of them stop"
is "$(vzlist -H -o ctid)" "" "none runs"
is "$(each 4 start)$(each 4 stop --fast)" "" "again, and killed"
is "$(find_left)" "" "nothing is left"
done_testing
