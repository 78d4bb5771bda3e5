# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# For the hostile tests: VEs whose root is an enemy, and things of the host
# that must be as they were when it has done its worst.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

is_root || skip_all "not root"

hostile=$(test_program hostile) || skip_all "no program for it"

# The host's files, which no VE may read or change.
H=$T/host
make_host() {
	mkdir -p "$H/dir"
	echo "secret of the host" >"$H/file"
	printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' >"$H/passwd"
	printf '%s\n' 'root:*:1:0:99999:7:::' >"$H/shadow"
	printf '#!/bin/sh\necho ran >%s\n' "$H/dir/ran" >"$H/program"
	chmod 755 "$H/program"
	mkfifo "$H/fifo"
	host_before=$(host_state)
}

host_state() {
	find "$H" -printf '%P %y %m %U %G %s %T@\n' | sort
	find "$H" -type f -exec md5sum {} + | sort
}

host_untouched() {
	local now
	now=$(host_state)
	is "$now" "$host_before" "$1: the host's files are as they were"
}

# Mounts of the host, but for a VE's own root and those that stay (see find_left).
host_mounts() {
	# What other runs of tests mount meanwhile is theirs.
	awk -v root="$T/root/" -v bpf="$VZ_RUNDIR/bpf" -v lxcfs="$VZ_RUNDIR/lxcfs" -v t="$T" '
		index($5, "/tmp/vz-") == 1 && index($5, t) != 1 { next }
		index($5, root) != 1 && $5 != bpf && $5 != lxcfs { print $5, $9, $10 }' \
		/proc/self/mountinfo | sort
}

# make_hostile VEID [create's options]
make_hostile() {
	make_ve "$@" && cp "$hostile" "$T/private/$1/bin/hostile"
}

# in_ve VEID COMMAND...: a command line of the VE's shell
in_ve() {
	local veid=$1
	shift
	vzctl exec "$veid" "$*"
}

make_host
