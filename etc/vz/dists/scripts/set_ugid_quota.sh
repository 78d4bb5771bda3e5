#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# SET_UGID_QUOTA: with UGIDLIMIT users and groups that may have quotas (0: none),
# /etc/mtab, by which older quota tools find file systems, is what /proc/mounts says:
# vz names the VE's root there as those tools need it.

mounts=/proc/mounts
usual=../proc/self/mounts

case ${UGIDLIMIT:-0} in
0)
	[ "$(readlink /etc/mtab)" = $mounts ] || exit 0
	link=$usual
	;;
*)
	[ "$(readlink /etc/mtab)" != $mounts ] || exit 0
	link=$mounts
	;;
esac
rm -f /etc/mtab.vz
if ! ln -s "$link" /etc/mtab.vz || ! mv -f /etc/mtab.vz /etc/mtab; then
	vz_fail "can't make /etc/mtab a link to $link"
fi
