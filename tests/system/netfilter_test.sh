#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# NETFILTER: what VEs may set of netfilter, with the tools of nftables and of the
# older tables, for IPv4 and IPv6; and with rules that no tool would write.
# shellcheck disable=SC2034 # lib.sh reads it
OWN_NET=yes
. "$(dirname "$0")/../lib.sh"
need_net
for tool in nft iptables-legacy ip6tables-legacy iptables-nft; do
	type -P $tool >/dev/null || skip_all "no $tool"
done

# What a VE's root can't load, and its node would have after the first use.
for module in ip_tables iptable_filter iptable_nat ip6table_filter ip6table_nat nf_tables nft_compat \
	nft_ct nft_chain_nat nft_masq xt_conntrack xt_tcpudp; do
	modprobe -q $module 2>/dev/null
done
make_ve 14801 || exit
root=$T/private/14801

# with_libraries FILE...: what they are linked with, into the VE
with_libraries() {
	ldd "$@" 2>/dev/null | grep -o '/[^ ):]*lib[^ ):]*' | sort -u | while read -r lib; do
		[ -e "$root$lib" ] || install -D "$lib" "$root$lib"
	done
}
plugins=$(dirname "$(find /usr/lib -name libxt_conntrack.so | head -n 1)")
mkdir -p "$root$plugins" && cp -a "$plugins"/libxt_{conntrack,tcp,standard}.so \
	"$plugins"/libip*t_{MASQUERADE,DNAT}.so "$root$plugins" 2>/dev/null
cp -a "$plugins"/libxt_{MASQUERADE,DNAT,NAT}.so "$root$plugins" 2>/dev/null
mkdir -p "$root/usr/sbin" "$root/run"
for tool in nft xtables-legacy-multi xtables-nft-multi; do
	cp "$(type -P $tool)" "$root/usr/sbin/" && with_libraries "$root/usr/sbin/$tool"
done
with_libraries "$root$plugins"/*.so
cp "$(test_program rules)" "$root/bin/" || skip_all "no rules"

# may WHAT yes|no COMMAND: whether the VE's root can
may() {
	run vzctl exec 14801 "$3"
	if [ "$2" = yes ]; then
		is "$status" 0 "$tier: $1"
	else
		[ "$status" != 0 ]
		ok $? "$tier: no $1"
	fi
	case $status in 0) ;; *) [ "$2" = no ] || diag "$out $err" ;; esac
}
# sends ARGUMENTS refused|taken: by whom that looks at it
sends() {
	is "$(vzctl exec 14801 "rules ${*:1:$#-1}")" "${!#}" "$tier: rules ${*:1:$#-1}"
}

nft_rules() {
	local table="table $1 t; add chain $1 t c { type filter hook input priority 0; }"

	may "nftables, $1" yes "nft 'add $table; add rule $1 t c tcp dport 22 accept; add rule $1 t c counter'"
	may "tracking by nftables, $1" "$2" "nft 'add rule $1 t c ct state established accept'"
	may "a set of ports that tracks, $1" "$2" "nft 'add rule $1 t c tcp dport { 22, 80 } ct count over 3 drop'"
	may "translation by nftables, $1" "$3" \
		"nft 'add chain $1 t n { type nat hook postrouting priority 100; }; add rule $1 t n masquerade'"
}
# tables FAMILY TOOL TRACKING NAT
tables() {
	local name=$2
	[ "$1" = 4 ] || name=${name/iptables/ip6tables}
	local cmd="xtables-${name#*-}-multi $name"
	[ "$1" = 4 ] && to=192.0.2.1 || to=2001:db8::1
	may "$name" yes "$cmd -w -A INPUT -p tcp --dport 22 -j ACCEPT"
	may "tracking by $name" "$3" "$cmd -w -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT"
	may "translation by $name" "$4" "$cmd -w -t nat -A PREROUTING -p tcp --dport 80 -j DNAT --to-destination $to"
}
begin() {
	tier=$1
	run vzctl set 14801 --netfilter "$tier" --save
	run_ok "$tier: start" vzctl --quiet restart 14801
}
legacy() {
	[ "$has_legacy" = yes ] || {
		skip "$tier: the kernel has no older tables"
		return
	}
	tables 4 iptables-legacy "$@"
	tables 6 iptables-legacy "$@"
}

run_ok "a VE" vzctl --quiet set 14801 --netfilter stateless --save
run_ok "starts" vzctl start 14801
has_legacy=no
vzctl exec 14801 "xtables-legacy-multi iptables-legacy -w -L" >/dev/null 2>&1 && has_legacy=yes
sees_nft=yes
[[ $err != *"by nftables"* ]] || sees_nft=no
if [ $sees_nft = no ]; then
	like "$err" "VE 14801 may use connection tracking and address translation by nftables" \
		"what this kernel can't tell apart is said"
fi

tier=stateless
legacy no no
is "$(vzctl exec 14801 'rules table filter')" taken "stateless: a table of filters"
for match in conntrack state connmark CT MASQUERADE helper; do
	sends table filter $match refused
done
sends table filter tcp taken
sends table filter conntrack2 taken
sends table nat tcp refused
sends table filter tcp 4096 taken
sends table filter tcp 4097 refused
if [ $sees_nft = yes ]; then
	nft_rules ip no no
	nft_rules ip6 no no
	tables 4 iptables-nft no no
	for shape in plain compat padded unended flagged twice inner element set; do
		sends nft $shape ct refused
	done
	sends nft late conntrack refused
	sends nft compat conntrack refused
	sends nft conntrack refused
	sends nft chain nat refused
	sends nft chain filter taken
	sends nft object 3 refused # a helper of tracking
	sends nft object 1 taken   # a counter
	for shape in value lookup; do
		sends nft $shape ct taken
	done
	sends nft plain ctx taken
	# Also in a network that the VE made itself.
	! vzctl exec 14801 "unshare -n nft 'add table ip u; add chain ip u n { type nat hook postrouting priority 100; }'" >/dev/null 2>&1
	ok $? "stateless: nor in a network namespace of its own making"
else
	nft_rules ip yes yes
fi

begin stateful
legacy yes no
sends table nat tcp refused
sends table filter conntrack taken
if [ $sees_nft = yes ]; then
	nft_rules ip yes no
	nft_rules ip6 yes no
	tables 4 iptables-nft yes no
	sends nft plain ct taken
	sends nft plain masq refused
	sends nft compat DNAT refused
	sends nft chain nat refused
fi

begin full
legacy yes yes
nft_rules ip yes yes
nft_rules ip6 yes yes
sends table nat tcp 5000 taken
sends nft chain nat taken

begin disabled
may "nftables" no "nft list ruleset"
may "iptables" no "xtables-legacy-multi iptables-legacy -w -L"
may "ip6tables" no "xtables-legacy-multi ip6tables-legacy -w -L"
vzctl --quiet stop 14801 --fast

# The node is none of its business.
run_ok "the node's root: nftables" nft 'add table ip t; add chain ip t n { type nat hook postrouting priority 100; }
	add rule ip t n masquerade'
done_testing
