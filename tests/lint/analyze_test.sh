#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What static analysis says: gcc's and clang's warnings, cppcheck, clang's
# analyzer. Each set is short and without noise: a finding is a failure.
. "$(dirname "$0")/../lib.sh"

cd "${TESTS%/*}" || exit

run env -u MAKELEVEL make -s VARIANT=clang CC=clang O=build/clang all unit-programs
[ "$status" = 0 ] && [ -z "$out$err" ]
ok $? "clang compiles without a warning" || diag "$out" "$err"

# It does not know the cleanup attribute; leaks are the sanitizer's to find.
run cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 --enable=warning,portability \
	--suppress=missingIncludeSystem --suppress=unknownMacro --suppress=nullPointerArithmetic \
	--suppress=memleak --suppress=resourceLeak -i lib/bpf -D__GNUC__ -D_GNU_SOURCE -Ilib -I. -j 2 \
	lib vzctl vzlist vzcalc vzmigrate vzsplit templates
ok "$status" "cppcheck finds nothing" || diag "$err"

# Left out is what needs to know that -errno is never 0, and what does not
# understand the cleanup attribute.
checks='-*,clang-analyzer-core.DivideZero,clang-analyzer-core.StackAddressEscape'
checks+=',clang-analyzer-core.NonNullParamChecker,clang-analyzer-core.VLASize'
checks+=',clang-analyzer-unix.*,-clang-analyzer-unix.Malloc,clang-analyzer-security.FloatLoopCounter'
checks+=',clang-analyzer-deadcode.*,-clang-analyzer-deadcode.DeadStores'
checks+=',bugprone-sizeof-expression,bugprone-suspicious-memset-usage'
checks+=',bugprone-macro-repeated-side-effects,bugprone-infinite-loop,bugprone-misplaced-*'
checks+=',bugprone-not-null-terminated-result,bugprone-signal-handler,bugprone-posix-return'
list_files | grep '\.c$' | grep -vE '^tests/|/gen/|\.bpf\.c$' >"$T/sources"
# shellcheck disable=SC2016 # the inner shell's
CHECKS=$checks xargs -P 2 -n 4 sh -c 'exec clang-tidy --quiet --warnings-as-errors="*" \
	--checks="$CHECKS" "$@" -- -std=gnu11 -D_GNU_SOURCE -Ilib -I. -Ibuild/clang/gen \
	-I/usr/include/iniparser -I/usr/include/libnl3 -DVZ_VERSION=\"0\"' - <"$T/sources" >"$T/tidy" 2>/dev/null
ok $? "clang's analyzer finds nothing" || diag "$(grep -E 'error:|note:' "$T/tidy" | head -n 60)"
done_testing
