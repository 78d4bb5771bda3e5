#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# venet: VEs, the node and another machine reach each other by IPv4 and IPv6;
# addresses come and go, live and saved; nothing is left.
# shellcheck disable=SC2034 # lib.sh reads it
OWN_NET=yes
. "$(dirname "$0")/../lib.sh"
need_net

node_sysctls() {
	echo 1 >/proc/sys/net/ipv4/ip_forward
	echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
}

net_bridge br0 && net_host other br0 10.77.0.9/24 fd77::9/64 || exit
ip addr add 10.77.0.1/24 dev br0 && ip addr add fd77::1/64 dev br0 nodad || exit
make_ve 14001 && make_ve 14002 || exit
inside() {
	vzctl exec "$@"
}
# reaches NAME ADDRESS [COMMAND...]
reaches() {
	pings "$2" "${@:3}"
	ok $? "$1"
}

run_ok "addresses are saved" vzctl --quiet set 14001 --ipadd 10.77.0.101 --ipadd fd77::101 --save
is "$(sed -n 's/^IP_ADDRESS=//p' "$VZ_CONFDIR/conf/14001.conf")" '"10.77.0.101 fd77::101"' "in the file"
run_ok "start on a node that does not forward" vzctl start 14001
like "$err" "nobody but the node by IPv4.*nobody but the node by IPv6" "is told so"
vzctl --quiet stop 14001
node_sysctls
run_ok "start" vzctl --quiet start 14001
is "$(ip -o route show dev venet14001 | tr -d ' ')" "10.77.0.101proto118scopelink" "the node has a route"
like "$(ip -o -6 route show dev venet14001)" 'fd77::101 ' "for IPv6, too"
is "$(inside 14001 ip -o -4 addr show dev venet0 | awk '{ print $4 }')" 10.77.0.101/32 "the VE has the address"
reaches "the node reaches the VE" 10.77.0.101
reaches "by IPv6" fd77::101
reaches "the VE reaches the node" 10.77.0.1 inside 14001
reaches "by IPv6" fd77::1 inside 14001
reaches "another machine reaches the VE" 10.77.0.101 on_host other
reaches "by IPv6" fd77::101 on_host other
reaches "the VE reaches another machine" 10.77.0.9 inside 14001
reaches "by IPv6" fd77::9 inside 14001

run_ok "an address for a VE that runs" vzctl --quiet start 14002
is "$(ip link show venet14002 2>&1 | wc -l)" 1 "a VE without addresses has no device"
run_ok "live" vzctl --quiet set 14002 --ipadd 10.77.0.102/24 --ipadd fd77::102
reaches "VE reaches VE" 10.77.0.102 inside 14001
reaches "by IPv6" fd77::102 inside 14001
is "$(grep -c ^IP_ADDRESS= "$VZ_CONFDIR/conf/14002.conf")" 0 "not saved, so not in the file"
is "$(vzlist -H -o ip 14002)" "10.77.0.102/24 fd77::102" "vzlist shows it"

run_is 78 "an address of another VE is refused" vzctl set 14002 --ipadd 10.77.0.101
like "$err" 'VE 14001 has the address 10.77.0.101' "and told whose it is"
reaches "who had it keeps it" 10.77.0.101
run_is 78 "one of the node's is refused" vzctl set 14002 --ipadd 10.77.0.1
reaches "and the VE keeps what it had" 10.77.0.102
run_is 71 "one that nobody can have" vzctl set 14002 --ipadd 127.0.0.1
make_ve 14003
for ip in 0.0.0.0 224.0.0.1 255.255.255.255 ::1 fe80::1 ff02::1 ::ffff:10.1.1.1 300.1.1.1 10.1.1.1/33; do
	run_is 71 "nor $ip, saved for later" vzctl set 14003 --ipadd $ip --save
done

# Of two that have one address saved the second does not start. When the end of
# the first is seen by nobody, what it left is not taken from the second.
vzctl --quiet set 14003 --ipadd 10.77.0.103 --save
make_ve 14000
vzctl --quiet set 14000 --ipadd 10.77.0.103 --save
run_ok "a VE with an address" vzctl --quiet start 14003
run_is 78 "another one with the same" vzctl start 14000
init=$(sed -n 's/^pid *= *//p' "$VZ_RUNDIR/14003/state")
kill -9 "$(awk '$1 == "PPid:" { print $2 }' "/proc/$init/status")"
kill -9 "$init"
gone() {
	! ip link show venet14003 >/dev/null 2>&1
}
wait_for 10 gone
ok $? "killed with its supervisor: it leaves no device and no route"
run_ok "now the other one starts" vzctl --quiet start 14000
run_ok "repair --all" vzctl --quiet repair --all
is "$(ip neigh show proxy | grep -c '^10.77.0.103 dev br0')" 1 "leaves the other one its entry"
reaches "and its address" 10.77.0.103 on_host other
vzctl --quiet stop 14000 --fast
is "$(ip neigh show proxy | grep -c '^10.77.0.103 ')" 0 "until it stops"

# Nobody has a use for the number again: the job of each minute sees to what is left.
run_ok "a VE with an address" vzctl --quiet start 14003
init=$(sed -n 's/^pid *= *//p' "$VZ_RUNDIR/14003/state")
kill -9 "$(awk '$1 == "PPid:" { print $2 }' "/proc/$init/status")"
kill -9 "$init"
wait_for 10 gone
is "$(ip neigh show proxy | grep -c '^10.77.0.103 ')" 1 "killed with its supervisor: the node stands for it still"
run_ok "the minute's job" vzctl --quiet traffic --save
is "$(ip neigh show proxy | grep -c '^10.77.0.103 ')" 1 "leaves it at first to who may be about to"
touch -d '1 minute ago' "$VZ_RUNDIR/14003/unseen"
run_ok "that of the next minute" vzctl --quiet traffic --save
is "$(ip neigh show proxy | grep -c '^10.77.0.103 ')" 0 "takes its entry away"
! [ -e "$VZ_RUNDIR/14003" ]
ok $? "and all that it left"
like "$(vzctl status 14003)" "exist unmounted down" "its files, too, are let go"
pings 10.77.0.101
ok $? "and nothing of another one"

run_ok "one goes" vzctl --quiet set 14002 --ipdel 10.77.0.102
! pings 10.77.0.102 timeout 2
ok $? "and is not reached any more"
like "$(ip neigh show proxy)" "10.77.0.101 " "the node stands for those that are there"
unlike "$(ip neigh show proxy)" "10.77.0.102" "and for no others"
run_ok "all go" vzctl --quiet set 14002 --ipdel all
is "$(ip route show dev venet14002)$(ip -6 route show dev venet14002 proto 118)" "" "no route is left"

# Another machine has the address already.
echo 'ERROR_ON_ARPFAIL="yes"' >>"$VZ_CONFDIR/vz.conf"
run_is 78 "an address that another machine has" vzctl set 14002 --ipadd 10.77.0.9
like "$err" '10.77.0.9 is that of another machine' "is refused"
run_is 78 "by IPv6" vzctl set 14002 --ipadd fd77::9
is "$(ip neigh show proxy | grep -c 10.77.0.9\ )" 0 "and not announced"
sed -i '$d' "$VZ_CONFDIR/vz.conf"

# 256 of them.
ips=$(for i in {0..255}; do echo "--ipadd 10.88.$((i / 16)).$((i % 16 + 1))"; done)
# shellcheck disable=SC2086
run_ok "256 addresses" vzctl --quiet set 14002 $ips --save
is "$(inside 14002 ip -o -4 addr show dev venet0 | wc -l)" 256 "are in the VE"
run_ok "restart with them" vzctl --quiet restart 14002
reaches "the last is reached" 10.88.15.16
run_ok "all go again" vzctl --quiet set 14002 --ipdel all --save

# What the VE's root does to its end.
inside 14001 ip link set venet0 down
inside 14001 ip link set venet0 name hidden0
run_ok "an address for a VE that renamed its device" vzctl --quiet set 14001 --ipadd 10.77.0.111
reaches "comes to it" 10.77.0.111
inside 14001 ip link del hidden0
run_ok "for one that deleted it" vzctl --quiet set 14001 --ipadd 10.77.0.112
reaches "makes it anew" 10.77.0.112
reaches "with all addresses" 10.77.0.101

# The VE's own files, and starts that need no shell for them.
is "$(inside 14001 cat /etc/vz-addresses)" "10.77.0.101 fd77::101 10.77.0.111 10.77.0.112" \
	"the VE's files have what it has now"
run_ok "restart" vzctl --quiet restart 14001
is "$(inside 14001 cat /etc/vz-addresses)" "10.77.0.101 fd77::101" \
	"and after a start what is saved"
stamp() {
	stat -c %y "$T/private/14001/etc/vz-addresses"
}
before=$(stamp)
run env VZ_DEBUG=all vzctl --verbose restart 14001
is "$(stamp)" "$before" "a start in which nothing changed leaves them"

run_ok "stop" vzctl --quiet stop 14001
is "$(ip link show venet14001 2>/dev/null)$(ip neigh show proxy)$(ip -6 neigh show proxy)" "" "nothing is left"
run_ok "stop" vzctl --quiet stop 14002

# Without IPv6.
echo 'IPV6="no"' >>"$VZ_CONFDIR/conf/14001.conf"
run_ok "IPV6=no" vzctl start 14001
like "$err" "its 1 IPv6 addresses are not set: IPV6=no" "says what it leaves out"
is "$(inside 14001 ip -6 addr | grep -c inet6)" 0 "and the VE has no IPv6 address"
reaches "but IPv4" 10.77.0.101
vzctl --quiet stop 14001
# Who announces an address does so for a second, whatever became of its VE.
sleep 1.2
done_testing
