#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Install what deps.list names and this machine lacks: deps.sh [KIND...]
# With -n only print the names of the KINDs. Mirrors are those of the machine's apt.
set -eu

list=$(dirname "$0")/deps.list
print=no
if [ "${1-}" = -n ]; then
	print=yes
	shift
fi
[ $# -gt 0 ] || set -- build run package test

wanted() {
	local kind
	for kind; do
		sed -n "s/^$kind //p" "$list"
	done
}

missing() {
	local package state
	for package in $(wanted "$@"); do
		# shellcheck disable=SC2016 # dpkg-query's own ${…}
		state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || :
		[ "$state" = installed ] || echo "$package"
	done
}

if [ $print = yes ]; then
	wanted "$@"
	exit
fi
mapfile -t packages < <(missing "$@")
[ ${#packages[@]} -gt 0 ] || exit 0
if [ "$(id -u)" != 0 ]; then
	echo "deps: need root to install: ${packages[*]}" >&2
	exit 1
fi
echo "deps: installing ${packages[*]}"
export DEBIAN_FRONTEND=noninteractive
install=(apt-get -qq -y -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300
	install --no-install-recommends)
# Old lists name versions that the mirror has no longer: read them again once.
if ! apt-cache show "${packages[@]}" >/dev/null 2>&1 ||
	! "${install[@]}" "${packages[@]}" </dev/null >/dev/null 2>&1; then
	apt-get -qq update
	"${install[@]}" "${packages[@]}" </dev/null >/dev/null
fi
