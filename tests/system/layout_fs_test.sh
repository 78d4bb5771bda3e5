#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Layouts on each file system that this machine has: made, run, converted, destroyed.
# shellcheck disable=SC2034 # lib.sh reads it
ON_DISK=yes OWN_MOUNTS=yes
. "$(dirname "$0")/../lib.sh"

is_root || skip_all "needs root"
[ -w /dev/loop-control ] || skip_all "no loop devices"
busybox_template
veid=2300

# mkfs_of TYPE FILE
mkfs_of() {
	type -P "mkfs.$1" >/dev/null || return
	case $1 in
	ext4) mkfs.ext4 -q "$2" ;;
	xfs) mkfs.xfs -q "$2" ;;
	btrfs) mkfs.btrfs -q "$2" >/dev/null 2>&1 ;;
	esac
}

subvolumes() {
	find "$1" -xdev -mindepth 1 -maxdepth 1 -inum 256 | wc -l
}

no_loop() {
	[ -z "$(losetup -j "$1")" ]
}

# lives LAYOUT FS PRIVATE: a VE of that layout, $veid, made and run
lives() {
	local layout=$1 fs=$2 private=$3
	veid=$((veid + 1))
	run_ok "$layout on $fs" vzctl --quiet create $veid --layout "$layout" --private "$private/$veid"
	run_ok "starts" vzctl --quiet start $veid
	is "$(vzctl exec $veid 'echo x >/root/x; rm /etc/hosts; mv /etc/group /etc/g; mkdir /home/d
		ls /root /etc/hosts /etc/g 2>/dev/null; stat -c %u /home/d')" "/etc/g

/root:
x
0" "writes, removes, renames"
	run_ok "stops" vzctl --quiet stop $veid --fast
}

for fs in ext4 xfs btrfs; do
	m=$T/$fs
	mkdir "$m" && truncate -s 600M "$T/$fs.img"
	if ! mkfs_of $fs "$T/$fs.img" 2>/dev/null || ! mount -o loop "$T/$fs.img" "$m" 2>/dev/null; then
		skip "layouts on $fs" "no $fs here"
		continue
	fi
	mkdir -p "$m/private" "$m/template"
	ln -s "$T/template/cache" "$m/template/cache"
	sed -i "s|^TEMPLATE=.*|TEMPLATE=\"$m/template\"|" "$VZ_CONFDIR/vz.conf"
	lives simfs $fs "$m/private"
	a=$veid
	lives overlay $fs "$m/private"
	[ $fs != btrfs ] || is "$(subvolumes "$m/private")" 2 "areas are subvolumes"
	run_ok "to overlay" vzctl --quiet convert $a --layout overlay
	run_ok "to simfs" vzctl --quiet convert $veid --layout simfs
	for i in $a $veid; do
		run_ok "mount" vzctl --quiet mount "$i"
		is "$(cat "$T/root/$i/root/x")$(ls "$T/root/$i/etc/hosts" 2>/dev/null)" x "with its files"
		vzctl --quiet umount "$i"
		run_ok "destroy" vzctl --quiet destroy "$i"
	done
	is "$(ls "$m/private")" "" "nothing is left"
	run_ok "prune" vztmpl prune
	is "$(ls "$m/template/base")" "" "nor of the template"
	umount "$m"
	# btrfs lets go of its device a moment later.
	wait_for 10 no_loop "$T/$fs.img"
	rm "$T/$fs.img"
done

done_testing
