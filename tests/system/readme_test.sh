#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# "A first VE" of README.md does, line by line, what it says.
. "$(dirname "$0")/../lib.sh"

is_root || skip_all "not root"
readme=${TESTS%/*}/README.md
[ -e "$readme" ] || skip_all "no README.md here"
type -P busybox vztmpl >/dev/null || skip_all "no busybox-static, or no vztmpl"

# The comments go, the one line that wants a terminal too, and the VE is ours.
# shellcheck disable=SC2016 # fences, not commands
sed -n '/^## A first VE/,/^## /p' "$readme" | sed -n '/^```sh/,/^```$/p' |
	sed '/^```/d; / enter /d; s/ *# .*//; s/\<101\>/13011/g' >"$T/lines"
[ "$(wc -l <"$T/lines")" -ge 8 ]
ok $? "README.md shows a first VE"
while read -r line; do
	run_ok "$line" bash -c "$line"
	case $line in
	"vztmpl list") like "$out" "busybox-$(uname -m)" "shows the template" ;;
	*" exec "*) like "$out" "^first" "shows the host name" ;;
	"vzctl set "*) is "$(vzctl exec 13011 cat /proc/1/comm)" init "and it goes on running" ;;
	"vzlist "*) like "$out" "13011 +running +first +[1-9][0-9]* +2000" "shows it" ;;
	esac
done <"$T/lines"
is "$(vzctl status 13011)" "CTID 13011 deleted unmounted down" "nothing is left of it"
done_testing
