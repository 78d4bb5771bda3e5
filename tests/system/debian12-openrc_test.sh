#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Debian 12 with OpenRC: boot, live changes, logins, reboot, halt, stop.
. "$(dirname "$0")/inits.sh"

use_ve 1832
OS=debian-12-openrc-$(uname -m)

up_again() {
	in_ve test -e /run/crond.pid
}

os_template "$OS"
creates "$OS"
starts
up_again
ok $? "its services run"
is "$(in_ve rc-status --runlevel)" default "the default run level is reached"
is "$(in_ve rc-status --crashed)" "" "no service has crashed"
may_be_short
sets
logs_in
ends_by_itself
stops 15000
done_testing
