#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every C file is as clang-format would have it, and says its licence on top.
. "$(dirname "$0")/../lib.sh"

cd "${TESTS%/*}" || exit
while read -r f; do
	run clang-format --dry-run --Werror "$f"
	ok "$status" "$f is formatted" || diag "$(printf '%s\n' "$err" | head -n 5)"
done < <(list_files | grep '\.[ch]$')

licence=$(list_files | grep -E '\.[ch]$|\.sh$' | xargs head -qn 2 --verbose 2>/dev/null |
	awk '/^==> / { if (f && !seen) print f; f = $2; seen = 0 } /SPDX-License-Identifier: GPL-2.0/ { seen = 1 }
		END { if (f && !seen) print f }')
is "$licence" "" "every source file says its licence"
done_testing
