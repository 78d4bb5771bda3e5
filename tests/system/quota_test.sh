#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Disk quotas. On a node whose kernel has those of ext4: limits of VEs and of their
# users. Elsewhere: what is said.
# shellcheck disable=SC2016 # the VE's shell expands them
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/quota.sh"

is_root || skip_all "not root"
make_conf

# --- a kernel without them ---

no_quotas() {
	local words="VE 2701: DISKSPACE and DISKINODES are not kept: the file system of its private area"
	run make_ve 2701 --diskspace 20M:22M --layout simfs
	is "$status" 0 "a VE with DISKSPACE is made"
	is "$(grep -c . <<<"$err")" 1 "and one line says …"
	like "$err" "^Warning: $words keeps no project quotas" "… that nobody keeps it"
	run_ok "mounted" vzctl mount 2701
	is "$err" "" "which is said once"
	run_ok "started" vzctl start 2701
	run_ok "other limits" vzctl set 2701 --diskspace 21M:22M
	like "$err" "^Warning: $words" "are worth saying it again"
	run_ok "stopped" vzctl stop 2701 --fast --skip-umount
	run_is 60 "quotaon" vzctl quotaon 2701
	like "$err" "no disk quota is kept for VE 2701" "says why not"
	run_is 66 "quotaoff" vzctl quotaoff 2701
	run_ok "umounted" vzctl umount 2701
	run_is 61 "quotainit" vzctl quotainit 2701
	is "$(field 2701 diskspace,diskspace.s,diskspace.h)" "-2048022528" "vzlist has limits, but no usage"
	run_is 6 "vzquota stat" vzquota stat 2701
	run_ok "vzquota show" vzquota show 2701
	like "$out" "1k-blocks +0 +20480 +22528" "shows the limits"
	run_ok "vzquota setlimit" vzquota setlimit 2701 -b 30000 -B 33000 -I 900 -i 800 -e 7D
	is "$(grep -E '^(DISK|QUOTAT)' "$VZ_CONFDIR/conf/2701.conf")" 'DISKSPACE="30000:33000"
DISKINODES="800:900"
QUOTATIME="604800"' "writes them down"
	run_is 9 "quotas of users" vzquota dump 2701
	run_ok "without limits" vzctl set 2701 --diskquota no --save
	run_ok "mounted" vzctl mount 2701
	is "$err" "" "there is nothing to say"
	vzctl --quiet umount 2701
	run_ok "insisted" vzctl set 2701 --diskquota yes --save
	run_is 60 "is not mounted" vzctl mount 2701
	like "$err" "VE 2701 has DISK_QUOTA=yes in its own file, but the file system" "and is told why"
	run_ok "without any limit" vzctl set 2701 --diskquota no --save
	run_ok "destroyed" vzctl destroy 2701
}

# An image has a file system of its own, and thus its users' quotas in itself.
image() {
	local want
	what=ploop
	use_fs ext4
	make_ve 2713 --layout ploop --diskspace 60M &&
		tune2fs -O quota -Q usrquota,grpquota "$T/ext4/private/2713/root.hdd/root.img" >/dev/null &&
		vzctl --quiet set 2713 --quotaugidlimit 5 --mount_opts usrquota,grpquota --save &&
		vzctl --quiet mount 2713 && add_tools "$T/root/2713" && vzctl --quiet start 2713
	ok $? "$what: a VE" || return
	like "$(in_ve 2713 'setquota -u u1 0 500 0 0 / && su u1 -c "dd if=/dev/zero of=/tmp/one bs=1k count=700"; repquota /')" \
		"Disk quota exceeded.*u1 +-- +500 +0 +500" "$what: its users have quotas"
	like "$(in_ve 2713 'dd if=/dev/zero of=/fill bs=64k count=2000')" "No space left" "$what: its size is its limit"
	run_is 66 "$what: it has no other" vzctl quotaoff 2713
	vzctl --quiet stop --fast 2713
	vzctl --quiet mount 2713
	want=$(vzquota dump 2713)
	vzctl --quiet umount 2713
	run_ok "$what: to overlay" vzctl --quiet convert 2713 --layout overlay
	is "$(vzquota dump 2713)" "$want" "$what: with the limits of its users"
	vzquota setlimit2 2713 -u 1002 0 77 0 0
	want=$(vzquota dump 2713)
	run_ok "$what: and back" vzctl --quiet convert 2713 --layout ploop
	vzctl --quiet mount 2713
	is "$(vzquota dump 2713)" "$want" "$what: with them"
	vzctl --quiet umount 2713
	run_ok "$what: backup" vzctl --quiet backup 2713 "$T/backup"
	run_ok "$what: destroyed" vzctl destroy 2713
	run_ok "$what: restored" vzctl --quiet restore-backup "$T/backup" 2713
	vzctl --quiet mount 2713
	is "$(vzquota dump 2713)" "$want" "$what: with the limits of its users"
	vzctl --quiet umount 2713
	run_ok "$what: destroyed" vzctl destroy 2713
	show ploop ext4 users yes
	shown_is ext4
}

if make_fs ext4 2>/dev/null; then
	drop_fs
	with_quotas ext4
	image
else
	drop_fs
	no_quotas
fi
drop_fs
done_testing
