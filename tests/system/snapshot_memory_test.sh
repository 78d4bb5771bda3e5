#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Snapshots with memory: a VE that runs goes on as it is taken, and goes back to where it
# was, files and processes of one moment; whoever is killed, and whatever fails.
# shellcheck disable=SC2034,SC2016 # lib.sh reads it; the VE's shell expands it
OWN_MOUNTS=yes ON_DISK=yes
. "$(dirname "$0")/../lib.sh"

need_criu
type -P mkfs.ext4 >/dev/null || skip_all "no e2fsprogs"
keeper=$(test_program keeper) || skip_all "no keeper"
busybox_template
VE=1721
A=aaaaaaaa-0000-4000-8000-000000000001
B=bbbbbbbb-0000-4000-8000-000000000002
status_is() {
	run vzctl status $VE
	is "$out" "CTID $VE $1" "$2"
}
in_ve() {
	timeout $((60 * SLOW)) vzctl exec $VE "$@"
}
# What the keeper has lost, or nothing.
lost() {
	in_ve 'rm -f /root/k/said; echo 1<>/root/k/ask'
	wait_for 20 in_ve test -e /root/k/said || echo "no answer: $(in_ve 'cat /root/log; ps')"
	in_ve cat /root/k/said | grep -v -e '^ok ' -e '^end$'
}
# A process that writes down how far it has come, and remembers it.
counts() {
	in_ve '{ i=0; while :; do i=$((i+1)); echo $i >>/root/count; sleep 0.1; done; } >/dev/null 2>&1 </dev/null &'
	wait_for 20 in_ve test -s /root/count
}
count() { in_ve 'tail -n 1 /root/count'; }
further() { [ "$(count)" -gt "$1" ]; }
# Lines that are not one more than the one before: it went on from another moment.
jumps() { in_ve "awk 'NR != \$1' /root/count"; }

begin() {
	local dir=$T/root/$VE own
	vzctl --quiet create $VE --layout "$1" --diskspace 96M && vzctl --quiet mount $VE || return
	own=$(stat -c %u:%g "$dir/bin/busybox")
	cp "$keeper" "$dir/bin/keeper" && chown "$own" "$dir/bin/keeper" && chmod 755 "$dir/bin/keeper"
	vzctl --quiet start $VE &&
		in_ve 'mkdir -p /root/k && { keeper /root/k >/root/log 2>&1 </dev/null & }' &&
		wait_for 10 in_ve test -e /root/k/said && counts
}

one_layout() {
	local layout=$1 at
	begin "$layout"
	ok $? "$layout: a VE with a process that has everything" || return
	run_ok "$layout: snapshot" vzctl snapshot $VE --id $A --name first
	unlike "$err" "Warning" "$layout: with its memory"
	is "$(vzctl snapshot-list $VE -H -o name,memory | tr -s ' ')" "first *" "$layout: as the list says"
	status_is "exist mounted running" "$layout: it goes on"
	is "$(lost)" "" "$layout: as if nothing had been"
	at=$(count)
	wait_for 20 further $((at + 3))
	ok $? "$layout: and counts" || diag "$at $(count)"
	in_ve 'rm -r /bin/vi; echo later >/etc/motd; kill -9 $(pidof keeper)'
	vzctl --quiet set $VE --description later --save
	run_ok "$layout: switch" vzctl snapshot-switch $VE --id $A
	status_is "exist mounted running" "$layout: it runs again"
	is "$(lost)" "" "$layout: with the process that has everything"
	is "$(in_ve 'ls /bin/vi; grep later /etc/motd')" "/bin/vi" "$layout: its files are as they were"
	is "$(vzlist -Ho description $VE)" "-" "$layout: so is its configuration"
	at=$(count)
	wait_for 20 further $((at + 3))
	ok $? "$layout: it counts on"
	is "$(jumps)" "" "$layout: from that very moment"
	[ -z "$(find "$T/dump" -mindepth 1)" ]
	ok $? "$layout: no dump is left" || diag "$(ls "$T/dump")"
}

# The rest does not know the layout.
rest() {
	run_ok "a second time, and by those who insist" vzctl --quiet snapshot-switch $VE --id $A --must-resume
	is "$(lost)$(jumps)" "" "all is there again"
	run_ok "left down" vzctl --quiet snapshot-switch $VE --id $A --skip-resume
	status_is "exist unmounted down" "as was asked for"
	run_is 20 "both can't be" vzctl snapshot-switch $VE --id $A --skip-resume --must-resume
	vzctl --quiet start $VE
	run_ok "files alone" vzctl --quiet snapshot $VE --id $B --skip-suspend
	is "$(vzctl snapshot-list $VE -H --id $B -o memory | tr -d ' ')" "" "are no memory, as the list says"
	run_is 159 "nor is there one" vzctl snapshot-switch $VE --id $B --must-resume
	status_is "exist mounted running" "and nothing was stopped for it"
	run_ok "without insisting" vzctl --quiet snapshot-switch $VE --id $B
	status_is "exist unmounted down" "it is down"
	vzctl --quiet snapshot-delete $VE --id $B

	vzctl --quiet snapshot-switch $VE --id $A
	run_ok "suspended" vzctl --quiet suspend $VE
	run_ok "and kept so" vzctl --quiet snapshot $VE --id $B
	run_ok "it resumes" vzctl --quiet resume $VE
	in_ve 'kill -9 $(pidof keeper)'
	run_ok "back to when it was suspended" vzctl --quiet snapshot-switch $VE --id $B
	is "$(lost)$(jumps)" "" "all is there"

	# The dump of the copy is spoilt, wherever it lies.
	find "$T/private/$VE.snapshots" "$T/private/$VE/snapshots" -path "*$B*" -name 'core-1.img' 2>/dev/null |
		while read -r f; do truncate -s 100 "$f"; done
	run_is 17 "one that can't be restored" vzctl snapshot-switch $VE --id $B --must-resume
	status_is "exist unmounted down suspended" "leaves it suspended, for those who insist"
	run_ok "and others" vzctl snapshot-switch $VE --id $B
	like "$err" "kept as .*failed, and it is started anew" "get it started anew"
	status_is "exist mounted running" "it runs"
	rm -rf "$T"/dump/*
	vzctl --quiet snapshot-delete $VE --id $B
}

killed_after() {
	local ms=$1
	shift
	"$@" >/dev/null 2>&1 &
	sleep "$(printf '%d.%03d' $((ms / 1000)) $((ms % 1000)))"
	kill -9 $! 2>/dev/null
	wait $! 2>/dev/null
}
killed() {
	local ms bad='' at
	vzctl --quiet snapshot-switch $VE --id $A
	for ms in 60 200 400 700; do
		killed_after $ms vzctl --quiet snapshot $VE
		# Whoever comes by next lets it go on.
		vzctl --quiet set $VE --description x 2>/dev/null
		at=$(count)
		wait_for 20 further "$at" || bad+="$ms ms: it does not go on; "
	done
	is "$bad$(lost)$(jumps)" "" "kill -9 of a snapshot: it goes on, at the latest by the next command"
	vzctl --quiet snapshot-list $VE -H -o uuid | tr -d '{}' | grep -v $A | while read -r ms; do
		vzctl --quiet snapshot-delete $VE --id "$ms"
	done
	for ms in 60 200 400 700; do
		killed_after $ms vzctl --quiet snapshot-switch $VE --id $A
		vzctl --quiet start $VE >/dev/null 2>&1
		[[ $? =~ ^(0|32)$ ]] || bad+="$ms ms: it does not start; "
		in_ve true || bad+="$ms ms: it does not run; "
	done
	is "$bad" "" "kill -9 of a switch: it can be started"
	run_ok "a switch after all that" vzctl --quiet snapshot-switch $VE --id $A --must-resume
	is "$(lost)$(jumps)" "" "has all"
	rm -rf "$T"/dump/*
}

full() {
	local left
	mkdir -p "$T/small" && mount -t tmpfs -o size=200k none "$T/small"
	sed -i "s|^DUMPDIR=.*|DUMPDIR=\"$T/small\"|" "$VZ_CONFDIR/vz.conf"
	run_is 159 "no room for the memory" vzctl snapshot-switch $VE --id $A
	like "$err" "can't copy the memory of the snapshot" "is said"
	status_is "exist unmounted down" "the files are there, and it is down"
	umount "$T/small"
	run_ok "with room" vzctl --quiet snapshot-switch $VE --id $A
	is "$(lost)$(jumps)" "" "all is there"
	sed -i "s|^DUMPDIR=.*|DUMPDIR=\"$T/dump\"|" "$VZ_CONFDIR/vz.conf"
}

for layout in simfs ploop overlay; do
	one_layout $layout
	if [ $layout != overlay ]; then
		vzctl --quiet stop $VE --fast
		vzctl --quiet destroy $VE
	fi
done
rest
killed
full
vzctl --quiet stop $VE --fast
run_ok "deleted" vzctl --quiet snapshot-delete $VE --id $A
is "$(find "$T/private" -name dump)" "" "nothing is left of the memory"
vzctl --quiet destroy $VE
done_testing
