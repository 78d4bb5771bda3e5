#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# SET_DNS: make NAMESERVER and SEARCHDOMAIN (words parted by spaces; an empty
# one is left as it is) what the VE's resolver uses.

NAMESERVER=${NAMESERVER:-}
SEARCHDOMAIN=${SEARCHDOMAIN:-}
[ -n "$NAMESERVER$SEARCHDOMAIN" ] || exit 0

# resolv FILE (in a subshell): its text, with our lines instead of those they replace.
resolv()
{
	set -f
	if [ -f "$1" ]; then
		while IFS= read -r text || [ -n "$text" ]; do
			# shellcheck disable=SC2086
			set -- $text
			case ${1:-} in
			nameserver) [ -z "$NAMESERVER" ] || continue ;;
			search | domain) [ -z "$SEARCHDOMAIN" ] || continue ;;
			esac
			printf '%s\n' "$text"
		done <"$1"
	fi
	[ -z "$SEARCHDOMAIN" ] || printf 'search %s\n' "$SEARCHDOMAIN"
	for server in $NAMESERVER; do
		printf 'nameserver %s\n' "$server"
	done
}

# resolved_on: whether systemd-resolved will serve the link to its file.
resolved_on()
{
	[ -x /usr/lib/systemd/systemd-resolved ] ||
		[ -x /lib/systemd/systemd-resolved ] || return 1
	[ "$(readlink /etc/systemd/system/systemd-resolved.service)" != /dev/null ] ||
		return 1
	for link in /etc/systemd/system/*/systemd-resolved.service \
		/usr/lib/systemd/system/*/systemd-resolved.service; do
		[ ! -L "$link" ] || return 0
	done
	return 1
}

# systemd-resolved writes /etc/resolv.conf's target itself: tell it, rather
# than take the link away from it.
set_resolved()
{
	text='# Written by vzctl: NAMESERVER and SEARCHDOMAIN.
[Resolve]'
	[ -z "$NAMESERVER" ] || text="$text
DNS=
DNS=$NAMESERVER"
	[ -z "$SEARCHDOMAIN" ] || text="$text
Domains=
Domains=$SEARCHDOMAIN"
	vz_put /etc/systemd/resolved.conf.d/vz.conf "$text"
	[ "${VE_STATE:-}" != running ] ||
		systemctl try-restart systemd-resolved.service ||
		vz_fail "can't restart systemd-resolved"
}

# The package resolvconf builds the file from parts: ours is its base.
set_resolvconf()
{
	base=/etc/resolvconf/resolv.conf.d/base
	text=$(resolv $base) || exit 1
	vz_put $base "$text"
	[ "${VE_STATE:-}" != running ] || resolvconf -u ||
		vz_fail "resolvconf -u failed"
}

set_file()
{
	if [ -L /etc/resolv.conf ]; then
		target=$(readlink -f /etc/resolv.conf)
		# What a start of the VE empties, and nobody is there to make
		# again, or never was there: have a file instead.
		case $target in
		'' | /run/* | /var/run/* | /proc/* | /dev/*) rm -f /etc/resolv.conf ;;
		*) [ -f "$target" ] || rm -f /etc/resolv.conf ;;
		esac
	fi
	text=$(resolv /etc/resolv.conf) || exit 1
	vz_put /etc/resolv.conf "$text"
}

link=
[ ! -L /etc/resolv.conf ] || link=$(readlink /etc/resolv.conf)
case $link in
*systemd/resolve/*)
	if resolved_on; then
		set_resolved
		exit 0
	fi
	;;
*resolvconf/*)
	if vz_have resolvconf; then
		set_resolvconf
		exit 0
	fi
	;;
esac
set_file
