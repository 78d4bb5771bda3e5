#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# libvirt's driver for OpenVZ, as Debian has it, drives vzctl and vzlist and reads
# /proc/vz, which vzproc gives it.
if [ "$(id -u)" = 0 ] && [ "${VZ_TEST_MNT-}" != own ]; then
	export VZ_TEST_MNT=own
	exec unshare -m -- "$BASH" "$0" "$@"
fi
. "$(dirname "$0")/../lib.sh"

is_root || skip_all "not root"
type -P virsh >/dev/null || skip_all "no virsh (libvirt-clients)"
make_ve 14420 || skip_all "no VE could be made"
make_ve 14421

# place DIRECTORY: it can be changed here, and nothing is changed
place() {
	local name=$T/over${1//\//_}
	mkdir -p "$name" "$name.work" &&
		mount -t overlay over -o "lowerdir=$1,upperdir=$name,workdir=$name.work" "$1"
}
# The driver names /usr/sbin and /etc/vz.
place /etc && mkdir -p /etc/vz && mount --bind "$VZ_CONFDIR" /etc/vz || exit
if [ "$VZ_BIN" != /usr/sbin ]; then
	place /usr/sbin && cp "$VZ_BIN/vzctl" "$VZ_BIN/vzlist" /usr/sbin/ || exit
fi
virsh() {
	vzproc virsh -q -c openvz:///system "$@"
}

run_ok "a VE starts" vzctl --quiet start 14420
[ -e "$VZ_RUNDIR/proc/vz/vestat" ] || skip_all "this kernel takes no programs for files"
run_ok "libvirt lists VEs" virsh list --all
like "$out" ' 14420 +14420 +running' "one runs"
like "$out" ' - +14421 +shut off' "one does not"
run_ok "it starts that" virsh start 14421
is "$(vzctl status 14421)" "CTID 14421 exist mounted running" "which runs"
# shellcheck disable=SC2016 # the shell inside expands it
vzctl exec 14420 'i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done'
run_ok "it knows of a VE" virsh dominfo 14420
like "$out" 'CPU time: +([1-9][0-9]*\.[0-9]s|0\.[1-9]s)' "how much CPU time it had"
run_ok "it stops one" virsh shutdown 14421
is "$(vzctl status 14421)" "CTID 14421 exist unmounted down" "which is down"
run_ok "it sets one to start with the node" virsh autostart 14421
is "$(sed -n 's/^ONBOOT=//p' "$VZ_CONFDIR/conf/14421.conf")" '"yes"' "in its configuration"
done_testing
