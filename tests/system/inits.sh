# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# For the tests with real init systems: the template of one, made once and kept
# under build/, and what a VE does with each of them from its first start on.
# shellcheck disable=SC2016 # words for shells inside
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

is_root || skip_all "not root"

# Templates outlive a run: the packages of one take a minute to fetch.
KEEP=${VZ_TEST_TEMPLATES:-${TESTS%/*}/build/templates}

# A maker that can't reach its archive is no fault of ours.
UNREACHABLE='Could not resolve|Temporary failure|Failed to fetch|Unable to connect|Connection (refused|timed out)|Network is unreachable|can.t be installed from the archive|configured with no Debian'

# os_template NAME: in this test's cache; else all checks are skipped.
os_template() {
	local name=$1 tar=$KEEP/cache/$1.tar.zst
	mkdir -p "$KEEP/cache" "$T/keep-etc"
	# Of two tests that want it, one makes it.
	exec 7>"$KEEP/lock"
	flock 7
	if [ ! -e "$tar" ] || [ "${TESTS%/*}/templates/debian.sh" -nt "$tar" ]; then
		make_template "$name" || {
			status=$?
			exec 7>&-
			return $status
		}
	fi
	exec 7>&-
	ln -sf "$tar" "$T/template/cache/$name.tar.zst"
}

make_template() {
	type -P vztmpl >/dev/null || skip_all "no vztmpl to make $1 with"
	sed "s|^TEMPLATE=.*|TEMPLATE=\"$KEEP\"|" "$VZ_CONFDIR/vz.conf" >"$T/keep-etc/vz.conf"
	rm -f "$KEEP/cache/$1".*
	VZ_CONFDIR=$T/keep-etc vztmpl --verbose make "$1" >"$T/make.log" 2>&1 && return
	if grep -Eq "$UNREACHABLE" "$T/make.log"; then
		skip_all "no packages for $1: $(tail -n 1 "$T/make.log")"
	fi
	ok 1 "the template $1 is made"
	diag "$(tail -n 20 "$T/make.log")"
	done_testing
}

use_ve() {
	V=$1
}

in_ve() {
	vzctl exec2 "$V" "$@"
}

status_of() {
	vzctl status "$V" | sed 's/^CTID [0-9]* //'
}

is_down() {
	[ "$(status_of)" = "exist unmounted down" ]
}

# A file in /run is gone when init has begun anew.
began_anew() {
	[ "$(status_of)" = "exist mounted running" ] && in_ve test ! -e /run/before
}

# milliseconds COMMAND...: sets $took
milliseconds() {
	local begin=${EPOCHREALTIME/./}
	"$@"
	took=$(((${EPOCHREALTIME/./} - begin) / 1000))
}

# --- what each init is asked to do ---

# creates OSTEMPLATE: the VE $V of it
creates() {
	run_ok "create" vzctl create "$V" --ostemplate "$1" --hostname web1.example.com
	run_ok "its name servers" vzctl set "$V" --nameserver 192.0.2.53 \
		--searchdomain example.com --save
	run_ok "a password before the first start" vzctl set "$V" --userpasswd root:first
	is "$(status_of)" "exist unmounted down" "which leaves it down"
}

# starts: the first time, up to the default run level
starts() {
	milliseconds run_ok "start --wait" vzctl start "$V" --wait
	diag "up in $took ms"
	is "$(status_of)" "exist mounted running" "it runs"
	is "$(in_ve hostname)" web1.example.com "its host name"
	is "$(in_ve cat /etc/hostname)" web1.example.com "and in its file"
	like "$(in_ve cat /etc/resolv.conf)" "nameserver 192.0.2.53" "its name server"
	run in_ve cat /proc/uptime
	[ "${out%%.*}" -lt $((60 * SLOW)) ]
	ok $? "its uptime begins with it" || diag "$out"
	run_is 3 "exec2 gives the command's status" vzctl exec2 "$V" exit 3
	is "$(vzctl enter "$V" --exec 'echo $HOME $USER' 2>/dev/null | tr -d '\r' |
		grep /)" "/root root" "enter is root's"
}

# sets: live, while it runs
sets() {
	run_ok "set a host name" vzctl set "$V" --hostname web2 --save
	is "$(in_ve hostname) $(in_ve cat /etc/hostname)" "web2 web2" "it has it at once"
	like "$(in_ve cat /etc/hosts)" "127.0.1.1 web2" "and in /etc/hosts"
	unlike "$(in_ve cat /etc/hosts)" "web1" "where the old one is gone"
	run_ok "set a name server" vzctl set "$V" --nameserver 192.0.2.54
	is "$(in_ve cat /etc/resolv.conf | grep nameserver)" "nameserver 192.0.2.54" \
		"it has it at once"
	run_ok "set a password" vzctl set "$V" --userpasswd "root:$PASSWORD"
	unlike "$(in_ve cat /etc/shadow)" "root:[*!]" "it is set"
}

PASSWORD='correct horse: "$(battery)" %s'

# console_expect TEXT: read what the console shows until it has it
console_expect() {
	local end=$((SECONDS + 20 * SLOW)) c
	while [[ $seen != *"$1"* ]]; do
		[ $SECONDS -lt $end ] || return 1
		c=''
		IFS= read -r -d '' -n 1 -t 1 -u "${con[0]}" c || [ $? -gt 128 ] || return 1
		seen+=$c
	done
	seen=${seen#*"$1"}
}

console_type() {
	printf '%s\r' "$1" >&"${con[1]}"
}

# logs_in: on the console, with the password
logs_in() {
	local seen='' pid
	coproc con { script -qefc "vzctl console $V" /dev/null 2>&1; }
	pid=$!
	sleep 0.2
	console_type ''
	console_expect 'login: '
	ok $? "the console shows a login" || diag "$seen"
	console_type root
	console_expect 'assword: '
	ok $? "it asks for the password" || diag "$seen"
	console_type "$PASSWORD"
	console_expect '# '
	ok $? "it takes the one that was set" || diag "$seen"
	console_type 'echo t$((40 + 2))y on $(tty)'
	console_expect 't42y on /dev/'
	ok $? "a shell on a terminal" || diag "$seen"
	console_type 'exit'
	console_expect 'login: '
	ok $? "logged out, it shows a login again" || diag "$seen"
	printf '\e.' >&"${con[1]}"
	wait_for 5 eval "! kill -0 $pid 2>/dev/null"
	ok $? "Esc and a point detach" || kill "$pid"
	wait "$pid" 2>/dev/null
}

# ends_by_itself: what is said inside is seen and acted on
ends_by_itself() {
	in_ve touch /run/before
	in_ve reboot >/dev/null 2>&1
	wait_for 30 began_anew
	ok $? "reboot starts it anew" || diag "$(status_of)"
	# It takes another word when it is up again.
	wait_for 30 up_again
	ok $? "and it comes up" || diag "$(in_ve ps -ef)"
	in_ve "${1:-poweroff}" >/dev/null 2>&1
	wait_for 30 is_down
	ok $? "${1:-poweroff} leaves it down and unmounted" || diag "$(status_of)"
	run_ok "start it again" vzctl start "$V" --wait
	in_ve halt >/dev/null 2>&1
	wait_for 30 is_down
	ok $? "so does halt" || diag "$(status_of)"
}

# may_be_short: where a boot takes a minute, the first and its end are enough
may_be_short() {
	[ "$SLOW" != 1 ] || return 0
	run_ok "stop" vzctl stop "$V"
	unlike "$out" "Killing" "it halts by itself"
	is "$(status_of)" "exist unmounted down" "it is down and unmounted"
	run_ok "destroy" vzctl destroy "$V"
	done_testing
}

# stops: cleanly, without waiting for anything
stops() {
	run_ok "start it to stop it" vzctl start "$V" --wait
	milliseconds run_ok "stop" vzctl stop "$V"
	unlike "$out" "Killing" "it halts by itself"
	[ "$took" -lt $(($1 * SLOW)) ]
	ok $? "in less than $1 ms" || diag "$took ms"
	diag "down in $took ms"
	is "$(status_of)" "exist unmounted down" "it is down and unmounted"
	run_ok "start it once more, not waiting" vzctl start "$V"
	milliseconds run_ok "stop it while it comes up" vzctl stop "$V"
	unlike "$out" "Killing" "it halts by itself"
	run_ok "destroy" vzctl destroy "$V"
}
