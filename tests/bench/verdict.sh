# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What benches say of their numbers.

missed=0

# verdict WHAT RATIO most|least BAR
verdict() {
	local word=ok
	# What is no number was not measured, and so not reached.
	if ! [[ $2 =~ ^[0-9.]+$ ]] ||
		! awk -v r="$2" -v b="$4" -v s="$3" 'BEGIN { exit !(s == "most" ? r <= b : r >= b) }'; then
		word=MISSED
		missed=$((missed + 1))
	fi
	printf '  %-44s %7s   bar: at %s %s   %s\n' "$1" "$2" "$3" "$4" "$word"
}

# ratio A B: A / B
ratio() {
	awk -v a="$1" -v b="$2" 'BEGIN { if (b > 0 && a > 0) printf "%.3f", a / b; else print "none" }'
}
