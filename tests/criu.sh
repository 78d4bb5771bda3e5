#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Prints a criu that works on this machine: the packaged one, or, where that one's
# `criu check` fails on the kernel, one that is built from the source package of
# Debian's unstable suite. Built once a machine; CRIU_CACHE says where it is kept.
#
#   criu.sh             print its path, build nothing; 1: there is none
#   criu.sh make        install or build what is missing, then print its path
#
# The archive is the one of the machine's apt configuration, its signatures checked
# with Debian's keys.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${CRIU_CACHE:-/var/cache/vz-tests/criu}

works() {
	[ -x "$1" ] && timeout 60 "$1" check >/dev/null 2>&1
}

find_one() {
	local criu
	for criu in "$(type -P criu || :)" /usr/sbin/criu "$cache/criu"; do
		if [ -n "$criu" ] && works "$criu"; then
			echo "$criu"
			return
		fi
	done
	return 1
}

mirror() {
	# shellcheck disable=SC2016 # apt's own $(…)
	apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' |
		grep '/debian/*$' | head -n 1 | grep . || {
		echo "criu: apt's lists name no Debian archive: run apt-get update" >&2
		return 1
	}
}

# An apt of its own, which knows nothing but unstable's sources.
fetch() {
	local from apt
	from=$(mirror) || return
	mkdir -p "$work/apt/lists/partial"
	printf 'deb-src [signed-by=%s] %s unstable main\n' \
		/usr/share/keyrings/debian-archive-keyring.gpg "$from" >"$work/apt/list"
	apt=(apt-get -qq -o "Dir::Etc::SourceList=$work/apt/list"
		-o Dir::Etc::SourceParts=/dev/null -o "Dir::State::Lists=$work/apt/lists"
		-o "Dir::Cache::srcpkgcache=" -o "Dir::Cache::pkgcache=" -o APT::Sandbox::User=root)
	"${apt[@]}" update
	(cd "$work" && "${apt[@]}" source --download-only --tar-only criu)
}

build() {
	work=$(mktemp -d "$cache/work.XXXXXX")
	trap 'rm -rf --one-file-system "$work"' EXIT
	trap 'exit 130' INT TERM
	fetch
	tar -C "$work" -xf "$work"/criu_*.orig.tar.*
	make -s -C "$work"/criu-*/ -j "$(nproc)" criu >"$cache/build.log" 2>&1 || {
		tail -n 20 "$cache/build.log" >&2
		return 1
	}
	install -m 755 "$work"/criu-*/criu/criu "$cache/criu.new"
	mv "$cache/criu.new" "$cache/criu"
}

make_one() {
	"$here/deps.sh" criu-package || :
	if find_one; then
		return
	fi
	"$here/deps.sh" criu-source
	mkdir -p "$cache"
	# Of two that want it, one builds.
	exec 9>"$cache/lock"
	flock 9
	if ! works "$cache/criu"; then
		build
	fi
	find_one || {
		echo "criu: neither the package nor unstable's source works on this kernel" >&2
		return 1
	}
}

case ${1-} in
make) make_one ;;
'') find_one ;;
*)
	sed -n 's/^#   //p' "$0" >&2
	exit 2
	;;
esac
