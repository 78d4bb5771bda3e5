#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Dependencies point one way: tools → ve → res → sys → base, conf (which includes
# base only) beside res. `tool` is for tools: it may include all, only they it.
. "$(dirname "$0")/../lib.sh"

cd "${TESTS%/*}" || exit

declare -A may=(
	[base]="base"
	[conf]="base conf"
	[sys]="base bpf sys"
	[res]="base bpf conf sys res"
	[ve]="base bpf conf sys res ve"
	[tool]="base bpf conf sys res ve tool"
)

for layer in base conf sys res ve tool; do
	bad=$(list_files | grep "^lib/$layer/.*\.[ch]$" |
		xargs -r grep -nH '^#include "' |
		while IFS=: read -r file line text; do
			text=${text#*\"}
			target=${text%%/*}
			[[ " ${may[$layer]} " == *" $target "* ]] || echo "$file:$line includes ${text%\"}"
		done | grep -vE '(_programs|\.skel)\.h$')
	is "$bad" "" "lib/$layer includes ${may[$layer]} only"
done

bad=$(list_files | grep '^lib/.*\.[ch]$' | grep -v '^lib/tool/' |
	xargs -r grep -nE '^#include "(\.\.|vzctl|vzlist|vzcalc|vzsplit|templates|tests)/')
is "$bad" "" "no file of the library includes a tool's or by a relative path"

bad=$(list_files | grep '^lib/.*\.c$' |
	xargs -r grep -nE '\b(exit|printf|puts|perror|putchar|system|popen)\(' |
	grep -vE '^lib/tool/|^[^:]*:[0-9]+:[[:space:]]*(\*|/\*|//)|lib/sys/gen/')
is "$bad" "" "the library does not print, exit or call a shell"
done_testing
