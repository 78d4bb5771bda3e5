# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Machines in QEMU that a test out here boots, asks for things, cuts the power of, and
# boots again. Sourced after lib.sh; tests/nodes/run says where the parts of them are:
# MACHINE_IMAGE (kernel, initrd, disk), MACHINE_PAYLOAD, and MACHINE_BASE, a root with vz
# installed, which the first test that needs it makes.
#
# A machine's root is as in MACHINE_BASE at each boot. What lasts is on a disk of its own,
# mounted at /var/lib/vz, with /etc/vz in it. Its power is cut by kill -9 of QEMU: what the
# machine's kernel had not handed to the disk is gone, and what it had is there, in that
# order, as with a disk without a volatile cache (or one that honours flushes, up to the
# last of them). A disk that loses what it said to have flushed is not simulated.
# shellcheck disable=SC2154 # T and the like are lib.sh's

declare -A machine_pid machine_to machine_from

need_machines() {
	[ -n "${MACHINE_IMAGE-}" ] || skip_all "make check-nodes runs it, which makes the machines"
}

# start_machine NAME ROOT [QEMU's options … --] [words for its init …]
start_machine() {
	local m=$1 root=$2 d=$T/$1 to from options=()
	shift 2
	mkdir -p "$d"
	if [[ " $* " == *" -- "* ]]; then
		while [ "$1" != -- ]; do
			options+=("$1")
			shift
		done
		shift
	fi
	: >"$T/lock/machines" # for lib.sh: there is something to be stopped
	rm -f "$d/talk.in" "$d/talk.out" && mkfifo "$d/talk.in" "$d/talk.out" || return
	exec {to}<>"$d/talk.in" {from}<>"$d/talk.out"
	machine_to[$m]=$to machine_from[$m]=$from
	qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp "${MACHINE_CPUS:-2}" -m 1024 \
		-kernel "$MACHINE_IMAGE/vmlinuz" -initrd "$MACHINE_IMAGE/initrd" \
		-append "console=ttyS0 panic=-1 quiet mitigations=off node.serve=$m $*" \
		-drive "if=virtio,format=qcow2,file=$root" \
		-drive "if=virtio,format=raw,readonly=on,file=$MACHINE_PAYLOAD" \
		-serial "file:$d/console" -serial "pipe:$d/talk" -display none -monitor none \
		-no-reboot "${options[@]}" </dev/null >"$d/qemu" 2>&1 {to}>&- {from}>&- &
	machine_pid[$m]=$!
	disown # or bash says that it was killed
}

# heard MACHINE: what it has printed; its status. 125: it does not answer.
heard() {
	local m=$1 line='' part='' status='' text='' end=$((SECONDS + ${MACHINE_PATIENCE:-300}))
	until read -r -t 2 part <&"${machine_from[$m]}"; do
		line+=$part part=''
		if [ $SECONDS -gt $end ] || ! kill -0 "${machine_pid[$m]}" 2>/dev/null; then
			echo "$m does not answer: $(tail -n 20 "$T/$m/console" | tr -d '\r')"
			return 125
		fi
	done
	read -r _ status text <<<"$line$part"
	[ -z "$text" ] || base64 -d <<<"$text"
	return "${status:-125}"
}

# tell MACHINE COMMAND: heard says how it went, some time
tell() {
	base64 -w0 <<<"$2" >&"${machine_to[$1]}" && echo >&"${machine_to[$1]}"
}

# ask MACHINE COMMAND
ask() {
	tell "$1" "$2" && heard "$1"
}

# The power of it goes.
machine_cut() {
	local m=$1 to=${machine_to[$1]} from=${machine_from[$1]}
	kill -9 "${machine_pid[$m]}" 2>/dev/null
	while kill -0 "${machine_pid[$m]}" 2>/dev/null; do
		sleep 0.02
	done
	exec {to}>&- {from}>&-
	unset "machine_pid[$m]"
}

# A root with vz, a template of BusyBox, and keys by which machines let each other in.
# shellcheck disable=SC2016 # for the machine's shell
make_base() {
	[ ! -e "$MACHINE_BASE" ] || return 0
	qemu-img create -q -f qcow2 -b "$MACHINE_IMAGE/disk.img" -F raw "$MACHINE_BASE.new" || return
	start_machine base "$MACHINE_BASE.new,cache=unsafe" -nic none --
	heard base || return
	ask base 'vzctl --version && mkdir -p -m 700 /root/.ssh && cd /root/.ssh &&
		ssh-keygen -q -t ed25519 -N "" -f id_ed25519 && cp id_ed25519.pub authorized_keys &&
		[ -e /etc/ssh/ssh_host_ed25519_key ] || ssh-keygen -A
		echo "10.98.0.* $(cut -d" " -f1,2 /etc/ssh/ssh_host_ed25519_key.pub)" >known_hosts' || return
	ask base 'export VZ_BIN=/usr/sbin; . /check/tests/nodes/node.sh && busybox_template &&
		cp -L "$T/template/cache/$BUSYBOX_TEMPLATE.tar.gz" /var/lib/vz/template/cache/ &&
		tap_done=yes' || return
	tell base 'sync; mount -o remount,ro /; exec busybox poweroff -f'
	while kill -0 "${machine_pid[base]}" 2>/dev/null; do
		sleep 0.1
	done
	mv "$MACHINE_BASE.new" "$MACHINE_BASE"
}

# machine_disk NAME SIZE: an empty one, as a provider would make it
machine_disk() {
	mkdir -p "$T/$1" && truncate -s "$2" "$T/$1/disk" &&
		mkfs.ext4 -q -F -O quota,project -E quotatype=usrquota:grpquota:prjquota "$T/$1/disk"
}

# machine_begin NAME [QEMU's options … --] [words]: heard says when it is up
machine_begin() {
	local m=$1
	shift
	[[ " $* " == *" -- "* ]] || set -- -nic none -- "$@"
	start_machine "$m" "$MACHINE_BASE,snapshot=on" \
		-drive "if=virtio,format=raw,file=$T/$m/disk" "$@"
}

stop_ves() {
	local m
	for m in "${!machine_pid[@]}"; do
		machine_cut "$m"
	done
	rm -f "$T/lock/machines"
}
