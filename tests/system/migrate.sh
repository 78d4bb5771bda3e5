# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Two nodes on one machine, n1 and n2: each has network, mount and pid namespaces, a
# configuration, state and sshd of its own, and they are joined by a switch. Killing
# the first process of one is its power cut. Sourced after lib.sh, with OWN_NET=yes.
# shellcheck disable=SC2154 # T, CGROUP and the like are lib.sh's

need_nodes() {
	need_net
	type -P busybox >/dev/null || skip_all "no busybox-static"
	[ -x /usr/sbin/sshd ] || skip_all "no sshd (openssh-server)"
	type -P rsync >/dev/null || skip_all "no rsync"
}

declare -A node_pid node_job

# The groups of both nodes are the test's.
our_groups() {
	awk '$3 ~ /^cgroup2?$/ { print $2 }' /proc/mounts | sort -u | while read -r top; do
		find "$top" -mindepth 1 -maxdepth 1 -type d -name "$CGROUP*" | while read -r f; do
			find "$f" -depth -type d
		done
	done
}

node_conf() {
	local n=$1 d=$T/$1
	mkdir -p "$d"/{lock,root,private,dump,state,run,template} && cp -r "$VZ_CONFDIR" "$d/etc" &&
		ln -sfn "$T/template/cache" "$d/template/cache"
	sed -i "s|$T/|$d/|; s|^CGROUP=.*|CGROUP=\"$CGROUP-$n\"|; s|^LOGGING=.*|LOGGING=\"yes\"|" \
		"$d/etc/vz.conf"
	echo 'SKIP_SYSCTL_SETUP="yes"' >>"$d/etc/vz.conf"
	# Other ids on each: what moves must change its owners.
	# A VE that moves live keeps its ids: there the pools are one.
	case ${SAME_POOL-}$n in
	yes*) ;;
	n1) echo 'UID_POOL="1073741824:1342177279"' ;;
	n2) echo 'UID_POOL="1610612736:1879048191"' ;;
	*) echo 'UID_POOL="1879048192:2013265919"' ;;
	esac >>"$d/etc/vz.conf"
	[ ! -d "$T/ssh" ] || return 0
	mkdir -m 700 "$T/ssh" && ssh-keygen -q -t ed25519 -N '' -f "$T/ssh/host" &&
		ssh-keygen -q -t ed25519 -N '' -f "$T/ssh/key" && cp "$T/ssh/key.pub" "$T/ssh/allowed"
	cat >"$T/ssh/config" <<-END
		Host *
			User root
			IdentityFile $T/ssh/key
			IdentitiesOnly yes
			StrictHostKeyChecking yes
			UserKnownHostsFile $T/ssh/known
			ServerAliveInterval 1
			ServerAliveCountMax $((3 * SLOW))
	END
	echo "10.98.0.1,10.98.0.2,10.98.0.3 $(cut -d' ' -f1,2 "$T/ssh/host.pub")" >"$T/ssh/known"
}

sshd_conf() {
	local d=$T/$1
	cat <<-END
		ListenAddress 0.0.0.0
		HostKey $T/ssh/host
		AuthorizedKeysFile $T/ssh/allowed
		PidFile none
		StrictModes no
		UsePAM no
		UseDNS no
		PermitRootLogin prohibit-password
		PasswordAuthentication no
		MaxStartups 100:30:200
		SetEnv VZ_CONFDIR=$d/etc VZ_RUNDIR=$d/run VZ_STATEDIR=$d/state ${VZ_LIBEXECDIR:+VZ_LIBEXECDIR=$VZ_LIBEXECDIR} ${ASAN_OPTIONS:+ASAN_OPTIONS=$ASAN_OPTIONS}
	END
}

# node_up NAME: n1 is 10.98.0.1, n2 is 10.98.0.2
node_up() {
	local n=$1 d=$T/$1
	: >"$T/lock/nodes" # for lib.sh: there is something to be stopped
	[ -d "$d/etc" ] || node_conf "$n" || return
	sshd_conf "$n" >"$d/sshd.conf"
	rm -f "$d/pid"
	# shellcheck disable=SC2016 # for the node's shell
	unshare --net --mount --pid --fork --kill-child -- "$BASH" -c '
		read -r pid rest </proc/self/stat
		mount -t proc proc /proc && mount -t tmpfs tmpfs /run && mkdir /run/sshd || exit
		[ "$2" = /usr/sbin ] || mount --bind "$2" /usr/local/sbin || exit
		# An account that is locked for passwords is one that sshd lets nobody into.
		sed "s/^root:[^:]*:/root:*:/" /etc/shadow >/run/shadow && chmod 600 /run/shadow
		mount --bind /run/shadow /etc/shadow || exit
		# What the login shell of this machine does at start is its own affair.
		case $3$2 in */root/*) ;; *) mount -t tmpfs tmpfs /root ;; esac
		ip link set lo up
		echo $pid >"$1/pid.new" && mv "$1/pid.new" "$1/pid"
		trap : CHLD TERM
		while :; do sleep 1000 & wait; done' "$n" "$d" "$VZ_BIN" </dev/null >/dev/null 2>&1 &
	node_job[$n]=$!
	wait_for 10 test -s "$d/pid" || return
	node_pid[$n]=$(cat "$d/pid")
	ip link show switch >/dev/null 2>&1 || net_bridge switch || return
	# One MAC over all boots: what other nodes know of it stays right.
	ip link add "to-$n" type veth peer name eth0 address "02:00:00:98:00:0${n#n}" \
		netns "${node_pid[$n]}" &&
		ip link set "to-$n" master switch up || return
	on "$n" ip addr add "10.98.0.${n#n}/24" dev eth0 && on "$n" ip link set eth0 up &&
		on "$n" /usr/sbin/sshd -f "$d/sshd.conf" -E "$d/sshd.log" || return
	wait_for 10 on "$n" sh -c 'ss -Hltn sport = :22 | grep -q .'
}

# on NODE COMMAND...
on() {
	local n=$1 d=$T/$1
	shift
	VZ_CONFDIR=$d/etc VZ_RUNDIR=$d/run VZ_STATEDIR=$d/state \
		nsenter -t "${node_pid[$n]}" -n -m -p -- "$@"
}

# node_cut NODE: the power goes. What lay in memory is gone, also its groups.
node_cut() {
	local n=$1 f
	kill -9 "${node_pid[$n]}" 2>/dev/null
	wait_for 10 sh -c "! kill -0 ${node_pid[$n]} 2>/dev/null"
	# Who began it ends a moment later, and is none of what a test leaves behind.
	wait "${node_job[$n]}" 2>/dev/null
	unset "node_pid[$n]" "node_job[$n]"
	ip link del "to-$n" 2>/dev/null
	rm -rf "$T/$n/run" "$T/$n/lock"
	mkdir -p "$T/$n/run" "$T/$n/lock"
	our_groups | grep "/$CGROUP-$n" | while read -r f; do
		wait_for 5 rmdir "$f"
	done
}

# What the service does as a node comes up.
node_boot() {
	node_up "$1" && on "$1" vzctl --quiet boot
}

# migrate NODE-TO [options] VEID: from the other one
migrate() {
	local to=$1 from=n1
	shift
	[ "$to" != n1 ] || from=n2
	on "$from" vzmigrate --ssh="-F $T/ssh/config -o ServerAliveInterval=1 -o ServerAliveCountMax=$((3 * SLOW))" "${@:1:$#-1}" "10.98.0.${to#n}" "${@: -1}"
}

recover() {
	on "$1" vzmigrate --recover "${@:2}"
}

# node_ve NODE VEID [create's options]
node_ve() {
	local n=$1
	shift
	busybox_template && on "$n" vzctl --quiet create "$1" --ostemplate "$BUSYBOX_TEMPLATE" "${@:2}"
}

# status_of NODE VEID: "exist mounted running"
status_of() {
	on "$1" vzctl status "$2" 2>/dev/null | cut -d' ' -f3-
}

# On how many nodes it runs.
copies() {
	local n sum=0
	for n in n1 n2; do
		[[ $(status_of $n "$1") != *running* ]] || sum=$((sum + 1))
	done
	echo $sum
}

# Nothing of a migration is left on either node, as no group and no file is.
nothing_left() {
	find "$T"/n?/state/migrate "$T"/n?/private -maxdepth 1 \( -name '*.out' -o -name '*.in' \
		-o -name '*.migrating' -o -name '*.destroyed*' -o -name '*.tmp' \) 2>/dev/null
	find "$T"/n?/run -maxdepth 1 -name 'migrate-*' 2>/dev/null
}

stop_ves() {
	local n dir
	for n in "${!node_pid[@]}"; do
		for dir in "$T/$n/run"/[0-9]*; do
			[ ! -e "$dir" ] || on "$n" vzctl --quiet stop "${dir##*/}" --fast >/dev/null 2>&1
		done
	done
	for n in "${!node_pid[@]}"; do
		node_cut "$n"
	done
	rm -f "$T/lock/nodes"
}
