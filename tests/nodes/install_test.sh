#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# On a node with systemd: the package is installed, two VEs are made and run when
# the node goes down. service_test.sh, after the next boot, looks what became of them.
. "$(dirname "$0")/node.sh"

run_ok "the package can be installed" dpkg -i /check/vz_*.deb
is "$(dpkg-query -W -f '${db:Status-Status}' vz)" installed "and is configured"
is "$(systemctl is-enabled vz)" enabled "vz starts with the node"
is "$(systemctl is-active vz)" inactive "and not by being installed"
is "$(dpkg -V vz | grep -v ' /usr/share/')" "" "all files are as in the package"
for dir in private root dump; do
	is "$(stat -c %a:%U /var/lib/vz/$dir)" 700:root "/var/lib/vz/$dir is root's alone"
done
run_ok "vzlist of no VE" vzlist -a

busybox_template
cp -L "$T/template/cache/$BUSYBOX_TEMPLATE.tar.gz" /var/lib/vz/template/cache/
for veid in 13001 13002; do
	run_ok "create $veid" vzctl create $veid --ostemplate "$BUSYBOX_TEMPLATE" --hostname "ve$veid"
	tells_its_life $veid
done
run_ok "one is to start with the node" vzctl set 13001 --onboot yes --cpuunits 1234 --save
# The other is neither to start with the node nor not to.
sed -i '/^ONBOOT/d' /etc/vz/conf/13002.conf
run_ok "start vz" systemctl start vz
is "$(running)" 13001 "starts that one"
run_ok "start the other" systemd-run --quiet --wait --collect vzctl start 13002
is "$(running)" "13001 13002" "they run"
done_testing
