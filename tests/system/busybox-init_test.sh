#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# BusyBox: boot, live changes, logins, reboot, halt, stop.
. "$(dirname "$0")/inits.sh"

use_ve 1842
OS=busybox-$(uname -m)

up_again() {
	in_ve true
}

os_template "$OS"
creates "$OS"
starts
sets
logs_in
ends_by_itself
stops 10000
done_testing
