#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2086,SC2048 # commands are lists of words here
# vz beside crun, lxc and the floor: the same BusyBox root, one run, interleaved,
# medians, hot (back to back) and after 300 ms of idleness. ROUNDS=N for more.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/verdict.sh"

BIN=$O/tests/bench
ROUNDS=${ROUNDS:-31}
ROOT=$T/bundle/rootfs

min() {
	printf '%s\n' "$@" | sort -g | head -n 1
}

# measure TITLE ROUNDS IDLE < list: prints the medians and fills ms[NAME]
declare -A ms
measure() {
	local name median low high
	"$BIN/timeit" "$2" "$3" >"$T/times" || exit 1
	printf '%s:' "$1"
	while read -r name median low high; do
		ms[$name]=$median
		printf '  %s %.2f ms (%.2f–%.2f)' "$name" "$median" "$low" "$high"
	done <"$T/times"
	echo
}

line() {
	printf '%s\t%s\t%s\t%s\n' "$@"
}

# --- the others ---

setup_crun() {
	mkdir -p "$T/crun"
	cat >"$T/bundle/config.json" <<-'END'
		{"ociVersion": "1.0.0", "hostname": "bench",
		"process": {"terminal": false, "user": {"uid": 0, "gid": 0}, "args": ["/sbin/init"],
		"env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "TERM=linux"], "cwd": "/"},
		"root": {"path": "rootfs", "readonly": false},
		"mounts": [
		{"destination": "/proc", "type": "proc", "source": "proc"},
		{"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
		 "options": ["nosuid", "mode=755", "size=4m"]},
		{"destination": "/dev/pts", "type": "devpts", "source": "devpts",
		 "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]},
		{"destination": "/dev/shm", "type": "tmpfs", "source": "shm",
		 "options": ["nosuid", "nodev", "mode=1777"]},
		{"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue",
		 "options": ["nosuid", "noexec", "nodev"]},
		{"destination": "/sys", "type": "sysfs", "source": "sysfs",
		 "options": ["nosuid", "noexec", "nodev", "ro"]}],
		"linux": {"namespaces": [{"type": "pid"}, {"type": "network"}, {"type": "ipc"},
		{"type": "uts"}, {"type": "mount"}, {"type": "cgroup"}]}}
	END
	CRUN="crun --root $T/crun --cgroup-manager=cgroupfs"
	# Debian's crun refuses a hybrid host: show it a v1 one.
	crun_ns=
	if controller memory | grep -q ^v1 && [ -d /sys/fs/cgroup/unified ]; then
		unshare -m --propagation private sh -c \
			'umount /sys/fs/cgroup/unified && exec sleep 100000' &
		crun_pid=$!
		crun_ns=/proc/$crun_pid/ns/mnt
		wait_for 5 sh -c "! grep -q /sys/fs/cgroup/unified /proc/$crun_pid/mounts"
	fi
}

setup_lxc() {
	local name=$1
	mkdir -p "$T/lxc/$name"
	cat >"$T/lxc/$name/config" <<-END
		lxc.rootfs.path = dir:$ROOT
		lxc.uts.name = $name
		lxc.net.0.type = empty
		lxc.init.cmd = /sbin/init
		lxc.mount.auto = proc:mixed sys:ro
		lxc.pty.max = 8
		lxc.tty.max = 0
		lxc.apparmor.profile = unconfined
	END
}

cleanup_others() {
	local i
	for i in 0 {1..100}; do
		[ ! -e "$T/crun/b$i" ] || in_ns $CRUN delete -f "b$i" >/dev/null 2>&1
		[ ! -e "$T/lxc/b$i" ] || lxc-stop -P "$T/lxc" -n "b$i" -k >/dev/null 2>&1
	done
	[ -z "${crun_pid-}" ] || kill "$crun_pid"
	awk '$3 ~ /^cgroup2?$/ { print $2 }' /proc/mounts | while read -r i; do
		rmdir "$i/lxc.pivot" 2>/dev/null
	done
	rm -f /run/vz-floor-$$.pid
}

in_ns() {
	if [ -n "$crun_ns" ]; then
		nsenter --mount="$crun_ns" "$@"
	else
		"$@"
	fi
}

# --- what is measured ---

VZ_START="vzctl --quiet start 1701" VZ_STOP="vzctl --quiet stop 1701 --fast"
CR_START='' CR_STOP=''
LX_START="lxc-start -P $T/lxc -n b0 -d" LX_STOP="lxc-stop -P $T/lxc -n b0 -k"
FL_START="$BIN/floor start $ROOT.floor vz-floor-$$" FL_STOP="$BIN/floor stop vz-floor-$$"

bench_start() {
	local how=$1 rounds=$2 idle=$3
	measure "start, $how" "$rounds" "$idle" < <(
		line vz "$VZ_START" "$VZ_STOP" ""
		line crun "$CR_START" "$CR_STOP" "$crun_ns"
		line lxc "$LX_START" "$LX_STOP" ""
		line floor "$FL_START" "$FL_STOP" ""
	)
	if [ "$how" = hot ]; then
		verdict "start hot: vz / faster of crun, lxc" \
			"$(ratio "${ms[vz]}" "$(min "${ms[crun]}" "${ms[lxc]}")")" most 0.8
	else
		verdict "start idle: vz / crun" "$(ratio "${ms[vz]}" "${ms[crun]}")" most 0.35
	fi
}

bench_start_stop() {
	measure "start + stop, hot" "$ROUNDS" 0 < <(
		line vz "$VZ_START ; $VZ_STOP" "" ""
		line crun "$CR_START ; $CR_STOP" "" "$crun_ns"
		line lxc "$LX_START ; $LX_STOP" "" ""
		line floor "$FL_START ; $FL_STOP" "" ""
	)
	verdict "start + stop: vz / lxc" "$(ratio "${ms[vz]}" "${ms[lxc]}")" most 0.4
	echo "  the least that any program could have: floor / lxc" \
		"$(ratio "${ms[floor]}" "${ms[lxc]}"), and that limits and supervises nothing"
}

bench_exec() {
	local how=$1 rounds=$2 idle=$3
	measure "exec, $how" "$rounds" "$idle" < <(
		line vz "vzctl exec 1701 /bin/true" "" ""
		line crun "$CRUN exec b0 /bin/true" "" "$crun_ns"
		line lxc "lxc-attach -P $T/lxc -n b0 -- /bin/true" "" ""
		line floor "$BIN/floor exec vz-floor-$$ /bin/true" "" ""
	)
	[ "$how" != hot ] ||
		verdict "exec hot: vz / crun" "$(ratio "${ms[vz]}" "${ms[crun]}")" most 0.6
}

bench_list() {
	local i dir=$T/many
	mkdir -p "$dir/conf" "$dir/run"
	cp "$VZ_CONFDIR/vz.conf" "$dir/"
	for ((i = 2001; i <= 3000; i++)); do
		sed "s/^HOSTNAME=.*//; \$a HOSTNAME=\"ve$i\"" "$VZ_CONFDIR/conf/1701.conf" \
			>"$dir/conf/$i.conf"
		mkdir -p "$T/private/$i" # without one it is no VE
	done
	is "$(VZ_CONFDIR=$dir vzlist -a -H -o ctid | wc -l)" 1000 "vzlist lists 1,000 VEs" || exit 1
	measure "vzlist -a of 1,000" "$ROUNDS" 0 < <(
		line vz "env VZ_CONFDIR=$dir VZ_RUNDIR=$dir/run vzlist -a" "" ""
		line files "env VZ_CONFDIR=$dir $BIN/readfiles $dir/conf .conf" "" ""
	)
	verdict "vzlist -a: vz / reading the files" "$(ratio "${ms[vz]}" "${ms[files]}")" most 2
}

debian_template() {
	local tar=${TESTS%/*}/build/bench/debian.tar.zst
	if [ ! -e "$tar" ]; then
		mkdir -p "${tar%/*}"
		mmdebstrap --quiet --variant=standard --format=tar bookworm "$tar.part" \
			>/dev/null 2>&1 || mmdebstrap --quiet --format=tar bookworm "$tar.part" || return
		zstd -q --rm -T2 "$tar.part" -o "$tar" || return
	fi
	ln -sf "$tar" "$T/template/cache/debian-bench-x86_64.tar.zst"
}

bench_create() {
	local tar=$T/template/cache/debian-bench-x86_64.tar.zst
	if ! debian_template; then
		echo "create: no Debian template could be made; not measured"
		missed=$((missed + 1))
		return
	fi
	mkdir -p "$T/x"
	vzctl --quiet create 1702 --ostemplate debian-bench-x86_64 &&
		vzctl --quiet destroy 1702 || exit 1
	measure "create from a Debian tar.zst" 5 0 < <(
		line vz "vzctl --quiet create 1702 --ostemplate debian-bench-x86_64" \
			"vzctl --quiet destroy 1702 ; rm -f $VZ_CONFDIR/conf/1702.conf.destroyed" ""
		line tar "tar --zstd -xf $tar -C $T/x" "rm -rf $T/x ; mkdir $T/x" ""
	)
	verdict "create: vz / tar --zstd -xf" "$(ratio "${ms[vz]}" "${ms[tar]}")" most 1.1
}

# rate NAME: starts per second of the median run; no failure is allowed
rate() {
	local -n runs=rate_$1
	printf '%s\n' "${runs[@]}" | sort -g | awk -v n=100 '
		{ v[NR] = $1 } END { printf "%.1f", n * 1000 / v[int((NR + 1) / 2)] }'
}

many_lines() {
	local i
	for i in {1..100}; do
		case $1 in
		vz) line x "vzctl --quiet $2 $((1800 + i)) $3" "" "" ;;
		crun) line x "$CRUN $2 b$i" "" "$crun_ns" ;;
		lxc) line x "lxc-$2 -P $T/lxc -n b$i $3" "" "" ;;
		esac
	done
}

# The supervisors' share of memory, mean and most, in KB.
supervisor_pss() {
	local f
	grep -lsx vzsuper /proc/[0-9]*/comm | while read -r f; do
		tr '\0' '\n' <"${f%comm}environ" 2>/dev/null | grep -q . || :
		awk '/^Pss:/ { print $2 }' "${f%comm}smaps_rollup"
	done | awk '{ n++; s += $1; if ($1 > m) m = $1 }
		END { printf "%d %.0f %.0f\n", n, n ? s / n : 0, m }'
}

bench_many() {
	local i round total failed bad=0 n mean most
	rate_vz=() rate_crun=() rate_lxc=()
	for i in {1..100}; do
		make_ve $((1800 + i)) || exit 1
		setup_lxc "b$i"
	done
	for round in 1 2 3; do
		read -r total failed < <(many_lines vz start "" | "$BIN/timeit" -j 4)
		rate_vz+=("$total") bad=$((bad + failed))
		[ $round != 1 ] || read -r n mean most < <(supervisor_pss)
		many_lines vz stop --fast | "$BIN/timeit" -j 4 >/dev/null
		read -r total failed < <(many_lines crun "run -d --bundle $T/bundle" | "$BIN/timeit" -j 4)
		rate_crun+=("$total")
		many_lines crun "delete -f" | "$BIN/timeit" -j 4 >/dev/null
		read -r total failed < <(many_lines lxc start -d | "$BIN/timeit" -j 4)
		rate_lxc+=("$total")
		many_lines lxc stop -k | "$BIN/timeit" -j 4 >/dev/null
	done
	echo "100 starts, 4 at once: vz $(rate vz)/s, crun $(rate crun)/s, lxc $(rate lxc)/s," \
		"$bad of vz's failed"
	[ "$bad" = 0 ] || missed=$((missed + 1))
	verdict "starts per second: vz / faster of crun, lxc" \
		"$(ratio "$(rate vz)" "$(printf '%s\n' "$(rate crun)" "$(rate lxc)" | sort -g | tail -n 1)")" \
		least 1.3
	echo "supervisors: $n, PSS $mean KB on average, $most KB at most"
	verdict "PSS of a supervisor with 100 VEs, KB" "$mean" most 150
}

chmod 711 "$T"
mkdir -p "$T/bundle" "$T/crun"
# What a run's state is kept in is a tmpfs on any real node, for all of them.
mount -t tmpfs -o mode=755 tmpfs "$VZ_RUNDIR" && mount -t tmpfs -o mode=755 tmpfs "$T/crun" || exit 1
make_busybox_root "$ROOT" && cp -a "$ROOT" "$ROOT.floor" &&
	chown -R 1900000000:1900000000 "$ROOT.floor" || exit 1
setup_crun
setup_lxc b0
CR_START="$CRUN run -d --bundle $T/bundle b0" CR_STOP="$CRUN delete -f b0"
trap 'cleanup_others; at_exit' EXIT
make_ve 1701 --config vswap-256m || exit 1

echo "kernel $(uname -r), $(nproc) CPUs, crun $(crun --version | sed -n 's/crun version //p')," \
	"lxc $(lxc-start --version)"
for what in ${*:-start start_stop exec list create many}; do
	case $what in
	start)
		bench_start hot "$ROUNDS" 0
		bench_start idle $((ROUNDS / 2)) 300
		;;
	exec)
		$VZ_START && in_ns $CR_START </dev/null >/dev/null && $LX_START && $FL_START || exit 1
		bench_exec hot "$ROUNDS" 0
		bench_exec idle $((ROUNDS / 2)) 300
		$VZ_STOP && in_ns $CR_STOP && $LX_STOP && $FL_STOP
		;;
	*) "bench_$what" ;;
	esac
done
echo "$missed of the bars missed"
exit $((missed != 0))
