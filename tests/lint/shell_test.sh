#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every shell script of the tree passes shellcheck.
. "$(dirname "$0")/../lib.sh"

cd "${TESTS%/*}" || exit

scripts() {
	list_files | while read -r f; do
		case $f in
		*.sh) echo "$f" ;;
		*.c | *.h | *.[1-8] | *.md) ;;
		*) head -c 64 "$f" | head -n 1 | grep -qaE '^#! ?/bin/(ba)?sh|^#!/usr/bin/env (ba)?sh' &&
			echo "$f" ;;
		esac
	done
}

while read -r f; do
	run_ok "$f" shellcheck -x "$f"
done < <(scripts)
done_testing
