#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Debian 12 with sysvinit: boot, live changes, logins, reboot, halt, stop.
. "$(dirname "$0")/inits.sh"

use_ve 1822
OS=debian-12-sysvinit-$(uname -m)

up_again() {
	in_ve test -e /run/crond.pid
}

os_template "$OS"
creates "$OS"
starts
up_again
ok $? "its services run"
is "$(in_ve runlevel)" "N 2" "run level 2 is reached"
run in_ve ps -eo args
unlike "$out" "getty.*tty[0-9]" "no login on a terminal that is not there"
like "$(in_ve ls /etc/ssh)" ssh_host_ed25519_key "it has host keys of its own"
may_be_short
sets
logs_in
ends_by_itself
stops 10000
done_testing
