#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Debian 13 with systemd, whose services have more mounts of their own than Debian 12's, is
# suspended and resumed, as the oracle says.
. "$(dirname "$0")/inits.sh"

need_criu
use_ve 2131
os_template "debian-13-$(uname -m)"
run_ok "create" vzctl create "$V" --ostemplate "debian-13-$(uname -m)" --hostname deb
run_ok "start --wait" vzctl start "$V" --wait
in_ve systemctl is-system-running --wait >/dev/null
units() {
	in_ve 'systemctl list-units --state=running --type=service --no-legend --plain' |
		awk '{ print $1 }' | sort
}
running=$(units)
run_ok "nothing is in the way" vzctl suspend "$V" --check-only
run_ok "suspend" vzctl suspend "$V"
run_ok "resume" vzctl resume "$V"
is "$(units)" "$running" "the same services run"
is "$(in_ve systemctl is-system-running)" running "systemd is content"
run_ok "a service is restarted" in_ve systemctl restart systemd-logind
run_ok "nothing is in the way again" vzctl suspend "$V" --check-only
run_ok "stop" vzctl stop "$V"
run_ok "destroy" vzctl destroy "$V"
done_testing
