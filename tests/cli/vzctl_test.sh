#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vzctl's own words: help, version, bad commands.
. "$(dirname "$0")/../lib.sh"

run_ok "--version" vzctl --version
like "$out" '^vzctl version [0-9]+\.[0-9]+\.[0-9]+$' "the version is one line"

run_ok "--help" vzctl --help
like "$out" '^vzctl version [0-9]' "help begins with the version"
is "$err" "" "help says nothing on standard error"

run_is 20 "no command is a syntax error" vzctl
is "$out" "" "and prints nothing on standard output"
run_is 20 "an unknown command is a syntax error" vzctl frobnicate 101
is "$err" "vzctl: unknown command 'frobnicate': see vzctl --help" "and is named"
run_is 20 "an unknown option is a syntax error" vzctl --frob status 101
is "$err" "vzctl: unknown option '--frob': see vzctl --help" "and is named"

done_testing
