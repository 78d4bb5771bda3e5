#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DEVNODES, DEVICES, FEATURES and CAPABILITY as a VE sees them.
# shellcheck disable=SC2016 # the VE's shell expands them
. "$(dirname "$0")/../lib.sh"

is_root || skip_all "not root"
make_ve 1470 || skip_all "no VE could be made"

restart() {
	run vzctl stop 1470 --fast
	run_ok "$1: start" vzctl start 1470
}

# opens DEVICE: whether the VE's root can, for reading and writing
opens() {
	vzctl exec2 1470 "(exec 3<>/dev/$1) 2>/dev/null"
}

has_cap() {
	local set
	set=$(vzctl exec 1470 'sed -n "s/^CapBnd:[[:space:]]*//p" /proc/self/status')
	[ $((0x$set >> $1 & 1)) = "$2" ]
}

restart "nothing said"
for dev in fuse net/tun loop-control; do
	! vzctl exec2 1470 "[ -e /dev/$dev ]"
	ok $? "$dev is not there"
done
has_cap 12 1
ok $? "net_admin is there"
has_cap 17 0
ok $? "sys_rawio is not"

run_ok "set" vzctl set 1470 --features fuse:on,tun:on --capability net_admin:off --save
restart "features"
for dev in fuse net/tun; do
	if [ -c "/dev/$dev" ]; then
		opens $dev
		ok $? "$dev can be opened"
		is "$(vzctl exec 1470 "stat -c %a /dev/$dev")" 666 "by all"
	else
		skip "$dev" "the node has none"
	fi
done
has_cap 12 0
ok $? "net_admin is gone"

if [ -c /dev/loop-control ]; then
	run_ok "set" vzctl set 1470 --features fuse:off,tun:off --devnodes loop-control:rw --save
	restart "devnodes"
	opens loop-control
	ok $? "a device node of its own can be opened"
	! vzctl exec2 1470 '[ -e /dev/fuse ]'
	ok $? "what was taken away is gone"
	run_ok "set" vzctl set 1470 --devnodes loop-control:r --save
	restart "read only"
	! opens loop-control
	ok $? "read only: it can't be written"
	vzctl exec2 1470 '(exec 3</dev/loop-control)'
	ok $? "read only: but read"
	run_ok "set" vzctl set 1470 --devnodes loop-control:none --save
	restart "none"
	! vzctl exec2 1470 '[ -e /dev/loop-control ]'
	ok $? "none: it is gone"
else
	skip "devnodes" "the node has no loop-control"
fi

run_is 21 "a device outside /dev" vzctl set 1470 --devnodes ../etc/shadow:rw --save
run_is 21 "a loop device" vzctl set 1470 --devices b:7:0:rw --save
run_is 21 "no such feature" vzctl set 1470 --features warp:on --save
run_is 21 "no such capability" vzctl set 1470 --capability fly:on --save
run_ok "set" vzctl set 1470 --devnodes no-such-device:rw --save
run vzctl stop 1470 --fast
run_is 86 "a device that the node lacks: start" vzctl start 1470
like "$err" 'no-such-device' "and it says which"
run_ok "destroy" vzctl destroy 1470
done_testing
