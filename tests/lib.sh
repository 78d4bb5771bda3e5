# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# For test scripts: TAP, and a place of one's own for VEs. A test begins with
#
#   . "$(dirname "$0")/../lib.sh"
#
# and ends with `done_testing`. What it makes lies below $T or carries $CGROUP;
# at its end its VEs are stopped, and what they left is a failed check.
#
# With OWN_NET=yes before that line the test runs in a network namespace of its
# own: a node whose network is nobody else's, with bridges and other hosts below.
#
# With ON_DISK=yes its files are on a disk in the nodes too, where /tmp is a tmpfs: one that
# kernels before 6.3 can't show with a VE's ids, as overlay wants it of templates.
# With OWN_MOUNTS=yes it runs in a mount namespace of its own: what it mounts is not
# kept by another that some other program begins meanwhile, and so does go at umount.
set -u

if [ "${OWN_MOUNTS-no}" = yes ] && [ "${VZ_TEST_MOUNTS-}" != own ] && [ "$(id -u)" = 0 ]; then
	export VZ_TEST_MOUNTS=own
	exec unshare -m -- "$BASH" "$0" "$@"
fi

if [ "${OWN_NET-no}" = yes ] && [ "${VZ_TEST_NET-}" != own ] && [ "$(id -u)" = 0 ]; then
	export VZ_TEST_NET=own
	exec unshare -n -- "$BASH" "$0" "$@"
fi

TESTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
O=${O:-${TESTS%/*}/build/release}
[ "${O#/}" != "$O" ] || O=${TESTS%/*}/$O
VZ_BIN=${VZ_BIN:-$O}
VZ_TEST_TAG=${VZ_TEST_TAG:-vz-test-$$}
# A test started by hand, without the runner, has no directory to share.
[ "${ON_DISK-no}" = yes ] || VZ_TEST_DISK=''
T=$(mktemp -d "${VZ_TEST_DISK:-${VZ_TEST_TMP:-/tmp}}/$VZ_TEST_TAG.XXXXXX") || exit 2
SHARE=${VZ_TEST_TMP:-$T}
CGROUP=$VZ_TEST_TAG-$$
BUSYBOX_TEMPLATE=busybox-test-x86_64

export PATH=$VZ_BIN:/usr/sbin:/usr/bin:/sbin:/bin
export VZ_CONFDIR=$T/etc VZ_RUNDIR=$T/run VZ_STATEDIR=$T/state
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

# show LAYOUT FS FEATURE WORD...: that is what the checks since the last show have found
# out, and README.md's table of layouts is to say. Where one has failed nothing is shown.
show() {
	[ "$tap_bad" = 0 ] && echo "$(basename "$0" _test.sh) $*" >>"$T/.shown"
}

# shown_is FS: of this file system, and by this test, golden/layouts says all that.
shown_is() {
	local of
	of="^$(basename "$0" _test.sh) [^ ]* $1 "
	is "$(grep "$of" "$T/.shown" 2>/dev/null | sort)" "$(grep "$of" "$TESTS/golden/layouts" | sort)" \
		"$1: what tests/golden/layouts says is so, and no more"
}

done_testing() {
	tap_done=yes
	exit 0
}

# How many times slower than a real one this machine is: an emulated node says so.
SLOW=${VZ_TEST_SLOW:-1}

# wait_for SECONDS COMMAND...: until the command succeeds
wait_for() {
	local end=$((SECONDS + $1 * SLOW))
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

# skip_all unless there is a criu that works here; vzctl is told of it.
need_criu() {
	is_root || skip_all "not root"
	CRIU=$("$TESTS/criu.sh") || skip_all "no criu that works on this kernel: make deps"
	echo "CRIU=\"$CRIU\"" >>"$VZ_CONFDIR/vz.conf"
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
		STOP_TIMEOUT="$((30 * SLOW))"
		$(! grep -qs '^CONFIGFILE' "$etc/vz.conf" || echo 'CONFIGFILE="basic"')
	END
}

# Links to a root's bin/busybox. Relative ones: what copies something over one from
# outside hits the root's own, not that of the machine.
busybox_links() {
	local f
	busybox --list-full | while read -r f; do
		case $f in
		bin/busybox) ;;
		bin/*) echo "busybox $1/$f" ;;
		sbin/*) echo "../bin/busybox $1/$f" ;;
		usr/*) echo "../../bin/busybox $1/$f" ;;
		esac
	done | xargs -n 2 ln -s
}

# A VE's files: BusyBox and nothing else. Made once a run; needs busybox-static.
make_busybox_root() {
	local root=$1
	mkdir -p "$root"/{bin,sbin,usr/bin,usr/sbin,etc/init.d,dev,proc,sys,root,var/log,home} &&
		mkdir -m 755 "$root/run" && mkdir -m 1777 "$root/tmp" &&
		cp "$(type -P busybox)" "$root/bin/busybox" || return
	busybox_links "$root"
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

# --- a network of one's own: needs OWN_NET=yes ---

# skip_all unless this is a network namespace that the test may do with as it likes.
need_net() {
	is_root || skip_all "not root"
	type -P ip >/dev/null || skip_all "no ip (iproute2)"
	[ "${VZ_TEST_NET-}" = own ] || skip_all "no network namespace of its own"
	ip link set lo up
}

# net_bridge NAME [ip link's options, as vlan_filtering 1]: a bridge of the node, up
net_bridge() {
	local name=$1
	shift
	ip link add "$name" type bridge "$@" && ip link set "$name" up
}

# net_host NAME [BRIDGE|- [ADDRESS/BITS...]]: another machine, a network namespace,
# with eth0 on a bridge of the node; "-": on a cable of its own, NAME here.
net_host() {
	local name=$1 bridge=${2-} address
	mkdir -p "$T/net" && : >"$T/net/$name" && unshare --net="$T/net/$name" true || return
	on_host "$name" ip link set lo up
	[ -n "$bridge" ] || return 0
	ip link add "$name" type veth peer name eth0 netns "$T/net/$name" || return
	[ "$bridge" = - ] || ip link set "$name" master "$bridge" || return
	shift 2
	for address; do
		# shellcheck disable=SC2046 # a word or none
		on_host "$name" ip addr add "$address" dev eth0 \
			$([[ $address != *:* ]] || echo nodad) || return
	done
	ip link set "$name" up && on_host "$name" ip link set eth0 up
}

# on_host NAME COMMAND...
on_host() {
	nsenter --net="$T/net/$1" -- "${@:2}"
}

# pings ADDRESS [COMMAND...]: one answer, tried for some seconds; the command says
# from where, as `on_host h1` or `vzctl exec 101`.
pings() {
	local address=$1 ping=ping
	shift
	case $address in *:*) ping=ping6 ;; esac
	wait_for 5 "$@" busybox "$ping" -c 1 -W 1 "$address"
}

# What carries our mark in this network namespace: links, routes, proxy entries.
our_net() {
	[ "${VZ_TEST_NET-}" = own ] || return 0
	ip -o link 2>/dev/null | sed -n 's/^[0-9]*: \([^:@]*\).*alias vz \([0-9]*\) .*/link \1 of VE \2/p'
	{ ip route show table all proto 118 && ip -6 route show table all proto 118; } 2>/dev/null |
		sed 's/^/route /'
	{ ip neigh show proxy && ip -6 neigh show proxy; } 2>/dev/null | sed 's/^/proxy /'
}

# test_program NAME: where a program of tests/*.c is, built when it is not there
test_program() {
	local path
	path=$(dirname "${REAPER:-$O/tests/reaper}")/$1
	[ -x "$path" ] || make -s -C "${TESTS%/*}" O="$O" "$path" >&2 || return
	echo "$path"
}

# The files of the source tree, also of an unpacked one without git.
list_files() {
	git ls-files -co --exclude-standard 2>/dev/null | while read -r f; do
		[ ! -f "$f" ] || echo "$f"
	done | grep . || find . -path ./build -prune -o -type f -printf '%P\n'
}

# --- a terminal ---

# on_terminal ROWS COLUMNS COMMAND [TEXT KEYS]...: the command on a terminal, where
# somebody types KEYS (as printf's %b has them) when TEXT (an extended regex) has
# come since the last keys. What was shown is in $T/screen, its exit status in
# $T/status, the terminal's modes after it in $T/stty.
on_terminal() {
	local rows=$1 cols=$2 command=$3
	shift 3
	rm -f "$T/screen" "$T/status"
	type_keys "$@" | SHELL=/bin/bash TERM=${TERM_KIND:-xterm} timeout $((240 * SLOW)) script -qec \
		"stty rows $rows cols $cols; $command; echo \$? >$T/status; stty -a >$T/stty" \
		/dev/null >"$T/screen"
}

# screen_has OFFSET TEXT: below that many bytes
screen_has() {
	tail -c +$(($1 + 1)) "$T/screen" | grep -qaE "$2"
}

type_keys() {
	local seen=0
	while [ $# -gt 1 ]; do
		wait_for 60 screen_has "$seen" "$1" || echo "# nothing as $1 came" >&2
		seen=$(stat -c %s "$T/screen")
		printf '%b' "$2"
		shift 2
	done
	# Until the command has ended: an end of input would end it.
	wait_for 60 test -e "$T/status"
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

# Loop devices of files below $T: they go with what was mounted from them.
our_loops() {
	grep -ls "^$T/" /sys/block/loop*/loop/backing_file
}

our_groups() {
	awk '$3 ~ /^cgroup2?$/ { print $2 }' /proc/mounts | sort -u | while read -r top; do
		[ ! -d "$top/$CGROUP" ] || find "$top/$CGROUP" -depth -type d
	done
}

# VEs are stopped by vzctl; what is there after that, it forgot.
find_left() {
	# Supervisors' group is the node's, and stays, empty.
	our_groups | grep -v -e "/$CGROUP\$" -e "/$CGROUP/.super\$"
	# The bpffs and the stage of lxcfs are the node's, and stay.
	our_mounts | grep -v -e "^$T/net/" -e "^$VZ_RUNDIR/bpf\$" -e "^$VZ_RUNDIR/lxcfs\$"
	our_loops
	our_net
	find "$VZ_RUNDIR" -mindepth 1 -path "$VZ_RUNDIR/lxcfs" -prune -o -path '*/[0-9]*' -print \
		2>/dev/null
}

group_goes() {
	rmdir "$1" || [ ! -d "$1" ]
}

clean_up() {
	local f
	# A group's files have no size: whether somebody is in it only reading tells.
	our_groups | while read -r f; do
		xargs -r kill -9 <"$f/cgroup.procs" 2>/dev/null
		wait_for 5 group_goes "$f"
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
