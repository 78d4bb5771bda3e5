#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# convert: every layout into every other, kill -9 at many points, signals, a full disk.
# shellcheck disable=SC2034 # lib.sh's
OWN_MOUNTS=yes ON_DISK=yes
. "$(dirname "$0")/../lib.sh"

is_root || skip_all "needs root"
command -v python3 >/dev/null || skip_all "needs python3"
grep -qw overlay /proc/filesystems || modprobe overlay 2>/dev/null ||
	skip_all "this kernel has no overlayfs"
busybox_template
p=$T/private

# A disk of our own where there can be one: what waits for the disk then waits for this
# test's files only.
truncate -s 1G "$T/disk" && mkfs.ext4 -q "$T/disk" && mount -o loop "$T/disk" "$p" 2>/dev/null &&
	rmdir "$p/lost+found"
umount_disk() {
	! mountpoint -q "$p" || umount "$p"
}

# Everything about the files of a VE, mounted: kinds, modes, owners, times, contents,
# links, attributes.
picture() {
	vzctl --quiet mount "$1" || return
	python3 - "$T/root/$1" <<-'END'
		import hashlib, os, stat, sys
		top = sys.argv[1]
		seen = {}
		for dir, dirs, files in os.walk(top):
		    dirs.sort()
		    for n in [''] + sorted(files + [d for d in dirs if os.path.islink(os.path.join(dir, d))]):
		        path = os.path.join(dir, n) if n else dir
		        s = os.lstat(path)
		        what = [os.path.relpath(path, top), oct(s.st_mode), s.st_uid, s.st_gid, s.st_mtime_ns]
		        if stat.S_ISREG(s.st_mode):
		            what += [hashlib.md5(open(path, 'rb').read()).hexdigest()]
		            what += [seen.setdefault((s.st_dev, s.st_ino), what[0])] if s.st_nlink > 1 else []
		        elif stat.S_ISLNK(s.st_mode):
		            what += [os.readlink(path)]
		        what += [(x, os.getxattr(path, x, follow_symlinks=False))
		                 for x in sorted(os.listxattr(path, follow_symlinks=False))]
		        print(*what)
	END
	vzctl --quiet umount "$1"
}

layout_of() {
	if [ -e "$p/$1/area.ini" ]; then
		sed -n 's/^layout = //p' "$p/$1/area.ini"
	else
		echo simfs
	fi
}

run_ok "create" vzctl --quiet create 2210 --layout simfs
uid=$(sed -n 's/^LOCAL_UID="\(.*\)"/\1/p' "$VZ_CONFDIR/conf/2210.conf")
vzctl --quiet mount 2210
r=$T/root/2210
python3 - "$r" "$uid" <<-'END'
	import os, struct, sys
	r, uid = sys.argv[1], int(sys.argv[2])
	os.chdir(r)
	os.remove('etc/hosts')
	os.rename('etc/group', 'etc/group.old')
	open('etc/passwd', 'a').write('x\n')
	os.makedirs('srv/a/b/c')
	os.mkdir('.vz-links')
	for i in range(300):
	    open('srv/a/%d' % i, 'w').write(str(i) * 100)
	os.link('srv/a/1', 'srv/a/b/one')
	os.link('srv/a/1', 'home/one')
	os.symlink('/etc/shadow', 'srv/link')
	os.mkfifo('srv/fifo', 0o600)
	with open('srv/sparse', 'w') as f:
	    f.truncate(32 << 20); f.seek(16 << 20); f.write('in the middle')
	open('srv/cap', 'w').write('x')
	os.setxattr('srv/cap', 'security.capability', struct.pack('<IIIIII', 0x03000001, 1 << 13, 0, 0, 0, uid))
	os.setxattr('srv/cap', 'user.a', b'b')
	open('srv/bad\nname\xe9', 'w').write('x')
	os.remove('usr/bin/wc'); os.mkdir('usr/bin/wc'); open('usr/bin/wc/x', 'w').write('x')
	for dir, dirs, files in os.walk('srv'):
	    for n in ['.'] + files:
	        os.lchown(os.path.join(dir, n), uid + 1000, uid + 1000)
	os.chmod('srv/a/2', 0o4755)
	os.mknod('srv/white', 0o020600, 0)
	os.utime('srv/a/b', ns=(10**18 + 1, 10**18 + 7))
END
vzctl --quiet umount 2210
picture 2210 | grep -v '^srv/white' >"$T/before"
run_is 27 "which layout?" vzctl convert 2210
run_is 99 "one that is not known" vzctl convert 2210 --layout zfs
run_ok "to what it is" vzctl convert 2210 --layout simfs
like "$out$err" "is of layout simfs already" "does nothing"

layouts="overlay simfs"
[ ! -w /dev/loop-control ] || layouts="overlay ploop simfs ploop overlay simfs overlay"
for to in $layouts; do
	run_ok "to $to" vzctl --quiet convert 2210 --layout "$to"
	is "$(layout_of 2210)" "$to" "it is"
	is "$(sed -n 's/^VE_LAYOUT="\(.*\)"/\1/p' "$VZ_CONFDIR/conf/2210.conf")" "$to" "and says so"
	picture 2210 | grep -v '^srv/white' >"$T/after"
	diff "$T/before" "$T/after" >"$T/diff"
	ok $? "all is as it was" || diag "$(head -c 2000 "$T/diff")"
done
is "$(ls "$p")" 2210 "nothing else is left"
vzctl --quiet convert 2210 --layout overlay
is "$(find "$p/2210/layers/1/fs" -name busybox)" "" "over the template lies only what differs"
ok "$([ -c "$p/2210/layers/1/fs/etc/hosts" ]; echo $?)" "what was removed is marked so"
is "$(find "$p/2210/layers/1/fs" -name white)" "" "what would be a mark is left out"
run_ok "and it starts" vzctl --quiet start 2210
is "$(vzctl exec 2210 'cat /srv/a/b/one | head -c 3; stat -c %u /srv/a/2; ls /etc/hosts 2>&1')" \
	"1111000
ls: /etc/hosts: No such file or directory" "with its files"
run_is 32 "not while it runs" vzctl convert 2210 --layout simfs
vzctl --quiet stop 2210 --fast
vzctl --quiet mount 2210
run_is 41 "nor when it is mounted" vzctl convert 2210 --layout simfs
vzctl --quiet umount 2210
mkdir -p "$T/dump/Dump.2210" && : >"$T/dump/Dump.2210/vz"
run_is 32 "nor a suspended one" vzctl convert 2210 --layout simfs
like "$err" "is suspended" "which would not find its files"
rm -r "$T/dump/Dump.2210"
id=$(vzctl snapshot 2210 2>&1 | grep -oE '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}' | head -1)
run_is 99 "nor with snapshots" vzctl convert 2210 --layout simfs
like "$err" "delete them first" "which it would lose"
run_ok "when they are deleted" vzctl --quiet snapshot-delete 2210 --id "$id"
run_ok "it goes" vzctl --quiet convert 2210 --layout simfs
run_ok "and back" vzctl --quiet convert 2210 --layout overlay

# --- kill -9 anywhere: one whole area is there, and the command again finishes ---

bad='' before=0 after=0
to=simfs
for ms in 0 2 4 6 8 10 12 14 17 20 24 28 32 36 40 45 50 55 60 70 80 100; do
	vzctl --quiet convert 2210 --layout $to >/dev/null 2>&1 &
	sleep "0.$(printf %03d "$ms")"
	kill -9 $! 2>/dev/null
	wait $! 2>/dev/null
	[ ! -e "$p/2210.converting" ] || before=$((before + 1))
	run vzctl --quiet mount 2210 || bad+="mount after $ms ms: $err; "
	ls "$T/root/2210/srv/a" >"$T/ls" 2>/dev/null
	[ "$(wc -l <"$T/ls")" = 301 ] || bad+="files after $ms ms: $(wc -l <"$T/ls"); "
	vzctl --quiet umount 2210
	[ "$(layout_of 2210)" != $to ] || after=$((after + 1))
	run vzctl --quiet convert 2210 --layout $to || bad+="convert after $ms ms: $err; "
	[ "$(layout_of 2210) $(ls "$p")" = "$to 2210" ] || bad+="left after $ms ms: $(ls "$p"); "
	[ $to = simfs ] && to=overlay || to=simfs
done
is "$bad" "" "kill -9 at many points"
[ $before -gt 0 ]
ok $? "of the work" || diag "$before during, $after after it"
picture 2210 | grep -v '^srv/white' >"$T/after"
ok "$(cmp -s "$T/before" "$T/after"; echo $?)" "all is as it was after all that"

# --- the step between the area's change and the configuration's ---

vzctl --quiet convert 2210 --layout overlay
sed -i 's/^VE_LAYOUT=.*/VE_LAYOUT="simfs"/' "$VZ_CONFDIR/conf/2210.conf"
mkdir -p "$p/2210.converting/root/x"
run_ok "what it is is known by looking" vzctl --quiet mount 2210
vzctl --quiet umount 2210
run_ok "the command again" vzctl --quiet convert 2210 --layout overlay
is "$(ls "$p") $(grep -c '^VE_LAYOUT="overlay"' "$VZ_CONFDIR/conf/2210.conf")" "2210 1" "finishes"

# --- given up ---

vzctl --quiet mount 2210
head -c 60M /dev/urandom >"$T/root/2210/srv/big"
vzctl --quiet umount 2210
for sig in INT TERM; do
	set -m
	vzctl --quiet convert 2210 --layout simfs >/dev/null 2>&1 &
	set +m
	wait_for 5 test -d "$p/2210.converting"
	kill -$sig $!
	wait $!
	is $? $((128 + $(kill -l $sig))) "SIG$sig ends it"
	is "$(ls "$p") $(layout_of 2210)" "2210 overlay" "with nothing left"
done

# --- a full disk ---

truncate -s 40M "$T/small.img" && mkfs.ext4 -q "$T/small.img" && mkdir "$T/small" &&
	mount -o loop "$T/small.img" "$T/small" 2>/dev/null
if mountpoint -q "$T/small"; then
	run_ok "on a small disk" vzctl --quiet create 2211 --layout simfs --private "$T/small/2211"
	head -c 25M /dev/urandom >"$T/small/2211/root/big"
	chown "$(stat -c %u "$T/small/2211")" "$T/small/2211/root/big"
	sum=$(md5sum <"$T/small/2211/root/big")
	run_is 46 "a full disk" vzctl --quiet convert 2211 --layout overlay
	is "$(md5sum <"$T/small/2211/root/big")$(ls "$T/small")" "$sum$(printf '2211\nlost+found')" "nothing is lost, nothing left"
	rm "$T/small/2211/root/big"
	run_ok "with room it works" vzctl --quiet convert 2211 --layout overlay
	run_ok "destroy" vzctl --quiet destroy 2211
	umount "$T/small"
else
	skip "a full disk" "no loop devices"
fi

run_ok "a privileged one" vzctl --quiet create 2212 --layout simfs --local_uid 0 --local_gid 0
run_ok "to overlay" vzctl --quiet convert 2212 --layout overlay
run_ok "starts" vzctl --quiet start 2212
vzctl --quiet stop 2212 --fast
sed -i 's/^VE_LAYOUT=.*/VE_LAYOUT="simfs"/' "$VZ_CONFDIR/conf/2212.conf"
mkdir "$p/2212.converting"
run_ok "and is finished when it was killed" vzctl --quiet convert 2212 --layout overlay
mount --bind "$VZ_CONFDIR/conf" "$VZ_CONFDIR/conf" && mount -o remount,bind,ro "$VZ_CONFDIR/conf"
run "vzctl" --quiet convert 2212 --layout simfs
ok $((!status)) "a configuration that can't be written"
like "$err" "Read-only file system" "says so"
umount "$VZ_CONFDIR/conf"
run_ok "leaves a VE that mounts" vzctl --quiet mount 2212
vzctl --quiet umount 2212
run_ok "back" vzctl --quiet convert 2212 --layout simfs
is "$(find "$p" -maxdepth 1 -name '2212*')" "$p/2212" "and nothing else is left"
for veid in 2210 2212; do
	mkdir -p "$p/$veid.converting/root/x"
	run_ok "destroy $veid" vzctl --quiet destroy $veid
done
is "$(ls "$p")" "" "nothing is left"
umount_disk

done_testing
