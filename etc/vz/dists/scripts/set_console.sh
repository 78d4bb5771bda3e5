#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# SET_CONSOLE: a VE has one terminal, /dev/console. Where init is told of
# terminals by /etc/inittab, put a login there and take it from absent ones,
# which init would start over and over. systemd sees by itself what there is.

[ -f /etc/inittab ] || exit 0

case $(readlink -f /sbin/init) in
*busybox*) getty='console::respawn:/sbin/getty 38400 console linux' ;;
*) getty='vz:2345:respawn:/sbin/getty --noclear 38400 console linux' ;;
esac
if [ ! -x /sbin/getty ] && [ -x /sbin/agetty ]; then
	getty='vz:2345:respawn:/sbin/agetty --noclear console 38400 linux'
fi

inittab()
{
	console=false
	while IFS= read -r text || [ -n "$text" ]; do
		case $text in
		'#'*) ;;
		::respawn:* | ::askfirst:* | *:respawn:*console* | *:askfirst:*console* | \
			console::respawn:* | console::askfirst:*)
			console=true
			;;
		*getty*tty[0-9A-Z]* | *getty*hvc[0-9]* | tty[0-9A-Z]*::*)
			text="#vz $text"
			;;
		esac
		printf '%s\n' "$text"
	done </etc/inittab
	"$console" || printf '%s\n' "$getty"
}

text=$(inittab) || exit 1
vz_put /etc/inittab "$text"
