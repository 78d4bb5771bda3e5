#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The Debian package: what lintian says, and its life in a clean chroot, where an
# upgrade keeps what was configured and a purge what is the VEs'.
# tests/nodes/service_test.sh does the same where systemd and VEs run.
. "$(dirname "$0")/../lib.sh"

is_root || skip_all "a chroot needs root"
type -P dpkg-buildpackage dh >/dev/null || skip_all "no debhelper to make the package with"
cd "${TESTS%/*}" || exit
C=$T/chroot SUITE=${NODE_SUITE:-bookworm}

run env -u MAKELEVEL RESULTS="$T/results" tests/nodes/run image
if [ -s "$T/results" ]; then
	ok 1 "the package and a clean Debian are made"
	diag "$out"
	done_testing
fi
deb=$(find build/deb -maxdepth 1 -name 'vz_*.deb')

# --- what it says of itself ---

is "$(sed -n '/^Build-Depends:/,/^[A-Z].*-Version:/p' etc/debian/control |
	grep -o '[a-z0-9-]*-dev\|pkg-config' | sort | paste -sd' ')" \
	"$(tests/deps.sh -n build | grep -e -dev -e pkg-config | grep -v libc6-dev | sort | paste -sd' ')" \
	"what it is built with is what tests/deps.list names"
run lintian --fail-on error,warning build/deb/vz_*.changes
[ "$status" = 0 ] && [ -z "$out" ]
ok $? "lintian has no complaint" || diag "$out" "$err"

# --- its life ---

mkdir "$C"
tar -C "$C" --zstd -xf "build/node/$SUITE/root.tar.zst"
ok $? "unpack a clean Debian" || done_testing

# In mount and pid namespaces of its own: nothing of it outlives the command.
inside() {
	env -i PATH="$PATH" LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
		unshare --mount --pid --fork --net --ipc --uts chroot "$C" "$@" </dev/null
}

everything() {
	(cd "$C" && find . \( -path ./var/lib/dpkg -o -path ./var/log/dpkg.log \
		-o -path ./var/log/alternatives.log -o -path ./var/cache \) -prune -o -print | LC_ALL=C sort)
}

# with_version NAME [LINE]: another version of the package, at $C/NAME.deb; it has
# the LINE in its vz.conf
with_version() {
	rm -rf "$T/deb"
	dpkg-deb -R "$deb" "$T/deb"
	sed -i "s/^Version: .*/&+$1/" "$T/deb/DEBIAN/control"
	[ "$#" = 1 ] || echo "$2" >>"$T/deb/etc/vz/vz.conf"
	dpkg-deb -Znone --root-owner-group -b "$T/deb" "$C/$1.deb" >/dev/null
}

mode() {
	stat -c %a "$C/$1"
}

everything >"$T/before"
cp "$deb" "$C/vz.deb"
run_ok "install" inside dpkg -i /vz.deb
is "$(inside dpkg -V vz | grep -v ' /usr/share/')" "" "all files are as in the package"
is "$(mode var/lib/vz/private) $(mode var/lib/vz/root) $(mode var/lib/vz/dump)" "700 700 700" \
	"what is VEs' is root's alone"
is "$(mode var/log/vz) $(mode usr/sbin/vzctl) $(mode usr/libexec/vz/vzsuper)" "750 755 755" \
	"the log is not everybody's, the programs are"
[ -L "$C/etc/systemd/system/multi-user.target.wants/vz.service" ]
ok $? "the service is enabled"
# shellcheck disable=SC2016 # dpkg-query's own ${…}
like "$(inside vzctl --version)" "^vzctl version 5" "vzctl runs"
# shellcheck disable=SC2016 # dpkg-query's own ${…}
like "$(inside dpkg-query -W -f '${Conffiles}' vz)" "/etc/vz/vz.conf" "vz.conf is a conffile"

echo 'VE_PARALLEL="3"' >>"$C/etc/vz/vz.conf"
echo 'ONBOOT="no"' >"$C/etc/vz/conf/13101.conf"
mkdir -p "$C/var/lib/vz/private/13101/etc"
echo mine >"$C/var/lib/vz/private/13101/etc/file"
find "$C/etc/vz" "$C/var/lib/vz" -type f -exec md5sum {} + | LC_ALL=C sort >"$T/sums"

with_version new1
run_ok "upgrade" inside dpkg -i /new1.deb
is "$(find "$C/etc/vz" "$C/var/lib/vz" -type f -exec md5sum {} + | LC_ALL=C sort)" \
	"$(cat "$T/sums")" "no file in /etc/vz and /var/lib/vz is another"
is "$(mode var/lib/vz/private)" 700 "and no mode"
with_version new2 "# new"
run_ok "upgrade to one with another vz.conf" inside dpkg --force-confdef --force-confold -i /new2.deb
is "$(grep -c '^VE_PARALLEL="3"' "$C/etc/vz/vz.conf")" 1 "ours is kept"
[ -e "$C/etc/vz/vz.conf.dpkg-dist" ]
ok $? "the new one lies beside it"

run_ok "remove" inside dpkg -r vz
[ ! -e "$C/usr/sbin/vzctl" ] && [ ! -e "$C/usr/libexec/vz" ]
ok $? "the programs are gone"
is "$(grep -c '^VE_PARALLEL="3"' "$C/etc/vz/vz.conf")" 1 "the configuration is there"
run_ok "purge" inside dpkg -P vz
rm -f "$C"/*.deb
is "$(everything | LC_ALL=C comm -13 "$T/before" -)" "./etc/vz
./etc/vz/conf
./etc/vz/conf/13101.conf
./var/lib/vz
./var/lib/vz/private
./var/lib/vz/private/13101
./var/lib/vz/private/13101/etc
./var/lib/vz/private/13101/etc/file" "what is left is the VE, and nothing else"
is "$(everything | LC_ALL=C comm -23 "$T/before" -)" "" "nothing else is missing"
is "$(mode var/lib/vz/private)" 700 "and it is still root's alone"
done_testing
