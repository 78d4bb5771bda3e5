# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# For the tests with systemd, of one Debian release each.
. "$(dirname "${BASH_SOURCE[0]}")/inits.sh"

up_again() {
	[ "$(in_ve systemctl is-system-running 2>/dev/null)" = running ]
}

# What went wrong so far, by the journal that is kept on disk. Not by boots: the
# kernel's boot id is the node's.
complaints() {
	in_ve journalctl -q --no-pager | grep -E 'imed out|Failed with result|SIGKILL|State .* timed'
}

test_systemd() {
	os_template "$1"
	creates "$1"
	starts
	run in_ve systemctl is-system-running --wait
	is "$out" running "systemd is content"
	is "$(in_ve systemctl --failed --no-legend --plain)" "" "no unit has failed"
	is "$(in_ve systemd-detect-virt --container)" lxc "it knows what it is in"
	like "$(in_ve cat /etc/machine-id)" '^[0-9a-f]{32}$' "it has a machine id"
	is "$(in_ve systemctl is-active multi-user.target)" active "multi-user is reached"
	in_ve mkdir -p /var/log/journal
	in_ve systemctl restart systemd-journald
	in_ve journalctl --flush
	sets
	is "$(in_ve hostnamectl --static)" web2 "hostnamed has the new name, too"
	logs_in
	ends_by_itself
	run_ok "start it for its journal" vzctl start "$V" --wait
	like "$(in_ve journalctl -q --no-pager)" "Reached target .*[Pp]ower" \
		"the journal tells how it went down"
	is "$(complaints)" "" "nothing failed, or had to be killed, on the way down"
	run_ok "stop" vzctl stop "$V"
	stops 5000
}
