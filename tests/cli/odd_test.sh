#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Odd input, everywhere it can enter: one clear line, the documented code, no change.
. "$(dirname "$0")/../lib.sh"

is_root || skip_all "needs root"
conf=$VZ_CONFDIR/conf/17001.conf
mkdir -p "$T/private/17001"
printf '%s\n' 'ONBOOT="no"' 'HOSTNAME="odd"' >"$conf"
cp "$conf" "$T/before"

# odd STATUS REGEX COMMAND...: that status, one line of that form, nothing changed
odd() {
	local want=$1 regex=$2 name
	shift 2
	name=$(printf '%.60s' "$*")
	run timeout 10 "$@"
	[ "$status" = "$want" ] && [[ $err =~ $regex ]] && [ "$(wc -l <<<"$err")" = 1 ] &&
		cmp -s "$conf" "$T/before"
	ok $? "$want: $name" || diag "status $status: $err" "$(diff "$T/before" "$conf")"
}

long=$(head -c 3000 /dev/zero | tr '\0' a)
odd 20 'no VEID' vzctl start
odd 14 "number or name ''" vzctl start ''
odd 20 "4294967296" vzctl start 4294967296
odd 14 "VE 7 does not exist" vzctl start 007
odd 14 "1e3" vzctl start 1e3
odd 21 "VE 0 is the node" vzctl start 0
odd 20 "unknown option" vzctl --foo start 17001
odd 20 "unknown command" vzctl ''
odd 20 "unknown option '--foo'" vzctl stop 17001 --foo
odd 20 "unexpected argument 'extra'" vzctl status 17001 extra
odd 20 "needs a value" vzctl set 17001 --cpuunits
odd 21 "8 to 500000" vzctl set 17001 --cpuunits '' --save
odd 21 "8 to 500000" vzctl set 17001 --cpuunits 1e3 --save
odd 21 "8 to 500000" vzctl set 17001 --cpuunits -1 --save
odd 70 'aaa": expected a host name' vzctl set 17001 --hostname "$long" --save
odd 70 'expected a host name' vzctl set 17001 --hostname 'ü' --save
odd 70 'expected a host name' vzctl set 17001 --hostname $'a\nb' --save
odd 131 "taken for a VE's number" vzctl set 17001 --name 101 --save
odd 21 "expected" vzctl set 17001 --numproc -5 --save
odd 21 "not to be greater" vzctl set 17001 --numproc 5:3 --save
odd 21 "suffix" vzctl set 17001 --ram 1Z --save
odd 21 "CPU numbers" vzctl set 17001 --cpumask 0- --save
odd 27 "nothing to set" vzctl set 17001 --save
odd 109 "directories" vzctl set 17001 --applyconfig ../../etc/passwd --save
odd 109 "nosuch" vzctl set 17001 --applyconfig nosuch --save
odd 21 "USER:PASSWORD" vzctl set 17001 --userpasswd root
odd 31 "not running" vzctl exec 17001 ls
odd 11 "script" vzctl runscript 17001 /nonexistent
odd 11 "directory" vzctl runscript 17001 /
odd 21 "reserved" vzctl create 100
odd 20 "up to 2147483644|bad VEID" vzctl destroy 4294967295
odd 21 "bad VEID" vzctl create 2147483645
odd 21 "without directories" vzctl create 17002 --ostemplate ../x
odd 91 "no OS template" vzctl create 17002 --ostemplate nosuch
odd 82 "no sample" vzctl create 17002 --config nosuch
odd 21 "absolute path" vzctl create 17002 --private relative
odd 40 "not mounted" vzctl umount 17001

busybox_template
odd 48 "can't be a private area" vzctl create 17002 --private /
odd 48 "can't be a private area" vzctl create 17002 --private ///

text=$'a\nb"c$d`e\\f'
run vzctl set 17001 --description "$text" --save
# shellcheck disable=SC1090 # shells read these files, too
is "$(. "$conf" && echo "$DESCRIPTION")" "$text" "a text of any bytes is saved"
is "$(vzlist -a -H -o description 17001)" "${text/$'\n'/?}" "and listed in one line"

# Files that are none.
rm "$conf" && mkfifo "$conf"
run timeout 10 vzctl start 17001
is "$status ${err##*: }" "85 it is no regular file" "a fifo in the place of a configuration"
run timeout 10 vzlist -a
is "$status" 0 "vzlist is not held up by it"
rm "$conf" && mkdir "$conf"
run timeout 10 vzctl start 17001
is "$status" 85 "a directory"
rmdir "$conf" && ln -s 17001.conf "$conf"
run timeout 10 vzctl start 17001
is "$status" 3 "a link to itself"
rm "$conf" && head -c 3000 /dev/urandom | tr '\1' '\0' >"$conf"
run timeout 10 vzctl start 17001
is "$status" 85 "random bytes"
cp "$T/before" "$conf"

cp "$VZ_CONFDIR/vz.conf" "$T/vz.conf"
rm "$VZ_CONFDIR/vz.conf"
run timeout 10 vzctl start 17001
is "$status" 10 "no vz.conf"
sed 's|^LOCKDIR=.*|LOCKDIR="/proc/nope"|' "$T/vz.conf" >"$VZ_CONFDIR/vz.conf"
run timeout 10 vzctl start 17001
is "$status" 77 "no place for locks"
cp "$T/vz.conf" "$VZ_CONFDIR/vz.conf"

# Output that goes nowhere.
vzctl status 17001 >/dev/full 2>"$T/said"
is "$? $(cat "$T/said")" \
	"3 vzctl: can't write to standard output: No space left on device" "a full disk is told"
vzctl status 17001 >&-
is $? 0 "no standard output at all"
vzctl umount 17001 >&- 2>&-
is $? 40 "nor standard error"
is "$(tr -d '0-9\n' <"$T/lock/17001.lck")" "" "and nothing was printed into a file"
done_testing
