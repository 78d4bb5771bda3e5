#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# make install puts everything where it is told to, and says so in the files that
# name places; make uninstall leaves the configuration alone, in both senses.
. "$(dirname "$0")/../lib.sh"

cd "${TESTS%/*}" || exit
D=$T/dest
places=(DESTDIR="$D" PREFIX=/opt/vz SYSCONFDIR=/opt/etc LOCALSTATEDIR=/opt/state)

# What is compiled in does not change with it: that would be another build.
run_ok "make install" env -u MAKELEVEL make -s install "${places[@]}"
is "$(find "$D" -mindepth 1 -maxdepth 1 -printf '%f\n')" opt "nothing lies elsewhere"
for f in opt/vz/sbin/vzctl opt/vz/libexec/vz/vzsuper opt/vz/libexec/vz/vzugid opt/vz/share/man/man8/vzctl.8 \
	opt/vz/lib/systemd/system/vz.service opt/etc/init.d/vz opt/etc/vz/vz.conf; do
	[ -s "$D/$f" ]
	ok $? "$f is there"
done
is "$(grep -rnE '(^|[^/a-z])/(usr/sbin/vz|etc/vz|var/lib/vz|var/log/vz)' "$D/opt/etc/init.d" \
	"$D/opt/etc/logrotate.d" "$D/opt/etc/vz/vz.conf" "$D/opt/vz/lib/systemd")" "" \
	"no file names a place where nothing is"
is "$(stat -c %a "$D/opt/state/lib/vz/private" "$D/opt/etc/init.d/vz" | paste -sd' ')" "700 755" \
	"modes are right"
echo '# mine' >>"$D/opt/etc/vz/vz.conf"
run_ok "make install again" env -u MAKELEVEL make -s install "${places[@]}"
is "$(tail -n 1 "$D/opt/etc/vz/vz.conf")" "# mine" "keeps vz.conf"
run_ok "make uninstall" env -u MAKELEVEL make -s uninstall "${places[@]}"
is "$(find "$D" -type f ! -path "$D/opt/etc/vz/*")" "" "leaves configuration only"
is "$(tail -n 1 "$D/opt/etc/vz/vz.conf")" "# mine" "namely ours"
done_testing
