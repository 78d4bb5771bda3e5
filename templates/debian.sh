#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# debian-N-ARCH, debian-N-sysvinit-ARCH, debian-N-openrc-ARCH for N from 11
# to 13. The packages come from the mirror that this machine's own apt uses,
# by mmdebstrap, or debootstrap where that is missing.
#
# What is in it: an init, a way in (ssh), a way out (iproute2, ping, apt with
# TLS certificates), cron, and what one needs to look around (ps, less, nano).
# No kernel, boot loader, udev, or time service: those are the node's matters.
set -eu
umask 022
here=$(cd "$(dirname "$0")" && pwd)
. "$here/functions"

name=$1 root=$2

common="dbus iproute2 iputils-ping netbase ifupdown openssh-server cron procps less
	nano ca-certificates tzdata logrotate"
# systemd keeps the log itself, these do not (rsyslog has no init script any more).
with_sysvinit="sysvinit-core initscripts sysv-rc insserv startpar inetutils-syslogd"
with_openrc="sysvinit-core initscripts openrc inetutils-syslogd"
with_systemd="systemd-sysv"

parse_name()
{
	rest=${name#debian-}
	version=${rest%%-*}
	rest=${rest#*-}
	case $rest in
	*-*) init=${rest%%-*} rest=${rest#*-} ;;
	*) init=systemd ;;
	esac
	case $version in
	11) suite=bullseye ;;
	12) suite=bookworm ;;
	13) suite=trixie ;;
	*) fail "no such template: $name (debian-11, debian-12 or debian-13)" ;;
	esac
	case $init in
	systemd) packages="$common $with_systemd" ;;
	sysvinit) packages="$common $with_sysvinit" ;;
	openrc) packages="$common $with_openrc" ;;
	*) fail "no such template: $name (the init is sysvinit, openrc or not named)" ;;
	esac
	[ "$rest" = "$(uname -m)" ] || check_arch "$name"
}

# SUITE URI of each Debian archive that apt is configured with.
apt_archives()
{
	# shellcheck disable=SC2016 # apt's own $(…)
	apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
		sed -n 's/^\([a-z]*\(-security\|-updates\)\{0,1\}\) \(http.*\)$/\1 \3/p' | sort -u
}

# by_kind PATTERN: the first archive whose suite matches it, of any release.
by_kind()
{
	apt_archives | sed -n "s/^\($1\) //p" | head -n 1
}

releases='stable\|oldstable\|oldoldstable\|testing\|bullseye\|bookworm\|trixie'

# The lines of sources.list: what apt here has of the suite, else the same
# archives with the suite's name in the place of theirs.
find_sources()
{
	own=$(apt_archives | sed -n "s/^\($suite\(-[a-z]*\)\{0,1\}\) \(.*\)/deb \3 \1 main/p")
	if printf '%s\n' "$own" | grep -q " $suite main\$"; then
		printf '%s\n' "$own"
		return
	fi
	main=$(by_kind "$releases")
	[ -n "$main" ] || fail "apt of this machine is configured with no Debian archive"
	printf 'deb %s %s main\n' "$main" "$suite" "$main" "$suite-updates"
	security=$(by_kind "\(${releases}\)-security")
	[ -z "$security" ] || printf 'deb %s %s-security main\n' "$security" "$suite"
}

# What apt here says about the way to its mirrors holds for this one, too.
apt_options()
{
	for key in Acquire::http::Proxy Acquire::https::Proxy Acquire::Check-Valid-Until; do
		apt-config dump --no-empty --format '%f "%v";%n' "$key"
	done
}

# install SOURCES: fills $root.
install()
{
	list=$(printf %s "$packages" | tr -s '[:space:]' ,)
	if command -v mmdebstrap >/dev/null; then
		apt_options >"$root.apt.conf"
		printf '%s\n' "$1" | mmdebstrap --mode=root --variant=minbase --format=directory \
			--aptopt="$root.apt.conf" --include="$list" "$suite" "$root" -
	elif command -v debootstrap >/dev/null; then
		debootstrap --variant=minbase --include="$list" "$suite" "$root" \
			"$(printf '%s\n' "$1" | sed -n "s/^deb \(.*\) $suite main\$/\1/p")"
	else
		fail "neither mmdebstrap nor debootstrap is installed"
	fi
}

# Once more without what a mirror may lack of an old or a new release.
install_or_less()
{
	install "$sources" && return
	main=$(printf '%s\n' "$sources" | grep " $suite main\$")
	if [ "$main" != "$sources" ]; then
		echo "once more with the suite $suite alone"
		find "$root" -mindepth 1 -delete
		install "$main" && sources=$main && return
	fi
	fail "$suite can't be installed from the archive that apt here uses: it may hold" \
		"another release only (vztmpl --verbose make $name shows more)"
}

in_root()
{
	chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
		DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 "$@"
}

# Two VEs of one template must not have the same keys.
put_host_keys_systemd()
{
	rm -f "$root"/etc/ssh/ssh_host_*_key "$root"/etc/ssh/ssh_host_*_key.pub
	cat >"$root/etc/systemd/system/vz-host-keys.service" <<-'END'
		[Unit]
		Description=Make the host keys of ssh
		ConditionPathExists=!/etc/ssh/ssh_host_ed25519_key
		Before=ssh.service

		[Service]
		Type=oneshot
		ExecStart=/usr/bin/ssh-keygen -A

		[Install]
		WantedBy=ssh.service
	END
	in_root systemctl enable --quiet vz-host-keys.service
}

put_host_keys_scripts()
{
	rm -f "$root"/etc/ssh/ssh_host_*_key "$root"/etc/ssh/ssh_host_*_key.pub
	cat >"$root/etc/init.d/vz-host-keys" <<-'END'
		#!/bin/sh
		### BEGIN INIT INFO
		# Provides:          vz-host-keys
		# Required-Start:    $local_fs
		# Required-Stop:
		# X-Start-Before:    ssh
		# Default-Start:     2 3 4 5
		# Default-Stop:
		# Short-Description: Make the host keys of ssh
		### END INIT INFO
		case $1 in
		start)
			[ -e /etc/ssh/ssh_host_ed25519_key ] || /usr/bin/ssh-keygen -A >/dev/null
			;;
		esac
	END
	chmod 755 "$root/etc/init.d/vz-host-keys"
	in_root update-rc.d vz-host-keys defaults >/dev/null
}

# A VE has one terminal, the console; and says when it is up.
put_inittab()
{
	sed -i -e 's/^[1-6]:[0-9]*:respawn:.*getty.*tty[1-6].*/#&/' \
		-e 's/^#*T[01]:.*/#&/' -e 's/^p[fno]::/#&/' "$root/etc/inittab"
	cat >>"$root/etc/inittab" <<-'END'

		vz:2345:respawn:/sbin/getty --noclear 38400 console linux
		vr:2345:once:/sbin/vz-ready
	END
	put_ready "$root"
}

setup_systemd()
{
	rm -f "$root"/etc/systemd/system/getty.target.wants/getty@tty*.service
	put_host_keys_systemd
}

# Clocks, disks and keyboards are the node's.
setup_scripts()
{
	for service in hwclock.sh checkroot.sh checkfs.sh checkroot-bootclean.sh \
		mountdevsubfs.sh mountkernfs.sh kmod udev; do
		[ ! -e "$root/etc/init.d/$service" ] ||
			in_root update-rc.d "$service" disable >/dev/null 2>&1 || :
	done
	put_inittab
	put_host_keys_scripts
}

put_settings()
{
	printf '%s\n' "$sources" >"$root/etc/apt/sources.list"
	echo localhost >"$root/etc/hostname"
	printf '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n' \
		>"$root/etc/hosts"
	echo '# A VE mounts nothing by itself.' >"$root/etc/fstab"
	echo LANG=C.UTF-8 >"$root/etc/default/locale"
	printf '%s\n' 'auto lo' 'iface lo inet loopback' \
		'source /etc/network/interfaces.d/*' >"$root/etc/network/interfaces"
	mkdir -p "$root/etc/network/interfaces.d"
}

# What belongs to the making, or to one machine only.
clean()
{
	rm -f "$root/etc/resolv.conf" "$root/var/lib/dbus/machine-id" \
		"$root/var/lib/systemd/random-seed" "$root/var/lib/urandom/random-seed" \
		"$root/etc/.pwd.lock" "$root/usr/sbin/policy-rc.d" "$root/root/.bash_history"
	: >"$root/etc/machine-id"
	find "$root/var/lib/apt/lists" "$root/var/cache/apt" "$root/var/log" "$root/tmp" \
		"$root/var/tmp" "$root/dev" "$root/run" -mindepth 1 ! -type d -delete
	find "$root/dev" "$root/run" "$root/tmp" "$root/var/tmp" -mindepth 1 -depth -delete
	rm -f "$root"/var/cache/debconf/*-old "$root"/var/lib/dpkg/*-old \
		"$root"/etc/passwd- "$root"/etc/group- "$root"/etc/shadow- "$root"/etc/gshadow- \
		"$root"/var/cache/ldconfig/aux-cache
	rm -rf "$root/var/lib/apt/lists/auxfiles" "$root/var/lib/apt/lists/partial"
}

parse_name
sources=$(find_sources)
install_or_less
case $init in
systemd) setup_systemd ;;
*) setup_scripts ;;
esac
put_settings
clean
echo "Debian $version ($suite) with $init"
