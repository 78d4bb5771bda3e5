#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Layout ploop: an image's life, size, damage, and that no loop device is left.
# shellcheck disable=SC2034 # lib.sh's
OWN_MOUNTS=yes
. "$(dirname "$0")/../lib.sh"

is_root || skip_all "needs root"
[ -e /dev/loop-control ] || skip_all "no loop devices"
type -P mkfs.ext4 >/dev/null || skip_all "no e2fsprogs"
busybox_template
img=$T/private/1601/root.hdd/root.img

kib() {
	vzctl exec 1601 df -k / | awk 'END { print $2 }'
}
taken() {
	echo $(($(stat -c %b "$img") / 2))
}
no_loops() {
	[ -z "$(our_loops)" ]
}

# --- its life ---

run_ok "create" vzctl create 1601 --layout ploop --diskspace 64M:96M
is "$(our_loops)" "" "no loop device is left"
is "$(stat -c %s "$img")" $((96 << 20)) "the image is as large as the limit"
[ "$(taken)" -lt $((32 << 10)) ]
ok $? "but takes only what is used ($(taken) KiB)"
is "$(stat -c '%a %u' "$T/private/1601" "$img" | paste -sd' ')" "700 0 600 0" "both are the node's root's"
run_ok "start" vzctl --quiet start 1601
is "$(our_loops | wc -l)" 1 "one loop device while it runs"
# shellcheck disable=SC2016 # the VE's shell
is "$(vzctl exec 1601 'stat -c "%u %a" / /bin/busybox /lost+found' | paste -sd' ')" \
	"0 755 0 755 0 700" "owners inside"
run vzctl exec 1601 'dd if=/dev/zero of=/full bs=1M count=200'
like "$err" "No space left" "the image's size is the limit"
vzctl exec 1601 'rm /full; echo kept >/kept'
size=$(kib)
[ "$size" -gt 48000 ] && [ "$size" -le $((96 << 10)) ]
ok $? "df shows it ($size KiB)"
run_ok "stop" vzctl --quiet stop 1601
wait_for 10 no_loops
ok $? "no loop device is left"
run_ok "mount" vzctl --quiet mount 1601
is "$(cat "$T/root/1601/kept")" kept "what was written is there"
run_ok "umount" vzctl --quiet umount 1601
no_loops
ok $? "no loop device is left"

# --- size ---

run_is 154 "smaller than its files" vzctl set 1601 --diskspace 8M --save
like "$err" "need more than 8192 KiB" "which says why"
is "$(stat -c %s "$img")" $((96 << 20)) "and changes nothing"
run_ok "smaller" vzctl --quiet set 1601 --diskspace 64M --save
is "$(stat -c %s "$img")" $((64 << 20)) "the image is smaller"
run_ok "larger" vzctl --quiet set 1601 --diskspace 128M --save --offline-resize
is "$(stat -c %s "$img")" $((128 << 20)) "the image is larger"
is "$(find "$T/private" -name '*.resized')" "" "no copy is left"
run_ok "start" vzctl --quiet start 1601
[ "$(kib)" -gt "$size" ]
ok $? "df shows it"
is "$(vzctl exec 1601 cat /kept)" kept "with its files"
run_is 154 "smaller while it runs" vzctl set 1601 --diskspace 64M --save
is "$(sed -n 's/^DISKSPACE=//p' "$VZ_CONFDIR/conf/1601.conf")" '"131072:131072"' "nor saved"
if capsh --print 2>/dev/null | grep -q '^Current.*cap_sys_resource-\|^Current: =ep cap_sys_resource-ep' ||
	[ $((0x$(sed -n 's/^CapEff:\t//p' /proc/self/status) >> 24 & 1)) = 0 ]; then
	run_is 154 "larger while it runs needs CAP_SYS_RESOURCE" vzctl set 1601 --diskspace 160M --save
	like "$err" "CAP_SYS_RESOURCE" "which it says"
	is "$(stat -c %s "$img")" $((128 << 20)) "and changes nothing"
else
	size=$(kib)
	run_ok "larger while it runs" vzctl --quiet set 1601 --diskspace 160M --save
	[ "$(kib)" -gt "$size" ]
	ok $? "df shows it at once"
	is "$(stat -c %s "$img")" $((160 << 20)) "the image is larger"
fi

# --- room comes back ---

vzctl exec 1601 'dd if=/dev/zero of=/much bs=1M count=40; sync' 2>/dev/null
much=$(taken)
vzctl exec 1601 'rm /much; sync'
fewer() {
	[ "$(taken)" -lt $((much - 30000)) ]
}
wait_for 20 fewer
ok $? "what is deleted takes no room ($much KiB, then $(taken))"
vzctl --quiet stop 1601
vzctl --quiet set 1601 --mount_opts nodiscard,noatime --save
vzctl --quiet start 1601
like "$(vzctl exec 1601 grep ' / ' /proc/mounts)" "noatime" "MOUNT_OPTS"
vzctl exec 1601 'dd if=/dev/zero of=/much bs=1M count=40; sync; rm /much; sync' 2>/dev/null
[ "$(taken)" -ge $((much - 4096)) ]
ok $? "without discard it does ($(taken) KiB)"
run_ok "compact, while it runs" vzctl compact 1601
like "$out" "compacted by [0-9]{5,} KiB" "says how much"
fewer
ok $? "the room is back ($(taken) KiB)"
vzctl --quiet stop 1601

# --- quotas of its users ---

vzctl --quiet set 1601 --quotaugidlimit 100 --save
run_ok "start with QUOTAUGIDLIMIT" vzctl --quiet start 1601
if grep -q ' nodev.*quota\|usrquota' <(vzctl exec 1601 grep ' / ' /proc/mounts) && type -P setquota >/dev/null; then
	base=$(sed -n 's/^LOCAL_UID="\(.*\)"/\1/p' "$VZ_CONFDIR/conf/1601.conf")
	dev=$(awk -v r="$T/root/1601" '$2 == r { print $1 }' /proc/mounts)
	run_ok "a limit for a user" setquota -u $((base + 1000)) 0 1000 0 0 "$dev"
	vzctl exec 1601 'mkdir -m 777 /u; echo "u:x:1000:1000::/u:/bin/sh" >>/etc/passwd'
	run vzctl exec 1601 "busybox su u -c 'dd if=/dev/zero of=/u/f bs=64k count=40'"
	like "$err" "[Qq]uota" "which holds"
else
	skip "a limit for a user" "the kernel has no quotas"
fi
vzctl --quiet stop 1601 --fast

# --- power cuts and damage ---

vzctl --quiet start 1601
vzctl exec 1601 'echo late >/late; sync'
cp --sparse=always "$img" "$T/cut"
vzctl --quiet stop 1601
wait_for 10 no_loops
cp --sparse=always "$T/cut" "$img"
run_ok "an image that was not unmounted is checked, then started" vzctl --quiet start 1601
is "$(vzctl exec 1601 cat /late)" late "and has what was synced"
vzctl --quiet stop 1601
cp --sparse=always "$img" "$T/good"
truncate -s 20M "$img"
run_is 43 "an image that was cut off is not run" vzctl start 1601
like "$err" "cut off" "and named"
dd if=/dev/zero of="$img" bs=1k seek=1 count=1 conv=notrunc 2>/dev/null
run_is 43 "nor one without a file system" vzctl start 1601
rm "$img"
run_is 43 "nor none" vzctl start 1601
mv "$T/good" "$img"
# Its journal to be replayed and its group descriptors gone: not for e2fsck -p alone.
printf '\002' | dd of="$img" bs=1 seek=$((1024 + 58)) conv=notrunc 2>/dev/null
dd if=/dev/urandom of="$img" bs=4k seek=1 count=1 conv=notrunc 2>/dev/null
run vzctl start 1601
[ "$status" = 152 ] || [ "$status" = 0 ]
ok $? "damage is repaired or named ($status)" || diag "$err"
[ "$status" = 0 ] || like "$err" "e2fsck" "with what to do"
vzctl --quiet stop 1601 --fast 2>/dev/null
run_ok "destroy" vzctl --quiet destroy 1601
is "$(ls "$T/private")" "" "nothing is left"

# --- a VE without DISKSPACE, a full disk, kills ---

sed -i '/^CONFIGFILE/d' "$VZ_CONFDIR/vz.conf"
run_ok "without DISKSPACE" vzctl --quiet create 1601 --layout ploop
is $(($(stat -c %s "$img") >> 20)) $(($(stat -f -c '%b * %S' "$T") >> 20)) \
	"the image is as large as what it lies on"
vzctl --quiet destroy 1601
run_is 21 "too small" vzctl create 1601 --layout ploop --diskspace 1M

mkdir "$T/small" && mount -t tmpfs -o size=1m none "$T/small"
run vzctl create 1601 --layout ploop --diskspace 64M --private "$T/small/1601"
like "$status" "^(46|151)$" "a full disk"
is "$(ls "$T/small")$(our_loops)" "" "nothing is left on it"
umount "$T/small" && rmdir "$T/small"

bad=''
for ms in 0 4 8 12 16 20 25 30 36 45 60; do
	vzctl --quiet create 1602 --layout ploop --diskspace 64M >/dev/null 2>&1 &
	sleep "0.0$(printf %02d "$ms")"
	kill -9 $! 2>/dev/null
	wait $! 2>/dev/null
	if [ ! -e "$VZ_CONFDIR/conf/1602.conf" ]; then
		run vzctl --quiet create 1602 --layout ploop --diskspace 64M || bad+="create after $ms ms: $err; "
	fi
	vzctl --quiet mount 1602 >/dev/null 2>&1 &
	sleep "0.00$((ms % 10))"
	kill -9 $! 2>/dev/null
	wait $! 2>/dev/null
	run vzctl --quiet mount 1602 || bad+="mount after $ms ms: $err; "
	[ "$(our_loops | wc -l)" = 1 ] || bad+="$(our_loops | wc -l) loops after $ms ms; "
	run vzctl --quiet umount 1602 || bad+="umount after $ms ms: $err; "
	vzctl --quiet set 1602 --diskspace 100M --save >/dev/null 2>&1 &
	sleep "0.0$(printf %02d "$ms")"
	kill -9 $! 2>/dev/null
	wait $! 2>/dev/null
	wait_for 10 no_loops || bad+="loops after resize $ms ms: $(our_loops); "
	run vzctl --quiet set 1602 --diskspace 80M --save || bad+="set after $ms ms: $err; "
	[ "$(stat -c %s "$T/private/1602/root.hdd/root.img")" = $((80 << 20)) ] || bad+="size after $ms ms; "
	run vzctl --quiet destroy 1602 || bad+="destroy after $ms ms: $err; "
	[ -z "$(ls "$T/private")" ] || bad+="left after $ms ms: $(ls "$T/private"); "
done
is "$bad" "" "kill -9 at many points of create, mount and resize"
done_testing
