#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Each fuzzer runs for FUZZ_TIME seconds from its seeds (tests/fuzz/NAME.seeds/).
# What it finds is kept as build/fuzz/crash-*.
. "$(dirname "$0")/../lib.sh"

cd "${TESTS%/*}" || exit
run make -s -j 2 fuzz-programs
ok "$status" "the fuzzers compile" || diag "$out" "$err"

for f in build/fuzz/*_fuzz; do
	[ -x "$f" ] || continue
	name=$(basename "$f" _fuzz)
	[ -e "tests/fuzz/${name}_fuzz.c" ] || continue
	mkdir -p "$T/$name"
	[ ! -d "tests/fuzz/$name.seeds" ] || cp "tests/fuzz/$name.seeds"/* "$T/$name/"
	run timeout -k 5 $((${FUZZ_TIME:-20} * 3 + 30)) "$f" -max_total_time="${FUZZ_TIME:-20}" \
		-timeout=10 -rss_limit_mb=1500 -print_final_stats=1 -verbosity=0 \
		-artifact_prefix=build/fuzz/crash-"$name"- "$T/$name"
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' <<<"$err")
	ok "$status" "$name: ${runs:-no} inputs" || diag "$(tail -n 60 <<<"$err")"
done
done_testing
