#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Snapshots on every layout: take, list, switch, delete, mount; of running VEs; a tree
# whose middle goes; kill -9 at many points; a full disk.
# shellcheck disable=SC2034 # lib.sh's
OWN_MOUNTS=yes ON_DISK=yes
. "$(dirname "$0")/../lib.sh"

is_root || skip_all "needs root"
type -P mkfs.ext4 >/dev/null || skip_all "no e2fsprogs"
busybox_template
root=$T/root/1701
A=11111111-aaaa-4000-8000-000000000001
B=11111111-aaaa-4000-8000-000000000002
C=11111111-aaaa-4000-8000-000000000003

# What a tree is: names, kinds, modes, owners, links, contents.
tree() {
	(cd "$1" && find . -path ./lost+found -prune -o -printf '%P %y %m %U:%G %n %l\n' | sort &&
		find . -type f -newer "$T/begin" -print0 | sort -z | xargs -0r md5sum) | grep -v '^ d'
}
# now: the tree of the VE, which is not running
now() {
	vzctl --quiet mount 1701 2>/dev/null && tree "$root"
	vzctl --quiet umount 1701
}
# of UUID: the tree of a snapshot
of() {
	vzctl --quiet snapshot-mount 1701 --id "$1" --target "$T/m" && tree "$T/m"
	vzctl --quiet snapshot-umount 1701 --id "$1"
}
ids() {
	vzctl snapshot-list 1701 -H -o uuid | tr -d '{}\n '
}

# change SEED: files come, go, become directories and the other way round, move
change() {
	vzctl --quiet mount 1701 2>/dev/null
	python3 - "$root" "$1" "$base" <<-'END'
		import os, random, shutil, sys
		root, seed, base = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
		r = random.Random(seed)
		top = os.path.join(root, "root")
		def some():
		    d = top
		    while r.random() < 0.6:
		        subs = [e.path for e in os.scandir(d) if e.is_dir(follow_symlinks=False)]
		        if not subs:
		            break
		        d = r.choice(sorted(subs))
		    return os.path.join(d, r.choice("abcdef"))
		def drop(p):
		    if os.path.isdir(p) and not os.path.islink(p):
		        shutil.rmtree(p)
		    elif os.path.lexists(p):
		        os.unlink(p)
		for i in range(120):
		    p = some()
		    k = r.random()
		    if k < 0.35:
		        if not os.path.isdir(p) or os.path.islink(p):
		            drop(p)
		            with open(p, "w") as f:
		                f.write("%d %d" % (seed, i))
		            os.chmod(p, r.choice([0o600, 0o644, 0o755]))
		            os.chown(p, base + r.randrange(3), base)
		    elif k < 0.65:
		        drop(p)
		        os.mkdir(p)
		        os.chmod(p, r.choice([0o700, 0o755]))
		    elif k < 0.75:
		        drop(p)
		        os.symlink("to-%d" % i, p)
		    elif k < 0.85:
		        drop(p)
		    else:
		        q = some()
		        if os.path.isfile(p) and not os.path.islink(p) and not os.path.lexists(q):
		            os.link(p, q)
		drop(os.path.join(root, "bin", r.choice(["vi", "awk", "sed", "tar", "gzip"])))
	END
	vzctl --quiet umount 1701
}

no_loops() {
	[ -z "$(our_loops)" ]
}

killed_after() {
	local us=$1
	shift
	"$@" >/dev/null 2>&1 &
	sleep "$(printf '0.%06d' "$us")"
	kill -9 $! 2>/dev/null
	wait $! 2>/dev/null
}

# A VE that stands still by suspend goes on when that is said, and not before.
of_a_still_one() {
	local got
	vzctl --quiet suspend 1701 --suspend
	got=$(wc -l <"$root/b")
	run_ok "take while it stands still" vzctl --quiet snapshot 1701 --id "$C" --skip-suspend
	# shellcheck disable=SC2016 # the inner shell's
	wait_for 1 sh -c '[ "$(wc -l <"$1")" -gt "$2" ]' - "$root/b" "$got"
	ok $((!$?)) "it still does"
	run_ok "till it goes on" vzctl --quiet suspend 1701 --resume
	vzctl --quiet snapshot-delete 1701 --id "$C"
}

one_layout() {
	local layout=$1 before a b c d bad us got pid
	: >"$T/begin"
	run_ok "$layout: create" vzctl --quiet create 1701 --layout "$layout" --diskspace 64M
	base=$(sed -n 's/^LOCAL_UID="\(.*\)"/\1/p' "$VZ_CONFDIR/conf/1701.conf")
	is "$(vzctl snapshot-list 1701 -H)" "" "no snapshot"
	change 1
	a=$(now)
	run_ok "take" vzctl snapshot 1701 --id "$A" --name first --description "the first"
	like "$out" "$A" "it says which"
	run_is 156 "not twice" vzctl snapshot 1701 --id "$A"
	change 2
	b=$(now)
	run_ok "another" vzctl snapshot 1701 --id "{$B}" --skip-config
	change 3
	c=$(now)
	is "$(vzctl snapshot-list 1701 -H -o uuid,parent_uuid,current,name,desc | tr -s ' ' | sed 's/ $//')" \
		"{$A} first the first
{$B} {$A} *" "list"
	like "$(vzctl snapshot-list 1701)" "^PARENT_UUID +C UUID +DATE +NAME" "headers"
	is "$(vzctl snapshot-list 1701 -H -o date --id "$A" | grep -cE '^20[0-9-]{8} [0-9:]{8}$')" 1 "a date"
	run_is 167 "list of none such" vzctl snapshot-list 1701 --id "$C"
	[ "$(of "$A")" = "$a" ] && [ "$(of "$B")" = "$b" ] && [ "$(now)" = "$c" ]
	ok $? "both show what was, the VE what is"
	vzctl --quiet set 1701 --description later --save

	mkdir "$T/dump/Dump.1701"
	run_ok "switch" vzctl snapshot-switch 1701 --id "$A"
	is "$(ls "$T/dump")" "" "what the VE was suspended to is gone"
	is "$(now)" "$a" "the files are back"
	is "$(grep -c later "$VZ_CONFDIR/conf/1701.conf")" 0 "and the configuration"
	is "$(vzctl snapshot-list 1701 -H -o current,uuid | grep '\*')" "* {$A}" "it is the current one"
	change 4
	d=$(now)
	run_ok "a branch" vzctl --quiet snapshot 1701 --id "$C"
	vzctl --quiet set 1701 --description kept --save
	run_ok "to the other branch, the configuration stays" vzctl --quiet snapshot-switch 1701 --id "$B" --skip-config
	is "$(now)" "$b" "files"
	is "$(grep -c kept "$VZ_CONFDIR/conf/1701.conf")" 1 "configuration"
	run_is 159 "none such" vzctl snapshot-switch 1701 --id "${A%1}9"
	run_is 21 "no UUID" vzctl snapshot-switch 1701 --id nonsense
	run_is 27 "which?" vzctl snapshot-delete 1701

	run_ok "delete what both branches come from" vzctl snapshot-delete 1701 --id "$A"
	is "$(ids)" "$B$C" "it is gone"
	[ "$(of "$B")" = "$b" ] && [ "$(of "$C")" = "$d" ] && [ "$(now)" = "$b" ]
	ok $? "the others have all they had"
	change 5
	before=$(now)
	run_ok "delete one of them" vzctl snapshot-delete 1701 --id "$C"
	[ "$(of "$B")" = "$b" ] && [ "$(now)" = "$before" ]
	ok $? "the other, and the VE, have all they had"

	run_ok "mount" vzctl --quiet snapshot-mount 1701 --id "$B" --target "$T/m"
	run_is 160 "not twice" vzctl snapshot-mount 1701 --id "$B" --target "$T/m"
	is "$(vzctl snapshot-list 1701 -H -o target)" "$T/m" "where"
	(: >"$T/m/new") 2>/dev/null
	ok $((!$?)) "read-only"
	run_is 158 "no delete meanwhile" vzctl snapshot-delete 1701 --id "$B"
	run_is 41 "no destroy" vzctl destroy 1701
	run_ok "umount" vzctl --quiet snapshot-umount 1701 --id "$B"
	run_is 161 "not twice" vzctl snapshot-umount 1701 --id "$B"

	# Of a running VE: what it writes to a, then b, is there in that order.
	vzctl --quiet start 1701
	# shellcheck disable=SC2016 # the VE's shell
	vzctl exec 1701 'i=0; while :; do i=$((i + 1)); echo $i >>/a; echo $i >>/b; done >/dev/null 2>&1 & echo $!' >"$T/pid"
	wait_for 10 vzctl exec 1701 test -s /b
	run_ok "take while it runs" vzctl --quiet snapshot 1701 --id "$A" --skip-suspend
	pid=$(cat "$T/pid")
	got=$(vzctl exec 1701 'wc -l </b')
	# shellcheck disable=SC2016 # the inner shell's
	wait_for 10 sh -c '[ "$(vzctl exec 1701 "wc -l </b")" -gt "$1" ]' - "$got"
	ok $? "it goes on"
	for us in 4000 20000; do
		killed_after $us vzctl --quiet snapshot 1701 --skip-suspend
	done
	got=$(vzctl exec 1701 'wc -l </b')
	# shellcheck disable=SC2016 # the inner shell's
	wait_for 10 sh -c '[ "$(vzctl exec 1701 "wc -l </b")" -gt "$1" ]' - "$got"
	ok $? "also when the command was killed"
	[ "$layout" != simfs ] || of_a_still_one
	vzctl exec 1701 "kill $pid"
	vzctl --quiet snapshot-mount 1701 --id "$A" --target "$T/m"
	read -r a b < <(echo "$(wc -l <"$T/m/a")" "$(wc -l <"$T/m/b")")
	[ "$b" -gt 0 ] && [ "$a" -ge "$b" ] && [ "$a" -le $((b + 1)) ]
	ok $? "and is of one moment ($a, $b)"
	vzctl --quiet snapshot-umount 1701 --id "$A"
	run_ok "delete while it runs" vzctl --quiet snapshot-delete 1701 --id "$B"
	run_ok "switch stops it" vzctl --quiet snapshot-switch 1701 --id "$A"
	like "$(vzctl status 1701)" "unmounted down" "it is down"
	run_is 159 "there is no memory in it" vzctl snapshot-switch 1701 --id "$A" --must-resume

	# kill -9: the VE is what it was before or after, and so is each snapshot.
	for got in $(vzctl snapshot-list 1701 -H -o uuid); do
		[ "$got" = "{$A}" ] || vzctl --quiet snapshot-delete 1701 --id "$got"
	done
	change 6
	a=$(of "$A") c=$(now) bad=''
	# shellcheck disable=SC2086 # words
	for us in $kill_points; do
		killed_after $us vzctl --quiet snapshot 1701 --id "$C"
		[ "$(now)" = "$c" ] && [ "$(of "$A")" = "$a" ] || bad+="take, $us us; "
		[ "$(ids)" != "$A" ] || run vzctl --quiet snapshot 1701 --id "$C" || bad+="take again, $us us: $err; "
		killed_after $us vzctl --quiet snapshot-switch 1701 --id "$A"
		got=$(now)
		[ "$got" = "$a" ] || [ "$got" = "$c" ] || bad+="switch, $us us; "
		[ "$(of "$C")" = "$c" ] || bad+="snapshot after switch, $us us; "
		run vzctl --quiet snapshot-switch 1701 --id "$C" || bad+="switch again, $us us: $err; "
		[ "$(now)" = "$c" ] || bad+="switch again, $us us; "
		killed_after $us vzctl --quiet snapshot-delete 1701 --id "$C"
		[ "$(now)" = "$c" ] && [ "$(of "$A")" = "$a" ] || bad+="delete, $us us; "
		[ "$(ids)" = "$A" ] || run vzctl --quiet snapshot-delete 1701 --id "$C" || bad+="delete again, $us us: $err; "
	done
	is "$bad" "" "kill -9 at many points of take, switch and delete"
	run_ok "delete the last" vzctl --quiet snapshot-delete 1701 --id "$A"
	is "$(now)" "$c" "the VE has all it had"
	is "$(find "$T/private" -name 'next' -o -name 'links' -o -name '*-*-*-*-*')" "" "no snapshot's files are left"
	[ "$layout" != overlay ] ||
		is "$(find "$T/private/1701/layers" -maxdepth 1 -name '[0-9]*' | wc -l)" 1 "one layer is left"
	run_ok "destroy" vzctl --quiet destroy 1701
	is "$(ls "$T/private")" "" "nothing is left"
	wait_for 10 no_loops
	ok $? "nor a loop device"
}

full_disk() {
	local layout=$1 c a
	mkdir -p "$T/small" && mount -t tmpfs -o size=24m none "$T/small"
	vzctl --quiet create 1701 --layout "$layout" --diskspace 16M --private "$T/small/1701" 2>/dev/null
	vzctl --quiet snapshot 1701 --id "$A"
	: >"$T/begin"
	change 1
	a=$(of "$A") c=$(now)
	dd if=/dev/zero of="$T/small/fill" bs=64k 2>/dev/null
	run vzctl --quiet snapshot 1701 --id "$B"
	is "$status" 156 "$layout: a full disk" || diag "$err"
	like "$err" "No space" "and says so"
	run vzctl --quiet snapshot-switch 1701 --id "$A"
	is "$status" 159 "nor a switch" || diag "$err"
	rm "$T/small/fill"
	[ "$(of "$A")" = "$a" ] && [ "$(now)" = "$c" ] && [ "$(ids)" = "$A" ]
	ok $? "all is as before"
	vzctl --quiet destroy 1701
	is "$(ls "$T/small")" "" "nothing is left"
	umount "$T/small"
}

# More layers than the names of fit into one word of the kernel's: with long names a few do.
many_layers() {
	local i want
	vzctl --quiet create 1701 --layout overlay
	base=$(sed -n 's/^LOCAL_UID="\(.*\)"/\1/p' "$VZ_CONFDIR/conf/1701.conf")
	sed -i 's/^next = .*/next = 1000000000/' "$T/private/1701/area.ini"
	: >"$T/begin"
	for i in {1..20}; do
		[ $((i % 5)) != 0 ] || change "$i"
		run vzctl --quiet snapshot 1701 || break
		[ "$i" != 10 ] || want=$(now)
	done
	is "$status$(ids | tr -cd - | wc -c)" 080 "overlay: 20 snapshots, one on another" || diag "$err"
	run_ok "start" vzctl --quiet start 1701
	vzctl --quiet stop 1701 --fast
	run_ok "back by ten" vzctl --quiet snapshot-switch 1701 --id \
		"$(vzctl snapshot-list 1701 -H -o uuid | sed -n 10p | tr -d '{} ')"
	is "$(now)" "$want" "and all is as it was then"

	# The files of a suspended VE stay where its processes have them open.
	mkdir "$T/dump/Dump.1701" && : >"$T/dump/Dump.1701/vz"
	want=$(sed -n 's/^top = //p' "$T/private/1701/area.ini")
	run_ok "a snapshot of a suspended VE" vzctl --quiet snapshot 1701 --id "$A"
	is "$(sed -n 's/^top = //p' "$T/private/1701/area.ini")" "$want" "leaves the layer on top"
	is "$(of "$A")" "$(rm -r "$T/dump/Dump.1701"; now)" "and is what the VE is"
	vzctl --quiet destroy 1701
	mkdir "$T/dump/Dump.1701" && : >"$T/dump/Dump.1701/vz"
	vzctl --quiet create 1701 --layout overlay
	like "$(vzctl status 1701)" "down$" "a new VE does not wake up as an old one"
	vzctl --quiet destroy 1701
}

# An area elsewhere, by a link: what is kept, and comes back, lies there.
# What is set on "/" itself, in which each layer has a top of its own.
top_attrs() {
	local base
	vzctl --quiet create 1701 --layout overlay
	vzctl --quiet mount 1701
	base=$(sed -n 's/^LOCAL_UID="\(.*\)"/\1/p' "$VZ_CONFDIR/conf/1701.conf")
	python3 - "$T/root/1701" "$base" <<-'END'
		import os, struct, sys
		top, base = sys.argv[1], int(sys.argv[2])
		if not os.path.ismount(top): sys.exit(1)
		acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *e) for e in [(1, 7, 0xffffffff), (2, 4, base + 1000), (4, 5, 0xffffffff), (16, 5, 0xffffffff), (32, 5, 0xffffffff)])
		os.setxattr(top, "system.posix_acl_access", acl)
	END
	vzctl --quiet umount 1701
	run_ok "overlay: a snapshot of a VE with an ACL on /" vzctl --quiet snapshot 1701
	vzctl --quiet mount 1701
	is "$(python3 -c 'import os, struct, sys
print([(t, m, i - int(sys.argv[2])) for t, m, i in struct.iter_unpack("<HHI", os.getxattr(sys.argv[1], "system.posix_acl_access")[4:]) if t == 2])' \
		"$T/root/1701" "$base")" "[(2, 4, 1000)]" "overlay: it goes on with it"
	vzctl --quiet umount 1701
	vzctl --quiet destroy 1701
}

linked_area() {
	local want
	mkdir "$T/private/elsewhere"
	vzctl --quiet create 1701 --layout simfs
	base=$(sed -n 's/^LOCAL_UID="\(.*\)"/\1/p' "$VZ_CONFDIR/conf/1701.conf")
	mv "$T/private/1701" "$T/private/elsewhere" && ln -s elsewhere/1701 "$T/private/1701"
	want=$(now)
	run_ok "a snapshot of an area behind a link" vzctl --quiet snapshot 1701 --id "$A"
	change 1
	run_ok "switch" vzctl --quiet snapshot-switch 1701 --id "$A"
	is "$(now)$(readlink "$T/private/1701")" "${want}elsewhere/1701" "it is what it was, and the link a link"
	is "$(ls "$T/private/elsewhere")" "1701
1701.snapshots" "and all lies there"
	vzctl --quiet destroy 1701 2>/dev/null
	rm -r "$T/private/elsewhere"
}

# On a file system with shared blocks a copy takes no room.
shared_blocks() {
	local layout used
	truncate -s 400M "$T/xfs" && mkfs.xfs -q "$T/xfs" && mount -o loop "$T/xfs" "$T/small" || return
	for layout in simfs ploop; do
		vzctl --quiet create 1701 --layout "$layout" --diskspace 128M --private "$T/small/1701"
		vzctl --quiet start 1701
		vzctl exec 1701 'dd if=/dev/urandom of=/big bs=1M count=60; sync' 2>/dev/null
		sync -f "$T/small"
		used=$(df -k --output=used "$T/small" | tail -n 1)
		run_ok "xfs, $layout: take while it runs" vzctl --quiet snapshot 1701 --id "$A" --skip-suspend
		sync -f "$T/small"
		used=$(($(df -k --output=used "$T/small" | tail -n 1) - used))
		[ $used -lt 20000 ]
		ok $? "it takes no room ($used KiB)"
		vzctl exec 1701 'rm /big'
		vzctl --quiet snapshot-switch 1701 --id "$A"
		vzctl --quiet start 1701
		is "$(vzctl exec 1701 'wc -c </big')" $((60 << 20)) "and comes back"
		vzctl --quiet stop 1701 --fast
		vzctl --quiet destroy 1701
	done
	umount "$T/small"
	rm "$T/xfs"
}

mkdir "$T/m"
# Each step waits for the disk. On a node that is what is tested; here it only takes long.
[ "$SLOW" != 1 ] || mount -t tmpfs none "$T/private"
kill_points="3000 8000 20000"
[ "$SLOW" = 1 ] || kill_points=60000
exec 2>"$T/warnings"
for layout in simfs overlay ploop; do
	one_layout $layout
done
for layout in simfs overlay ploop; do
	full_disk $layout
done
many_layers
top_attrs
linked_area
if type -P mkfs.xfs >/dev/null; then
	shared_blocks
else
	skip "copies by shared blocks" "no mkfs.xfs"
fi
[ "$SLOW" != 1 ] || umount -l "$T/private"
done_testing
