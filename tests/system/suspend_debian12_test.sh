#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Debian 12 with systemd and its services is suspended and resumed, twice: all units run
# on, the manager and the console work, and it halts by itself.
. "$(dirname "$0")/inits.sh"

need_criu
use_ve 2130
os_template "debian-12-$(uname -m)"
run_ok "create" vzctl create "$V" --ostemplate "debian-12-$(uname -m)" --hostname deb
run_ok "start --wait" vzctl start "$V" --wait
in_ve systemctl is-system-running --wait >/dev/null
run_ok "a password" vzctl set "$V" --userpasswd "root:$PASSWORD"
# A hardened service of the VE's own that counts on tmpfs.
in_ve 'cat >/etc/systemd/system/count.service && systemctl start count' <<'END'
[Service]
ExecStart=/bin/bash -c 'n=0; while sleep 0.1; do n=$((n + 1)); echo $n >/run/count/n; done'
RuntimeDirectory=count
PrivateTmp=yes
ProtectSystem=strict
PrivateDevices=yes
ProtectHostname=yes
NoNewPrivileges=yes
MemoryMax=50M
END
units() {
	in_ve 'systemctl list-units --state=running --type=service --no-legend --plain' |
		awk '{ print $1 }' | sort
}
count() {
	in_ve cat /run/count/n
}
memory_max() {
	in_ve 'systemctl show count -p MainPID -p MemoryMax'
}
wait_for 10 count
running=$(units)
about=$(memory_max)
same_units() {
	[ "$(units)" = "$running" ]
}
for time in "suspend" "suspend it again"; do
	was=$(count)
	run_ok "$time" vzctl suspend "$V"
	is "$(status_of)" "exist unmounted down suspended" "it is suspended"
	run_ok "resume" vzctl resume "$V"
	is "$(units)" "$running" "the same services run"
	is "$(memory_max)" "$about" "the same process, with the same limit"
	[ "$(count)" -ge "$was" ]
	ok $? "and it goes on where it was"
	[ "$time" = "suspend" ] || continue
	# Its console is another then, for services with mounts of their own as well.
	kill -9 "$(pgrep -f "^vzsuper $V .* $T/")"
	run_ok "its supervisor is killed, the next command gives it another" \
		vzctl set "$V" --description adopted --save
	wait_for 30 same_units
	ok $? "the getty is there again" || diag "$(units)"
done
is "$(in_ve systemctl is-system-running)" running "systemd is content"
is "$(in_ve systemctl --failed --no-legend --plain)" "" "no unit has failed"
run_ok "a service is restarted" in_ve systemctl restart cron
run_ok "and another stopped" in_ve systemctl stop count
logs_in
run_ok "stop" vzctl stop "$V"
unlike "$out" "Killing" "it halts by itself"
run_ok "destroy" vzctl destroy "$V"
done_testing
