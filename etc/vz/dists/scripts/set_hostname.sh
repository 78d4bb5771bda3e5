#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# SET_HOSTNAME: make HOSTNM the name in the VE's files. The name of the running
# kernel namespace is vzctl's own work and not done here.

[ -n "${HOSTNM:-}" ] || exit 0
short=${HOSTNM%%.*}
old=
if [ -f /etc/hostname ] && [ -r /etc/hostname ]; then
	read -r old </etc/hostname || :
fi

# names_host WORD...: whether a line of /etc/hosts names HOSTNM.
names_host()
{
	case ${1:-#} in
	'#'* | 127.0.1.1) return 1 ;;
	esac
	shift
	for word; do
		case $word in
		'#'*) return 1 ;;
		"$HOSTNM") return 0 ;;
		esac
	done
	return 1
}

# own_line WORD...: the words of the 127.0.1.1 line with the VE's name first,
# without its old name, and with what else somebody put there.
own_line()
{
	line=127.0.1.1
	if ! "$elsewhere"; then
		line="$line $HOSTNM"
		[ "$short" = "$HOSTNM" ] || line="$line $short"
	fi
	comment=false
	for word; do
		case $word in
		'#'*) comment=true ;;
		esac
		"$comment" ||
			! vz_in "$word" "$HOSTNM" "$short" "$old" "${old%%.*}" ||
			continue
		line="$line $word"
	done
	[ "$line" = 127.0.1.1 ] || printf '%s\n' "$line"
}

# hosts: what /etc/hosts is to say. An address that somebody gave the name
# themselves is better than 127.0.1.1: then there is no such line.
hosts()
{
	done=$elsewhere
	! grep -q '^[[:space:]]*127\.0\.1\.1[[:space:]]' /etc/hosts || done=true
	first=true
	while IFS= read -r text || [ -n "$text" ]; do
		# shellcheck disable=SC2086
		set -- $text
		if [ "${1:-}" = 127.0.1.1 ] && "$first"; then
			first=false
			shift
			own_line "$@"
			continue
		fi
		printf '%s\n' "$text"
		if [ "${1:-}" = 127.0.0.1 ] && ! "$done"; then
			done=true
			own_line
		fi
	done </etc/hosts
	"$done" || own_line
}

set -f
[ -f /etc/hosts ] ||
	vz_put /etc/hosts '127.0.0.1 localhost
::1 localhost ip6-localhost ip6-loopback'
elsewhere=false
while IFS= read -r text || [ -n "$text" ]; do
	# shellcheck disable=SC2086
	! names_host $text || elsewhere=true
done </etc/hosts
text=$(hosts) || exit 1
vz_put /etc/hosts "$text"

# Red Hat before systemd reads the name from here; so do some programs since.
if [ -f /etc/sysconfig/network ] &&
	{ grep -q '^HOSTNAME=' /etc/sysconfig/network || ! vz_systemd; }; then
	text=$(grep -v '^HOSTNAME=' /etc/sysconfig/network
		printf 'HOSTNAME="%s"\n' "$HOSTNM")
	vz_put /etc/sysconfig/network "$text"
fi
# SUSE, by its older name.
if [ -f /etc/HOSTNAME ] && [ ! -L /etc/HOSTNAME ]; then
	vz_put /etc/HOSTNAME "$HOSTNM"
fi
# Last: vzctl takes this file as the sign that the others are done. A link to
# elsewhere is replaced: hostname(5) is read before anything else is mounted.
[ ! -L /etc/hostname ] || rm -f /etc/hostname
vz_put /etc/hostname "$HOSTNM"
