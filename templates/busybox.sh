#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# busybox-ARCH: BusyBox and nothing else, from this machine's busybox-static.
# Two megabytes, made in a second, nothing is downloaded when that package is
# installed: for tests, for a first look, and for VEs that are one program.
set -eu
umask 022
. "$(dirname "$0")/functions"

name=$1 root=$2

case $name in
busybox-*-*) fail "no such template: $name (there is busybox-$(uname -m))" ;;
esac
check_arch "$name"

# The dynamic one would need the node's C library inside.
is_static()
{
	[ -x "$1" ] && ! ldd "$1" >/dev/null 2>&1
}

find_busybox()
{
	busybox=$(command -v busybox) && is_static "$busybox" && return
	command -v apt-get >/dev/null || return
	echo "installing busybox-static"
	DEBIAN_FRONTEND=noninteractive apt-get -qq -y install --no-install-recommends \
		busybox-static </dev/null || return
	busybox=$(command -v busybox) && is_static "$busybox"
}

put_binaries()
{
	cp "$busybox" bin/busybox
	chmod 755 bin/busybox
	"$busybox" --list-full | while read -r applet; do
		[ ! -d "${applet%/*}" ] || [ -e "$applet" ] || ln -s /bin/busybox "$applet"
	done
	[ -e sbin/init ] || fail "this busybox has no init"
}

put_users()
{
	cat >etc/passwd <<-'END'
		root:x:0:0:root:/root:/bin/sh
		daemon:x:1:1:daemon:/usr/sbin:/bin/false
		nobody:x:65534:65534:nobody:/:/bin/false
	END
	cat >etc/group <<-'END'
		root:x:0:
		daemon:x:1:
		tty:x:5:
		utmp:x:43:
		users:x:100:
		nogroup:x:65534:
	END
	printf '%s:*:19000:0:99999:7:::\n' root daemon nobody >etc/shadow
	chmod 640 etc/shadow
	echo /bin/sh >etc/shells
}

put_settings()
{
	printf '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n' >etc/hosts
	echo localhost >etc/hostname
	echo '# A VE mounts nothing by itself.' >etc/fstab
	# shellcheck disable=SC2016 # the VE's own variables
	printf '%s\n' 'export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
		'umask 022' '[ -z "$PS1" ] || PS1="\u@\h:\w\\$ "' >etc/profile
	printf 'NAME="BusyBox"\nID=busybox\nPRETTY_NAME="BusyBox"\nVERSION_ID="%s"\n' \
		"$("$busybox" | sed -n '1s/^BusyBox v\([0-9.]*\).*/\1/p')" >etc/os-release
	ln -s /proc/self/mounts etc/mtab
}

put_init()
{
	cat >etc/inittab <<-'END'
		# init of BusyBox: id:runlevels:action:process
		::sysinit:/etc/init.d/rcS
		::once:/sbin/vz-ready
		console::respawn:/sbin/getty 38400 console linux
		::ctrlaltdel:/sbin/reboot
		::shutdown:/etc/init.d/rcK
	END
	cat >etc/init.d/rcS <<-'END'
		#!/bin/sh
		# At boot: what every VE needs, then /etc/init.d/S* in their order.
		hostname -F /etc/hostname
		ip link set lo up
		for script in /etc/init.d/S*; do
			[ ! -x "$script" ] || "$script" start
		done
		[ ! -x /etc/rc.local ] || /etc/rc.local
	END
	cat >etc/init.d/rcK <<-'END'
		#!/bin/sh
		# At the end: the same in reverse.
		for script in $(ls -r /etc/init.d/S* 2>/dev/null); do
			[ ! -x "$script" ] || "$script" stop
		done
	END
	chmod 755 etc/init.d/rcS etc/init.d/rcK
}

busybox=
find_busybox || fail "no static busybox: install the package busybox-static"
cd "$root"
mkdir -p bin dev etc/init.d etc/network home proc run sbin sys usr/bin usr/sbin \
	usr/local/bin usr/local/sbin var/log var/spool/cron/crontabs var/lib
mkdir -m 700 root
mkdir -m 1777 tmp var/tmp
ln -s /run var/run
put_binaries
put_users
put_settings
put_init
put_ready .
echo "BusyBox from $busybox"
