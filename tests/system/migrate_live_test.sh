#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vzmigrate --live: a VE's processes go with it, with all they have, to and fro; when it
# fails they go on where they were.
export OWN_NET=yes SAME_POOL=yes
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/migrate.sh"

need_nodes
need_criu
keeper=$(test_program keeper) || skip_all "no keeper"
node_up n1 && node_up n2 || exit
node_ve n1 1721 --hostname kept || exit
install -o "$(stat -c %u "$T/n1/private/1721/bin/busybox")" \
	-g "$(stat -c %g "$T/n1/private/1721/bin/busybox")" "$keeper" "$T/n1/private/1721/bin/keeper"

in_ve() {
	on "$at" vzctl exec 1721 "$@"
}
# What the keeper has lost, or nothing.
lost() {
	# For reading, too: where no keeper is left, a fifo that is opened for writing waits.
	in_ve 'rm -f /root/k/said; echo 1<>/root/k/ask'
	wait_for 20 in_ve test -e /root/k/said || echo "no answer: $(in_ve 'cat /root/log; ps')"
	in_ve cat /root/k/said | grep -v -e '^ok ' -e '^end$'
}
goes_to() {
	run_ok "$2" migrate "$1" --live --json -v "${@:3}" 1721 || return
	at=$1
	is "$(copies 1721) $(nothing_left)" "1 " "once, and nothing is left"
	[ -z "$out" ] || diag "it stood still for $(jq -rs 'last.down_ms' <<<"$out") ms"
	is "$(lost)" "" "nothing was lost"
}

settled() {
	recover n1
	recover n2
	[ "$(copies 1721) $(nothing_left)" = "1 " ]
}

at=n1
run_is 2 "a VE that does not run" migrate n2 --live 1721
on n1 vzctl --quiet start 1721
in_ve 'mkdir -p /root/k && { keeper /root/k >/root/log 2>&1 </dev/null & }'
wait_for 10 in_ve test -e /root/k/said
ok $? "a process that has everything" || diag "$(in_ve cat /root/log)"
pids=$(in_ve pidof keeper)
goes_to n2 "it moves live"
goes_to n1 "and back"
is "$(in_ve pidof keeper)" "$pids" "its processes have their numbers"

# Somebody asks all the time meanwhile, over one connection.
hot=$(test_program hot) || skip_all "no hot"
ip addr add 10.98.0.254/24 dev switch
for n in n1 n2; do
	on $n sysctl -qw net.ipv4.ip_forward=1
done
install -o "$(stat -c %u "$T/n1/private/1721/bin/busybox")" \
	-g "$(stat -c %g "$T/n1/private/1721/bin/busybox")" "$hot" "$T/n1/private/1721/bin/hot"
run_ok "an address" on n1 vzctl --quiet set 1721 --ipadd 10.98.0.99 --save
in_ve 'hot serve 7901 16 4 10 </dev/null >/dev/null 2>&1 &'
wait_for 20 sh -c 'echo | busybox nc -w 1 10.98.0.99 7901 >/dev/null'
paws() {
	awk '/^TcpExt:/ { if (!n) { n = split($0, k) } else for (i = 2; i <= n; i++) if (k[i] == "PAWSEstab") print $i }' \
		/proc/net/netstat
}
before=$(paws)
"$hot" ask 10.98.0.99 7901 "$T/enough" >"$T/client" 2>&1 &
client=$!
sleep 0.3
goes_to n2 "with a connection"
like "$out" "[1-9][0-9]* MiB of its memory went over while it ran" "its memory went before it"
like "$(ip neigh show 10.98.0.99 dev switch)" "02:00:00:98:00:02" "its address leads there"
like "$(cat "$T/n2/vzctl.log")" "[1-9][0-9]* packets had waited for it" "what was sent meanwhile came to it"
goes_to n1 "and back with it, all its memory at once" --no-pre-copy
unlike "$out" "went over while it ran" "none of it went before"
: >"$T/enough"
wait $client
ok $? "the connection held" || diag "$(cat "$T/client")"
like "$(cat "$T/client")" "wrong 0" "no byte of its memory is wrong"
is "$(paws)" "$before" "nothing that it said came too late to be heard"
is "$(on n2 ip neigh show proxy)$(on n2 ip route show 10.98.0.99)" "" "nothing of its address is left there"
in_ve killall hot

# What changes after the last pass of its files goes over while it stands still: by then
# ssh is asked for the session that rsync will have.
mkdir "$T/bin"
cat >"$T/bin/ssh" <<END
#!/bin/sh
case "\$*" in *"--serve-channel rsync") sh "$T/late" >"$T/late.out" 2>&1 ;; esac
exec $(type -P ssh) "\$@"
END
cat >"$T/late" <<'END'
exec vzctl exec 1721 '
cd /root/f && mv tree moved && rm -rf gone && rm plain && ln -s /etc/passwd plain &&
rm -rf dir && echo file >dir && rm file && mkdir -p file/below && echo new >file/below/x &&
echo 222 >same && touch -r stamp same && ln two three && echo more >>two && mkfifo pipe &&
chmod 700 mode && rm -rf hollow/way && mkdir -p a/b/c && echo deep >a/b/c/d'
END
chmod 755 "$T/bin/ssh"
in_ve 'mkdir -p /root/f/tree/in/it /root/f/gone/a/b /root/f/dir/x /root/f/hollow/way/down && cd /root/f &&
	echo 1 >tree/in/it/f && echo 2 >gone/a/b/f && echo 3 >plain && echo 4 >dir/x/f && echo 5 >file &&
	echo 111 >same && touch -d "2020-01-01 00:00" same stamp && touch -r stamp same && echo 6 >two && mkdir mode'
see() {
	in_ve 'cd /root/f && find . | sort && cat same two three moved/in/it/f dir file/below/x a/b/c/d &&
		readlink plain && stat -c "%a %h" mode two three && test -p pipe'
}
PATH=$T/bin:$PATH goes_to n2 "its files change to the last moment"
is "$(cat "$T/late.out")" "" "they did"
is "$(see)" "$(printf '%s\n' . ./a ./a/b ./a/b/c ./a/b/c/d ./dir ./file ./file/below ./file/below/x ./hollow \
	./mode ./moved ./moved/in ./moved/in/it ./moved/in/it/f ./pipe ./plain ./same ./stamp ./three ./two \
	222 6 more 6 more 1 file new deep /etc/passwd '700 2' '644 2' '644 2')" "all that is as it was left"
goes_to n1 "and back again"

# Not restored there: it goes on here.
echo 'exit 3' >"$T/n2/etc/conf/vps.mount"
run_is 7 "one that can't be restored there" migrate n2 --live 1721
like "$err" "vps.mount" "says why"
is "$(status_of n1 1721) $(status_of n2 1721)" "exist mounted running deleted unmounted down" "goes on here"
is "$(on n2 ip neigh show proxy)$(on n2 ip -o link show type tun)" "" "and there nobody answers for it"
like "$(on n1 ip neigh show proxy)" "10.98.0.99 dev eth0" "but here"
is "$(lost)$(nothing_left)" "" "nothing was lost"
rm "$T/n2/etc/conf/vps.mount"

# comes_down NAME: when all is settled there is one VE, and $at says where
comes_down() {
	local n
	wait_for 60 settled
	ok $? "$1" || diag "$(cat "$T/said") $(recover n1 2>&1) $(recover n2 2>&1) $(nothing_left) $(cat "$T"/n?/state/migrate/*)"
	for n in n1 n2; do
		[[ $(status_of $n 1721) != *running* ]] || at=$n
	done
}
# Killed at each step, also while it stands still.
for state in "stopping out" "receiving in" "prepared in" "handed out" "taking in" "done in" "clearing out"; do
	read -r what side <<<"$state"
	src=$at dst=n2
	[ "$src" = n1 ] || dst=n1
	migrate $dst --live --quiet 1721 >"$T/said" 2>&1 &
	job=$!
	file=$T/$src
	[ "$side" = out ] || file=$T/$dst
	until ! kill -0 $job 2>/dev/null || grep -qs "^STATE=\"$what\"" "$file/state/migrate/1721.$side"; do :; done
	# shellcheck disable=SC2016 # for the node's shell
	on "$src" sh -c 'kill -9 $(pidof vzmigrate)' 2>/dev/null
	wait $job 2>/dev/null
	comes_down "killed at $what: one VE"
	is "$(lost)" "" "on $at, and nothing was lost"
done
# The other end is killed, with the dump half over: it goes on here, and at once.
dst=n2
[ "$at" = n1 ] || dst=n1
migrate $dst --live --quiet 1721 >"$T/said" 2>&1 &
job=$!
# Its directory may be a tmpfs of that node's.
takes_memory() {
	on "$1" test -e "$T/$1/private/1721.migrating/dump/page-server.log"
}
until ! kill -0 $job 2>/dev/null || takes_memory $dst; do :; done
# shellcheck disable=SC2016 # for the node's shell
on $dst sh -c 'kill -9 $(pidof vzmigrate)' 2>/dev/null
is_over() {
	! kill -0 $job
}
wait_for 90 is_over
ok $? "the other end is killed: it is not waited for" || kill -9 $job
wait $job 2>/dev/null
comes_down "one VE"
is "$(lost)" "" "on $at, and nothing was lost"
# Who takes its memory there is killed: it goes on here.
dst=n2
[ "$at" = n1 ] || dst=n1
migrate $dst --live --quiet 1721 >"$T/said" 2>&1 &
job=$!
until ! kill -0 $job 2>/dev/null || takes_memory $dst; do :; done
# shellcheck disable=SC2016 # for the node's shell
on $dst sh -c 'kill -9 $(pidof criu)' 2>/dev/null
wait $job
is "$? $(copies 1721) $(nothing_left)" "8 1 " "the page server is killed: it goes on here" || diag "$(cat "$T/said")"
is "$(lost)" "" "and nothing was lost"

# The connection is cut as it is handed over: it stands still until it is known whose it is.
migrate $dst --live --quiet 1721 >"$T/said" 2>&1 &
job=$!
until ! kill -0 $job 2>/dev/null || grep -qs '^STATE="handed"' "$T/$at/state/migrate/1721.out"; do :; done
ip link set "to-$dst" down
wait_for 90 is_over || kill -9 $job
wait $job 2>/dev/null
ip link set "to-$dst" up
comes_down "cut at handed: one VE"
is "$(lost)" "" "on $at, and nothing was lost"

# The power of the destination goes then: what was in memory there is here, too.
dst=n2
[ "$at" = n1 ] || dst=n1
migrate $dst --live --quiet 1721 >"$T/said" 2>&1 &
job=$!
until ! kill -0 $job 2>/dev/null || grep -qs '^STATE="handed"' "$T/$at/state/migrate/1721.out"; do :; done
node_cut $dst
wait_for 90 is_over || kill -9 $job
wait $job 2>/dev/null
node_boot $dst >/dev/null 2>&1
comes_down "the destination's power goes at handed: one VE"

run_ok "suspended" on "$at" vzctl --quiet suspend 1721
dst=n2
[ "$at" = n1 ] || dst=n1
run_is 8 "it stays, with its dump" migrate $dst 1721
run_ok "which is good" on "$at" vzctl --quiet resume 1721
is "$(lost)" "" "and whole"
on "$at" vzctl --quiet stop 1721 --fast
on "$at" vzctl --quiet destroy 1721
done_testing
