#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Users of the node can't reach a VE's files: its set-uid programs would make
# them the VE's root, and of a privileged VE the node's.
. "$(dirname "$0")/../lib.sh"

is_root || skip_all "not root"
type setpriv >/dev/null 2>&1 || skip_all "no setpriv"

# As on a node on which nothing was made before.
rm -rf "$T/private" "$T/root"
chmod 711 "$T"
make_ve 1460 || skip_all "no VE could be made"
run_ok "start" vzctl start 1460
for dir in private root; do
	like "$(stat -c %a "$T/$dir")" '^7?[0-7]?0?0$|^700$' "$dir is root's alone"
	run setpriv --reuid 65534 --regid 65534 --clear-groups ls "$T/$dir/1460"
	[ "$status" != 0 ]
	ok $? "$dir: a user of the node can't look into the VE"
	run setpriv --reuid 65534 --regid 65534 --clear-groups sh -c "exec $T/$dir/1460/bin/busybox id"
	[ "$status" != 0 ]
	ok $? "$dir: nor run what is there"
done
run_ok "stop" vzctl stop 1460 --fast
run_ok "destroy" vzctl destroy 1460
done_testing
