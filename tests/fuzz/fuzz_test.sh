#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Each fuzzer runs for FUZZ_TIME seconds. What it finds is kept as build/fuzz/crash-*.
. "$(dirname "$0")/../lib.sh"

cd "${TESTS%/*}" || exit
TIME=${FUZZ_TIME:-15}
# No sigaltstack: the decompressor's filter would answer EPERM.
export TMPDIR=$T ASAN_OPTIONS=detect_leaks=1:use_sigaltstack=0

# What each begins with; it finds the rest itself.
seeds_conf() {
	cp etc/vz/vz.conf etc/vz/conf/* "$1" 2>/dev/null
	printf 'A="1"\nA=2\n# x\n\nB="a b"\nPHYSPAGES="1:2"\n' >"$1/small"
}

seeds_confdiff() {
	seeds_conf "$1"
	printf 'A="1" # x\n  B = two words \nC=\047 3 \047\n\n#D=4\nE=\nF=""\n' >"$1/forms"
}

seeds_untar() {
	mkdir -p "$T/tree/d" && echo text >"$T/tree/d/file" && ln -s file "$T/tree/d/link" &&
		ln "$T/tree/d/file" "$T/tree/hard" && mkfifo "$T/tree/fifo"
	tar -C "$T/tree" -cf "$1/ustar" --format=ustar .
	tar -C "$T/tree" -cf "$1/pax" --format=pax .
	tar -C "$T/tree" -czf "$1/gz" .
	tar -C "$T/tree" -cf "$1/zst" --zstd .
	tar -C "$T/tree" -cJf "$1/xz" .
}

seeds_kmsg() {
	printf '%s' '6,100,5000000,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=101,' \
		'mems_allowed=0,oom_memcg=/vz/101,task_memcg=/vz/101/a,task=httpd,pid=77,uid=1073741824' >"$1/ve"
	printf '%s' '6,1,5,-;oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,' \
		'mems_allowed=0,global_oom,task_memcg=/vz/101,task=a\x0ab,pid=7,uid=0' >"$1/node"
}

seeds_oracle() {
	printf '4711 (a) b) S 1 2 3 34817 4 5 6 7 8 9 1 2 3 4 20 0 1 0 99 1\n' >"$1/stat"
	printf 'State:\tS (x)\nPPid:\t1\nTracerPid:\t0\nNSpid:\t4711\t17\nNSsid:\t4\t4\nThreads:\t1\nSigPnd:\t0\n' >"$1/status"
	printf 'flags:\t02\nmnt_id:\t14\nPid:\t4\ntfd:        5 events:       19 data:   5  pos:0 ino:61af sdev:7\n' >"$1/epoll"
	printf 'inotify wd:2 ino:9 sdev:13 mask:8 ignored_mask:0 fhandle-bytes:8 fhandle-type:1 f_handle:7e9e0000640d1b6d\n' >"$1/inotify"
	printf '7f00-7f10 rw-s 00001000 00:01 77      /a b (deleted)' >"$1/map"
	printf '36 35 98:0 /mnt1 /mnt\\0402 rw master:1 shared:2 - ext3 /dev/root rw' >"$1/mount"
	printf 'net:[4026531840]' >"$1/link"
	printf 'anon_inode:[io_uring]' >"$1/anon"
}

seeds_ubc() {
	printf 'Version: 2.5\n  uid resource held maxheld barrier limit failcnt\n' >"$1/head"
	{ cat "$1/head" && printf '%s\n' '101: kmemsize 1 2 3 4 5' 'dummy 0 0 0 0 0' 'numproc - - 9 9 -' \
		'102: swappages 0 9223372036854775807 18446744073709551615 1 1'; } >"$1/two"
}

seeds_wire() {
	echo '{"op":"begin","veid":101,"conf":"4142","ok":true,"state":"none"}' >"$1/begin"
	echo '{"ok":false,"code":9,"error":"x","scripts":{"mount":"00"},"problems":[{"kind":""}]}' >"$1/no"
}

seeds_criulog() {
	printf '(00.01) Dumping task (pid: 7 comm: a)\n(00.02) Error (criu/tty.c:9): ctty inheritance detected\n' \
		>"$1/dump"
	printf '(00.01)     16: Error (criu/files-reg.c:9): Can%st open file x: No such file\n' "'" >"$1/restore"
	printf '\010\001\020\000\070\015\112\003why' >"$1/answer"
}

seeds_findex() {
	{ printf '\0\0\0\0%32s' x && printf 'etc/passwd\0\1\0\0\0%32s' y && printf 'a\0'; } >"$1/two"
}

run make -s -j 2 fuzz-programs
ok "$status" "the fuzzers compile" || diag "$out" "$err"

for f in build/fuzz/*_fuzz; do
	name=$(basename "$f" _fuzz)
	[ -x "$f" ] || continue
	[ -e "tests/fuzz/${name}_fuzz.c" ] || continue
	mkdir -p "$T/$name"
	[ "$(type -t "seeds_$name")" != function ] || "seeds_$name" "$T/$name"
	run timeout -k 5 $((TIME * 3 + 30)) "$f" -max_total_time="$TIME" -timeout=10 \
		-rss_limit_mb=1500 -print_final_stats=1 -verbosity=0 \
		-artifact_prefix="build/fuzz/crash-$name-" "$T/$name"
	runs=$(sed -n 's|^stat::number_of_executed_units: *||p' <<<"$err" | tail -n 1)
	ok "$status" "$name: ${runs:-no} inputs" || diag "$(tail -n 60 <<<"$err")"
done
done_testing
