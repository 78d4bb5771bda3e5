# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# For the tests of a node with systemd: they use the node's own /etc/vz.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

# lib.sh goes on looking after the test's place; what runs here does not know of it.
export -n VZ_CONFDIR VZ_RUNDIR

running() {
	vzlist -H -o ctid 2>/dev/null | paste -sd' ' | tr -s ' ' | sed 's/^ //; s/ $//'
}

# tells_its_life VEID: in its file /root/life, which words a VE's init went through
tells_its_life() {
	local root=/var/lib/vz/private/$1
	sed -i 's|^::shutdown:.*|::shutdown:/etc/init.d/down|' "$root/etc/inittab"
	echo 'echo up >>/root/life' >>"$root/etc/init.d/rcS"
	printf '%s\n' '#!/bin/sh' 'echo down >>/root/life' >"$root/etc/init.d/down"
	chmod 755 "$root/etc/init.d/down"
}

life() {
	paste -sd' ' "/var/lib/vz/private/$1/root/life" 2>&1
}

# The group of VE $1 in cgroup2.
group_of() {
	echo "$(cgroup2_dir)/vz/$1"
}
