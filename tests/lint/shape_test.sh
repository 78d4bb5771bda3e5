#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Small functions, small files: what a reader can hold in mind.
. "$(dirname "$0")/../lib.sh"

cd "${TESTS%/*}" || exit
MEDIAN=20 LONG=90 FILE_LINES=700

long=$(list_files | grep '\.[ch]$' | xargs wc -l | awk -v max=$FILE_LINES '
	$2 != "total" && $1 > max { print $2 ": " $1 " lines" }')
is "$long" "" "no C file has more than $FILE_LINES lines"

ctags=$(type -P ctags-universal || type -P ctags)
list_files | grep '\.c$' | grep -v '^tests/' |
	xargs "$ctags" --languages=C --c-kinds=f --fields=+ne -f - 2>/dev/null |
	sed -n 's/^\([^\t]*\)\t\([^\t]*\)\t.*line:\([0-9]*\).*end:\([0-9]*\).*/\1 \2 \3 \4/p' |
	awk '{ print $4 - $3 + 1, $2 ":" $3, $1 }' | sort -n >"$T/functions"
total=$(wc -l <"$T/functions")
median=$(awk -v n="$total" 'NR == int((n + 1) / 2) { print $1 }' "$T/functions")
[ "$total" -gt 50 ]
ok $? "ctags sees the functions ($total)"
[ "${median:-99}" -le $MEDIAN ]
ok $? "the median function has at most $MEDIAN lines (${median:-none})"
is "$(awk -v max=$LONG '$1 > max' "$T/functions")" "" "no function has more than $LONG lines"
over=$(awk '$1 > 70' "$T/functions" | wc -l)
[ $((over * 100)) -le $((total * 2)) ]
ok $? "at most 2 % of the functions have more than 70 lines ($over)"

marks=$(list_files | grep -v '^tests/' | xargs grep -nIE '\b(TODO|FIXME|XXX)\b')
is "$marks" "" "nothing is left to be done later"
done_testing
