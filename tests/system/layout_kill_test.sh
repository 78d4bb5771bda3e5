#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Overlay and images: who is killed as he creates, destroys, prunes, compacts or backs up
# leaves nothing that the same command does not finish, and takes nothing from others; a
# full disk is said to be one.
# shellcheck disable=SC2034 # lib.sh reads it
OWN_MOUNTS=yes ON_DISK=yes
. "$(dirname "$0")/../lib.sh"

is_root || skip_all "needs root"
type -P mkfs.ext4 >/dev/null || skip_all "no e2fsprogs"
busybox_template
p=$T/private store=$T/template/base
B=other-test-x86_64
kill_points="1000 4000 10000 25000"
[ "$SLOW" = 1 ] || kill_points="20000 100000"

killed_after() {
	local us=$1
	shift
	"$@" >/dev/null 2>&1 &
	sleep "$(printf '%d.%06d' $((us / 1000000)) $((us % 1000000)))"
	kill -9 $! 2>/dev/null
	wait $! 2>/dev/null
}
# A template of another digest, which nobody has used yet.
new_version() {
	rm -f "$T/template/cache/$B.tar.gz"
	{ zcat "$T/template/cache/$BUSYBOX_TEMPLATE.tar.gz" && head -c "$1" /dev/zero; } | gzip -1 >"$T/template/cache/$B.tar.gz"
}
versions() {
	find "$store" -mindepth 1 -maxdepth 1 -name '[0-9a-f]*' ! -name by-file | wc -l
}
# sums VEID: of all files that it has
sums() {
	vzctl --quiet mount "$1" && (cd "$T/root/$1" && find . -xdev -type f -exec sha256sum {} + | sort | sha256sum)
	vzctl --quiet umount "$1"
}

# --- create, from a template that is not unpacked yet, and destroy ---

run_ok "a VE that nobody touches" vzctl --quiet create 1901 --layout overlay
want=$(sums 1901)
bad='' n=512
for us in $kill_points; do
	new_version $((n += 512))
	killed_after "$us" vzctl --quiet create 1902 --layout overlay --ostemplate $B
	if [ ! -e "$VZ_CONFDIR/conf/1902.conf" ]; then
		run vzctl --quiet create 1902 --layout overlay --ostemplate $B || bad+="create, $us us: $err; "
	fi
	run vzctl --quiet mount 1902 && run vzctl --quiet umount 1902 || bad+="mount, $us us: $err; "
	killed_after "$us" vzctl --quiet destroy 1902
	[ ! -e "$VZ_CONFDIR/conf/1902.conf" ] || run vzctl --quiet destroy 1902 || bad+="destroy, $us us: $err; "
	run vzctl --quiet create 1902 --layout overlay --ostemplate $B || bad+="create again, $us us: $err; "
	run vzctl --quiet destroy 1902 || bad+="destroy again, $us us: $err; "
	# And what unpacked it is removed, as far as one comes.
	killed_after "$us" vztmpl prune
	run vztmpl prune || bad+="prune, $us us: $err; "
	[ "$(versions)" = 1 ] || bad+="prune, $us us: $(ls "$store"); "
done
is "$bad" "" "kill -9 at many points of create, destroy and prune"
is "$(ls "$p")" 1901 "nothing is left"
is "$(sums 1901)" "$want" "the other one has all"

# --- a backup of one that runs ---

vzctl --quiet start 1901
bad=''
mkdir "$T/out"
for us in $kill_points; do
	killed_after "$us" vzctl --quiet backup 1901 "$T/out/b"
	[ "$(vzctl exec 1901 'echo yes')" = yes ] || bad+="it stands still, $us us; "
	run vzctl --quiet backup 1901 "$T/out/b" || bad+="backup, $us us: $err; "
	[ "$(ls "$T/out")" = b ] || bad+="$us us: $(ls "$T/out"); "
done
vzctl --quiet stop 1901 --fast
is "$bad" "" "kill -9 of a backup: the VE goes on, and the next one is whole"
vzctl --quiet mount 1901
vzctl --quiet umount 1901
is "$(find "$p/1901/layers" -mindepth 1 -maxdepth 1 -name '[0-9]*' | wc -l)" 1 "no layer is left of them"
vzctl --quiet destroy 1901

# --- compact ---

run_ok "an image" vzctl --quiet create 1903 --layout ploop --diskspace 64M
want=$(sums 1903)
bad=''
for us in $kill_points; do
	vzctl --quiet mount 1903
	head -c 8M /dev/urandom >"$T/root/1903/junk" && sync -f "$T/root/1903" && rm "$T/root/1903/junk"
	vzctl --quiet umount 1903
	killed_after "$us" vzctl --quiet compact 1903
	run vzctl --quiet compact 1903 || bad+="compact, $us us: $err; "
	[ "$(sums 1903)" = "$want" ] || bad+="files, $us us; "
done
is "$bad" "" "kill -9 at many points of compact"
[ "$(du -k "$p/1903/root.hdd/root.img" | cut -f 1)" -lt 12000 ]
ok $? "the room is given back ($(du -k "$p/1903/root.hdd/root.img" | cut -f 1) KiB)"
vzctl --quiet destroy 1903

# --- a full disk ---

mkdir "$T/small" && mount -t tmpfs -o size=1m none "$T/small"
mkdir -p "$T/small/template" && ln -s "$T/template/cache" "$T/small/template/cache"
sed -i.was "s|^TEMPLATE=.*|TEMPLATE=\"$T/small/template\"|" "$VZ_CONFDIR/vz.conf"
run_is 46 "no room for the template" vzctl create 1904 --layout overlay
is "$(find "$p" "$VZ_CONFDIR/conf" -name '1904*')" "" "leaves no VE"
run_ok "prune" vztmpl prune
is "$(find "$T/small" -type f ! -name .lock)" "" "nor anything unpacked"
mv "$VZ_CONFDIR/vz.conf.was" "$VZ_CONFDIR/vz.conf"
umount "$T/small"

mount -t tmpfs -o size=24m none "$T/small"
run_ok "a VE" vzctl --quiet create 1904 --layout overlay --private "$T/small/1904"
vzctl --quiet snapshot 1904
run_ok "an image" vzctl --quiet create 1905 --layout ploop --diskspace 16M --private "$T/small/1905"
vzctl --quiet mount 1905
head -c 2M /dev/urandom >"$T/root/1905/junk" && sync -f "$T/root/1905" && rm "$T/root/1905/junk"
vzctl --quiet umount 1905
dd if=/dev/zero of="$T/small/fill" bs=4k 2>/dev/null
run vzctl --quiet create 1906 --layout overlay --private "$T/small/1906"
like "$status" "^(46|48)$" "no room for another"
is "$(ls "$T/small")" "1904
1905
fill" "nothing is left of it"
run_ok "what gives room back needs none: compact" vzctl --quiet compact 1905
dd if=/dev/zero of="$T/small/fill2" bs=4k 2>/dev/null
run_is 46 "no room for a conversion" vzctl --quiet convert 1905 --layout simfs
run_ok "destroy" vzctl --quiet destroy 1905
dd if=/dev/zero of="$T/small/fill3" bs=4k 2>/dev/null
run_ok "destroy of an overlay with snapshots" vzctl --quiet destroy 1904
is "$(ls "$T/small")" "fill
fill2
fill3" "nothing is left"
umount "$T/small"
done_testing
