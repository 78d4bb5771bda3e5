#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Debian 12 with systemd and an address: there at boot, without a unit that
# fails or waits in vain, by ifupdown and by systemd-networkd; and still there
# when the VE restarts its own network.
# shellcheck disable=SC2034 # lib.sh reads it
OWN_NET=yes
. "$(dirname "$0")/inits.sh"
need_net

# Made by a test before this one: from in here no archive is reached.
[ -e "$KEEP/cache/debian-12-$(uname -m).tar.zst" ] || skip_all "no Debian 12 template was made"
os_template "debian-12-$(uname -m)"
net_bridge br0 && net_host other br0 10.77.0.9/24 fd77::9/64 || exit
ip addr add 10.77.0.1/24 dev br0 && ip addr add fd77::1/64 dev br0 nodad || exit
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 1 >/proc/sys/net/ipv6/conf/all/forwarding

use_ve 1861
run_ok "create with addresses" vzctl --quiet create 1861 --ostemplate "debian-12-$(uname -m)" \
	--hostname netted --ipadd 10.77.0.101 --ipadd fd77::101

# up HOW: started, and all is well in it
up() {
	run_ok "$1: start --wait" vzctl --quiet start 1861 --wait
	run in_ve systemctl is-system-running --wait
	is "$out" running "$1: the system runs"
	is "$(in_ve systemctl --failed --no-legend --plain)" "" "$1: no unit failed"
	is "$(in_ve systemctl list-jobs --no-legend)" "" "$1: nothing is waited for"
	reached "$1"
}
reached() {
	pings 10.77.0.101 on_host other
	ok $? "$1: reached by another machine"
	pings fd77::101 on_host other
	ok $? "$1: by IPv6"
	pings 10.77.0.9 vzctl exec 1861 || in_ve ping -c 1 -W 2 10.77.0.9 >/dev/null
	ok $? "$1: reaches it"
	is "$(in_ve ip -o addr show dev venet0 | awk '$3 == "inet" || /global/ { print $4 }' | sort | xargs)" \
		"10.77.0.101/32 fd77::101/128" "$1: has its addresses, once"
	like "$(in_ve ip route show default)" 'dev venet0' "$1: and its way out"
}

up "ifupdown"
run_ok "the VE restarts its network" in_ve systemctl restart networking
reached "after that"
run_ok "restart" vzctl --quiet stop 1861

# An administrator's choice: systemd's own, with its wait for being online.
run_ok "mounted" vzctl --quiet mount 1861
for unit in systemd-networkd systemd-networkd-wait-online; do
	chroot "$T/root/1861" systemctl enable $unit >/dev/null 2>&1
done
chroot "$T/root/1861" systemctl disable networking >/dev/null 2>&1
vzctl --quiet umount 1861
up "networkd"
is "$(in_ve systemctl show -P Result systemd-networkd-wait-online)" success "waiting for being online ends well"
run_ok "the VE restarts networkd" in_ve systemctl restart systemd-networkd
reached "after that"

run_ok "another address, live" vzctl --quiet set 1861 --ipdel fd77::101 --ipadd 10.77.0.102 --save
pings 10.77.0.102 on_host other
ok $? "is reached"
run_ok "stop" vzctl --quiet stop 1861
run_ok "destroy" vzctl --quiet destroy 1861
done_testing
