# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# For the tests of disk quotas: a file system that keeps them, VEs with Debian's own
# quota tools, and what is to hold there.
# shellcheck disable=SC2016 # the VE's shell expands them

field() {
	vzlist -a -H -o "$2" "$1" | tr -d ' '
}

# make_fs ext4|xfs: in $T/KIND
make_fs() {
	mkdir -p "$T/$1"
	truncate -s 700M "$T/$1.img"
	case $1 in
	ext4)
		mkfs.ext4 -q -F -O quota,project -E quotatype=usrquota:grpquota:prjquota "$T/$1.img" &&
			mount -o loop,usrquota,grpquota,prjquota "$T/$1.img" "$T/$1"
		;;
	xfs)
		mkfs.xfs -q -f "$T/$1.img" && mount -o loop,uquota,gquota,pquota "$T/$1.img" "$T/$1"
		;;
	esac
}

drop_fs() {
	local i
	for i in ext4 xfs; do
		! mountpoint -q "$T/$i" || umount "$T/$i"
		rm -f "$T/$i.img"
	done
}

# use_fs KIND: new VEs' private areas and templates are there
use_fs() {
	sed -i "s|^VE_PRIVATE=.*|VE_PRIVATE=\"$T/$1/private/\$VEID\"|; s|^TEMPLATE=.*|TEMPLATE=\"$T/$1/template\"|" \
		"$VZ_CONFDIR/vz.conf"
	mkdir -p "$T/$1/template"
	[ -e "$T/$1/template/cache" ] || ln -s "$T/template/cache" "$T/$1/template/cache"
}

# add_tools ROOT: Debian's quota tools and chattr, users u1 … u3
add_tools() {
	local f lib i
	for f in repquota setquota edquota quotaon quota chattr lsattr; do
		f=$(readlink -f "$(type -P $f)")
		cp "$f" "$1/usr/sbin/"
		for lib in $(ldd "$f" | grep -o '/[^ ]*'); do
			mkdir -p "$1$(dirname "$lib")"
			[ -e "$1$lib" ] || cp -L "$lib" "$1$lib"
		done
	done
	for i in 1 2 3; do
		echo "u$i:x:100$i:100$i::/tmp:/bin/sh" >>"$1/etc/passwd"
		echo "g$i:x:100$i:" >>"$1/etc/group"
	done
}

# new_ve VEID LAYOUT
new_ve() {
	make_ve "$1" --layout "$2" --diskspace 40M:44M --diskinodes 1500:1600 || return
	vzctl --quiet set "$1" --quotaugidlimit 1010 --quotatime 1000 --save
	vzctl --quiet mount "$1" && add_tools "$T/root/$1" && vzctl --quiet start "$1"
}

# in_ve VEID WORDS: what the VE's shell prints
in_ve() {
	vzctl exec "$1" "$2" 2>&1
}

used_kb() {
	in_ve "$1" 'df -k /' | awk 'NR == 2 { print $3 }'
}

first_level() {
	local a=$1 b=$2 used
	is "$(in_ve "$a" 'df -k /' | awk 'NR == 2 { print $2 }')" 40960 "$what: df shows DISKSPACE"
	is "$(in_ve "$a" 'df -i /' | awk 'NR == 2 { print $2 }')" 1500 "$what: df -i shows DISKINODES"
	like "$(in_ve "$a" 'dd if=/dev/zero of=/fill bs=64k count=2000')" \
		"Disk quota exceeded|No space left" "$what: root of the VE can't fill more"
	used=$(field "$a" diskspace)
	[ "$used" -le 45056 ] && [ "$used" -gt 44000 ]
	ok $? "$what: it has its 44 MB and no more ($used KB)"
	is "$(vzquota -b stat "$a" | awk 'NR == 1 { print $1, $2, $3 }')" "$used 40960 45056" "$what: vzquota stat agrees"
	vzctl traffic --save
	like "$(cat "$VZ_RUNDIR/proc/vz/vzquota")" "$a: [^
]*
 +1k-blocks +$used +40960 +45056" "$what: and vz/vzquota"
	is "$(in_ve "$b" 'dd if=/dev/zero of=/mine bs=64k count=20 2>/dev/null; echo $?')" 0 "$what: the other VE has its own"
	is "$(in_ve "$a" 'rm /fill; (i=0; while [ $i -lt 2000 ] && : >/root/f$i; do i=$((i+1)); done) 2>/dev/null; rm -r /root; mkdir /root; df -i / | tail -n 1 | tr -s " " | cut -d " " -f 2')" \
		1500 "$what: filled with files, and emptied"
	like "$(in_ve "$a" 'mkdir /x; cd /x; mkdir $(seq 1700); cd /; rm -r /x')" \
		"Disk quota exceeded|No space left" "$what: not more files than its own"
}

# Nothing that a VE's root can do to its files gets it out of its project.
tricks() {
	local a=$1 before
	in_ve "$a" 'dd if=/dev/zero of=/big bs=64k count=160; sync' >/dev/null
	before=$(used_kb "$a")
	in_ve "$a" 'chattr -p 0 /big; chattr -R -p 4242 /etc; chattr -P /; chattr -p 0 /tmp; chattr -p 0 -P /var; sync' >/dev/null
	in_ve "$a" 'chown 1001:1001 /big; chown -R 0:0 /etc' >/dev/null
	[ "$(used_kb "$a")" -ge "$before" ]
	ok $? "$what: chown and other project ids take nothing away"
	in_ve "$a" 'cp /big /tmp/big; mv /tmp/big /root/big; ln /root/big /root/big2; sync' >/dev/null
	like "$(in_ve "$a" 'dd if=/dev/zero of=/tmp/fill bs=64k count=700')" \
		"Disk quota exceeded|No space left" "$what: what is made in /tmp counts as before"
	like "$(in_ve "$a" 'rm /tmp/fill; dd if=/dev/zero of=/var/fill bs=64k count=700; rm /var/fill')" \
		"Disk quota exceeded|No space left" "$what: and in /var"
	[ "$(field "$a" diskspace)" -le 45056 ]
	ok $? "$what: still not more than its own"
	in_ve "$a" 'rm -f /tmp/fill /root/big* /big' >/dev/null
}

# From one area to the other: even the node's root can't, so no VE can.
across() {
	local dir=$T/$fs/private top=''
	[ "$layout" = simfs ] || top=/layers/1/fs
	: >"$dir/$1$top/etc/from"
	run_is 1 "$what: no hard link into another area" ln "$dir/$1$top/etc/from" "$dir/$2$top/etc/to"
	like "$err" "cross-device" "$what: it is as another device"
	run_is 1 "$what: nor a rename" python3 -c 'import os, sys; os.rename(*sys.argv[1:])' \
		"$dir/$1$top/etc/from" "$dir/$2$top/etc/to"
	like "$err" "cross-device" "$what: as another device"
	rm -f "$dir/$1$top/etc/from"
}

users() {
	local a=$1 b=$2
	is "$(in_ve "$a" 'setquota -u u1 0 1000 0 0 / && setquota -u u2 0 0 0 8 / && setquota -g g3 500 600 0 0 / && echo done')" \
		"done" "$what: setquota as the VE's root"
	like "$(in_ve "$a" 'su u1 -c "dd if=/dev/zero of=/tmp/one bs=1k count=1500"; ls -l /tmp/one')" \
		"Disk quota exceeded.* (1000|996|992)[0-9]{3} |Disk quota exceeded.* 10[0-9]{5} " "$what: a user gets his 1,000 KB"
	like "$(in_ve "$a" 'su u2 -c "for i in 1 2 3 4 5 6 7 8 9; do : >/tmp/t\$i; done"; ls /tmp/t* | wc -l')" \
		"Disk quota exceeded.*8$" "$what: another his 8 files"
	like "$(in_ve "$a" 'repquota -a')" "u1 +[-+]{2} +[0-9]+ +0 +1000 .*u2 +[-+]{2} .* 0 +8 " "$what: repquota"
	like "$(in_ve "$a" 'repquota -g -v -n /')" "#1003 +-- +0 +500 +600" "$what: of groups"
	like "$(in_ve "$a" 'su u1 -c "quota -w"')" "1000" "$what: a user's quota"
	like "$(in_ve "$a" 'su u1 -c "quota u2"; su u1 -c "setquota -u u1 0 0 0 0 /"')" \
		"(ermission denied|ot permitted).*(ermission denied|ot permitted)" "$what: not another's, nor to set his own"
	like "$(in_ve "$a" 'quotaon -p /')" "user quota on / .* is on" "$what: quotaon -p"
	unlike "$(in_ve "$a" 'setquota -u 65536 0 1 0 0 / && echo yes; setquota -P 5 0 1 0 0 / && echo yes; setquota -t 5 5 / && echo yes')" \
		"yes" "$what: no ids beyond its own, no projects, no grace of all"
	unlike "$(in_ve "$b" 'repquota -a -v')" "1000|u2" "$what: the other VE knows nothing of it"
	is "$(vzquota dump "$a")" "# vz user and group quotas 1
user 1001 0 1000 0 0 0 0
user 1002 0 0 0 8 0 0
group 1003 500 600 0 0 0 0" "$what: the same seen from the node"
	run_ok "$what: set from there" vzquota setlimit2 "$a" -u 1003 12 20 30 40
	is "$(in_ve "$a" 'edquota -p u3 -u nobody && repquota -v / | grep -c "^nobody *-- *0 *12 *20 "; setquota -u nobody 0 0 0 0 /')" \
		1 "$what: edquota gives the same to another"
	like "$(in_ve "$a" 'repquota -v /')" "u3 +-- +0 +12 +20 +0 +30 +40" "$what: and seen in the VE"
	run vzquota stat "$a" -t
	like "$out" "User/group quota: on,active.*1003 +user 1k-blocks +0 +12 +20" "$what: vzquota stat -t"
	like "$(in_ve "$a" 'ls -l /dev/vquota /dev/loop[0-9]* 2>/dev/null; cat /dev/vquota /dev/loop[0-9]*' 2>&1)" \
		"b-{9}.*(denied|permitted)" "$what: the device can't be opened"
}

many() {
	local a=$1
	is "$(in_ve "$a" 'for i in $(seq 2001 3000); do echo "$i 0 $i 0 100"; done | setquota -b -u /; repquota -v -n / | grep -c "^#[23]"')" 1000 \
		"$what: a thousand users"
	is "$(vzquota dump "$a" | grep -c '^user')" 1003 "$what: that the node sees"
	like "$(in_ve "$a" 'for i in $(seq 4001 4020); do echo "$i 0 5 0 5"; done | setquota -b -u /')" \
		"No space left" "$what: not more than QUOTAUGIDLIMIT"
	vzquota dump "$a" >"$T/limits"
	run bash -c "echo '# vz user and group quotas 1' | vzquota load $a; vzquota dump $a | wc -l; vzquota load $a <$T/limits; vzquota dump $a"
	is "$out" "1
$(cat "$T/limits")" "$what: and put back from text"
}

# killed_load VEID: who is killed as he sets limits takes none away
killed_load() {
	local a=$1 us bad=''
	vzquota dump "$a" >"$T/small"
	{ cat "$T/small" && seq -f 'user %g 0 9 0 9 0 0' 5001 7000; } >"$T/big"
	for us in 1000 5000 10000 20000 40000; do
		vzquota load "$a" <"$T/big" &
		sleep "$(printf '0.%06d' "$us")"
		kill -9 $! 2>/dev/null
		wait $! 2>/dev/null
		! vzquota dump "$a" | grep -qvxF -f - "$T/small" || bad+="set, $us us; "
		vzquota load "$a" <"$T/big" || bad+="again, $us us; "
		vzquota load "$a" <"$T/small" &
		sleep "$(printf '0.%06d' "$us")"
		kill -9 $! 2>/dev/null
		wait $! 2>/dev/null
		! vzquota dump "$a" | grep -qvxF -f - "$T/small" || bad+="taken, $us us; "
		vzquota load "$a" <"$T/small" || bad+="back, $us us; "
	done 2>/dev/null
	is "$bad$(vzquota dump "$a")" "$(cat "$T/small")" "$what: kill -9 of vzquota load leaves nobody without his limits"
}

# Users' limits go where the VE's files go.
carried() {
	local a=$1 c=2714 id=11111111-2222-4333-8444-555555555555 want
	want=$(vzquota dump "$a")
	run_ok "$what: snapshot" vzctl --quiet snapshot "$a" --id $id --skip-suspend
	run_ok "$what: backup" vzctl --quiet backup "$a" "$T/backup"
	vzquota setlimit2 "$a" -u 1001 0 5 0 0
	vzquota setlimit2 "$a" -g 1500 0 9 0 0
	run_ok "$what: back to the snapshot" vzctl --quiet snapshot-switch "$a" --id $id --skip-resume
	# Not the times: xfs begins one while there are the old files and the new ones, and
	# ends it when that user writes next.
	is "$(vzquota dump "$a" | cut -d' ' -f1-6)" "$(cut -d' ' -f1-6 <<<"$want")" \
		"$what: and to the limits of its users"
	vzctl --quiet snapshot-delete "$a" --id $id
	run_ok "$what: restore of the backup" vzctl --quiet restore-backup "$T/backup" $c
	is "$(vzquota dump $c)" "$want" "$what: has them, too"
	vzctl --quiet destroy $c
	killed_load "$a"
	vzctl --quiet start "$a"
	rm -f "$T/backup"
}

restart() {
	local a=$1
	vzctl --quiet restart "$a"
	like "$(in_ve "$a" 'repquota -v /')" "u1 .* 1000 .*u3 .* 20 " "$what: they are there after a restart"
	is "$(in_ve "$a" 'df -k /' | awk 'NR == 2 { print $2 }')" 40960 "$what: and so is DISKSPACE"
}

overdue() {
	in_ve "$1" 'dd if=/dev/zero of=/late bs=1k count=1 conv=notrunc oflag=append' | grep -qE "exceeded|No space"
}

grace() {
	local a=$1
	run_ok "$what: grace" vzctl set "$a" --diskspace 10M:44M --quotatime 4
	is "$(in_ve "$a" 'dd if=/dev/zero of=/over bs=64k count=200 2>/dev/null; sync; echo $?')" 0 "$what: over the soft limit"
	vzquota stat "$a" | grep -q '1k-blocks.*\*'
	ok $? "$what: as vzquota says"
	in_ve "$a" ': >/late' >/dev/null
	wait_for 20 overdue "$a"
	ok $? "$what: until its time is over"
	run_ok "$what: back" vzctl set "$a" --diskspace 40M:44M --quotatime 1000
	is "$(in_ve "$a" 'echo >/late; echo $?; rm /over')" 0 "$what: live"
}

switches() {
	local a=$1
	run_ok "$what: quotaoff" vzctl quotaoff "$a"
	[ "$(in_ve "$a" 'df -k /' | awk 'NR == 2 { print $2 }')" -gt 100000 ]
	ok $? "$what: no limit"
	run_is 6 "$what: vzquota stat of it" vzquota stat "$a"
	run_ok "$what: quotaon" vzctl quotaon "$a"
	run_is 5 "$what: twice" vzquota on "$a"
	is "$(in_ve "$a" 'df -k /' | awk 'NR == 2 { print $2 }')" 40960 "$what: the limit"
	run_is 32 "$what: quotainit of a running one" vzctl quotainit "$a"
	vzctl --quiet stop "$a"
	run_ok "$what: quotainit" vzctl quotainit "$a"
}

# Nothing of a VE's limits is left for who gets its number or ids.
nothing_left() {
	local n
	run_ok "$what: destroyed" vzctl destroy "$1"
	n=$(repquota -u -n "$T/$fs" 2>/dev/null | awk '/^#[0-9]{6}/ && ($4 || $5 || $7 || $8)' | grep -c .)
	is "$n" 0 "$what: no user's limit is left"
	unlike "$(repquota -P -n "$T/$fs" 2>/dev/null)" "#$1 " "$what: nor the project's"
}

# with_quotas KIND: all of it, on a file system of that kind
with_quotas() {
	local a=2711 b=2712
	fs=$1
	make_fs "$fs"
	ok $? "$fs is there" || return
	use_fs "$fs"
	for layout in simfs overlay; do
		what="$layout on $fs"
		new_ve $a $layout && new_ve $b $layout
		ok $? "$what: two VEs" || continue
		first_level $a $b
		tricks $a
		across $a $b
		show $layout "$fs" space yes
		users $a $b
		carried $a
		show $layout "$fs" users yes
		# Neither is the layout's business.
		if [ $layout = simfs ]; then
			many $a
			restart $a
			grace $a
		else
			switches $a
		fi
		vzctl --quiet stop --fast $a
		vzctl --quiet stop --fast $b
		nothing_left $a
		nothing_left $b
	done
	[ "$fs" != xfs ] || shown_is xfs
}
