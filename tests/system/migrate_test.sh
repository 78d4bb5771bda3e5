#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vzmigrate between two nodes of one machine: stopped VEs, running ones, checks.
export OWN_NET=yes
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/migrate.sh"

need_nodes
node_up n1 && node_up n2 || exit
etc1=$T/n1/etc etc2=$T/n2/etc

# All that is to be said of a tree: owners from its first id on, links, contents …
describe() {
	python3 - "$1" "$2" <<-'END'
		import hashlib, os, sys
		top, base = sys.argv[1], int(sys.argv[2])
		def line(p):
		    st = os.lstat(p)
		    what = os.readlink(p) if os.path.islink(p) else ""
		    if os.path.isfile(p) and not what:
		        what = hashlib.sha256(open(p, "rb").read()).hexdigest()
		    attrs = [(a, os.getxattr(p, a, follow_symlinks=False))
		             for a in sorted(os.listxattr(p, follow_symlinks=False)) if a.startswith("user.")]
		    times = 0 if os.path.isdir(p) else st.st_mtime_ns
		    print(os.path.relpath(p, top), oct(st.st_mode), st.st_uid - base, st.st_gid - base,
		          0 if os.path.isdir(p) else st.st_nlink, times, what, attrs)
		for d, dirs, files in os.walk(top):
		    line(d)
		    for n in sorted(files) + [x for x in dirs if os.path.islink(os.path.join(d, x))]:
		        line(os.path.join(d, n))
	END
}

uid_of() {
	sed -n 's/^LOCAL_UID="\(.*\)"/\1/p' "$1/conf/$2.conf"
}

# --- a stopped VE ---

run_ok "a VE" node_ve n1 1701 --name mover --description 'with "quotes"' --hostname mover
root=$T/n1/private/1701 uid=$(uid_of "$etc1" 1701)
(
	cd "$root/home" && echo one >file && ln file hard && ln -s /etc/shadow abs && ln -s ../gone dangling &&
		mkfifo fifo && truncate -s 64M sparse && echo end >>sparse && cp ../bin/busybox setuid &&
		chmod 4755 setuid && mkdir -m 1777 deep && printf '\377 name' >deep/$'odd\nname\377' &&
		find . -exec chown -h "$uid:$uid" {} + && chmod 4755 setuid && chown -h $((uid + 1000)):$((uid + 100)) file deep abs &&
		python3 -c 'import os; os.setxattr("file", "user.colour", b"red")' 2>/dev/null
	true
)
echo "echo \$VEID >>$T/mounted" >"$etc1/conf/1701.mount"
describe "$root" "$uid" >"$T/was"
before=$(cat "$etc1/conf/1701.conf")
run_ok "only checks" migrate n2 --check-only 1701
is "$(find "$T/n2/private" -mindepth 1)$(ls "$T/n2/state/migrate" 2>/dev/null)" "" "change nothing there"
is "$(cat "$etc1/conf/1701.conf")" "$before" "nor here"
run_ok "a snapshot" on n1 vzctl --quiet snapshot 1701 --id 11111111-aaaa-4000-8000-000000000001
run_is 16 "does not go along" migrate n2 1701
like "$err" "has 1 snapshots, which would be lost" "and is not lost"
run_ok "it is deleted" on n1 vzctl --quiet snapshot-delete 1701 --id 11111111-aaaa-4000-8000-000000000001
run_ok "a stopped VE moves" migrate n2 1701
is "$(status_of n1 1701) $(status_of n2 1701)" "deleted unmounted down exist unmounted down" "it is there, and not here"
is "$(nothing_left)" "" "and nothing is left of the migration"
uid2=$(uid_of "$etc2" 1701)
[ "$uid" != "$uid2" ] && [ "$uid2" -ge 1610612736 ]
ok $? "it has ids of the other node's pool ($uid, $uid2)"
describe "$T/n2/private/1701" "$uid2" >"$T/is"
diff "$T/was" "$T/is" >"$T/diff"
ok $? "its files are the same but for that" || diag "$(cat "$T/diff")"
[ "$(du -sk "$T/n2/private/1701/home/sparse" | cut -f1)" -lt 1024 ]
ok $? "what was sparse still is"
is "$(on n2 vzlist -H -o name,description -a | sed 's/ *$//')" "$(printf '%-32s %s' mover 'with "quotes"')" \
	"its name and description"
is "$(readlink "$etc2/names/mover" | sed 's/.*etc/etc/')" "etc/conf/1701.conf" "its name is known"
is "$(ls "$etc1/names"; find "$etc1/conf" -name '1701.*' ! -name '*.destroyed')" "" "and no more here"
run_ok "it starts there" on n2 vzctl --quiet start mover
is "$(cat "$T/mounted")" 1701 "with its own script"
is "$(on n2 vzctl exec mover cat /home/hard)" one "and has its files"

# --- a running one ---

# Each number is in the file before it is said outside.
# shellcheck disable=SC2016 # for the VE's shell
on n2 vzctl exec mover 'while :; do echo $((n += 1)) >>/home/log; echo $n; sleep 0.01; done' >"$T/said" 2>/dev/null &
run_ok "a running VE moves" migrate n1 --json mover
is "$(jq -rs 'map(select(.event == "phase").phase) | join(" ")' <<<"$out")" \
	"connect check begin copy stop copy-last prepare start clear" "its phases, for a program"
is "$(jq -rs 'last | "\(.event) \(.status) \(.down_ms > 0)"' <<<"$out")" "end 0 true" "and its end"
is "$(status_of n1 1701) $(status_of n2 1701)" "exist mounted running deleted unmounted down" "it runs here"
is "$(uid_of "$etc1" 1701)" "$uid" "with ids of the pool here again"
[ "$(wc -l <"$T/n1/private/1701/home/log")" -ge "$(tail -n 1 "$T/said")" ] && [ -s "$T/said" ]
ok $? "with all that was written until its last moment ($(tail -n 1 "$T/said"))"
wait %% 2>/dev/null
like "$(cat "$T/n1/vzctl.log")" "vzmigrate : CT 1701 .*|CT 1701 :" "the log file has it"
is "$(nothing_left)" "" "nothing is left of it"

# --- back before it was quite gone ---

# half_gone NODE in|out STATE PEER PRIVATE: a journal as one that was killed leaves it
half_gone() {
	mkdir -p "$T/$1/state/migrate"
	sed 's/^ *//' >"$T/$1/state/migrate/1701.$2" <<-END
		STATE="$3"
		MIGRATION="0123"
		PEER="$4"
		SSH="-F $T/ssh/config"
		LIVE="no"
		START="no"
		KEEP="no"
		PID="0"
		PID_START="0"
		PRIVATE="$5"
		UID="0"
		GID="0"
		OLD_UID="0"
		OLD_GID="0"
	END
}
on n1 vzctl --quiet stop 1701 --fast
run_ok "it goes" migrate n2 1701
# Killed as all was gone here, and before the other node was told so.
half_gone n1 out clearing 10.98.0.2 ''
half_gone n2 in "done" 10.98.0.1 "$T/n2/private/1701"
run_ok "and comes back" migrate n1 1701
run recover n1
is "$(status_of n1 1701)" "exist unmounted down" "it is not cleared away as what it left"
run_ok "it starts" on n1 vzctl --quiet start 1701
is "$(on n1 vzctl exec 1701 cat /home/hard)" one "and has its files"
rm -f "$T/n2/state/migrate/1701.in"
half_gone n1 in "done" 10.98.0.2 "$T/n1/private/1701"
half_gone n2 out clearing 10.98.0.1 ''
run_ok "the other way round it is told" recover n2 1701
is "$(status_of n1 1701)$(nothing_left)" "exist mounted running" "and nothing is left"

# --- what stands against it ---

run_is 1 "no words" on n1 vzmigrate
run_is 1 "an unknown option" on n1 vzmigrate --fast n2 1701
run_is 1 "a bad -r" migrate n2 -r perhaps 1701
run_is 1 "an unknown kind of checks" migrate n2 --nodeps=everything 1701
run_is 1 "a destination that would be an option" on n1 vzmigrate -- -oProxyCommand=x 1701
run_is 10 "a VE that there is none of" migrate n2 1799
run_is 10 "nor of that name" migrate n2 nobody
run_is 4 "a node that is not there" on n1 vzmigrate --ssh="-F $T/ssh/config -o ConnectTimeout=1" 10.98.0.9 1701
mv "$T/ssh/allowed" "$T/ssh/away"
run_is 4 "a key that is refused" migrate n2 1701
mv "$T/ssh/away" "$T/ssh/allowed"
is "$(status_of n1 1701)" "exist mounted running" "leaves it running"
run_ok "another" node_ve n2 1702 --ipadd 10.99.0.1
sed -i 's/^NAME=.*/NAME="other"/' "$etc1/conf/1701.conf"
echo 'NAME="other"' >>"$etc2/conf/1702.conf"
ln -sf "$etc2/conf/1702.conf" "$etc2/names/other"
run_is 15 "a name that is taken there" migrate n2 1701
like "$err" 'the name "other" is VE 1702' "it says whose"
rm "$etc2/names/other"
run_ok "an address" on n1 vzctl --quiet set 1701 --ipadd 10.99.0.1 --save
run_is 12 "that is taken there" migrate n2 1701
like "$err" "VE 1702 has the address 10.99.0.1" "is named"
on n1 vzctl --quiet set 1701 --ipdel all --save
sed -i 's/^VIRTUOZZO=.*/VIRTUOZZO="no"/' "$etc2/vz.conf"
run_is 14 "a node that runs no VEs" migrate n2 1701
sed -i 's/^VIRTUOZZO=.*/VIRTUOZZO="yes"/' "$etc2/vz.conf"
mkdir "$T/n2/private/1701" "$T/n2/private/1701/x"
run_is 9 "a private area that is there already" migrate n2 1701
rm -r "$T/n2/private/1701"
exec 9>"$T/n1/lock/1701.lck" && flock 9
run_is 20 "a VE that another command works on" migrate n2 1701
exec 9>&-
is "$(status_of n1 1701)" "exist mounted running" "it ran all the time"

# --- not started there ---

echo 'exit 3' >"$etc2/conf/vps.mount"
marker=$(on n1 vzctl exec 1701 'echo $$ >/home/marker; cat /home/marker')
run_is 7 "one that does not start there" migrate n2 1701
like "$err" "vps.mount" "says why"
is "$(status_of n1 1701) $(status_of n2 1701)" "exist mounted running deleted unmounted down" "runs here again"
is "$(on n1 vzctl exec 1701 cat /home/marker)" "$marker" "with its files"
is "$(nothing_left)" "" "nothing is left there"
run_is 7 "again, and keep" migrate n2 --keep-dst 1701
[ -s "$T/n2/private/1701.migrating/root/home/marker" ]
ok $? "--keep-dst keeps the files there"
rm "$etc2/conf/vps.mount"
run_ok "then they are of use" migrate n2 -r no 1701
is "$(nothing_left)" "" "and gone"
is "$(status_of n1 1701) $(status_of n2 1701)" "exist unmounted down exist mounted running" "-r no leaves a copy"
run_is 105 "which is disabled" on n1 vzctl --quiet start 1701
run_is 9 "and in the way of its coming back" migrate n1 1701

# --- other layouts: only what is the VE's own goes over ---

if grep -qw overlay /proc/filesystems; then
	run_ok "an overlay" node_ve n1 1703 --layout overlay
	on n1 vzctl --quiet start 1703
	on n1 vzctl exec 1703 'echo x >/home/x; rm /etc/hosts; chown 7 /bin/busybox; mkdir /home/d; rmdir /var/log'
	mv "$T/template/cache/$BUSYBOX_TEMPLATE.tar.gz" "$T/away"
	run_is 16 "whose template is not there" migrate n2 1703
	like "$err" "template $BUSYBOX_TEMPLATE of digest [0-9a-f]{12}\.\.\., which is not there" "is named"
	mv "$T/away" "$T/template/cache/$BUSYBOX_TEMPLATE.tar.gz"
	run_ok "moves, running" migrate n2 1703
	is "$(on n2 vzctl exec 1703 'cat /home/x; ls /etc/hosts /var/log; stat -c %u /home/x /bin/busybox /etc/passwd' 2>/dev/null)" \
		"$(printf '%s\n' x 0 7 0)" "with what it has changed and removed, and the owners"
	[ "$(du -sk "$T/n2/private/1703" | cut -f1)" -lt 4096 ] && [ -d "$T/n2/template/base" ]
	ok $? "over the template that is there ($(du -sk "$T/n2/private/1703" | cut -f1) KiB)"
else
	skip "overlay" "this kernel has no overlayfs"
fi
if [ -e /dev/loop-control ] && type -P mkfs.ext4 >/dev/null; then
	run_ok "an image" node_ve n1 1704 --layout ploop --diskspace 64M
	on n1 vzctl --quiet start 1704
	on n1 vzctl exec 1704 'echo x >/home/x; chown 7 /home/x'
	on n1 vzctl --quiet snapshot 1704 --skip-suspend --id 11111111-aaaa-4000-8000-000000000001
	run_is 15 "not with kept images, which have the host ids of here" migrate n2 1704
	on n1 vzctl --quiet snapshot-delete 1704 --id 11111111-aaaa-4000-8000-000000000001
	run_ok "moves, running" migrate n2 1704
	is "$(on n2 vzctl exec 1704 'cat /home/x; stat -c %u /home/x /home')" "$(printf '%s\n' x 7 0)" \
		"with the owners in it"
else
	skip "ploop" "no loop devices here"
fi

# --- left half-way ---

half_gone n1 out handed 10.98.0.2 ''
for words in "start 1701 --force" "set 1701 --hostname x --save" "destroy 1701" "--skiplock start 1701 --force"; do
	# shellcheck disable=SC2086 # words
	run_is 9 "handed over, no $words" on n1 vzctl --quiet $words
	like "$err" "migration to 10.98.0.2 was left half-way .handed.*vzmigrate --recover 1701" "and it says what to do"
done
run_is 20 "nor another migration" migrate n2 1701
run_is 3 "of which the other node knows nothing" recover n1 1701
like "$err" "knows nothing of it" "it says so"
rm "$T/n1/state/migrate/1701.out"
run_ok "all in order" recover n1
run_ok "the copy goes" on n1 vzctl --quiet destroy 1701
for n in n1 n2; do
	for veid in 1701 1702 1703 1704; do
		on $n vzctl --quiet stop $veid --fast >/dev/null 2>&1
		on $n vzctl --quiet destroy $veid >/dev/null 2>&1
	done
done
node_cut n1 && node_cut n2
is "$(our_groups | grep -v '/.super$' | grep '/.*/')" "" "no group is left"
done_testing
