#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vzctl set on a running VE: at once, walked back, remembered, restarted for.
. "$(dirname "$0")/../lib.sh"

is_root || skip_all "not root"
make_conf
make_ve 1110 || skip_all "no VE can be made"
conf=$VZ_CONFDIR/conf/1110.conf
unsaved=$VZ_RUNDIR/1110/unsaved
run_ok "a VE runs" vzctl start 1110

saved() {
	grep -q "^$1=\"$2\"" "$conf"
	ok $? "$1=\"$2\" is saved"
}

# The CPU weight that the VE's group has, as the kernel says it.
weight() {
	local at
	read -r -a at <<<"$(controller cpu)"
	case ${at[0]} in
	v1) cat "${at[1]}/$CGROUP/1110/cpu.shares" ;;
	v2) cat "${at[1]}/$CGROUP/1110/cpu.weight" ;;
	esac
}

before=$(weight)
run_ok "cpuunits without --save" vzctl set 1110 --cpuunits 5000
is "$err" "" "says nothing"
[ -n "$before" ] && [ "$(weight)" != "$before" ]
ok $? "it is in force: $before became $(weight)"
is "$(grep -c 5000 "$conf")" 0 "it is not saved"
run_ok "the saved value again" vzctl set 1110 --cpuunits 1000
is "$(weight)" "$before" "puts back what was in force"

run_ok "host name and DNS" vzctl set 1110 --hostname web1 --nameserver 192.0.2.1
is "$(vzctl exec 1110 hostname)" web1 "the VE has the host name"
like "$(vzctl exec 1110 cat /etc/resolv.conf)" 'nameserver 192\.0\.2\.1' "and the server"
like "$(cat "$unsaved")" 'HOSTNAME="web1"' "what is not saved is remembered"

run_ok "what counts from a start" vzctl set 1110 --capability net_raw:off --save
is "$err" "Warning: VE 1110 is running: CAPABILITY counts from the next start (--setmode restart)" \
	"is told"
saved CAPABILITY net_raw:off
run_ok "or not" vzctl set 1110 --features fuse:on --setmode ignore --save
is "$err" "" "with --setmode ignore"
run_ok "what is only saved" vzctl set 1110 --onboot yes
is "$err" "Warning: VE 1110: ONBOOT does nothing without --save" "is told"

run_is 32 "VE_PRIVATE of a running VE" vzctl set 1110 --private /x --save
run_is 21 "a bad value among good ones" vzctl set 1110 --cpuunits 7000 --cpulimit x --save
is "$(weight)" "$before" "applies none of them"

# The file can't be saved: its file system is full.
if mount -t tmpfs -o size=64k tmpfs "$VZ_CONFDIR/names" 2>/dev/null; then
	umount "$VZ_CONFDIR/names"
	cp -a "$VZ_CONFDIR/conf" "$T/conf.was"
	mount -t tmpfs -o size=256k tmpfs "$VZ_CONFDIR/conf"
	cp -a "$T/conf.was/1110.conf" "$VZ_CONFDIR/conf/"
	dd if=/dev/zero of="$VZ_CONFDIR/conf/fill" bs=4k 2>/dev/null
	run_is 139 "a full disk" vzctl set 1110 --cpuunits 7000 --save
	is "$(weight)" "$before" "what is in force is put back"
	cmp -s "$T/conf.was/1110.conf" "$conf"
	ok $? "the file is as it was"
	umount "$VZ_CONFDIR/conf"
else
	skip "a full disk" "can't mount a tmpfs"
fi

run_ok "the beancounters of the file" vzctl set 1110 --numproc 50
run_ok "again" vzctl set 1110 --reset_ub
unlike "$(cat "$unsaved")" NUMPROC "nothing else is remembered of them"

run_ok "a password of a running VE" vzctl set 1110 --userpasswd root:one
grep -q '^root:\$' "$T/private/1110/etc/shadow"
ok $? "is set"
was=$(grep ^root: "$T/private/1110/etc/shadow")
echo root:from-stdin | vzctl set 1110 --userpasswd - >/dev/null &&
	[ "$(grep ^root: "$T/private/1110/etc/shadow")" != "$was" ]
ok $? "one from standard input"
was=$(grep ^root: "$T/private/1110/etc/shadow")
run_is 21 "nothing there" vzctl set 1110 --userpasswd -
vzctl set 1110 --userpasswd "root:$(head -c 900 /dev/zero | tr '\0' s)" >/dev/null 2>&1 &
seen=no
while kill -0 $! 2>/dev/null; do
	tr '\0' ' ' 2>/dev/null <"/proc/$!/cmdline" | grep -q 'userpasswd xxxx' && seen=blanked && break
done
wait $!
is "$seen" blanked "the password does not stay among the arguments"
was=$(grep ^root: "$T/private/1110/etc/shadow")

run_ok "--setmode restart" vzctl set 1110 --capability net_raw:on --setmode restart --save
like "$(vzctl status 1110)" running "the VE runs"
[ ! -e "$unsaved" ]
ok $? "what was not saved is gone with the restart"

run_ok "stop" vzctl stop 1110
run_ok "a password of a stopped VE" vzctl set 1110 --userpasswd root:two
[ "$(grep ^root: "$T/private/1110/etc/shadow")" != "$was" ]
ok $? "is set"
like "$(vzctl status 1110)" 'unmounted down' "and the VE is as it was"
run_is 21 "a bad password" vzctl set 1110 --userpasswd nobody
run_ok "destroy" vzctl destroy 1110

done_testing
