#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vzproc: programs that know OpenVZ's /proc only find it, on the node and in a VE,
# and all else of /proc as it was.
# shellcheck disable=SC2016 # the shells below expand it
. "$(dirname "$0")/../lib.sh"

is_root || skip_all "not root"
make_ve 14410 || skip_all "no VE could be made"
run_ok "a VE starts" vzctl start 14410
[ -e "$VZ_RUNDIR/proc/vz/vestat" ] || skip_all "this kernel takes no programs for files"

# --- the launcher ---

run_is 7 "the command's exit status" vzproc sh -c 'exit 7'
run_is 127 "a command that is not there" vzproc /no/such/command
like "$err" '^vzproc: /no/such/command: No such file' "is told"
run_is 126 "one that can't be run" vzproc /etc/passwd
run_is 125 "no command" vzproc
run_is 125 "an option that it does not have" vzproc --nonsense true
run_ok "options of the command are its own" vzproc sh -c 'exit 0' --help
run_ok "and after --" vzproc -- true
run_ok "help" vzproc --help
like "$out" '^Usage: vzproc ' "says how"
run sh -c 'echo text | vzproc cat'
is "$out" "text" "standard input is the command's"
run vzproc sh -c 'kill -TERM $$'
is "$status" 143 "a signal that ends it, too"
[ ! -e /proc/user_beancounters ] && ! grep -q ' /proc/.real ' /proc/mounts
ok $? "nobody else sees another /proc"

# --- on the node ---

cat >"$T/script" <<-'SCRIPT'
	#!/bin/sh
	set -eu
	grep -c '^Version: 2.5$' /proc/user_beancounters
	[ -r /proc/bc/14410/resources ] && [ -r /proc/bc/14410/ioacct ] && [ -d /proc/vz ]
	awk '$1 == "14410:" { print $2 }' /proc/user_beancounters
	awk '$1 == "14410" { print NF }' /proc/vz/vestat
	sed -n 's/^Name:[[:space:]]*//p' /proc/self/status
	read -r first rest </proc/$$/cmdline || :
	sleep 100 &
	trap 'kill $!' EXIT
	i=0
	until busybox ps -o pid | grep -x " *$!" >/dev/null; do
		i=$((i + 1))
		[ $i -lt 20 ]
		sleep 0.1
	done
	readlink /proc/$!/exe >/dev/null
	test "$(cat /proc/sys/kernel/ostype)" = Linux
	test "$(readlink /proc/mounts)" = .real/mounts
	grep -q . /proc/mounts
SCRIPT
chmod 755 "$T/script"
run_ok "a script reads all of it" vzproc "$T/script"
is "$out" "1
kmemsize
12
sed" "and what it should"
cat >"$T/plugin" <<-'PLUGIN'
	# As monitors do: a line of a head, then columns; the first of a block has one more.
	NR == 1 { if ($2 != "2.5") exit 2; next }
	NR == 2 { next }
	/:/ { ve = $1; sub(":", "", ve); $1 = ""; $0 = $0 }
	{ if (NF != 6) exit 3; held[ve, $1] = $2; n[ve]++ }
	END { print n[14410], held[14410, "numproc"] }
PLUGIN
run_ok "a plugin's parser takes it" vzproc awk -f "$T/plugin" /proc/user_beancounters
is "$out" "25 1" "and finds the rows and a number"
if type -P python3 >/dev/null; then
	run_ok "so does one in Python" vzproc python3 -c '
for line in open("/proc/user_beancounters"):
    words = line.split()
    if words[0] == "numproc":
        print(int(words[1]))
fields = [l.split() for l in open("/proc/vz/vestat")]
print(sum(int(f[1]) + int(f[2]) + int(f[3]) >= 0 for f in fields if f[0] == "14410"))
open("/proc/self/comm").read()'
	is "$out" "1
1" "with numbers"
else
	skip "so does one in Python" "no python3"
fi
run vzproc sh -c 'ls /proc | grep -x "$0"' $$
is "$out" $$ "processes are those of the node"

# What begins later is there, too, and the keeper goes with the last one.
rm -f "$T/go" && mkfifo "$T/go"
vzproc sh -c 'read -r pid <"$0"; cat /proc/$pid/comm' "$T/go" >"$T/said" &
launched=$!
wait_for 5 grep -q '^sh' /proc/$launched/comm
sleep 300 &
sleeper=$!
sleep 0.3
echo $sleeper >"$T/go"
wait $launched
is "$(cat "$T/said")" "sleep" "a process that another began"
kill $sleeper
wait $sleeper 2>/dev/null
# keepers: of this test's, which have its directory in their command line
keepers() {
	local f
	for f in /proc/[0-9]*; do
		[ "$(cat "$f/comm" 2>/dev/null)" = vzproc ] && grep -qa "$T" "$f/cmdline" 2>/dev/null &&
			echo "${f##*/}"
	done
}
none_keeps() {
	[ -z "$(keepers)" ]
}
wait_for 10 none_keeps
ok $? "what keeps a /proc right ends with who uses it"

# --- vzctl goes back to the node's mounts ---

run_ok "vzproc run by itself" vzproc vzproc sh -c 'grep -c "^Version" /proc/user_beancounters'
is "$out" 1 "does the same"
make_ve 14411
run_ok "a VE is started under it" vzproc vzctl --quiet start 14411
is "$(vzctl status 14411)" "CTID 14411 exist mounted running" "and is mounted on the node"
wait_for 10 none_keeps
ok $? "its supervisor does not need the other /proc"
run_ok "another one stops it" vzctl --quiet stop 14411
mkdir "$T/here" && cd "$T/here" || exit
echo 'echo from here' >script
run vzproc vzctl runscript 14410 script
like "$out" 'from here' "the working directory stays"
cd / || exit

# --- a VE stops and another starts meanwhile ---

rm -f "$T/go" && mkfifo "$T/go"
vzproc sh -c 'grep -c 14410 /proc/vz/veinfo; read -r x <"$0"; grep -c 14410 /proc/vz/veinfo' \
	"$T/go" >"$T/said" &
launched=$!
wait_for 5 grep -q 1 "$T/said"
vzctl --quiet stop 14410
echo go >"$T/go"
wait $launched
is "$(tr '\n' ' ' <"$T/said")" "1 0 " "what it sees is alive"

# --- in a VE ---

cp "$(type -P vzproc)" "$T/private/14410/bin/"
run_ok "the VE starts again" vzctl start 14410
# The sanitizers' one needs libraries that this VE has not got.
if ldd "$(type -P vzproc)" >/dev/null 2>&1; then
	skip "in a VE" "vzproc is built for the sanitizers, not static"
else
	run_ok "in a VE it works as well" vzctl exec2 14410 \
		"/bin/vzproc sh -c 'cat /proc/user_beancounters; read x </proc/self/status; ps; exit 0'"
	is "$(grep -c '^ *14410:' <<<"$out")" 1 "with the VE's own counters"
	like "$out" 'vzproc|sh -c|ps' "and its processes"
	run_is 9 "and its exit status" vzctl exec2 14410 "/bin/vzproc sh -c 'exit 9'"
fi
wait_for 10 none_keeps
done_testing
