#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Workloads of tests/corpus: each is looked at (vzmigrate --check-only --live), then moved
# live between two nodes whatever was found, to and fro. A few of them here;
# `make check-migrate` does all (CORPUS=all).
export OWN_NET=yes SAME_POOL=yes
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/migrate.sh"
. "$(dirname "$0")/corpus.sh"

need_nodes
need_criu
test_program corpus/corpus >/dev/null || skip_all "no corpus"
node_up n1 && node_up n2 || exit
VE=1741
node_ve n1 $VE || exit
# No devices: the two nodes have one /dev, and the one that clears up removes them.
echo 'FEATURES="iouring:on keyctl:on nesting:on"' >>"$T/n1/etc/conf/$VE.conf"
corpus_install "$T/n1/private/$VE" || exit
at=n1 other=n2
on n1 vzctl --quiet start $VE || exit

ve_exec() {
	on $at timeout $((60 * SLOW)) vzctl exec $VE "$@"
}
ve_asks() {
	local code
	migrate $other --live --check-only --json $VE >"$T/asked" 2>/dev/null
	code=$?
	jq -r 'select(.event == "obstacle") |
		if .pid then "process \(.pid) (\(.comm)): " else "" end + "\(.what): \(.why): \(.remedy)"' \
		"$T/asked"
	return $code
}
ve_goes() {
	migrate $other --live --quiet --nodeps=processes $VE
}
ve_found() {
	case $(status_of n1 $VE),$(status_of n2 $VE) in
	*running*,*running*) corpus_bad+="$1: it runs twice; " ;;
	*running*,*) at=n1 other=n2 ;;
	*,*running*) at=n2 other=n1 ;;
	*)
		corpus_bad+="$1: it runs nowhere: $2; "
		on $at vzctl --quiet start $VE
		;;
	esac
}

CORPUS=${CORPUS:-tcp io-uring mount-overlay}
[ "$CORPUS" != all ] || CORPUS=$(corpus_names)
for name in $CORPUS; do
	corpus_try "$name"
done
corpus_result

corpus_start io-uring
ok $? "a process with an io_uring"
run_is 8 "it is not moved" migrate $other --live $VE
like "$err" "can't go live: process [0-9]+ \(corpus\): descriptor [0-9]+, io_uring" "and why is said"
unlike "$out" "Copying" "before anything was copied"
is "$(status_of $at $VE) $(corpus_asks)" "exist mounted running ok" "it goes on"
run_is 8 "looked at only" migrate $other --live --check-only $VE
check_all() {
	on $at vzmigrate --ssh="-F $T/ssh/config" --all --live --check-only "10.98.0.${other#n}"
}
run_is 8 "all VEs looked at" check_all
like "$err" "VE $VE stays: .*io_uring" "each is named"
corpus_clean
run_ok "without it" migrate $other --live --check-only $VE
like "$out" "VE $VE can go live" "it can go"
run_ok "all VEs looked at" check_all
like "$out" "VE $VE can go" "can go"
is "$(nothing_left)" "" "nothing is left of a migration"
on $at vzctl --quiet stop $VE --fast
on $at vzctl --quiet destroy $VE
done_testing
