#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# backup and restore-backup: what is in a file comes back, whole or not at all.
# shellcheck disable=SC2034 # lib.sh's
OWN_MOUNTS=yes ON_DISK=yes
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/backup.sh"

is_root || skip_all "needs root"
type -P mkfs.ext4 >/dev/null || skip_all "no e2fsprogs"
busybox_template
root=$T/root/1801
mkdir "$T/out"
file=$T/out/1801.tar.zst

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
	is "$(sed -n 's/^VE_LAYOUT=//p' "$VZ_CONFDIR/conf/1802.conf")" "\"$layout\"" "and the layout"
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
