#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Increments: a backup that has only what changed since another one, and a restore that
# takes all that it needs, or says what is missing.
# shellcheck disable=SC2034 # lib.sh's
OWN_MOUNTS=yes ON_DISK=yes
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/backup.sh"

is_root || skip_all "needs root"
type -P mkfs.ext4 >/dev/null || skip_all "no e2fsprogs"
busybox_template
files=$T/out
mkdir "$files"

seen() {
	tree "$1" | sed "s/^\(b'root\/nobody' [^ ]*\) -*[0-9]* -*[0-9]* /\1 65534 65534 /"
}

# change VEID ROUND: what a VE does between backups, and what it may try to hide
change() {
	local base
	vzctl --quiet mount "$1" 2>/dev/null
	base=$(sed -n 's/^LOCAL_UID="\(.*\)"/\1/p' "$VZ_CONFDIR/conf/$1.conf")
	python3 - "$T/root/$1/root" "$base" "$2" <<-'END'
		import os, sys
		top, base, n = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
		os.chdir(top)
		def put(p, data):
		    with open(p, "wb") as f:
		        f.write(data)
		    os.chown(p, base, base)
		if n == 1:
		    # Same size, same time: only the contents tell.
		    s = os.stat("attr"); put("attr", b"A"); os.utime("attr", ns=(s.st_atime_ns, s.st_mtime_ns))
		    s = os.stat("sparse")
		    with open("sparse", "r+b") as f:
		        f.seek(30 << 20); f.write(b"more")
		    os.utime("sparse", ns=(s.st_atime_ns, s.st_mtime_ns))
		    os.chmod("caps", 0o700)
		    os.setxattr("acl", "user.new", b"1")
		    os.remove("set-ids"); os.rename("n" * 255, "short")
		    os.remove("again")
		    os.mkdir("new-dir"); os.chown("new-dir", base, base); put("new-dir/f", b"new" * 1000)
		    os.remove("link"); put("link", b"a file now")
		if n == 2:
		    os.remove("new-dir/f"); os.rmdir("new-dir"); put("new-dir", b"no directory any more")
		    os.remove("plain"); os.link("d/third", "plain"); os.link("short", "long")
		    put("set-ids", b"back")
		    os.remove("link"); os.mkdir("link"); os.chown("link", base, base); put("link/x", b"x")
	END
	vzctl --quiet umount "$1"
}

size() {
	stat -c %s "$1"
}

chain() {
	local layout=$1 full inc1 inc2
	run_ok "$layout: create" vzctl --quiet create 1811 --layout "$layout" --diskspace 64M
	fill 1811
	full=$(seen 1811)
	run_ok "$layout: a whole backup" vzctl --quiet backup 1811 "$files/full"
	change 1811 1
	inc1=$(seen 1811)
	run_ok "$layout: what changed" vzctl --quiet backup 1811 "$files/inc1" --since "$files/full"
	change 1811 2
	run_ok "$layout: starts" vzctl --quiet start 1811
	run_ok "$layout: what changed since that, of one that runs" vzctl --quiet backup 1811 --since "$files/inc1" "$files/inc2"
	vzctl --quiet stop 1811 --fast
	inc2=$(seen 1811)
	[ $(($(size "$files/inc1") * 4)) -lt "$(size "$files/full")" ] && [ $(($(size "$files/inc2") * 4)) -lt "$(size "$files/full")" ]
	ok $? "$layout: is little ($(size "$files/full"), $(size "$files/inc1"), $(size "$files/inc2") bytes)"
	vzctl --quiet destroy 1811
	run_ok "$layout: restore of the last" vzctl --quiet restore-backup "$files/inc2" 1811
	is "$(seen 1811 | grep -v "^b'\(etc\|dev\|run\|var/run\|tmp\)")" "$(grep -v "^b'\(etc\|dev\|run\|var/run\|tmp\)" <<<"$inc2")" "$layout: all is as it was last"
	vzctl --quiet destroy 1811
	run_ok "$layout: of the one before" vzctl --quiet restore-backup "$files/inc1" 1811
	is "$(seen 1811)" "$inc1" "$layout: as it was then"
	vzctl --quiet destroy 1811
	run_ok "$layout: of the first" vzctl --quiet restore-backup "$files/full" 1811
	is "$(seen 1811)" "$full" "$layout: as it was at first"
	vzctl --quiet destroy 1811
}

for layout in simfs overlay ploop; do
	chain $layout
done

# --- what is missing, or is not what it was ---

refused() {
	run_is "$1" "refused: $2" vzctl restore-backup "$files/inc2" 1811
	like "$err" "$3" "… which it says"
	is "$(find "$T/private" "$VZ_CONFDIR/conf" -name '1811*' ! -name '*.destroyed')" "" "… and nothing is left"
}
mkdir "$T/moved" && mv "$files"/* "$T/moved/"
run_ok "in another directory" vzctl --quiet restore-backup "$T/moved/inc2" 1811
vzctl --quiet destroy 1811
mv "$T/moved/full" "$T/away"
run_is 47 "one of them is missing" vzctl restore-backup "$T/moved/inc2" 1811
like "$err" "inc1 has only what changed since the backup \{.*full, which is neither there nor beside it" "which one is said"
mv "$T/moved"/* "$files/" && mv "$T/away" "$files/full"
run_ok "all there again" vzctl --quiet restore-backup "$files/inc2" 1811
vzctl --quiet backup 1811 "$files/other"
cp "$files/full" "$T/full" && cp "$files/other" "$files/full"
vzctl --quiet destroy 1811
refused 47 "another backup of the name" "full is not the backup \{.*\} that .*inc1 goes on from"
cp "$T/full" "$files/full"
printf '\377' | dd of="$files/full" bs=1 seek=$(($(size "$files/full") / 2)) conv=notrunc 2>/dev/null
refused 47 "a changed byte in the first" "full is damaged"
run_is 47 "a damaged index is none to go on from" bash -c "
	vzctl --quiet create 1811 --layout simfs &&
	printf '\377' | dd of='$files/other' bs=1 seek=$(($(size "$files/other") - 200)) conv=notrunc 2>/dev/null &&
	vzctl backup 1811 '$files/x' --since '$files/other'"
run_is 21 "nor the file itself" vzctl backup 1811 "$T/full" --since "$T/full"
vzctl --quiet create 1812 --layout simfs
run_is 21 "nor another VE's" vzctl backup 1812 "$files/x" --since "$T/full"
is "$(ls "$files/x" 2>/dev/null)" "" "no file is made"
vzctl --quiet destroy 1812

# --- kills ---

bad=''
run_ok "a backup" vzctl --quiet backup 1811 "$files/full"
vzctl --quiet backup 1811 "$files/inc1" --since "$files/full"
run_is 21 "one that is needed is not overwritten" vzctl backup 1811 "$files/full" --since "$files/inc1"
for us in 2000 5000 10000 20000; do
	vzctl --quiet backup 1811 "$files/inc1" --since "$files/full" >/dev/null 2>&1 &
	sleep "$(printf '0.%06d' "$us")"
	kill -9 $! 2>/dev/null
	wait $! 2>/dev/null
	run vzctl --quiet backup 1811 "$files/inc1" --since "$files/full" || bad+="backup, $us us: $err; "
	vzctl --quiet restore-backup "$files/inc1" 1812 >/dev/null 2>&1 &
	sleep "$(printf '0.%06d' "$us")"
	kill -9 $! 2>/dev/null
	wait $! 2>/dev/null
	[ -e "$VZ_CONFDIR/conf/1812.conf" ] || run vzctl --quiet restore-backup "$files/inc1" 1812 || bad+="restore, $us us: $err; "
	run vzctl --quiet destroy 1812 || bad+="destroy, $us us: $err; "
done
is "$bad" "" "kill -9 at many moments of both"
vzctl --quiet destroy 1811

# --- a template that is here no more ---

vzctl --quiet create 1811 --layout overlay --diskspace 100K:200K
vzctl --quiet backup 1811 "$files/tight"
vzctl --quiet destroy 1811
run_ok "an overlay that may have less than its template" vzctl --quiet restore-backup "$files/tight" 1811
vzctl --quiet destroy 1811
vzctl --quiet create 1811 --layout overlay
run_ok "a backup of an overlay" vzctl --quiet backup 1811 "$files/over"
vzctl --quiet destroy 1811
vztmpl prune >/dev/null
run_ok "its template is unpacked again" vzctl --quiet restore-backup "$files/over" 1811
is "$(sed -n 's/^VE_LAYOUT=//p' "$VZ_CONFDIR/conf/1811.conf")" '"overlay"' "for it to lie over it"
[ "$(du -sk "$T/private/1811" | cut -f 1)" -lt 300 ]
ok $? "and it has what differs ($(du -sk "$T/private/1811" | cut -f 1) KiB)"
vzctl --quiet destroy 1811
vztmpl prune >/dev/null
mv "$T/template" "$T/template.away" && mkdir -p "$T/template/cache"
run_is 46 "DISKSPACE is not for all of its files" vzctl restore-backup "$files/tight" 1811
run_ok "without it" vzctl restore-backup "$files/over" 1811
like "$out" "restored as simfs, as the template .* is not here" "as it says"
is "$(sed -n 's/^VE_LAYOUT=//p' "$VZ_CONFDIR/conf/1811.conf")" '"simfs"' "it is simfs"
vzctl --quiet destroy 1811
run_is 99 "and refused when an overlay was asked for" vzctl restore-backup "$files/over" 1811 --layout overlay
rm -r "$T/template" && mv "$T/template.away" "$T/template"
done_testing
