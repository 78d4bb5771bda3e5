#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Debian 13 with systemd: boot, live changes, logins, reboot, halt, stop.
. "$(dirname "$0")/systemd.sh"

use_ve 1814
test_systemd "debian-13-$(uname -m)"
done_testing
