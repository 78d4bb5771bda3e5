#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The network: what an address adds to a start, beside crun with a hook that makes
# a veth pair and lxc with veth; and what venet carries, beside a plain veth pair.
# One run, interleaved, medians; in a network namespace of its own. ROUNDS=N, PAIRS=N
# and SECONDS_EACH=N for more.
# shellcheck disable=SC2034 # lib.sh reads it
OWN_NET=yes OWN_MOUNTS=yes
. "$(dirname "$0")/../lib.sh"
need_net

BIN=$O/tests/bench
ROUNDS=${ROUNDS:-21}
PAIRS=${PAIRS:-41}
SECONDS_EACH=${SECONDS_EACH:-0.25}
missed=0

median() {
	sort -g | awk '{ v[NR] = $1 } END { print NR ? v[int((NR + 1) / 2)] : "none" }'
}

# verdict WHAT VALUE most|least BAR
verdict() {
	local word=ok
	awk -v r="$2" -v b="$4" -v s="$3" \
		'BEGIN { exit !(r ~ /^-?[0-9.]+$/ && (s == "most" ? r <= b : r >= b)) }' || {
		word=MISSED
		missed=$((missed + 1))
	}
	printf '  %-44s %7s   bar: at %s %s   %s\n' "$1" "$2" "$3" "$4" "$word"
}

line() {
	printf '%s\t%s\t%s\t%s\n' "$@"
}

net_bridge br0 && ip addr add 10.77.0.1/16 dev br0 || exit
echo 1 >/proc/sys/net/ipv4/ip_forward

# The buffers of its sockets are the node's own: it is the link that is compared.
make_ve 1801 && make_ve 1802 && vzctl --quiet set 1802 --ipadd 10.77.0.18 \
	--tcpsndbuf unlimited --tcprcvbuf unlimited --save || exit
LINES=$(line without "vzctl --quiet start 1801" "vzctl --quiet stop 1801 --fast" ""
	line with "vzctl --quiet start 1802" "vzctl --quiet stop 1802 --fast" "")

# lxc looks for the bridge in /sys, where those of another namespace are.
mkdir "$T/sys" && mount -t sysfs sysfs "$T/sys" || exit
for i in devices/virtual/net class/net; do
	mount --bind "$T/sys/$i" "/sys/$i" || exit
done

make_busybox_root "$T/bundle/rootfs"
if type -P lxc-start >/dev/null; then
	mkdir -p "$T/lxc/b0"
	cat >"$T/lxc/b0/config" <<-END
		lxc.rootfs.path = dir:$T/bundle/rootfs
		lxc.uts.name = b0
		lxc.net.0.type = veth
		lxc.net.0.link = br0
		lxc.net.0.flags = up
		lxc.net.0.ipv4.address = 10.77.0.19/16
		lxc.init.cmd = /sbin/init
		lxc.mount.auto = proc:mixed sys:ro
		lxc.pty.max = 8
		lxc.tty.max = 0
		lxc.apparmor.profile = unconfined
	END
	if lxc-start -P "$T/lxc" -n b0 -d >/dev/null 2>&1 &&
		lxc-stop -P "$T/lxc" -n b0 -k >/dev/null 2>&1; then
		LINES+=$'\n'$(line lxc-veth "lxc-start -P $T/lxc -n b0 -d" "lxc-stop -P $T/lxc -n b0 -k" "")
	else
		echo "lxc with veth does not start here"
	fi
fi

# What a hook of crun does: a pair into the namespace of the pid that it is told.
cat >"$T/hook" <<-'END'
	#!/bin/sh
	pid=$(sed 's/.*"pid":\([0-9]*\).*/\1/')
	PATH=/usr/sbin:/usr/bin:/sbin:/bin
	ip link add "crun$pid" type veth peer name eth0 netns "$pid" &&
	ip link set "crun$pid" master br0 up &&
	ip netns attach "vzbench$pid" "$pid" &&
	ip -n "vzbench$pid" addr add 10.77.0.20/16 dev eth0 &&
	ip -n "vzbench$pid" link set eth0 up
	r=$?
	ip netns del "vzbench$pid"
	exit $r
END
chmod 755 "$T/hook"
crun_works() {
	cat >"$T/bundle/config.json" <<-END
		{"ociVersion": "1.0.0", "hostname": "bench",
		"process": {"terminal": false, "user": {"uid": 0, "gid": 0}, "args": ["/sbin/init"],
		"env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "TERM=linux"], "cwd": "/"},
		"root": {"path": "rootfs", "readonly": false},
		"mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
		"hooks": {"createRuntime": [{"path": "$T/hook"}]},
		"linux": {"namespaces": [{"type": "pid"}, {"type": "network"}, {"type": "ipc"},
		{"type": "uts"}, {"type": "mount"}, {"type": "cgroup"}]}}
	END
	crun_ns=
	if controller memory | grep -q ^v1 && [ -d /sys/fs/cgroup/unified ]; then
		unshare -m --propagation private sh -c \
			'umount /sys/fs/cgroup/unified && exec sleep 100000' >/dev/null 2>&1 &
		crun_pid=$!
		crun_ns=/proc/$crun_pid/ns/mnt
		wait_for 5 sh -c "! grep -q /sys/fs/cgroup/unified /proc/$crun_pid/mounts"
	fi
	CRUN="crun --root $T/crun --cgroup-manager=cgroupfs"
	# shellcheck disable=SC2086 # words
	${crun_ns:+nsenter --mount=$crun_ns} sh -c "$CRUN run -d -b $T/bundle b0 </dev/null &&
		$CRUN delete -f b0" >/dev/null 2>"$T/crun.err"
}
if type -P crun >/dev/null; then
	if crun_works; then
		LINES+=$'\n'$(line crun-hook "$CRUN run -d -b $T/bundle b0" "$CRUN delete -f b0" "$crun_ns")
	else
		echo "crun with a hook does not run here: $(head -n 1 "$T/crun.err")"
	fi
fi

echo "start:"
"$BIN/timeit" "$ROUNDS" 0 <<<"$LINES" >"$T/times"
timed=$?
[ -z "${crun_pid-}" ] || kill "$crun_pid"
[ $timed = 0 ] || exit 1
awk '{ printf "  %-10s %8.2f ms (%.2f–%.2f)\n", $1, $2, $3, $4 }' "$T/times"
verdict "an address adds, ms" \
	"$(awk '{ m[$1] = $2 } END { printf "%.2f", m["with"] - m["without"] }' "$T/times")" most 3

# --- what it carries: from the VE to the node ---

vzctl --quiet start 1802 || exit
init=$(sed -n 's/^pid *= *//p' "$VZ_RUNDIR/1802/state")
net_host plain - 10.78.0.2/24 && ip addr add 10.78.0.1/24 dev plain || exit
# Sender and receiver each keep to a CPU: where the scheduler puts them is not the link's.
cpus=$(nproc)
sender=() receiver=()
[ "$cpus" -lt 2 ] || sender=(taskset -c 1) receiver=(taskset -c 0)
"${receiver[@]}" "$BIN/netio" serve 0.0.0.0 7801 >/dev/null 2>&1 &
server=$!
wait_for 5 "$BIN/netio" asks 127.0.0.1 7801 0.01
by_venet() {
	nsenter -t "$init" -n "${sender[@]}" "$BIN/netio" "$1" 10.77.0.1 7801 "$SECONDS_EACH"
}
by_plain() {
	on_host plain "${sender[@]}" "$BIN/netio" "$1" 10.78.0.1 7801 "$SECONDS_EACH"
}
# One beside the other, now this one first and now that; of each pair what one is to
# the other: what else the machine does hits both.
pairs() {
	local i venet plain
	for ((i = 0; i < PAIRS; i++)); do
		((i % 2)) || plain=$(by_plain "$1")
		venet=$(by_venet "$1")
		((!(i % 2))) || plain=$(by_plain "$1")
		echo "$venet $plain"
	done
}
for what in bytes asks; do
	pairs $what >"$T/pairs"
	unit='MB/s'
	[ $what = bytes ] || unit='questions/s'
	echo "$what: venet $(awk '{ print $1 }' "$T/pairs" | median)," \
		"plain veth $(awk '{ print $2 }' "$T/pairs" | median) $unit"
	verdict "venet / plain veth, $what" \
		"$(awk '{ printf "%.3f\n", ($2 > 0 ? $1 / $2 : 0) }' "$T/pairs" | median)" least 0.95
done
kill "$server"
vzctl --quiet stop 1802 --fast
awk '$3 ~ /^cgroup2?$/ { print $2 }' /proc/mounts | while read -r i; do
	rmdir "$i/lxc.pivot" 2>/dev/null
done
sleep 1.2
exit "$missed"
