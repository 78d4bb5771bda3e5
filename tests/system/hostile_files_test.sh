#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A VE that made its own files links to the host's, pipes or devices: whatever
# is done to it, the host's files stay, and nothing hangs.
# shellcheck disable=SC2016 # the VE's shell expands them
. "$(dirname "$0")/hostile.sh"

make_hostile 1400 || skip_all "no VE could be made"
R=$T/private/1400
# A script in the VE that waits for its pipes is given up then.
export VZ_SCRIPT_TIMEOUT=2
mounts_before=$(host_mounts)

# a command that must end, with whatever documented status
ends() {
	local name=$1
	shift
	run timeout 60 "$@"
	[ "$status" != 124 ] && [ "$status" -lt 126 ]
	ok $? "$name: ends (status $status)" || diag "$err"
}

# Each command that touches files of a VE, on one whose files are like that.
abuse() {
	local name=$1
	vzctl --quiet umount 1400 >/dev/null 2>&1
	ends "$name, set stopped" vzctl set 1400 --hostname evil --nameserver 192.0.2.1 \
		--searchdomain example.com --save
	ends "$name, userpasswd stopped" vzctl set 1400 --userpasswd root:secret --save
	ends "$name, start" vzctl start 1400
	ends "$name, set" vzctl set 1400 --hostname evil2 --nameserver 192.0.2.2 \
		--searchdomain example.net
	ends "$name, userpasswd" vzctl set 1400 --userpasswd root:secret2
	ends "$name, exec" vzctl exec 1400 true
	ends "$name, stop" vzctl stop 1400 --fast
	run vzctl status 1400
	like "$out" ' unmounted down' "$name: is down"
	host_untouched "$name"
	is "$(host_mounts)" "$mounts_before" "$name: the host's mounts are as they were"
}

# link FILE...: to the host's file, by its path and by climbing
replaced_by() {
	local how=$1 file
	shift
	for file; do
		rm -rf "${R:?}$file"
		case $how in
		link) ln -s "$H/file" "$R$file" ;;
		climb) ln -s "../../../../../../../../../..$H/file" "$R$file" ;;
		magic) ln -s "/proc/1/root$H/file" "$R$file" ;;
		self) ln -s "/proc/self/root$H/file" "$R$file" ;;
		fifo) mkfifo "$R$file" ;;
		dir) mkdir "$R$file" ;;
		zero) mknod "$R$file" c 1 5 ;;
		esac
	done
}

files=(/etc/resolv.conf /etc/hostname /etc/hosts /etc/passwd /etc/shadow /etc/group
	/etc/machine-id /etc/inittab /etc/debian_version /etc/.pwd.lock /etc/localtime)
cp -a "$R" "$T/private/good"

again() {
	rm -rf --one-file-system "$R"
	cp -a "$T/private/good" "$R"
}

for how in link climb magic self fifo dir zero; do
	again
	replaced_by $how "${files[@]}"
	abuse "files: $how"
done

# The directories on the way, and where things are mounted.
for dir in etc dev proc sys run tmp bin sbin usr var root; do
	again
	mv "$R/$dir" "$R/.$dir"
	ln -s "$H/dir" "$R/$dir"
	abuse "/$dir is a link"
	is "$(ls -A "$H/dir")" "" "/$dir is a link: nothing was put at its end"
done
for dir in dev proc sys run; do
	again
	mv "$R/$dir" "$R/.$dir"
	echo >"$R/$dir"
	abuse "/$dir is a file"
done

# Programs that the host asks for.
for how in "$H/program" /proc/self/exe /proc/1/exe /dev/null /etc "../../../../../../..$H/program"; do
	for file in bin/sh sbin/init; do
		again
		ln -sfn "$how" "$R/$file"
		abuse "/$file is a link to ${how/"$T"/}"
	done
done
for file in bin/sh sbin/init bin/busybox; do
	again
	rm -f "$R/$file"
	mkfifo "$R/$file"
	chmod 755 "$R/$file"
	abuse "/$file is a fifo"
done
[ ! -e "$H/dir/ran" ]
ok $? "no program of the host was run"

# A shell that never ends, which a start needs for the name that it is to set.
again
run vzctl set 1400 --hostname patient --save
cp "$hostile" "$R/bin/hostile-shell"
mv -f "$R/bin/hostile-shell" "$R/bin/sh"
run_is 15 "a shell that never ends: start gives up" timeout 60 vzctl start 1400
like "$err" 'killed after' "a shell that never ends: it says so"
run vzctl status 1400
like "$out" ' unmounted down' "a shell that never ends: is down"
is "$(our_groups | grep /1400)" "" "a shell that never ends: no process is left"

# A root that is not the VE's.
again
mv "$R" "$T/private/aside"
ln -s "$H/dir" "$R"
ends "private area is a link: start" vzctl start 1400
vzctl --quiet stop 1400 --fast >/dev/null 2>&1
vzctl --quiet umount 1400 >/dev/null 2>&1
rm -f "$R"
mv "$T/private/aside" "$R"
host_untouched "private area is a link"

again
rm -rf --one-file-system "$T/private/good"
run_ok "and it starts again as if nothing was" vzctl start 1400
run_ok "and stops" vzctl stop 1400 --fast
run_ok "and goes" vzctl destroy 1400
done_testing
