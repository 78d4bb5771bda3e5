#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Layouts: simfs and overlay; templates unpacked once; areas that are not what they should be.
# shellcheck disable=SC2034 # lib.sh reads it
ON_DISK=yes
. "$(dirname "$0")/../lib.sh"

is_root || skip_all "needs root"
grep -qw overlay /proc/filesystems || modprobe overlay 2>/dev/null ||
	skip_all "this kernel has no overlayfs"
busybox_template
cache=$T/template/cache
store=$T/template/base

first_uid() {
	sed -n 's/^LOCAL_UID="\(.*\)"/\1/p' "$VZ_CONFDIR/conf/$1.conf"
}

versions() {
	find "$store" -mindepth 1 -maxdepth 1 ! -name .lock ! -name by-file | wc -l
}

layer() {
	echo "$T/private/$1/layers/1/fs${2-}"
}

# --- a VE over a template ---

run_ok "create on overlay" vzctl create 2110 --layout overlay
like "$(grep VE_LAYOUT "$VZ_CONFDIR/conf/2110.conf")" overlay "its configuration says so"
is "$(versions)" 1 "the template is unpacked"
is "$(stat -c '%u %a' "$store" "$T/private/2110")" "0 700
0 700" "out of sight of the node's users"
is "$(find "$T/private/2110/layers" -type f | wc -l)" 0 "the VE has no file of its own"
run_ok "a second" vzctl create 2111 --layout overlay
unlike "$err$out" "Unpacking" "unpacks nothing"
is "$(versions)" 1 "and shares the first one's"
base=$(first_uid 2110)

run_ok "start" vzctl --quiet start 2110
run_ok "the other" vzctl --quiet start 2111
is "$(vzctl exec 2110 'stat -c "%u:%g %a %n" / /bin/busybox /root /etc/shadow')" "0:0 755 /
0:0 755 /bin/busybox
0:0 700 /root
0:0 640 /etc/shadow" "the template's files are the VE's root's"
run_ok "writes" vzctl exec 2110 'echo a >/root/a; chown 7:8 /root/a; echo b >>/etc/hosts; rm /etc/group; mkdir /home/d'
is "$(stat -c '%u:%g' "$(layer 2110 /root/a)" "$(layer 2110 /etc/hosts)")" \
	"$((base + 7)):$((base + 8))
$base:$base" "land in its own layer with its own ids"
is "$(vzctl exec 2111 'ls /root; wc -l </etc/hosts; ls /etc/group /home')" "1
/etc/group

/home:" "and are not seen in the other VE"
ok "$(vzctl exec 2110 'mknod /root/sda b 8 0 2>/dev/null || mount -o remount,dev / 2>/dev/null'; echo $((!$?)))" \
	"no devices"
run_ok "restart" vzctl --quiet restart 2110
is "$(vzctl exec 2110 'cat /root/a; ls /etc/group 2>&1')" "a
ls: /etc/group: No such file or directory" "what was written and removed stays so"
run_ok "stop" vzctl --quiet stop 2111 --fast

# --- versions ---

cp -r "$SHARE/busybox-root" "$T/newer" && echo newer >"$T/newer/etc/version" &&
	tar -C "$T/newer" -czf "$T/newer.tar.gz" . && rm "$cache/$BUSYBOX_TEMPLATE.tar.gz" &&
	mv "$T/newer.tar.gz" "$cache/$BUSYBOX_TEMPLATE.tar.gz"
run_ok "create from an updated template" vzctl --quiet create 2112 --layout overlay
is "$(versions)" 2 "it is another version"
run_ok "start of both" vzctl --quiet start 2112
is "$(vzctl exec 2112 'cat /etc/version')" newer "a new VE has the new one"
run_ok "start of the old one" vzctl --quiet start 2111
is "$(vzctl exec 2111 'ls /etc/version 2>&1')" "ls: /etc/version: No such file or directory" \
	"an old VE stays on its version"
for veid in 2110 2111 2112; do
	vzctl --quiet stop $veid --fast
done

# --- areas that are not what they should be ---

run_is 44 "create over one" vzctl create 2111 --layout overlay
p=$T/private
cp -a "$p/2110/area.ini" "$T/marker"
sed -i 's/^veid = .*/veid = 2999/' "$p/2110/area.ini"
run_is 43 "another VE's area" vzctl mount 2110
like "$err" "is VE 2999's" "is named"
sed 's/^version = 1/version = 99/' "$T/marker" >"$p/2110/area.ini"
run_is 99 "a newer version" vzctl mount 2110
sed 's/^layout = .*/layout = zfs/' "$T/marker" >"$p/2110/area.ini"
run_is 99 "an unknown layout" vzctl mount 2110
for damage in "/^base/d" "/^layout/d" "s/^base = .*/base = ..\/..\/etc/" "s/^top = .*/top = 7/" \
	"s/^parent = .*/parent = 1/" "s/^base = .../base = 000/"; do
	sed "$damage" "$T/marker" >"$p/2110/area.ini"
	run_is 43 "a marker damaged by $damage" vzctl start 2110
done
head -c 3000 /dev/urandom >"$p/2110/area.ini"
run_is 43 "noise for a marker" vzctl start 2110
cat "$T/marker" >"$p/2110/area.ini"
mv "$p/2110/layers/1" "$p/2110/layers/x"
run_is 43 "a layer that is missing" vzctl mount 2110
like "$err" "layers/1/fs is missing" "is named"
mv "$p/2110/layers/x" "$p/2110/layers/1"
chown 12345 "$(layer 2110)"
run_is 43 "a layer with others' ids" vzctl mount 2110
like "$err" "belongs to uid 12345" "is named"
chown "$base" "$(layer 2110)"
run_ok "all mended" vzctl mount 2110
vzctl --quiet umount 2110

run_ok "simfs" vzctl --quiet create 2113 --layout simfs
uid=$(first_uid 2113)
printf '[area]\nlayout = overlay\nversion = 1\nveid = 2113\n[overlay]\nbase = %064d\n' 0 >"$p/2113/area.ini"
run_ok "a marker that a VE made itself" vzctl mount 2113
ok "$(test -x "$T/root/2113/bin/busybox"; echo $?)" "is a file like any"
vzctl --quiet umount 2113
chown -h "$uid" "$p/2113/area.ini"
run_ok "with its own owner, too" vzctl mount 2113
vzctl --quiet umount 2113
chown 0 "$p/2113"
run_is 43 "simfs of another's ids" vzctl mount 2113
mkdir "$p/2113/root.hdd" && echo x >"$p/2113/root.hdd/DiskDescriptor.xml"
run_is 99 "an image of OpenVZ's" vzctl mount 2113
run_ok "privileged" vzctl --quiet create 2114 --layout overlay --local_uid 0 --local_gid 0
run_ok "starts" vzctl --quiet start 2114
is "$(vzctl exec 2114 'echo x >/root/x; rm /etc/hosts; ls /root /etc/hosts 2>/dev/null')" "/root:
x" "and writes"
vzctl --quiet stop 2114 --fast
sed -i 's/^VE_LAYOUT=.*/VE_LAYOUT="simfs"/' "$VZ_CONFDIR/conf/2114.conf"
run_is 99 "its marker must agree with its configuration" vzctl mount 2114

# --- what is unpacked, and who uses it ---

is "$(vztmpl list -u -H | awk '{ print $2, $3 }')" "$BUSYBOX_TEMPLATE 2
$BUSYBOX_TEMPLATE 2" "two versions with two VEs each"
is "$(vztmpl list -uj | jq -r '.[].ves')" "2
2" "as JSON"
run_ok "prune" vztmpl prune
is "$(versions)" 2 "takes nothing from them"
run_ok "destroy" vzctl --quiet destroy 2110
vzctl --quiet destroy 2111
mkdir -p "$p/2115.creating" "$store/$(printf %064d 1).creating/root/x" "$store/$(printf %064d 2).removed/x"
cp -a "$T/private/2112" "$p/2115.creating/root"
run_ok "prune" vztmpl prune
like "$out" "^Removed [0-9a-f]{12} \($BUSYBOX_TEMPLATE\)\$" "removes the version that none uses"
is "$(versions)" 1 "and what killed commands left"
vzctl --quiet destroy 2112
vzctl --quiet destroy 2114
run_ok "prune" vztmpl prune
is "$(versions)" 1 "not one of a VE that is being made"
mkdir "$p/2115.migrating" && mv "$p/2115.creating/root/area.ini" "$p/2115.migrating"
rm -r "$p/2115.creating"
run_ok "prune" vztmpl prune
is "$(versions)" 1 "nor of one that is on its way here"
mkdir -p "$T/other" "$T/state/migrate" && mv "$p/2115.migrating" "$T/other"
cat >"$T/state/migrate/2115.in" <<-END
	STATE="receiving"
	MIGRATION="1"
	PEER="n1"
	SSH=""
	LIVE="no"
	START="no"
	KEEP="no"
	PID="1"
	PID_START="1"
	PRIVATE="$T/other/2115"
	UID="0"
	GID="0"
	OLD_UID="0"
	OLD_GID="0"
END
run_ok "prune" vztmpl prune
is "$(versions)" 1 "wherever that is to be"
rm -r "$T/other" "$T/state/migrate"
run_ok "prune" vztmpl prune
is "$(versions)" 0 "when that is gone"
run_ok "create" vzctl --quiet create 2112 --layout overlay
is "$(versions)" 1 "unpacks it again"

# --- POST_CREATE waits for the first launch, or for what copies the VE ---

echo 'POST_CREATE=once.sh' >>"$VZ_CONFDIR/dists/busybox.conf"
echo 'echo made >>/root/made' >"$VZ_CONFDIR/dists/scripts/once.sh"
run_ok "create" vzctl --quiet create 2116 --layout overlay
ok "$([ ! -e "$(layer 2116 /root/made)" ]; echo $?)" "POST_CREATE has not run yet"
run_ok "start" vzctl --quiet start 2116
is "$(vzctl exec 2116 cat /root/made)" made "it has before the VE's init"
run_ok "restart" vzctl --quiet restart 2116
is "$(vzctl exec 2116 cat /root/made)" made "and only once"
vzctl --quiet stop 2116 --fast
echo 'exit 7' >"$VZ_CONFDIR/dists/scripts/once.sh"
run_ok "create" vzctl --quiet create 2117 --layout overlay
run_is 108 "a script that fails" vzctl --quiet start 2117
echo 'echo made >>/root/made' >"$VZ_CONFDIR/dists/scripts/once.sh"
run_ok "is run again at the next start" vzctl --quiet start 2117
is "$(vzctl exec 2117 cat /root/made)" made "until it succeeds"
vzctl --quiet stop 2117 --fast
run_ok "a VE that never ran" vzctl --quiet create 2118 --layout overlay
run_ok "with a snapshot" vzctl --quiet snapshot 2118
is "$(cat "$(layer 2118 /root/made)")" made "has run it before"
run_ok "another" vzctl --quiet create 2119 --layout overlay
run_ok "converted" vzctl --quiet convert 2119 --layout simfs
is "$(cat "$p/2119/root/made")" made "too"
run_ok "a third" vzctl --quiet create 2120 --layout overlay
run_ok "in a backup" vzctl --quiet backup 2120 "$T/2120.tar.zst"
is "$(tar -xOf "$T/2120.tar.zst" root/root/made)" made "too"
for veid in 2116 2117 2118 2119 2120; do
	vzctl --quiet destroy $veid
done

for veid in 2112 2113; do
	run_ok "destroy $veid" vzctl --quiet destroy $veid
done
is "$(ls "$p")" "" "nothing is left of them"

done_testing
