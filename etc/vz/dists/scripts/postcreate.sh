#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# POST_CREATE: once, in a new VE before its first start. Whatever two VEs of
# one template must not share is made anew or left to the first boot.

# An empty file: systemd makes a new id, and the first boot is told by it.
new_machine_id()
{
	[ ! -e /etc/machine-id ] || : >/etc/machine-id
	[ ! -f /var/lib/dbus/machine-id ] || [ -L /var/lib/dbus/machine-id ] ||
		rm -f /var/lib/dbus/machine-id
	rm -f /var/lib/systemd/random-seed /var/lib/urandom/random-seed
}

# Something at boot that makes missing host keys: the template's own unit, or
# the distribution's.
makes_host_keys()
{
	grep -rqsE 'ssh-keygen[[:space:]]+-A|sshd-keygen' /etc/systemd/system \
		/usr/lib/systemd/system /lib/systemd/system /etc/init.d \
		/etc/conf.d /etc/rc.local
}

new_host_keys()
{
	[ -d /etc/ssh ] || return 0
	rm -f /etc/ssh/ssh_host_*_key /etc/ssh/ssh_host_*_key.pub
	vz_have sshd || [ -x /usr/sbin/sshd ] || return 0
	vz_have ssh-keygen || return 0
	makes_host_keys || ssh-keygen -A >/dev/null ||
		vz_fail "ssh-keygen -A failed"
}

# spread FILE: its lines, a fixed minute of the hour replaced by another one.
spread()
{
	while IFS= read -r text || [ -n "$text" ]; do
		case ${text%%[!0-9]*} in
		[0-9] | [0-5][0-9])
			case ${text#"${text%%[!0-9]*}"} in
			[[:blank:]]*) text=$minute${text#"${text%%[!0-9]*}"} ;;
			esac
			;;
		esac
		printf '%s\n' "$text"
	done <"$1"
}

# All VEs of a node would otherwise start their daily jobs in one minute.
spread_cron()
{
	seed=$(od -An -N2 -tu2 /dev/urandom) || return 0
	minute=$((seed % 60))
	for file in /etc/crontab /etc/cron.d/*; do
		if [ ! -f "$file" ] || [ -L "$file" ]; then
			continue
		fi
		text=$(spread "$file") && vz_put "$file" "$text"
	done
}

# No password is no way in: "*" matches none. Keys in ~/.ssh go on working.
lock_root()
{
	[ -f /etc/shadow ] || return 0
	text=$(
		while IFS= read -r text || [ -n "$text" ]; do
			case $text in
			root::*) text="root:*:${text#root::}" ;;
			esac
			printf '%s\n' "$text"
		done </etc/shadow
	)
	vz_put /etc/shadow "$text" 600
}

# systemd tells by itself when it is up. Another init runs this last, by its
# inittab, for "vzctl start --wait".
tell_ready()
{
	if [ ! -f /etc/inittab ] || [ -e /sbin/vz-ready ]; then
		return 0
	fi
	case $(readlink -f /sbin/init) in
	*busybox*) line='::once:/sbin/vz-ready' ;;
	*) line='vr:2345:once:/sbin/vz-ready' ;;
	esac
	text=$(cat /etc/inittab && printf '%s\n' "$line")
	vz_put /sbin/vz-ready '#!/bin/sh
# Tell the node that this VE is up. Opened both ways, so as not to wait for it.
[ ! -p /run/host/ready ] || echo 1<>/run/host/ready' 755
	vz_put /etc/inittab "$text"
}

new_machine_id
new_host_keys
spread_cron
lock_root
tell_ready
[ -e /etc/mtab ] || [ -L /etc/mtab ] || ln -s ../proc/self/mounts /etc/mtab
