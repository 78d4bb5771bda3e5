#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# ADD_IP and DEL_IP: make the VE's own files say the addresses of venet0 that it
# has: IP_ALL, words of ADDRESS or ADDRESS/BITS. vzctl gives the running VE its
# addresses itself, before its init begins and live; the files are for what the
# VE restarts by itself. So all that they do may be done already, and may be
# done again.

mark='# Written by vzctl, which replaces it: the addresses of venet0.'
last='# venet0: end'

v4='' v6=''
for ip in ${IP_ALL:-}; do
	case $ip in
	*:*/*) v6="$v6 $ip" ;;
	*:*) v6="$v6 $ip/128" ;;
	*/*) v4="$v4 $ip" ;;
	*) v4="$v4 $ip/32" ;;
	esac
done

# own_file FILE TEXT: TEXT is what FILE says; without TEXT or addresses, no such
# file of ours.
own_file()
{
	if [ -n "$v4$v6" ] && [ -n "$2" ]; then
		vz_put "$1" "$mark
$2"
	elif [ -f "$1" ] && IFS= read -r text <"$1" && [ "$text" = "$mark" ]; then
		rm -f "$1"
	fi
}

# stanza: what ifup of Debian, Alpine and BusyBox reads.
stanza()
{
	printf '%s\n' "$mark" 'auto venet0' 'iface venet0 inet manual' \
		'	up ip link set venet0 up || :'
	for ip in $v4 $v6; do
		printf '	up ip addr replace %s dev venet0 || :\n' "$ip"
	done
	[ -z "$v4" ] ||
		echo '	up ip route add default dev venet0 2>/dev/null || :'
	[ -z "$v6" ] ||
		echo '	up ip -6 route add default dev venet0 2>/dev/null || :'
	printf '%s\n' '	down ip link set venet0 down || :' "$last"
}

# interfaces FILE: its text, with our stanza in place of the old one, or last.
interfaces()
{
	ours=false
	while IFS= read -r text || [ -n "$text" ]; do
		case $text in
		"$mark") ours=true ;;
		"$last") ours=false ;;
		*) "$ours" || printf '%s\n' "$text" ;;
		esac
	done <"$1"
	[ -z "$v4$v6" ] || stanza
}

set_ifupdown()
{
	file=/etc/network/interfaces
	if [ ! -f $file ]; then
		[ -n "$v4$v6" ] || return 0
		vz_put $file 'auto lo
iface lo inet loopback
'
	fi
	text=$(interfaces $file) || exit 1
	vz_put $file "$text"
}

networkd()
{
	printf '%s\n' '[Match]' 'Name=venet0' '' '[Link]' 'ARP=no' '' '[Network]' \
		'DHCP=no' 'LinkLocalAddressing=no' 'IPv6AcceptRA=no'
	for ip in $v4 $v6; do
		printf '\n[Address]\nAddress=%s\nDuplicateAddressDetection=none\n' "$ip"
	done
	[ -z "$v4" ] || printf '\n[Route]\nDestination=0.0.0.0/0\nScope=link\n'
	[ -z "$v6" ] || printf '\n[Route]\nDestination=::/0\n'
}

# What Red Hat's network-scripts read.
ifcfg()
{
	printf '%s\n' 'DEVICE=venet0' 'ONBOOT=yes' 'BOOTPROTO=none' 'ARPCHECK=no' \
		'NM_CONTROLLED=no'
	n=0
	for ip in $v4; do
		printf 'IPADDR%d=%s\nPREFIX%d=%s\n' $n "${ip%/*}" $n "${ip#*/}"
		n=$((n + 1))
	done
	[ -n "$v6" ] || return 0
	# shellcheck disable=SC2086
	set -- $v6
	printf 'IPV6INIT=yes\nIPV6_AUTOCONF=no\nIPV6ADDR=%s\n' "$1"
	shift
	printf 'IPV6ADDR_SECONDARIES="%s"\n' "$*"
}

set_ifcfg()
{
	dir=/etc/sysconfig/network-scripts
	own_file $dir/ifcfg-venet0 "$(ifcfg)"
	own_file $dir/route-venet0 "${v4:+default dev venet0}"
	own_file $dir/route6-venet0 "${v6:+default dev venet0}"
}

# SUSE's wicked and sysconfig.
suse()
{
	printf '%s\n' "STARTMODE='auto'" "BOOTPROTO='static'"
	n=0
	for ip in $v4 $v6; do
		printf "IPADDR_%d='%s'\n" $n "$ip"
		n=$((n + 1))
	done
}

set_suse()
{
	own_file /etc/sysconfig/network/ifcfg-venet0 "$(suse)"
	own_file /etc/sysconfig/network/ifroute-venet0 "default - - venet0"
}

set -f
[ ! -d /etc/network ] || set_ifupdown
[ ! -d /etc/systemd/network ] ||
	own_file /etc/systemd/network/10-venet0.network "$(networkd)"
[ ! -d /etc/sysconfig/network-scripts ] || set_ifcfg
[ ! -f /etc/sysconfig/network/config ] || set_suse
# NetworkManager keeps away from it: the addresses are there when it begins.
[ ! -d /etc/NetworkManager/conf.d ] ||
	own_file /etc/NetworkManager/conf.d/venet0.conf '[keyfile]
unmanaged-devices=interface-name:venet0'

# Last: vzctl takes this file as the sign that the others are done.
if [ -n "${IP_ALL:-}" ]; then
	vz_put /etc/vz-addresses "$IP_ALL"
else
	rm -f /etc/vz-addresses
fi
