#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Layouts on each file system that this machine has: made, run, kept by snapshots and
# backups, shared, limited, converted, destroyed. README.md's table comes of it.
# shellcheck disable=SC2034,SC2016 # lib.sh reads it; the VE's shell expands it
ON_DISK=yes OWN_MOUNTS=yes
. "$(dirname "$0")/../lib.sh"

is_root || skip_all "needs root"
[ -w /dev/loop-control ] || skip_all "no loop devices"
busybox_template

# mkfs_of TYPE FILE
mkfs_of() {
	type -P "mkfs.$1" >/dev/null || return
	case $1 in
	ext4) mkfs.ext4 -q "$2" ;;
	xfs) mkfs.xfs -q "$2" ;;
	btrfs) mkfs.btrfs -q "$2" >/dev/null 2>&1 ;;
	esac
}

no_loop() {
	[ -z "$(losetup -j "$1")" ]
}

used_kb() {
	# What the VE has written, through its image if it has one, then what that makes.
	! mountpoint -q "$T/root/$veid" || sync -f "$T/root/$veid"
	sync -f "$m"
	df -k --output=used "$m" | tail -n 1 | tr -d ' '
}

# A VE of that layout, $veid, made and run; it has 12 MB of its own.
lives() {
	run_ok "$layout on $fs" vzctl --quiet create "$veid" --layout "$layout" --private "$m/private/$veid" --diskspace 48M
	run_ok "starts" vzctl --quiet start "$veid"
	is "$(vzctl exec "$veid" 'echo x >/root/x; rm /etc/hosts; mv /etc/group /etc/g; mkdir /home/d
		dd if=/dev/urandom of=/root/big bs=1024k count=12 2>/dev/null
		ls /root /etc/hosts /etc/g 2>/dev/null; stat -c %u /home/d')" "/etc/g

/root:
big
x
0" "writes, removes, renames"
	show "$layout" $fs run yes
}

# takes WORD: a snapshot, and what it takes
takes() {
	local was now id word="a copy"
	was=$(used_kb)
	run_ok "snapshot" vzctl --quiet snapshot "$veid" --skip-suspend
	now=$(used_kb)
	[ $((now - was)) -gt 6000 ] || word="no room"
	diag "$layout on $fs, $1: $((now - was)) KiB"
	vzctl exec2 "$veid" 'rm /root/x' 2>/dev/null || { vzctl --quiet mount "$veid" && rm -f "$T/root/$veid/root/x" && vzctl --quiet umount "$veid"; }
	id=$(vzctl snapshot-list "$veid" -H -o uuid)
	run_ok "switch" vzctl --quiet snapshot-switch "$veid" --id "$id"
	vzctl --quiet mount "$veid"
	is "$(cat "$T/root/$veid/root/x")" x "it is as it was"
	vzctl --quiet umount "$veid"
	run_ok "delete" vzctl --quiet snapshot-delete "$veid" --id "$id"
	show "$layout" $fs "$1" "$word"
}

backs_up() {
	run_ok "backup" vzctl --quiet backup "$veid" "$T/full"
	vzctl --quiet mount "$veid" && echo y >"$T/root/$veid/root/x" && vzctl --quiet umount "$veid"
	run_ok "increment" vzctl --quiet backup "$veid" --since "$T/full" "$T/inc"
	run_ok "restored" vzctl --quiet restore-backup "$T/inc" 2399
	is "$(sed -n 's/^VE_LAYOUT=//p' "$VZ_CONFDIR/conf/2399.conf")" "\"$layout\"" "as it was"
	vzctl --quiet mount 2399
	is "$(cat "$T/root/2399/root/x")$(stat -c %s "$T/root/2399/root/big")" y$((12 << 20)) "with its files"
	vzctl --quiet umount 2399
	vzctl --quiet destroy 2399
	rm "$T/full" "$T/inc"
	vzctl --quiet mount "$veid" && echo x >"$T/root/$veid/root/x" && vzctl --quiet umount "$veid"
	show "$layout" $fs backup yes
}

shares() {
	run vzctl dedup "$veid"
	case $layout$status in
	simfs0) show simfs $fs dedup yes ;;
	simfs5) show simfs $fs dedup no ;;
	*) is "$status" 99 "nothing to share one by one" ;;
	esac
}

# Quotas of ext4 and xfs are another kernel's, and other tests' business.
is_limited() {
	if [ "$layout" = ploop ]; then
		vzctl --quiet start "$veid"
		like "$(vzctl exec "$veid" 'dd if=/dev/zero of=/fill bs=64k count=2000; rm /fill' 2>&1)" "No space left" "its size is its limit"
		vzctl --quiet stop "$veid" --fast
		show ploop $fs space "its size"
	elif [ $fs = btrfs ]; then
		run_is 60 "no quota is kept" vzctl quotaon "$veid"
		show "$layout" btrfs space no
		show "$layout" btrfs users no
	fi
}

converts() {
	local to=$1
	run_ok "to $to" vzctl --quiet convert "$veid" --layout "$to"
	run_ok "mount" vzctl --quiet mount "$veid"
	is "$(cat "$T/root/$veid/root/x")$(ls "$T/root/$veid/etc/hosts" 2>/dev/null)" x "with its files"
	vzctl --quiet umount "$veid"
	show "$layout" $fs convert yes
}

declare -A id_of=([simfs]=2301 [overlay]=2302 [ploop]=2303)
declare -A next=([simfs]=overlay [overlay]=ploop [ploop]=simfs)
for fs in ext4 xfs btrfs; do
	m=$T/$fs
	mkdir "$m" && truncate -s 600M "$T/$fs.img"
	if ! mkfs_of $fs "$T/$fs.img" 2>/dev/null || ! mount -o loop "$T/$fs.img" "$m" 2>/dev/null; then
		skip "layouts on $fs" "no $fs here"
		continue
	fi
	mkdir -p "$m/private" "$m/template"
	ln -s "$T/template/cache" "$m/template/cache"
	sed -i "s|^TEMPLATE=.*|TEMPLATE=\"$m/template\"|; s|^VE_PRIVATE=.*|VE_PRIVATE=\"$m/private/\$VEID\"|" "$VZ_CONFDIR/vz.conf"
	# First this: btrfs gives back the room of areas that are gone at some later time.
	for layout in simfs overlay ploop; do
		veid=${id_of[$layout]}
		lives
		[ $fs != btrfs ] || is "$(stat -c %i "$m/private/$veid")" 256 "its area is a subvolume"
		takes snapshot-up
		takes snapshot-down
	done
	for layout in simfs overlay ploop; do
		veid=${id_of[$layout]}
		backs_up
		shares
		is_limited
		converts "${next[$layout]}"
		run_ok "destroy" vzctl --quiet destroy "$veid"
	done
	is "$(ls "$m/private")" "" "nothing is left"
	run_ok "prune" vztmpl prune
	is "$(ls "$m/template/base")" "" "nor of the template"
	umount "$m"
	# btrfs lets go of its device a moment later.
	wait_for 10 no_loop "$T/$fs.img"
	rm "$T/$fs.img"
	shown_is $fs
done

done_testing
