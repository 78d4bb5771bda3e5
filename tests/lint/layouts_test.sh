#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# README.md's table of layouts is the one that the tests' results make.
. "$(dirname "$0")/../lib.sh"

is "$(sed -n '/<!-- tests\/layouts begin -->/,/<!-- tests\/layouts end -->/p' "${TESTS%/*}/README.md" | sed '1d;$d')" \
	"$("$TESTS/layouts")" "README.md has what tests/layouts prints (--write)"
[ "$(grep -cE '^[a-z_]+ (simfs|overlay|ploop) (ext4|xfs|btrfs) [a-z-]+ .+$' "$TESTS/golden/layouts")" = "$(wc -l <"$TESTS/golden/layouts")" ]
ok $? "each result has its place"
while read -r t; do
	grep -qrE '^[^#]*shown_is ' "$TESTS/system/${t}_test.sh" "$TESTS/system/quota.sh"
	ok $? "$t compares its own"
done < <(cut -d ' ' -f 1 "$TESTS/golden/layouts" | sort -u)
done_testing
