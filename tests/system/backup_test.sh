#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# backup and restore-backup: what is in a file comes back, whole or not at all.
# shellcheck disable=SC2034 # lib.sh's
OWN_MOUNTS=yes ON_DISK=yes
. "$(dirname "$0")/../lib.sh"

is_root || skip_all "needs root"
type -P mkfs.ext4 >/dev/null || skip_all "no e2fsprogs"
busybox_template
root=$T/root/1801
mkdir "$T/out"
file=$T/out/1801.tar.zst

no_loops() {
	[ -z "$(our_loops)" ]
}
# tree VEID: all of it, with the ids that it has in the VE
tree() {
	local base
	base=$(sed -n 's/^LOCAL_UID="\(.*\)"/\1/p' "$VZ_CONFDIR/conf/$1.conf")
	vzctl --quiet mount "$1" 2>/dev/null
	python3 - "$T/root/$1" "$base" <<-'END'
		import os, stat, struct, sys
		root, base = sys.argv[1], int(sys.argv[2])
		def attrs(p):
		    out = []
		    for n in sorted(os.listxattr(p, follow_symlinks=False)):
		        v = os.getxattr(p, n, follow_symlinks=False)
		        if n.startswith("system.posix_acl"):
		            v = [(t, m, i - base if t in (2, 8) else -1) for t, m, i in struct.iter_unpack("<HHI", v[4:])]
		        elif n == "security.capability":
		            v = v[4:20]
		        elif not n.startswith("user."):
		            continue
		        out.append((n, v))
		    return out
		for d, dirs, files in os.walk(root):
		    dirs.sort()
		    if d == root and "lost+found" in dirs:
		        dirs.remove("lost+found")
		    for n in sorted(files) + ([] if d == root else ["."]):
		        p = os.path.join(d, n)
		        s = os.lstat(p)
		        if stat.S_ISSOCK(s.st_mode):
		            continue
		        data = open(p, "rb").read() if stat.S_ISREG(s.st_mode) else os.readlink(p) if stat.S_ISLNK(s.st_mode) else ""
		        print(os.path.relpath(p, root).encode("utf8", "surrogateescape"), oct(s.st_mode), s.st_uid - base, s.st_gid - base,
		              s.st_nlink if stat.S_ISREG(s.st_mode) else 0, len(data),
		              __import__("zlib").crc32(data if isinstance(data, bytes) else data.encode("utf8", "surrogateescape")),
		              s.st_mtime_ns if not stat.S_ISDIR(s.st_mode) else "", s.st_rdev, attrs(p))
	END
	vzctl --quiet umount "$1"
}

# All kinds of things into a VE.
fill() {
	local base
	vzctl --quiet mount "$1" 2>/dev/null
	base=$(sed -n 's/^LOCAL_UID="\(.*\)"/\1/p' "$VZ_CONFDIR/conf/$1.conf")
	python3 - "$T/root/$1/root" "$base" <<-'END'
		import os, socket, struct, sys
		top, base = sys.argv[1], int(sys.argv[2])
		os.chdir(top)
		def own(p, uid=0, gid=0):
		    os.chown(p, base + uid, base + gid, follow_symlinks=False)
		def put(p, data, mode=0o644, uid=0, gid=0):
		    with open(p, "wb") as f:
		        f.write(data)
		    own(p, uid, gid)
		    os.chmod(p, mode)
		put("plain", b"x" * 100000, 0o640, 1000, 100)
		os.utime("plain", ns=(1, 1234567890123456789))
		put("set-ids", b"y", 0o6755, 7, 8)
		os.link("plain", "again"); os.mkdir("d"); own("d"); os.link("plain", "d/third")
		with open("sparse", "wb") as f:
		    f.seek(5 << 20); f.write(b"middle"); f.truncate(50 << 20)
		own("sparse")
		with open("all-hole", "wb") as f:
		    f.truncate(200 << 20)
		own("all-hole")
		os.symlink("/etc/shadow", "link"); own("link", 5, 5)
		os.mkfifo("fifo", 0o620); own("fifo", 3, 3)
		try:
		    os.mknod("whiteout", 0o020000, 0); own("whiteout")
		except PermissionError: # on an overlay it is the overlay's own
		    pass
		socket.socket(socket.AF_UNIX).bind("socket")
		put(b"\xff\xfe not utf8".decode("utf8", "surrogateescape"), b"z")
		put("\u00e4\u00f6\u00fc \u65e5\u672c", b"z")
		put("n" * 255, b"long")
		os.makedirs("/".join(["deep" * 10] * 20))
		for d, ds, fs in os.walk("deep" * 10): own(d)
		put("attr", b"a"); os.setxattr("attr", "user.colour", b"red\x00green")
		acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *e) for e in [(1, 6, 0xffffffff), (2, 4, base + 1000), (4, 4, 0xffffffff), (8, 6, base + 20), (16, 6, 0xffffffff), (32, 0, 0xffffffff)])
		put("acl", b"a"); os.setxattr("acl", "system.posix_acl_access", acl)
		os.setxattr("d", "system.posix_acl_default", acl)
		put("caps", b"a", 0o755)
		os.setxattr("caps", "security.capability", struct.pack("<IIIIII", 0x03000001, 1 << 10, 0, 0, 0, base))
		put("nobody", b"host's"); os.chown("nobody", 0, 0)
	END
	vzctl --quiet umount "$1"
}

one_layout() {
	local layout=$1 want
	run_ok "$layout: create" vzctl --quiet create 1801 --layout "$layout" --diskspace 64M --name first --description "keeps"
	fill 1801
	want=$(tree 1801 | sed "s/^\(b'root\/nobody' [^ ]*\) -*[0-9]* -*[0-9]* /\1 65534 65534 /")
	run_ok "backup" vzctl backup 1801 "$file"
	is "$(ls "$T/out")" 1801.tar.zst "one file"
	is "$(stat -c %a "$file")" 600 "for root's eyes"
	tar -tf "$file" >"$T/list" 2>&1 && grep -qx root/root/plain "$T/list" && grep -qx vz/ve.conf "$T/list"
	ok $? "which any tar reads"
	[ "$(stat -c %s "$file")" -lt $((20 << 20)) ]
	ok $? "without its holes ($(stat -c %s "$file") bytes)"
	run_is 44 "it can't be restored over a VE" vzctl restore-backup "$file" 1801
	run_is 131 "nor under a name that is taken" vzctl restore-backup "$file" 1802
	vzctl --quiet destroy 1801
	run_ok "restore under another number" vzctl --quiet restore-backup "$file" 1802
	is "$(tree 1802)" "$want" "all is there"
	is "$(sed -n 's/^\(NAME\|DESCRIPTION\|DISKSPACE\)=//p' "$VZ_CONFDIR/conf/1802.conf" | sort | paste -sd' ')" \
		'"65536:65536" "first" "keeps"' "the configuration, too"
	is "$(sed -n 's/^VE_LAYOUT=//p' "$VZ_CONFDIR/conf/1802.conf")" "\"${layout/overlay/simfs}\"" "and the layout"
	run_ok "it runs" vzctl --quiet start 1802
	is "$(vzctl exec 1802 'cat /root/attr; stat -c %u /root/plain' | paste -sd' ')" "a1000" "with its files"
	vzctl --quiet destroy 1801 2>/dev/null

	# Of a running one, a moment of it; other commands need not wait.
	# shellcheck disable=SC2016 # the VE's shell
	vzctl exec 1802 'i=0; while :; do i=$((i + 1)); echo $i >>/a; echo $i >>/b; done >/dev/null 2>&1 &'
	wait_for 10 vzctl exec 1802 test -s /b
	run_ok "backup of a running VE" vzctl --quiet backup 1802 "$file"
	is "$(vzctl snapshot-list 1802 -H)" "" "its snapshot is not shown"
	run_ok "stop" vzctl --quiet stop 1802 --fast
	is "$(find "$T/private" -name '*-*-4*-*-*' | head)" "" "and gone"
	vzctl --quiet destroy 1802
	run_ok "restore" vzctl --quiet restore-backup "$file" 1801
	vzctl --quiet mount 1801
	[ "$(wc -l <"$root/a")" -ge "$(wc -l <"$root/b")" ] && [ "$(wc -l <"$root/a")" -le $(($(wc -l <"$root/b") + 1)) ]
	ok $? "it is of one moment ($(wc -l <"$root/a"), $(wc -l <"$root/b"))"
	vzctl --quiet umount 1801
	run_ok "destroy" vzctl --quiet destroy 1801
	is "$(ls "$T/private")" "" "nothing is left"
	wait_for 10 no_loops
	ok $? "nor a loop device"
}

for layout in simfs overlay ploop; do
	one_layout $layout
done

# --- a template in another file system: its files have another device, and are the VE's ---

mount -t tmpfs -o size=64m none "$T/private"
if run vzctl --quiet create 1801 --layout overlay && run vzctl --quiet mount 1801; then
	want=$(cd "$root" && find . -type f | sort)
	vzctl --quiet umount 1801
	run_ok "backup of a VE that lies in another file system" vzctl --quiet backup 1801 "$file"
	is "$(tar -tf "$file" 2>/dev/null | sed -n 's/^root\/\(.*[^/]\)$/.\/\1/p' | sort | grep -Fxf - <(echo "$want"))" "$want" \
		"has its template's files, too"
	vzctl --quiet destroy 1801
else
	skip "backup of a VE that lies in another file system" "no overlay over tmpfs: $err"
fi
umount "$T/private"

# --- what is no backup, or not whole, or meant badly ---

vzctl --quiet create 1801 --layout simfs
run_ok "a backup" vzctl --quiet backup 1801 "$file"
vzctl --quiet destroy 1801
size=$(stat -c %s "$file")
refused() {
	run_is 47 "refused: $1" vzctl restore-backup "$T/out/bad" 1801
	is "$(find "$T/private" "$VZ_CONFDIR/conf" -name '1801*' ! -name '*.destroyed')" "" "and nothing is left"
}
head -c $((size / 2)) "$file" >"$T/out/bad"
refused "half a file"
head -c -1 "$file" >"$T/out/bad"
refused "a file without its last byte"
cp "$file" "$T/out/bad"
printf '\377' | dd of="$T/out/bad" bs=1 seek=$((size / 2)) conv=notrunc 2>/dev/null
refused "a changed byte"
: >"$T/out/bad"
refused "an empty file"
cp "$SHARE/$BUSYBOX_TEMPLATE.tar.gz" "$T/out/bad"
refused "an archive of something else"
python3 - "$file" "$T/out" <<-'END'
	import hashlib, io, struct, subprocess, sys, tarfile
	# A checksum is no signature: what has a right one may still be hostile.
	def make(name, entries):
	    b = io.BytesIO()
	    t = tarfile.open(fileobj=b, mode="w", format=tarfile.PAX_FORMAT)
	    for n, data, kw in entries:
	        i = tarfile.TarInfo(n)
	        for k, v in kw.items():
	            setattr(i, k, v)
	        i.size = len(data)
	        t.addfile(i, io.BytesIO(data))
	    t.close()
	    z = subprocess.run(["zstd", "-q", "-c"], input=b.getvalue(), stdout=subprocess.PIPE).stdout
	    tr = struct.pack("<II16s", 0x184d2a5e, 80, b"vz sha256") + hashlib.sha256(z).hexdigest().encode()
	    open(sys.argv[2] + "/" + name, "wb").write(z + tr)
	about = ("vz/backup", b'VERSION="1"\nVEID="1801"\nLAYOUT="simfs"\n', {})
	conf = ("vz/ve.conf", b'ONBOOT="no"\nOSTEMPLATE="x"\n', {})
	make("h1", [about, conf, ("root", b"", {"type": tarfile.DIRTYPE}), ("root/../../escaped", b"x", {})])
	make("h2", [about, conf, ("root/l", b"", {"type": tarfile.SYMTYPE, "linkname": "/"}), ("root/l/tmp/escaped", b"x", {})])
	make("h3", [about, conf, ("root/h", b"", {"type": tarfile.LNKTYPE, "linkname": "vz/ve.conf"})])
	make("h4", [about, conf, ("root/sda", b"", {"type": tarfile.BLKTYPE, "devmajor": 8})])
	make("h5", [("vz/backup", b'VERSION="99"\nVEID="1801"\nLAYOUT="simfs"\n', {}), conf])
	make("h6", [about, ("root/x", b"x", {}), conf])
END
for h in h1 h2 h3 h4 h5 h6; do
	mv "$T/out/$h" "$T/out/bad"
	refused "$h"
done
rm "$T/out/bad"

# --- kills, a full disk ---

vzctl --quiet create 1801 --layout simfs
rm "$file"
bad=''
for us in 2000 5000 10000 20000; do
	vzctl --quiet backup 1801 "$file" >/dev/null 2>&1 &
	sleep "$(printf '0.%06d' "$us")"
	kill -9 $! 2>/dev/null
	wait $! 2>/dev/null
	[ -z "$(ls "$T/out")" ] || [ "$(ls "$T/out")" = 1801.tar.zst ] || bad+="backup, $us us: $(ls "$T/out"); "
	rm -f "$file"
	run vzctl --quiet backup 1801 "$file" || bad+="backup again, $us us: $err; "
	vzctl --quiet restore-backup "$file" 1802 >/dev/null 2>&1 &
	sleep "$(printf '0.%06d' "$us")"
	kill -9 $! 2>/dev/null
	wait $! 2>/dev/null
	if [ ! -e "$VZ_CONFDIR/conf/1802.conf" ]; then
		run vzctl --quiet restore-backup "$file" 1802 || bad+="restore again, $us us: $err; "
	fi
	run vzctl --quiet destroy 1802 || bad+="destroy, $us us: $err; "
	rm -f "$file"
done
is "$bad" "" "kill -9 at many points of both"
run_ok "a backup" vzctl --quiet backup 1801 "$file"
mkdir "$T/small" && mount -t tmpfs -o size=512k none "$T/small"
run_is 46 "a full disk" vzctl backup 1801 "$T/small/x"
is "$(ls "$T/small")" "" "nothing is left on it"
umount "$T/small"
run_is 27 "no file" vzctl backup 1801
mkdir "$T/dir"
run_is 3 "a directory" vzctl backup 1801 "$T/dir"
like "$err" "Is a directory" "is said to be one"
is "$(ls -d "$T/dir"*)" "$T/dir" "and nothing is left beside it"
echo 0123 >"$T/private/1801.unsynced"
run_is 43 "files that a power cut may have emptied" vzctl backup 1801 "$T/out/x"
is "$(ls "$T/out")" 1801.tar.zst "are no backup"
rm "$T/private/1801.unsynced"
vzctl --quiet destroy 1801
mount -t tmpfs -o size=512k none "$T/private"
run_is 46 "restore to a full disk" vzctl restore-backup "$file" 1802
is "$(ls "$T/private")" "" "nothing is left on it"
umount "$T/private"
done_testing
