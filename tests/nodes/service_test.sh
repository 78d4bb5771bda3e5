#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# On the node that install_test.sh left, after its next boot: the service has
# started what ran; an upgrade leaves VEs alone; removal stops them, and even a
# purge does not touch their files.
. "$(dirname "$0")/node.sh"

is "$(life 13001)" "up down up" "13001 went down with the node, cleanly, and came up with it"
is "$(life 13002)" "up down up" "13002, which ran too, did as well"
wait_for 60 systemctl --quiet is-active vz
is "$(systemctl is-active vz)" active "the service is up"
is "$(running)" "13001 13002" "both run"
is "$(vzctl exec 13001 hostname)" ve13001 "and can be entered"

# systemd's own changes to the groups of the node
weight=$(cat "$(group_of 13001)/cpu.weight")
[ -n "$weight" ] && [ "$weight" != 100 ]
ok $? "the VE has its CPU weight" || diag "$weight"
run_ok "systemd reads its units again" systemctl daemon-reload
run_ok "and starts one with limits" systemd-run --quiet --wait --collect -p MemoryMax=100M \
	-p CPUWeight=50 true
is "$(cat "$(group_of 13001)/cpu.weight")" "$weight" "the VE keeps its weight"

# upgrade
sed -i 's/^VE_PARALLEL.*\|^#VE_PARALLEL.*/VE_PARALLEL="3"/' /etc/vz/vz.conf
dpkg-deb -R /check/vz_*.deb "$T/deb"
sed -i 's/^Version: .*/&+test1/' "$T/deb/DEBIAN/control"
dpkg-deb -Znone -b "$T/deb" "$T/new.deb" >/dev/null
before=$(grep -h '^pid ' /run/vz/1300[12]/state)
run_ok "upgrade" dpkg -i "$T/new.deb"
like "$(dpkg-query -W -f '${Version}' vz)" 'test1$' "it is the new one"
is "$(grep -h '^pid ' /run/vz/1300[12]/state)" "$before" "the VEs ran on"
is "$(running)" "13001 13002" "and are known"
is "$(grep -c '^VE_PARALLEL="3"' /etc/vz/vz.conf)" 1 "the changed vz.conf is kept"
is "$(systemctl is-active vz) $(systemctl is-enabled vz)" "active enabled" "vz is as it was"

# by hand
run_ok "stop vz" systemctl stop vz
is "$(running)" "" "stops all VEs"
is "$(life 13001)" "up down up down" "cleanly"
is "$(find "$(group_of 13001)" -maxdepth 0 2>/dev/null)" "" "their groups are gone"
run_ok "start vz" systemctl start vz
is "$(running)" "13001 13002" "starts them again"

# removal
cp -a /etc/vz/conf/13001.conf "$T/13001.conf"
run_ok "remove the package" dpkg -r vz
is "$(systemctl is-active vz)" inactive "the service is stopped"
is "$(find /run/vz -mindepth 1 -maxdepth 1 -name '1300*')" "" "no VE runs any more"
is "$(life 13002)" "up down up down up down" "they were stopped cleanly"
[ ! -e /usr/sbin/vzctl ] && [ ! -e /usr/libexec/vz ]
ok $? "the programs are gone"
is "$(grep -c '^VE_PARALLEL="3"' /etc/vz/vz.conf)" 1 "the configuration is there"
run_ok "purge it" dpkg -P vz
[ ! -e /etc/vz/vz.conf ] && [ ! -e /etc/init.d/vz ] && [ ! -e /var/log/vz ]
ok $? "the configuration of the node is gone"
run_ok "a VE's own is kept" cmp "$T/13001.conf" /etc/vz/conf/13001.conf
[ -x /var/lib/vz/private/13001/bin/busybox ] && [ -d /var/lib/vz/template/cache ]
ok $? "and so are its files and the templates"
is "$(systemctl list-unit-files --no-legend 'vz*')" "" "systemd knows no vz any more"
is "$(systemctl list-units --no-legend --plain --state=active 'vz*')" "" "and nothing of it is active"

# and back
run_ok "install it again" dpkg -i /check/vz_*.deb
run_ok "the VEs are there" vzctl status 13001
is "$(vzlist -aH -o ctid | paste -sd' ' | tr -s ' ' | sed 's/^ //; s/ $//')" "13001 13002" "all of them"
run_ok "destroy one" vzctl destroy 13001
run_ok "and the other" vzctl destroy 13002
is "$(systemctl --failed --no-legend --plain)" "" "no unit of the node has failed"
done_testing
