#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A VE without a user namespace (--local_uid 0): what its root can't do to the
# node all the same. And what of the node is bound into a VE.
. "$(dirname "$0")/../lib.sh"

is_root || skip_all "needs root"

make_ve 1901 --local_uid 0 || exit
is "$(sed -n 's/^LOCAL_UID=//p' "$VZ_CONFDIR/conf/1901.conf")" '"0"' "a privileged VE is made"
run_ok "start" vzctl --quiet start 1901
inside() {
	vzctl exec2 1901 "$@" 2>&1
}
is "$(inside cat /proc/self/uid_map | tr -s ' ')" " 0 0 4294967295" "it has no user namespace"
is "$(inside id -u)" 0 "root is root"

# can_not NAME COMMAND: fails in the VE
can_not() {
	run vzctl exec2 1901 "$2"
	[ "$status" != 0 ]
	ok $? "can't $1" || diag "$out"
}
panic=$(cat /proc/sys/kernel/panic)
name=$(cat /proc/sys/kernel/hostname)
can_not "trigger sysrq" 'echo h >/proc/sysrq-trigger'
can_not "write the node's sysctls" "echo $((panic + 1)) >/proc/sys/kernel/panic"
is "$(cat /proc/sys/kernel/panic)" "$panic" "which are as they were"
can_not "mount proc anew, to write there" \
	"mkdir -p /tmp/p && mount -t proc proc /tmp/p && echo $((panic + 1)) >/tmp/p/sys/kernel/panic &&
	[ \$(cat /proc/sys/kernel/panic) = $((panic + 1)) ] && [ $panic = $((panic + 1)) ]"
echo "$panic" >/proc/sys/kernel/panic
can_not "open a disk by a node of its own" 'mknod /tmp/sda b 8 0 && head -c 1 /tmp/sda'
can_not "open the memory" 'mknod /tmp/mem c 1 1 && head -c 1 /tmp/mem'
can_not "load a module" 'head -c 100 /dev/zero >/tmp/x.ko && insmod /tmp/x.ko'
is "$(inside date -s 2001-01-01 | grep -c 'not permitted')" 1 "can't set the clock"
can_not "take swap from the node" 'swapoff -a || swapon /tmp/x.ko'
can_not "write to sysfs" 'echo 1 >/sys/kernel/mm/ksm/run || echo x >/sys/kernel/uevent_helper'
can_not "see the node's processes" "[ -d /proc/$$ ]"
run_ok "its name is its own" vzctl exec2 1901 hostname mine
is "$(cat /proc/sys/kernel/hostname)" "$name" "the node keeps its name"
run_ok "stop" vzctl --quiet stop 1901 --fast
run_ok "destroy" vzctl --quiet destroy 1901

# --- BIND ---

mkdir -p "$T/src/sub" "$T/ro" && echo from-node >"$T/src/file" && echo fixed >"$T/ro/file"
chmod -R a+rwX "$T/src" "$T/ro"
chmod a+x "$T" "${T%/*}"
make_ve 1902 || exit
printf '%s\n' "BIND=\"$T/src:/mnt/src $T/ro:/mnt/ro:ro $T/src/file:/etc/one\"" \
	>>"$VZ_CONFDIR/conf/1902.conf"
run_ok "start with binds" vzctl --quiet start 1902
is "$(vzctl exec 1902 cat /mnt/src/file /mnt/ro/file /etc/one | xargs)" "from-node fixed from-node" \
	"directories and a file of the node are there"
run_ok "one is written to" vzctl exec2 1902 'echo new >/mnt/src/sub/made'
is "$(cat "$T/src/sub/made")" new "and the node sees it"
run vzctl exec2 1902 'echo x >/mnt/ro/file'
[ "$status" != 0 ] && [ "$(cat "$T/ro/file")" = fixed ]
ok $? "one that is read-only is not"
run vzctl exec2 1902 'mount -o remount,rw,bind /mnt/ro && echo x >/mnt/ro/file'
[ "$status" != 0 ] && [ "$(cat "$T/ro/file")" = fixed ]
ok $? "nor can the VE's root make it so"
run_ok "stop" vzctl --quiet stop 1902 --fast

# A VE that laid traps where the node mounts.
rm -rf "$T/private/1902/mnt"
ln -s "$T/ro" "$T/private/1902/mnt"
run_is 50 "a target that is a link" vzctl start 1902
is "$(ls "$T/ro")" file "leads nowhere on the node"
is "$(our_mounts | grep -v -e "/bpf\$" -e "/lxcfs\$")" "" "and leaves no mount"
rm "$T/private/1902/mnt" && mkdir "$T/private/1902/mnt"
sed -i '$d' "$VZ_CONFDIR/conf/1902.conf"
echo "BIND=\"$T/nowhere:/mnt/src\"" >>"$VZ_CONFDIR/conf/1902.conf"
run_is 50 "a source that is not there" vzctl start 1902
like "$err" "nowhere" "is named"
run_ok "destroy" vzctl --quiet destroy 1902
done_testing
