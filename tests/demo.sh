#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What vz does, shown in a place of its own: nothing of the machine's /etc/vz,
# /var/lib/vz or /run/vz is read or written. `make demo` runs this after `make deps`.
# DEMO_TEMPLATE: busybox-x86_64 (seconds), or debian-12-x86_64 (a minute or two).
set -eu

cd "$(dirname "$0")/.."
[ "$(id -u)" = 0 ] || {
	echo "demo: must be run by root: sudo make demo" >&2
	exit 1
}
template=${DEMO_TEMPLATE:-busybox-$(uname -m)}
place=$(mktemp -d "${TMPDIR:-/tmp}/vz-demo.XXXXXX")
cgroup=vz-demo-$$
log=$place/log

export VZ_CONFDIR=$place/etc/vz VZ_RUNDIR=$place/run VZ_LIBEXECDIR=$place/usr/libexec/vz
export PATH=$place/usr/sbin:/usr/sbin:/usr/bin:/sbin:/bin

clean_up() {
	local status=$? dir top
	trap - EXIT
	for dir in "$place"/run/[0-9]* "$place"/var/lib/vz/root/[0-9]*; do
		[ -e "$dir" ] || continue
		vzctl --quiet stop "${dir##*/}" --fast >/dev/null 2>&1 || :
	done
	awk '$3 ~ /^cgroup2?$/ { print $2 }' /proc/mounts | sort -u | while read -r top; do
		[ ! -d "$top/$cgroup" ] || find "$top/$cgroup" -depth -type d -exec rmdir {} \;
	done
	# What counts for VEs is pinned there until the node goes down.
	! mountpoint -q "$place/run/bpf" || umount "$place/run/bpf"
	[ "$status" = 0 ] || [ ! -s "$log" ] || tail -n 40 "$log"
	if ! rm -rf --one-file-system "$place" || [ -e "$place" ]; then
		echo "demo: could not remove $place" >&2
		status=1
	fi
	[ "$status" = 0 ] && echo "Everything is removed again." || echo "demo: failed" >&2
	exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# quietly COMMAND...: what it says is shown only when it fails
quietly() {
	"$@" >"$log" 2>&1 </dev/null
	: >"$log"
}

# show COMMAND...: as one would type it, then what it prints
show() {
	local word line=
	for word; do
		[[ $word =~ ^[A-Za-z0-9_./:=,+-]+$ ]] || word="'$word'"
		line+=" $word"
	done
	printf '\n#%s\n' "$line"
	"$@" </dev/null
}

echo "Building vz and installing it into $place ..."
quietly make -s all
quietly make -s install DESTDIR="$place"
sed -i "s|=\"\?/var/lib/vz|=\"$place/var/lib/vz|; s|/var/lib/vz/lock|&|; s|^LOGFILE=.*|LOGFILE=\"$place/vzctl.log\"|
	/^CGROUP=/d" "$VZ_CONFDIR/vz.conf"
echo "CGROUP=\"$cgroup\"" >>"$VZ_CONFDIR/vz.conf"
mkdir -p "$VZ_RUNDIR"
# No key may still name a place of the machine's.
if grep -E '^[A-Z_]+="?/(var|vz|etc|run)' "$VZ_CONFDIR/vz.conf" >"$log"; then
	exit 1
fi

show vztmpl make "$template"
show vztmpl list
show vzctl create 101 --ostemplate "$template" --hostname web1 --config vswap-256m
show vzctl create 102 --ostemplate "$template" --hostname web2 --config vswap-256m
show vzctl start 101 --wait
show vzctl start 102 --wait
show vzctl exec 101 hostname
# shellcheck disable=SC2016 # for the shell in the VE
show vzctl enter 101 --exec 'echo "in the VE I am $(id -un), process 1 is $(cat /proc/1/comm)"'
show vzlist -a -o ctid,numproc,status,hostname,cpuunits
show vzctl set 101 --cpuunits 2000 --save
show vzctl exec2 101 'exit 3' || echo "(exec2 returns the command's own exit status: $?)"
show vzlist -a -o ctid,numproc,status,hostname,cpuunits
show vzctl set 101 --numproc 20
# shellcheck disable=SC2016 # for the shell in the VE
show vzctl exec 101 'for i in $(seq 30); do sleep 1 & done; wait' || echo "(a fork was refused)"
show grep -E "uid|numproc" "$VZ_RUNDIR/proc/user_beancounters"
show vzctl why 101
show vzctl stop 101
show vzctl stop 102 --fast
show vzctl status 101
show vzctl destroy 101
show vzctl destroy 102
show vzlist -a
echo
