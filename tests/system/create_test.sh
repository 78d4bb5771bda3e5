#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# create and destroy: hostile archives, kill -9 at many points, signals, a full disk.
. "$(dirname "$0")/../lib.sh"

is_root || skip_all "needs root"
command -v python3 >/dev/null || skip_all "needs python3 to write hostile archives"
busybox_template
cache=$T/template/cache

# What is there but the shared files: nothing may be left of a VE.
left() {
	find "$T/private" "$T/root" "$VZ_CONFDIR/names" -mindepth 1 -maxdepth 1
	find "$VZ_CONFDIR/conf" -name '15*.conf'
	# The bpffs is the node's, and stays.
	our_mounts | grep -vx "$VZ_RUNDIR/bpf"
}

# hostile NAME PYTHON: an archive that `t` (a tarfile) is made into
hostile() {
	python3 - "$cache/$1.tar.gz" <<-END
		import io, sys, tarfile
		t = tarfile.open(sys.argv[1], "w:gz", format=tarfile.PAX_FORMAT)
		def add(name, type=tarfile.REGTYPE, data=b"", link="", uid=0, mode=0o644, dev=(0, 0), pax=None):
		    i = tarfile.TarInfo(name)
		    i.type, i.linkname, i.uid, i.mode, i.size = type, link, uid, mode, len(data)
		    i.devmajor, i.devminor = dev
		    i.pax_headers = pax or {}
		    t.addfile(i, io.BytesIO(data))
		$2
		t.close()
	END
}

# refused NAME PYTHON WHAT: create says 47, and leaves nothing
refused() {
	hostile "$1" "$2"
	run_is 47 "refused: $3" vzctl create 1510 --ostemplate "$1"
	is "$(left)" "" "and nothing is left"
}

echo secret >"$T/host-file"
refused h1 "add('/etc/x')" "an absolute name"
refused h2 "add('../x')" "a name above the root"
refused h3 "add('a/../../x')" "a name that climbs out half way"
refused h4 "add('l', tarfile.SYMTYPE, link='$T'); add('l/x', data=b'x')" \
	"a file through a link to the host"
refused h5 "add('l', tarfile.SYMTYPE, link='.'); add('l/x', data=b'x')" \
	"a file through a link inside"
refused h6 "add('h', tarfile.LNKTYPE, link='../../../host-file')" "a hard link out of the root"
refused h7 "add('h', tarfile.LNKTYPE, link='$T/host-file')" "an absolute hard link"
refused h8 "add('l', tarfile.SYMTYPE, link='$T/host-file'); add('h', tarfile.LNKTYPE, link='l')" \
	"a hard link to a link"
refused h9 "add('sda', tarfile.BLKTYPE, dev=(8, 0))" "a disk"
refused h10 "add('mem', tarfile.CHRTYPE, dev=(1, 1))" "the memory"
refused h11 "add('x', uid=65536)" "an owner that is not the VE's"
refused h12 "add('x', uid=4294967295)" "an owner that would wrap around"
refused h13 "add('d', tarfile.DIRTYPE); add('d')" "a file over a directory"
refused h14 "add('x', pax={'SCHILY.xattr.security.capability': 'nonsense'})" "a bad capability"
refused h15 "add('/'.join(['d' * 200] * 30))" "a path that is too long"
refused h16 "pass" "an empty archive"
refused h17 "t.fileobj.write(b'x' * 4096)" "what is no archive"
is "$(cat "$T/host-file")$(stat -c %h "$T/host-file")" secret1 "the host's file is untouched"

hostile good "add('dev/sda', tarfile.BLKTYPE, dev=(8, 0))
add('chroot/null', tarfile.CHRTYPE, dev=(1, 3))
add('l', tarfile.SYMTYPE, link='/etc/shadow')
add('su', uid=7, mode=0o6755, data=b'x')
add('f', tarfile.FIFOTYPE)
add('deep/er/file', data=b'y')
add('u', pax={'SCHILY.xattr.user.a': 'b'})
add('acl', mode=0o664, pax={'SCHILY.acl.access': 'user::rw-,user:7:r--,group::r--,group:staff:rw-,mask::rw-,other::r--'})
add('\u00e4\u00f6')"
run_ok "what is harmless is taken" vzctl create 1510 --ostemplate good
p=$T/private/1510
base=$(sed -n 's/^LOCAL_UID="\(.*\)"/\1/p' "$VZ_CONFDIR/conf/1510.conf")
ok "$([ -e "$p/dev/sda" ] || [ -e "$p/chroot/null" ]; echo $((!$?)))" "no device was made"
is "$(stat -c '%u %a' "$p/su")" "$((base + 7)) 6755" "owner moved, set-ids kept"
is "$(stat -c %u "$p/l" "$p/f" "$p/deep/er" | sort -u)" "$base" "links, fifos, implied directories too"
is "$(readlink "$p/l")" /etc/shadow "a link says what it said"
is "$(python3 -c "import os,struct; d = os.getxattr('$p/acl', 'system.posix_acl_access')
print([i - $base for t, _, i in struct.iter_unpack('<HHI', d[4:]) if t == 2])")" "[7]" "an ACL's ids are moved"
ok "$([ -e "$p/$(printf '\303\244\303\266')" ]; echo $?)" "names of other alphabets"
run_ok "destroyed" vzctl destroy 1510

for format in gz zst xz; do
	case $format in
	gz) pack="gzip -1" ;;
	zst) pack="zstd -q -1" ;;
	xz) pack="xz -1" ;;
	esac
	tar -C "$SHARE/busybox-root" -c . | $pack >"$T/whole"
	size=$(stat -c %s "$T/whole")
	head -c $((size / 2)) "$T/whole" >"$cache/half.tar.$format"
	run_is 47 "refused: half a $format archive" vzctl create 1510 --ostemplate half
	rm "$cache/half.tar.$format"
	cp "$T/whole" "$cache/bad.tar.$format"
	printf '\377\377\377\377\377\377' |
		dd of="$cache/bad.tar.$format" bs=1 seek=$((size / 2)) conv=notrunc 2>/dev/null
	run_is 47 "refused: a damaged $format archive" vzctl create 1510 --ostemplate bad
	head -c -5 "$T/whole" >"$cache/bad.tar.$format"
	tail -c 5 "$T/whole" | tr '\000-\377' '\001-\377\000' >>"$cache/bad.tar.$format"
	run_is 47 "refused: a $format archive with a wrong end" vzctl create 1510 --ostemplate bad
	rm "$cache/bad.tar.$format"
done
is "$(left)" "" "nothing is left of these"

head -c 300M /dev/zero >"$T/zero" && tar -C "$T" -czf "$cache/bomb.tar.gz" zero && rm "$T/zero"
run_is 46 "a bomb stops at DISKSPACE" vzctl create 1510 --ostemplate bomb --diskspace 10M
run_is 46 "and files at DISKINODES" vzctl create 1510 --diskinodes 20
is "$(left)" "" "nothing is left of these"

mkdir "$T/small" && mount -t tmpfs -o size=1m none "$T/small"
run_is 46 "a full disk" vzctl create 1510 --private "$T/small/1510"
is "$(ls "$T/small")" "" "nothing is left on it"
umount "$T/small" && rmdir "$T/small"

# kill -9 anywhere: the next create and destroy of the number work.
bad=''
for ms in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 18 20 25 30; do
	vzctl --quiet create 1511 >/dev/null 2>&1 &
	sleep "0.0$(printf %02d "$ms")"
	kill -9 $! 2>/dev/null
	wait $! 2>/dev/null
	if [ ! -e "$VZ_CONFDIR/conf/1511.conf" ]; then
		run vzctl --quiet create 1511 || bad+="create after $ms ms: $err; "
	fi
	vzctl --quiet destroy 1511 >/dev/null 2>&1 &
	sleep "0.0$(printf %02d $((ms / 2)))"
	kill -9 $! 2>/dev/null
	wait $! 2>/dev/null
	run vzctl --quiet destroy 1511
	[ "$status" = 0 ] || [ "$status" = 14 ] || bad+="destroy after $ms ms: $err; "
	[ -z "$(left)" ] || bad+="left after $ms ms: $(left); "
done
is "$bad" "" "kill -9 at many points of create and destroy"

# The same while the distribution's script runs in the new VE.
echo 'POST_CREATE=slow.sh' >>"$VZ_CONFDIR/dists/busybox.conf"
printf 'echo made >/root/made\nsleep 0.02\n' >"$VZ_CONFDIR/dists/scripts/slow.sh"
# What it had begun dies with it, a moment later, and holds the lock till then.
patiently() {
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		run vzctl --quiet "$@"
		[ "$status" = 9 ] || break
		sleep 0.1
	done
	return "$status"
}
bad='' caught=0
for us in 0 300 600 1000 1500 2000 3000 4000 6000; do
	vzctl --quiet create 1518 >/dev/null 2>&1 &
	until [ -d "$VZ_RUNDIR/1518" ] || ! kill -0 $! 2>/dev/null; do :; done
	sleep "0.$(printf %06d $us)"
	[ ! -d "$VZ_RUNDIR/1518" ] || caught=$((caught + 1))
	kill -9 $! 2>/dev/null
	wait $! 2>/dev/null
	if [ ! -e "$VZ_CONFDIR/conf/1518.conf" ]; then
		patiently create 1518 || bad+="create after $us us: $err; "
	fi
	patiently destroy 1518 || bad+="destroy after $us us: $err; "
	[ -z "$(left)$(find_left)" ] || bad+="left after $us us: $(left) $(find_left); "
done
is "$bad" "" "kill -9 in POST_CREATE"
run_ok "undisturbed" vzctl --quiet create 1518
is "$(cat "$T/private/1518/root/made")" made "it is done"
vzctl --quiet destroy 1518
sed -i '$d' "$VZ_CONFDIR/dists/busybox.conf"
[ $caught -gt 0 ]
ok $? "which it hit" || diag "hit $caught times"

# --- not yet on the disk ---

run_ok "create" vzctl --quiet create 1511
settled() {
	[ ! -e "$T/private/1511.unsynced" ]
}
wait_for 60 settled
ok $? "the files reach the disk in the background"
cat /proc/sys/kernel/random/boot_id >"$T/private/1511.unsynced"
run_ok "before that a VE runs" vzctl --quiet mount 1511
vzctl --quiet umount 1511
echo another-boot >"$T/private/1511.unsynced"
run_is 43 "but not when the node went down meanwhile" vzctl mount 1511
like "$err" "destroy the VE and create it again" "which says what to do"
run_ok "destroy" vzctl --quiet destroy 1511
is "$(left)$(ls "$T/private")" "" "nothing is left of it"

for sig in INT TERM HUP; do
	head -c 200M /dev/urandom >"$T/random"
	[ -e "$cache/slow.tar.zst" ] || tar -C "$T" -c random | zstd -q -1 >"$cache/slow.tar.zst"
	rm "$T/random"
	# A shell's background job ignores SIGINT; not one with job control.
	set -m
	vzctl --quiet create 1512 --ostemplate slow >/dev/null 2>&1 &
	set +m
	wait_for 5 test -d "$T/private/1512.creating"
	kill -$sig $!
	wait $! 2>/dev/null
	is $? $((128 + $(kill -l $sig))) "SIG$sig ends create as it ends any program"
	is "$(left)" "" "and nothing is left"
done

# As from nohup, or a shell's background: it does not concern us.
(
	trap '' HUP INT
	exec vzctl --quiet create 1512 --ostemplate slow
) >/dev/null 2>&1 &
wait_for 5 test -d "$T/private/1512.creating"
kill -HUP $!
kill -INT $!
wait $!
is $? 0 "signals that are ignored end nothing"
run_ok "destroy" vzctl --quiet destroy 1512

run_ok "one VE" vzctl create 1513 --name first
for i in 1514 1515 1516; do
	vzctl --quiet create $i >/dev/null 2>&1 &
done
wait
is "$(cat "$VZ_CONFDIR"/conf/151[3-6].conf | grep -c '^LOCAL_UID')" 4 "four VEs"
is "$(cat "$VZ_CONFDIR"/conf/151[3-6].conf | grep '^LOCAL_UID' | sort -u | wc -l)" 4 \
	"made at once have four ranges"
run_is 44 "an area that is there" vzctl create 1513
run_is 131 "a name that is taken" vzctl create 1517 --name first
run_is 21 "a reserved number" vzctl create 100
run_is 91 "no such template" vzctl create 1517 --ostemplate nope
like "$err" "there are? .*$BUSYBOX_TEMPLATE" "says what there is"
run_is 21 "an unknown layout" vzctl create 1517 --layout zfs
run_is 21 "another VE's ids" vzctl create 1517 --local_uid "$base"
for i in 1513 1514 1515 1516; do
	run_ok "destroy $i" vzctl destroy $i
done
is "$(left)" "" "nothing is left"
ok "$([ -e "$VZ_CONFDIR/conf/1513.conf.destroyed" ]; echo $?)" "but the configuration's copy"

done_testing
