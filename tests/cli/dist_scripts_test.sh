#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The distributions' scripts by themselves, in chroots, by each kind of /bin/sh:
# what they write, that a second run changes nothing, that what is not theirs
# stays, and that vzctl then sees that they need not run again.
# shellcheck disable=SC2016,SC1003 # words for the shell inside
. "$(dirname "$0")/../lib.sh"

SCRIPTS=${TESTS%/*}/etc/vz/dists/scripts
[ -d "$SCRIPTS" ] || SCRIPTS=/etc/vz/dists/scripts
SAYS=$O/tests/unit/says_test
R=

is_root || skip_all "chroot needs root"
type -P busybox >/dev/null || skip_all "no busybox-static"

# with_libs PROGRAM: it and its libraries, below $R
with_libs() {
	local f
	for f in "$1" $(ldd "$1" | grep -o '/[^ ]*'); do
		mkdir -p "$R${f%/*}" && cp -L "$f" "$R$f"
	done
}

# new_root SHELL: a small root in $R whose /bin/sh is that
new_root() {
	R=$(mktemp -d "$T/root.XXXXXX")
	chmod 755 "$R"
	make_busybox_root "$R"
	mkdir -p "$R/etc"
	[ -c "$R/dev/null" ] || mknod -m 666 "$R/dev/null" c 1 3
	[ -c "$R/dev/urandom" ] || mknod -m 666 "$R/dev/urandom" c 1 9
	case $1 in
	dash | bash)
		with_libs "$(type -P "$1")"
		ln -sf "$(type -P "$1")" "$R/bin/sh"
		;;
	esac
}

# script NAME [VAR=VALUE...]: as vzctl has it run
script() {
	local name=$1
	shift
	cat "$SCRIPTS/functions" "$SCRIPTS/$name" >"$R/tmp/script"
	run env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin VE_STATE=starting "$@" \
		chroot "$R" /bin/sh /tmp/script
}

# again NAME [VAR=VALUE...]: a second time, which must change no file
again() {
	local before
	before=$(cd "$R/etc" && find . -type f -printf '%p %i %T@\n' | sort)
	script "$@"
	is "$status $(cd "$R/etc" && find . -type f -printf '%p %i %T@\n' | sort)" \
		"0 $before" "$1 does nothing the second time"
}

# says WHAT...: vzctl's own look agrees that nothing is to be done
says() {
	if [ -x "$SAYS" ]; then
		run_ok "and vzctl sees it: $1" "$SAYS" "$R" "$@"
	else
		skip "vzctl sees it: $1" "$SAYS is not built"
	fi
}

file() {
	cat "$R/$1"
}

test_hostname() {
	printf '127.0.0.1 localhost\n# mine\n10.1.1.1 db\n' >"$R/etc/hosts"
	chmod 640 "$R/etc/hosts"
	script set_hostname.sh HOSTNM=web1.example.com
	is "$status$err" 0 "a host name is set"
	is "$(file etc/hostname)" web1.example.com "/etc/hostname has it"
	is "$(file etc/hosts)" "127.0.0.1 localhost
127.0.1.1 web1.example.com web1
# mine
10.1.1.1 db" "/etc/hosts has a line, and the others"
	is "$(stat -c %a "$R/etc/hosts")" 640 "its mode stays"
	again set_hostname.sh HOSTNM=web1.example.com
	says hostname web1.example.com

	sed -i 's/^127.0.1.1.*/& alias # note/' "$R/etc/hosts"
	script set_hostname.sh HOSTNM=web2
	is "$(file etc/hosts | grep 127.0.1.1)" "127.0.1.1 web2 alias # note" \
		"a new name replaces the old one, an alias stays"
	says hostname web2

	echo "10.9.9.9 web3" >>"$R/etc/hosts"
	script set_hostname.sh HOSTNM=web3
	is "$(file etc/hosts | grep -e web -e alias)" "127.0.1.1 alias # note
10.9.9.9 web3" "an address of the administrator's own is left to name it"
	again set_hostname.sh HOSTNM=web3
	says hostname web3

	rm "$R/etc/hosts" "$R/etc/hostname"
	ln -s /proc/1/environ "$R/etc/hostname"
	script set_hostname.sh HOSTNM=web4
	is "$status $(file etc/hostname)" "0 web4" "no file, and a strange link"
	like "$(file etc/hosts)" "127.0.1.1 web4" "a hosts file is made"

	mkdir -p "$R/etc/sysconfig"
	printf 'NETWORKING=yes\nHOSTNAME=old\n' >"$R/etc/sysconfig/network"
	script set_hostname.sh HOSTNM=web5
	is "$(file etc/sysconfig/network)" 'NETWORKING=yes
HOSTNAME="web5"' "Red Hat's file has it"
	again set_hostname.sh HOSTNM=web5
	script set_hostname.sh
	is "$status $(file etc/hostname)" "0 web5" "no HOSTNM changes nothing"
}

test_ip() {
	local some="10.1.2.3 10.1.3.3/24 fd00::3/64"
	mkdir -p "$R/etc/network" "$R/etc/systemd/network" \
		"$R/etc/sysconfig/network-scripts" "$R/etc/NetworkManager/conf.d"
	printf 'auto lo\niface lo inet loopback\n' >"$R/etc/network/interfaces"
	script set_ip.sh IP_ALL="$some" IP_ADDR="$some" IPDELALL=yes
	is "$status$err" 0 "addresses are set"
	is "$(file etc/network/interfaces)" "auto lo
iface lo inet loopback
# Written by vzctl, which replaces it: the addresses of venet0.
auto venet0
iface venet0 inet manual
	up ip link set venet0 up || :
	up ip addr replace 10.1.2.3/32 dev venet0 || :
	up ip addr replace 10.1.3.3/24 dev venet0 || :
	up ip addr replace fd00::3/64 dev venet0 || :
	up ip route add default dev venet0 2>/dev/null || :
	up ip -6 route add default dev venet0 2>/dev/null || :
	down ip link set venet0 down || :
# venet0: end" "ifupdown's file has them"
	is "$(file etc/systemd/network/10-venet0.network | grep -c ^Address=)" 3 \
		"so has systemd-networkd's"
	like "$(file etc/sysconfig/network-scripts/ifcfg-venet0)" \
		"IPADDR1=10.1.3.3.PREFIX1=24.*IPV6ADDR=fd00::3/64" "and Red Hat's"
	again set_ip.sh IP_ALL="$some"
	says addresses "$some"

	printf '\nauto eth0\niface eth0 inet dhcp\n' >>"$R/etc/network/interfaces"
	script set_ip.sh IP_ALL="10.1.2.4"
	is "$(file etc/network/interfaces | grep -c -e 10.1.2.3 -e fd00)" 0 "old ones go"
	like "$(file etc/network/interfaces)" "iface eth0 inet dhcp.*10.1.2.4/32" \
		"new ones come, what is the administrator's stays"
	is "$(find "$R/etc" -name route6-venet0)" "" "no route of IPv6 without it"
	script set_ip.sh IP_ALL= IPDELALL=yes
	is "$(file etc/network/interfaces)" "auto lo
iface lo inet loopback

auto eth0
iface eth0 inet dhcp" "without addresses only the administrator's is left"
	is "$(grep -rl -e venet0 -e 10.1 "$R/etc")" "" "and no file of ours"
	says addresses ""
	rm -r "$R/etc/network" "$R/etc/systemd" "$R/etc/NetworkManager" \
		"$R/etc/sysconfig/network-scripts"
}

test_dns() {
	printf '# mine\noptions ndots:2\nnameserver 9.9.9.9\nsearch old.org' >"$R/etc/resolv.conf"
	script set_dns.sh NAMESERVER="1.1.1.1 2001:db8::1" SEARCHDOMAIN="a.org b.org"
	is "$status$err" 0 "name servers are set"
	is "$(file etc/resolv.conf)" "# mine
options ndots:2
search a.org b.org
nameserver 1.1.1.1
nameserver 2001:db8::1" "resolv.conf has them, and what was there"
	again set_dns.sh NAMESERVER="1.1.1.1 2001:db8::1" SEARCHDOMAIN="a.org b.org"
	says dns "1.1.1.1 2001:db8::1" "a.org b.org"
	script set_dns.sh NAMESERVER="3.3.3.3" SEARCHDOMAIN=
	is "$(grep -v '^#' "$R/etc/resolv.conf")" "options ndots:2
search a.org b.org
nameserver 3.3.3.3" "an empty list leaves what is there"
	says dns 3.3.3.3 ""

	ln -sf ../run/systemd/resolve/stub-resolv.conf "$R/etc/resolv.conf"
	script set_dns.sh NAMESERVER=1.1.1.1
	is "$status $(readlink "$R/etc/resolv.conf") $(file etc/resolv.conf)" \
		"0  nameserver 1.1.1.1" "a link to a resolved that is not there gives way"
	says dns 1.1.1.1 ""

	mkdir -p "$R/usr/lib/systemd" "$R/etc/systemd/system/sysinit.target.wants"
	printf '#!/bin/sh\n' >"$R/usr/lib/systemd/systemd-resolved"
	chmod 755 "$R/usr/lib/systemd/systemd-resolved"
	ln -s /usr/lib/systemd/system/systemd-resolved.service \
		"$R/etc/systemd/system/sysinit.target.wants/"
	ln -sf ../run/systemd/resolve/stub-resolv.conf "$R/etc/resolv.conf"
	script set_dns.sh NAMESERVER=1.1.1.1 SEARCHDOMAIN=a.org
	is "$status $(readlink "$R/etc/resolv.conf")" \
		"0 ../run/systemd/resolve/stub-resolv.conf" "a resolved that serves it keeps it"
	is "$(grep "=" "$R/etc/systemd/resolved.conf.d/vz.conf")" "DNS=
DNS=1.1.1.1
Domains=
Domains=a.org" "and is told"
	again set_dns.sh NAMESERVER=1.1.1.1 SEARCHDOMAIN=a.org
	says dns 1.1.1.1 a.org

	ln -sf /run/resolvconf/resolv.conf "$R/etc/resolv.conf"
	ln -sf /bin/true "$R/sbin/resolvconf"
	script set_dns.sh NAMESERVER=1.1.1.1
	is "$status $(file etc/resolvconf/resolv.conf.d/base)" "0 nameserver 1.1.1.1" \
		"resolvconf has it in its base"
	says dns 1.1.1.1 ""

	echo "nameserver 4.4.4.4" >"$R/etc/my.conf"
	ln -sf my.conf "$R/etc/resolv.conf"
	script set_dns.sh NAMESERVER=1.1.1.1
	is "$status $(readlink "$R/etc/resolv.conf") $(file etc/my.conf)" \
		"0 my.conf nameserver 1.1.1.1" "a link of the administrator's own is followed"
	says dns 1.1.1.1 ""
}

test_userpass() {
	local hash
	# BusyBox with none of these, whatever this one was built with.
	rm -f "$R"/{,usr/}{,s}bin/{chpasswd,adduser,useradd}
	script set_userpass.sh 'USERPW=root:a:b $(id) "'
	is "$status$err" 0 "a password is set without chpasswd"
	hash=$(sed -n 's/^root:\([^:]*\):.*/\1/p' "$R/etc/shadow")
	is "$hash" "$(printf '%s\n' 'a:b $(id) "' | busybox mkpasswd -m sha512 -P 0 \
		-S "$(cut -d '$' -f 3 <<<"$hash")")" "and is the one given"
	is "$(stat -c %a "$R/etc/shadow")" 640 "shadow's mode stays"
	script set_userpass.sh USERPW=web:secret
	is "$status" 1 "a user that can't be made fails"
	unlike "$err$out" secret "and does not tell the password"

	printf '#!/bin/sh\necho "$2" >/etc/added\n' >"$R/usr/sbin/useradd"
	printf '#!/bin/sh\ncat >/etc/got\nenv >>/etc/got\n' >"$R/usr/sbin/chpasswd"
	chmod 755 "$R/usr/sbin/useradd" "$R/usr/sbin/chpasswd"
	script set_userpass.sh 'USERPW=web:s%s\n\\'
	is "$status $(file etc/added)" "0 web" "a user is made"
	is "$(head -n 1 "$R/etc/got")" 'web:s%s\n\\' "chpasswd gets the password as it is"
	is "$(grep -c 's%s' "$R/etc/got")" 1 "but not in its environment"
}

test_console() {
	printf '%s\n' 'id:2:initdefault:' '1:2345:respawn:/sbin/getty 38400 tty1' \
		'#T0:23:respawn:/sbin/getty -L ttyS0' 'h:23:respawn:/sbin/getty hvc0' \
		'x:2:respawn:/usr/sbin/daemon' >"$R/etc/inittab"
	script set_console.sh
	is "$status$err" 0 "the console is set"
	like "$(file etc/inittab)" "id:2:initdefault:
#vz 1:2345:respawn:/sbin/getty 38400 tty1
#T0:23:respawn:/sbin/getty -L ttyS0
#vz h:23:respawn:/sbin/getty hvc0
x:2:respawn:/usr/sbin/daemon
[a-z].*respawn.*console" "absent terminals are off, the console is on"
	again set_console.sh
	says console
	printf '::respawn:/sbin/getty 38400 tty1\ntty2::askfirst:/bin/sh\n' >"$R/etc/inittab"
	script set_console.sh
	says console
	rm "$R/etc/inittab"
	script set_console.sh
	is "$status" 0 "no inittab is nothing to do"
	says console
}

test_postcreate() {
	mkdir -p "$R"/etc/{ssh,cron.d} "$R/var/lib/dbus"
	echo 0123 >"$R/etc/machine-id"
	echo 0123 >"$R/var/lib/dbus/machine-id"
	echo key | tee "$R/etc/ssh/ssh_host_rsa_key" >"$R/etc/ssh/ssh_host_rsa_key.pub"
	printf 'root::1::::::\nweb::1::::::\n' >"$R/etc/shadow"
	printf '# m h\nSHELL=/bin/sh\n17 * * * * root a\n*/5 * * * * b\n09,39 * * * * c\n' \
		>"$R/etc/crontab"
	rm -f "$R/etc/mtab"
	script postcreate.sh
	is "$status$err" 0 "a new VE is prepared"
	is "$(stat -c %s "$R/etc/machine-id")" 0 "its machine id is empty"
	run_is 1 "D-Bus's copy is gone" test -e "$R/var/lib/dbus/machine-id"
	is "$(ls "$R/etc/ssh")" "" "the template's host keys are gone"
	is "$(file etc/shadow)" 'root:*:1::::::
web::1::::::' "root without a password is locked"
	like "$(file etc/crontab)" '^# m h
SHELL=/bin/sh
[0-5]?[0-9] \* \* \* \* root a
\*/5 \* \* \* \* b
09,39 \* \* \* \* c$' "fixed minutes are spread, others stay"
	is "$(tail -n 1 "$R/etc/inittab")" "::once:/sbin/vz-ready" "init runs the hook last"
	mkdir -p "$R/run/host"
	run_ok "the hook runs" chroot "$R" /sbin/vz-ready
	mkfifo "$R/run/host/ready"
	run_ok "and does not wait for a reader" chroot "$R" /sbin/vz-ready
	is "$(readlink "$R/etc/mtab")" ../proc/self/mounts "mtab is there"
}

for sh in ash dash bash; do
	if [ $sh != ash ] && ! type -P $sh >/dev/null; then
		skip "$sh" "not on this machine"
		continue
	fi
	for part in hostname ip dns userpass console postcreate; do
		diag "$part by $sh"
		new_root $sh
		test_$part
	done
done
done_testing
