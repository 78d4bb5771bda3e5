# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# For test scripts: TAP, and a place of one's own for VEs. A test begins with
#
#   . "$(dirname "$0")/../lib.sh"
#
# and ends with `done_testing`. What it makes lies below $T or carries $CGROUP;
# at its end its VEs are stopped, and what they left is a failed check.
set -u

TESTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
O=${O:-${TESTS%/*}/build/release}
VZ_BIN=${VZ_BIN:-$O}
VZ_TEST_TAG=${VZ_TEST_TAG:-vz-test-$$}
# A test started by hand, without the runner, has no directory to share.
T=$(mktemp -d "${VZ_TEST_TMP:-/tmp}/$VZ_TEST_TAG.XXXXXX") || exit 2
SHARE=${VZ_TEST_TMP:-$T}
CGROUP=$VZ_TEST_TAG-$$
BUSYBOX_TEMPLATE=busybox-test-x86_64

export PATH=$VZ_BIN:/usr/sbin:/usr/bin:/sbin:/bin
export VZ_CONFDIR=$T/etc VZ_RUNDIR=$T/run
[ "$VZ_BIN" = /usr/sbin ] || export VZ_LIBEXECDIR=$VZ_BIN
export LC_ALL=C.UTF-8
unset VZ_DEBUG

tap_n=0 tap_bad=0 tap_done=no
out='' err='' status=0

# --- TAP ---

# ok STATUS NAME: passed when STATUS is 0
ok() {
	tap_n=$((tap_n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $tap_n - $2"
		return 0
	fi
	tap_bad=$((tap_bad + 1))
	echo "not ok $tap_n - $2"
	return 1
}

diag() {
	printf '%s\n' "$*" | sed 's/^/# /'
}

# is GOT WANT NAME
is() {
	[ "$1" = "$2" ]
	ok $? "$3" && return
	diag "     got: $1"
	diag "expected: $2"
	return 1
}

# like GOT EXTENDED-REGEX NAME
like() {
	[[ $1 =~ $2 ]]
	ok $? "$3" && return
	diag "     got: $1"
	diag "expected to match: $2"
	return 1
}

unlike() {
	[[ ! $1 =~ $2 ]]
	ok $? "$3" && return
	diag "     got: $1"
	diag "expected not to match: $2"
	return 1
}

# run COMMAND...: sets $out, $err, $status
run() {
	"$@" >"$T/.out" 2>"$T/.err" </dev/null
	status=$?
	out=$(cat "$T/.out" 2>/dev/null)
	err=$(cat "$T/.err" 2>/dev/null)
	return $status
}

# run_is STATUS NAME COMMAND...: runs it; passed when it exits with STATUS
run_is() {
	local want=$1 name=$2
	shift 2
	run "$@"
	[ "$status" = "$want" ]
	ok $? "$name" && return
	diag "command: $*"
	diag "exit status $status, expected $want"
	[ -z "$out" ] || diag "stdout: $out"
	[ -z "$err" ] || diag "stderr: $err"
	return 1
}

# run_ok NAME COMMAND...
run_ok() {
	run_is 0 "$@"
}

# skip NAME REASON
skip() {
	tap_n=$((tap_n + 1))
	echo "ok $tap_n - $1 # SKIP $2"
}

skip_all() {
	echo "1..0 # SKIP $*"
	tap_done=skip
	exit 0
}

done_testing() {
	tap_done=yes
	exit 0
}

# wait_for SECONDS COMMAND...: until the command succeeds
wait_for() {
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -le $end ] || return 1
		sleep 0.05
	done
}

# --- what the machine can ---

is_root() {
	[ "$(id -u)" = 0 ]
}

# Where a controller is: prints "v1 DIR" or "v2 DIR", fails when nowhere.
controller() {
	local dir
	dir=$(awk -v c="$1" '$3 == "cgroup" && ("," $4 ",") ~ "," c "," { print $2; exit }' /proc/mounts)
	if [ -n "$dir" ]; then
		echo "v1 $dir"
		return
	fi
	dir=$(cgroup2_dir) && grep -qw "$1" "$dir/cgroup.controllers" && echo "v2 $dir"
}

cgroup2_dir() {
	awk '$3 == "cgroup2" { print $2; found = 1; exit } END { exit !found }' /proc/mounts
}

# --- a place of one's own ---

make_conf() {
	local etc=${TESTS%/*}/etc/vz
	[ -d "$etc" ] || etc=/etc/vz
	mkdir -p "$VZ_CONFDIR/conf" "$VZ_CONFDIR/names" "$VZ_CONFDIR/dists" "$VZ_RUNDIR" \
		"$T/lock" "$T/root" "$T/private" "$T/dump" "$T/template/cache"
	[ ! -d "$etc/dists" ] || cp -r "$etc/dists/." "$VZ_CONFDIR/dists/"
	cp "$etc"/conf/*.conf-sample "$VZ_CONFDIR/conf/" 2>/dev/null
	cat >"$VZ_CONFDIR/vz.conf" <<-END
		VIRTUOZZO="yes"
		LOCKDIR="$T/lock"
		DUMPDIR="$T/dump"
		TEMPLATE="$T/template"
		VE_ROOT="$T/root/\$VEID"
		VE_PRIVATE="$T/private/\$VEID"
		DEF_OSTEMPLATE="$BUSYBOX_TEMPLATE"
		CGROUP="$CGROUP"
		LOGGING="no"
		LOGFILE="$T/vzctl.log"
		STOP_TIMEOUT="30"
		$(! grep -qs '^CONFIGFILE' "$etc/vz.conf" || echo 'CONFIGFILE="basic"')
	END
}

# A VE's files: BusyBox and nothing else. Made once a run; needs busybox-static.
make_busybox_root() {
	local root=$1
	mkdir -p "$root"/{bin,sbin,usr/bin,usr/sbin,etc/init.d,dev,proc,sys,root,var/log,home} &&
		mkdir -m 755 "$root/run" && mkdir -m 1777 "$root/tmp" &&
		cp "$(type -P busybox)" "$root/bin/busybox" || return
	chroot "$root" /bin/busybox --install -s 2>/dev/null
	printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' 'nobody:x:65534:65534:nobody:/:/bin/false' \
		>"$root/etc/passwd"
	printf '%s\n' 'root:x:0:' 'tty:x:5:' 'nogroup:x:65534:' >"$root/etc/group"
	printf '%s\n' 'root:*:19000:0:99999:7:::' >"$root/etc/shadow"
	chmod 640 "$root/etc/shadow"
	printf '%s\n' '127.0.0.1 localhost' >"$root/etc/hosts"
	printf '%s\n' '::sysinit:/etc/init.d/rcS' '::ctrlaltdel:/sbin/reboot' \
		'::shutdown:/bin/true' >"$root/etc/inittab"
	printf '%s\n' '#!/bin/sh' 'ip link set lo up 2>/dev/null' ': >/run/up' \
		>"$root/etc/init.d/rcS"
	chmod 755 "$root/etc/init.d/rcS"
	chmod 700 "$root/root"
}

# The template of it, in this test's cache. Sets nothing; DEF_OSTEMPLATE names it.
busybox_template() {
	local tar=$SHARE/$BUSYBOX_TEMPLATE.tar.gz
	if [ ! -e "$tar" ]; then
		make_busybox_root "$SHARE/busybox-root" &&
			tar -C "$SHARE/busybox-root" -czf "$tar.part" . &&
			mv "$tar.part" "$tar" || return
	fi
	ln -sf "$tar" "$T/template/cache/$BUSYBOX_TEMPLATE.tar.gz"
}

# make_ve VEID [create's options]: a BusyBox VE
make_ve() {
	local veid=$1
	shift
	busybox_template && vzctl --quiet create "$veid" --ostemplate "$BUSYBOX_TEMPLATE" "$@"
}

# The files of the source tree, also of an unpacked one without git.
list_files() {
	git ls-files -co --exclude-standard 2>/dev/null | while read -r f; do
		[ ! -f "$f" ] || echo "$f"
	done | grep . || find . -path ./build -prune -o -type f -printf '%P\n'
}

# --- the end ---

stop_ves() {
	local dir veid
	for dir in "$VZ_RUNDIR"/[0-9]* "$T"/root/[0-9]*; do
		[ -e "$dir" ] || continue
		veid=${dir##*/}
		vzctl --quiet stop "$veid" --fast >/dev/null 2>&1 || :
		vzctl --quiet umount "$veid" >/dev/null 2>&1 || :
	done
}

our_mounts() {
	awk -v t="$T/" 'index($5, t) == 1 { print $5 }' /proc/self/mountinfo | tac
}

our_groups() {
	awk '$3 ~ /^cgroup2?$/ { print $2 }' /proc/mounts | sort -u | while read -r top; do
		[ ! -d "$top/$CGROUP" ] || find "$top/$CGROUP" -depth -type d
	done
}

# VEs are stopped by vzctl; what is there after that, it forgot.
find_left() {
	our_groups | grep -v "/$CGROUP\$"
	our_mounts
	find "$VZ_RUNDIR" -mindepth 1 -path '*/[0-9]*' 2>/dev/null
}

clean_up() {
	local f
	our_groups | while read -r f; do
		if [ -s "$f/cgroup.procs" ]; then
			xargs -r kill -9 <"$f/cgroup.procs" 2>/dev/null
			sleep 0.2
		fi
		rmdir "$f" 2>/dev/null
	done
	our_mounts | while read -r f; do
		umount -l "$f"
	done
	rm -rf --one-file-system "$T"
}

at_exit() {
	local code=$? left
	trap - EXIT
	if [ -n "$(find "$VZ_RUNDIR" "$T/lock" "$T/root" -mindepth 1 -print -quit 2>/dev/null)" ]; then
		stop_ves
		left=$(find_left)
		if [ "$tap_done" = yes ]; then
			[ -z "$left" ]
			ok $? "nothing is left of the VEs" || diag "$left"
		fi
	fi
	clean_up
	[ "$tap_done" != yes ] || echo "1..$tap_n"
	[ "$tap_bad" = 0 ] || exit 1
	exit $code
}
trap at_exit EXIT
trap 'exit 130' INT TERM HUP

make_conf
