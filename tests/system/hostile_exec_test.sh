#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a VE can get of a command that comes in from the host: descriptors,
# environment, directory, terminal, memory, program.
# shellcheck disable=SC2016 # the VE's shell expands them
. "$(dirname "$0")/hostile.sh"

make_hostile 1410 || skip_all "no VE could be made"
make_hostile 1411
export SECRET_OF_HOST=hidden

exec 8<"$H/file" 9<"$H/dir"
run_ok "start" vzctl start 1410
R=$T/private/1410

run vzctl exec 1410 hostile fds
is "$out" "" "exec: no descriptor but three"
run vzctl exec 1410 hostile fds 7<"$H/file"
is "$out" "" "exec: not one that vzctl got either"
run vzctl exec2 1410 env
unlike "$out" "SECRET_OF_HOST|VZ_|$T" "exec: nothing of the host's environment"
like "$out" 'PATH=' "exec: but one of its own"
run vzctl exec 1410 "cat /proc/1/environ | tr '\\0' '\\n'"
unlike "$out" "SECRET_OF_HOST|VZ_|$T" "init: nothing of the host's environment"
run vzctl exec 1410 'for f in /proc/1/fd/*; do readlink $f; done'
unlike "$out" "$T|/etc/vz|/run/vz" "init: no file of the host"
run vzctl exec 1410 'cat /proc/1/cmdline /proc/self/cmdline | tr "\0" " "'
unlike "$out" "vzctl|vzsuper" "init: no command line of the host's"
run vzctl exec 1410 'readlink /proc/1/exe'
is "$out" "/bin/busybox" "init: runs its own program"

out=$(cd "$H/dir" && vzctl exec 1410 'pwd; readlink /proc/self/cwd; ls -A ..')
unlike "$out" "host|passwd" "exec: not in the host's directory"
out=$(vzctl exec 1410 hostile fds <"$H/dir" 2>&1)
unlike "$out" "fd [0-9]" "exec: a directory as standard input is none in the VE"
out=$(vzctl enter 1410 --exec hostile fds <"$H/dir" 2>&1)
unlike "$out" "fd [0-9]" "enter: neither"
out=$(echo 'cat /proc/self/mountinfo' | vzctl exec 1410 - 2>&1)
unlike "$out" "$T/host|$T/run" "exec: no mount of the host"
out=$(vzctl exec 1410 'cat /proc/self/cgroup' 2>&1)
unlike "$out" "$CGROUP" "exec: in the VE's own groups"
# the first line of /proc/self/cgroup of both, by namespace the same place or below
out=$(vzctl exec 1410 'grep -c "/\\.\\./" /proc/self/cgroup' 2>&1)
is "$out" "0" "exec: in groups below the VE's"
is "$(vzctl exec 1410 'grep -E "^(Seccomp|CapBnd):" /proc/self/status' 2>&1)" \
	"$(vzctl exec 1410 'grep -E "^(Seccomp|CapBnd):" /proc/1/status' 2>&1)" \
	"exec: as confined as init"
like "$(vzctl exec 1410 'grep Seccomp: /proc/self/status' 2>&1)" '2' "exec: filtered"
for ns in user mnt pid net uts ipc cgroup time; do
	is "$(vzctl exec 1410 "readlink /proc/self/ns/$ns")" \
		"$(vzctl exec 1410 "readlink /proc/1/ns/$ns")" "exec: in the VE's $ns namespace"
done
run vzctl exec 1410 'cat /proc/keys /proc/key-users 2>/dev/null; keyctl show 2>/dev/null'
is "$out" "" "exec: no keys"

# --- a watcher waits for whoever comes in ---

ino=$(stat -Lc %i "$VZ_BIN/vzctl")
vzctl exec 1410 "hostile watch 6 $ino >/watched 2>&1 &" >/dev/null 2>&1
wait_for 5 grep -q watching "$R/watched"
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
	vzctl exec 1410 true
	vzctl exec 1410 - <<<'true'
	vzctl set 1410 --hostname "h$RANDOM" >/dev/null 2>&1
	vzctl set 1410 --userpasswd "root:p$RANDOM" >/dev/null 2>&1
done
wait_for 10 grep -q "done" "$R/watched"
is "$(grep -Ev 'watching|done' "$R/watched" | sort | uniq -c | head)" "" \
	"a watcher gains nothing of those who come in"

# The VE's shell and init may be the very program that came in.
ln -sfn /proc/self/exe "$R/bin/trap"
run vzctl exec 1410 'exec /bin/trap --version'
printf '#!/proc/self/exe\n' >"$R/bin/trap2"
chmod 755 "$R/bin/trap2"
run vzctl exec 1410 /bin/trap2
before=$(md5sum <"$VZ_BIN/vzctl")
run vzctl exec 1410 'for p in /proc/[0-9]*; do echo x >>$p/exe; done'
is "$(md5sum <"$VZ_BIN/vzctl")" "$before" "vzctl is as it was"

# --- the administrator's terminal ---

# at_terminal COMMAND: runs it on a terminal of its own; prints what that showed
at_terminal() {
	timeout 20 script -qec "$1" /dev/null </dev/null 2>&1 | tr -d '\r'
}
if type script >/dev/null 2>&1; then
	out=$(at_terminal 'vzctl exec 1410 hostile sti')
	unlike "$out" "typed" "exec: nothing is typed into the terminal"
	out=$(at_terminal 'vzctl enter 1410 --exec hostile sti')
	unlike "$out" "typed" "enter: nothing is typed into the terminal"
	# What is left behind must not read what the administrator types next.
	rm -f "$R/kept"
	out=$( (sleep 2; echo "my password"; sleep 1) |
		timeout 20 script -qec 'vzctl exec 1410 "hostile keep /kept"; sleep 1; read -r x; echo "got $x"' \
			/dev/null 2>&1 | tr -d '\r')
	like "$out" 'got my password' "exec: what is typed later is the administrator's"
	is "$(cat "$R/kept" 2>/dev/null)" "" "exec: and no process of the VE reads it"
	rm -f "$R/kept"
	out=$( (sleep 2; echo "my password"; sleep 1) |
		timeout 20 script -qec 'vzctl enter 1410 --exec "hostile keep /kept"; sleep 1; read -r x; echo "got $x"' \
			/dev/null 2>&1 | tr -d '\r')
	like "$out" 'got my password' "enter: what is typed later is the administrator's"
	is "$(cat "$R/kept" 2>/dev/null)" "" "enter: and no process of the VE reads it"
else
	skip "the administrator's terminal" "no script(1)"
fi

# --- it is told to the supervisor what it likes ---

fds_of() {
	find "/proc/$1/fd" -mindepth 1 -printf '%f\n' | sort
}
super=$(fuser "$VZ_RUNDIR/1410/super" 2>/dev/null | tr -d ' ')
if [ -n "$super" ] && [ -d "/proc/$super" ]; then
	before=$(fds_of "$super")
	run vzctl exec 1410 'ls /run/host; for s in /run/host/*; do hostile notify $s 3000; done
		for s in /run/host/*; do [ -p $s ] && head -c 200000 /dev/zero >$s & done; sleep 1; true'
	is "$(comm -13 <(echo "$before") <(fds_of "$super"))" "" \
		"the supervisor took no descriptor"
	[ -d "/proc/$super" ]
	ok $? "the supervisor lives"
else
	skip "rubbish for the supervisor" "its process can't be told"
fi

# --- a process that is none of the VE's, under the number of its init ---

run_ok "start another" vzctl start 1411
init=$(sed -n 's/^pid *= *//p' "$VZ_RUNDIR/1411/state" | tr -d '"')
sleep 300 &
bystander=$!
like "$init" '^[0-9]+$' "its init is known"
cp "$VZ_RUNDIR/1411/state" "$T/state.was"
run_ok "stop it" vzctl stop 1411 --fast
mkdir -p "$VZ_RUNDIR/1411"
sed "s/= *\"*$init\"*\$/= $bystander/" "$T/state.was" >"$VZ_RUNDIR/1411/state"
run vzctl status 1411
like "$out" ' down' "a reused number is no running VE"
run_is 31 "exec says so" vzctl exec 1411 true
run vzctl stop 1411 --fast
run vzctl start 1411
kill -0 $bystander 2>/dev/null
ok $? "whoever has that number now lives on"
kill $bystander
run vzctl stop 1411 --fast
run_ok "destroy" vzctl destroy 1411

# --- it does not want to stop ---

vzctl exec 1410 'for i in 1 2 3 4 5 6 7 8 9 10; do hostile ignore & done' >/dev/null 2>&1
run_ok "stop --fast of processes that ignore everything" timeout 30 vzctl stop 1410 --fast
host_untouched "in the end"
run_ok "destroy" vzctl destroy 1410
done_testing
