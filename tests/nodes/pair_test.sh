#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Two machines with Debian's kernel and packages, and vz as a user installs it, on one
# network; this test is a third on it. A VE moves to and fro over ssh: stopped, by a
# restart, live with an open connection, its quota and counters with it. Then the power
# of one or both is cut in the midst of it: in the end it runs once, with its data.
# PAIR_CUTS: how many of the cuts (1); PAIR_DEBIAN=yes: a Debian with systemd, too.
# `make check-migrate` does all.
# shellcheck disable=SC2016 # the machine's shell, or the VE's
export OWN_NET=yes
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/machine.sh"

need_machines
need_net
[ -c /dev/net/tun ] || skip_all "no /dev/net/tun"
ADDRESS=10.98.0.50 V=201

begin() {
	local n=$1
	if ! ip link show "to-$n" >/dev/null 2>&1; then
		ip tuntap add "to-$n" mode tap && ip link set "to-$n" master switch up || return
	fi
	machine_begin "$n" -netdev "tap,id=net,ifname=to-$n,script=no,downscript=no" \
		-device "virtio-net-pci,netdev=net,mac=02:00:00:98:00:0${n#n},romfile=" -- \
		"node.net=10.98.0.${n#n}"
}

# migrates FROM TO [options]: runs vzmigrate there
migrates() {
	local from=$1 to=$2
	shift 2
	ask "$from" "vzmigrate $* 10.98.0.${to#n} $V"
}

in_ve() {
	ask "$1" "vzctl exec $V '$2'"
}

# "1 0": on which of them it runs
runs_on() {
	local n
	for n in n1 n2; do
		case $(ask $n "vzctl status $V" 2>&1) in
		*running*) echo $n ;;
		esac
	done | paste -sd+
}

# --- a third place ---

say() {
	local answer=
	echo "$1" >&"${line[1]}"
	IFS= read -r -t 120 answer <&"${line[0]}"
	[ "$answer" = "$1" ]
}

make_base >"$T/base.log" 2>&1
ok $? "vz is installed on a machine" || diag "$(tail -n 20 "$T/base.log")"
net_bridge switch && ip addr add 10.98.0.254/24 dev switch
for n in n1 n2; do
	machine_disk $n 2G
	begin $n
done
for n in n1 n2; do
	heard $n && ask $n 'vzctl --quiet boot'
	ok $? "$n is up" || diag "$(tail -n 20 "$T/$n/console")"
done

# --- stopped, and by a restart ---

ask n1 "vzctl --quiet create $V --ostemplate $BUSYBOX_TEMPLATE --hostname mover --ipadd $ADDRESS &&
	vzctl --quiet set $V --diskspace 32M:32M --diskinodes 5000:5000 --numproc 40:40 --onboot yes --save &&
	head -c 3000000 /dev/urandom >/var/lib/vz/private/$V/root/ballast"
ok $? "a VE"
sum=$(ask n1 "md5sum </var/lib/vz/private/$V/root/ballast")
said=$(migrates n1 n2 -t)
ok $? "it moves, stopped" || diag "$said"
is "$(ask n1 "vzctl status $V")" "CTID $V deleted unmounted down" "it is not here any more"
is "$(ask n2 "vzctl --quiet start $V && vzctl exec $V 'hostname; md5sum </root/ballast'")" "mover
$sum" "and starts there"
said=$(migrates n2 n1 -t)
ok $? "it moves, with a restart" || diag "$said"
diag "$said"
is "$(runs_on)" n1 "it runs, once"
pings $ADDRESS
ok $? "at its address"

# --- live ---

# quota_of MACHINE: the limits, and what is used to some blocks
quota_of() {
	ask "$1" "vzlist -H -o diskspace.s,diskspace.h,diskinodes.s,diskinodes.h,diskinodes $V" | tr -s ' '
}

# Memory, whose words are told when it is enough: dd has all of it until then.
words() {
	seq 1 4000000 | head -c 24000000
}
in_ve n1 '{ seq 1 4000000 | head -c 24000000 | dd bs=24000000 iflag=fullblock |
	{ while [ ! -e /root/enough ]; do sleep 1; done; md5sum; } >/root/told; } >/dev/null 2>&1 </dev/null &'

# What it has open is the VE's own, not what `vzctl exec` brings along.
in_ve n1 'exec </dev/null >/dev/null 2>&1; nc -l -p 7000 -e /bin/cat & sleep 1000 & echo $! >/root/pid; i=0
	while [ $i -lt 60 ]; do i=$((i + 1)); sleep 2 & done; wait'
counters=$(ask n1 "vzlist -H -o numproc.m,numproc.f $V" | tr -s ' ')
like "$counters" "[1-9][0-9]* [1-9]" "a limit was reached ($counters)"
used=$(quota_of n1)
coproc line { exec busybox nc $ADDRESS 7000; }
say hello
ok $? "a connection from a third place"
up=$(in_ve n1 'cut -d. -f1 /proc/uptime')
said=$(migrates n1 n2 --live -v)
ok $? "it moves live" || diag "$(ask n1 'tail -n 5 /var/lib/vz/dump/*.log /var/log/vzctl.log' 2>&1)"
diag "$said"
like "$said" "[1-9][0-9] MiB of its memory went over while it ran" "its memory went before it"
less=$(awk '/The VE was down/ { print $(NF - 1) }' <<<"$said")
is "$(runs_on)" n2 "it runs there, and once"
say again
ok $? "the connection goes on"
is "$(in_ve n2 'kill -0 $(cat /root/pid) && echo alive; md5sum </root/ballast')" "alive
$sum" "its processes have their numbers, its files are there"
[ "$(in_ve n2 'cut -d. -f1 /proc/uptime')" -ge "$up" ]
ok $? "its uptime goes on"
is "$(ask n2 "vzlist -H -o numproc.m,numproc.f $V" | tr -s ' ')" "$counters" "its counters are kept"
is "$(quota_of n2)" "$used" "so is its quota"
! in_ve n2 'dd if=/dev/zero of=/root/x bs=1M count=40' >/dev/null 2>&1
ok $? "which holds"
in_ve n2 'rm /root/x'
said=$(migrates n2 n1 --live -t --no-pre-copy)
ok $? "and back, live, all its memory at once" || diag "$said"
diag "it was down for $less s, and $(awk '/The VE was down/ { print $(NF - 1) }' <<<"$said") s without pre-copy"
in_ve n1 'touch /root/enough'
wait_for 60 in_ve n1 'test -s /root/told'
is "$(in_ve n1 'cat /root/told')" "$(words | md5sum)" "no byte of its memory has changed"
say thrice
ok $? "the connection goes on"
is "$(ask n1 "vzlist -H -o numproc.m,numproc.f $V" | tr -s ' ')" "$counters" "its counters are kept"
kill "$line_PID"

# --- Debian with systemd ---

units() {
	ask "$1" "vzctl exec 202 systemctl list-units --state=running --type=service --no-legend --plain" |
		awk '{ print $1 }' | sort
}

debian() {
	local D n running said
	D=debian-12-$(uname -m)
	export MACHINE_PATIENCE=900
	for n in n1 n2; do
		ask $n "cp /check/templates/cache/$D.* /var/lib/vz/template/cache/" || return
	done
	said=$(ask n1 "vzctl --quiet create 202 --ostemplate $D --layout overlay --hostname deb --ipadd 10.98.0.51 &&
		vzctl --quiet start 202 --wait && vzctl exec 202 systemctl is-system-running --wait" 2>&1)
	is "$said" running "Debian with systemd is up"
	running=$(units n1)
	diag "$running"
	said=$(ask n1 'vzmigrate --live -t 10.98.0.2 202')
	ok $? "it moves live" || diag "$said"
	diag "$said"
	is "$(units n2)" "$running" "the same services run"
	is "$(ask n2 'vzctl exec 202 systemctl is-system-running')" running "systemd is content"
	ask n2 'vzctl exec 202 systemctl restart cron'
	ok $? "and restarts a service"
	pings 10.98.0.51
	ok $? "its address has moved"
	ask n2 'vzctl --quiet stop 202 && vzctl --quiet destroy 202'
	ok $? "it halts by itself"
}
if [ "${PAIR_DEBIAN-}" = yes ]; then
	debian
fi

# --- power cuts ---

# At which state of whose journal the power of whom goes, and how it moves.
cuts=("handed out source --live" "prepared in dest" "taking in dest --live" "stopping out source"
	"copying out source" "receiving in dest --live" "handed out both --live" "clearing out source --live"
	"done in dest" "taking in both" "stopping out both --live" "prepared in source --live")

# one NUMBER STATE in|out WHOM [--live]
one() {
	local i=$1 state=$2 side=$3 whom=$4 live=${5-} src dst at n victims token=$RANDOM$RANDOM said
	src=$(runs_on)
	case $src in n1 | n2) ;; *) return 1 ;; esac
	dst=n2
	[ "$src" = n1 ] || dst=n1
	case $whom in
	source) victims=$src ;;
	dest) victims=$dst ;;
	both) victims="$src $dst" ;;
	esac
	in_ve "$src" "echo $token >/root/token; sync"
	at=$src
	[ "$side" = out ] || at=$dst
	ask "$src" "setsid vzmigrate --ssh='-o ServerAliveInterval=5' $live -v 10.98.0.${dst#n} $V >/run/migrate.log 2>&1 </dev/null & echo \$! >/run/job"
	ask "$at" "l=; until [ \"\$l\" = 'STATE=\"$state\"' ] || [ \$SECONDS -gt 120 ]; do
		read -r l <'/var/lib/vz/migrate/$V.$side'; done 2>/dev/null"
	for n in $victims; do
		machine_cut "$n"
	done
	for n in $victims; do
		begin "$n"
	done
	for n in $victims; do
		heard "$n" || return
		diag "$n had on its disk: $(ask "$n" "head -n 1 /var/lib/vz/migrate/* 2>/dev/null | paste -sd' '")"
	done
	for n in $victims; do
		tell "$n" 'vzctl --quiet boot'
	done
	for n in $victims; do
		diag "$(heard "$n")"
	done
	wait_for 30 settled
	ok $? "$i: $whom cut at $state${live:+ ($live)}: it runs once, nothing is left" ||
		diag "runs on $(runs_on); $(for n in n1 n2; do ask $n "head -n 3 /var/lib/vz/migrate/*; ls /var/lib/vz/private; cat /run/migrate.log; vzmigrate --recover"; done 2>&1)"
	at=$(runs_on)
	case $at in n1 | n2) ;; *) return 1 ;; esac
	is "$(in_ve "$at" 'cat /root/token; md5sum </root/ballast')" "$token
$sum" "$i: on $at, with its data"
}

settled() {
	local n
	for n in n1 n2; do
		ask $n 'vzmigrate --recover' >/dev/null
	done
	for n in n1 n2; do
		[ -z "$(ask $n 'find /var/lib/vz/migrate /var/lib/vz/private -mindepth 1 -maxdepth 1 ! -name 201')" ] || return
	done
	case $(runs_on) in n1 | n2) ;; *) return 1 ;; esac
}

for ((i = 1; i <= ${PAIR_CUTS:-1}; i++)); do
	# shellcheck disable=SC2086 # words
	one $i ${cuts[(i - 1) % ${#cuts[@]}]} || break
done
done_testing
