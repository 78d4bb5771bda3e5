#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The oracle (vzctl suspend --check-only) says what CRIU does: a few workloads of each
# kind are looked at, then suspended and resumed. `make check-migrate` has them all.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/corpus.sh"

need_criu
test_program corpus/corpus >/dev/null || skip_all "no corpus"
VE=2210
make_ve $VE || skip_all "no VE could be made"
echo 'FEATURES="iouring:on nesting:on"' >>"$VZ_CONFDIR/conf/$VE.conf"
corpus_install "$T/private/$VE" || exit

ve_exec() {
	timeout $((60 * SLOW)) vzctl exec $VE "$@"
}
ve_asks() {
	vzctl suspend $VE --check-only 2>/dev/null
}
ve_goes() {
	vzctl --quiet suspend $VE && vzctl --quiet resume $VE
}
ve_found() {
	[[ $(vzctl status $VE) == *running* ]] || corpus_bad+="$1: it does not run: $2; "
}

run_is 31 "a VE that does not run" vzctl suspend $VE --check-only
vzctl --quiet start $VE || exit
run_ok "one that only runs" vzctl suspend $VE --check-only
like "$out" "Nothing is in the way" "says so"

few="file-deleted tcp-pending pidfd traced mount-overmounted"
[ "$SLOW" != 1 ] || few+=" pipe-packets unix-pending epoll-escaped stopped user-ns io-uring"
for name in ${CORPUS:-$few}; do
	corpus_try "$name"
done
corpus_result

# What it says, to whom.
corpus_start io-uring
ok $? "a process with an io_uring"
run_is 16 "it is looked at" vzctl suspend $VE --check-only
like "$out" "^process [0-9]+ \(corpus\): descriptor [0-9]+, io_uring: .*: close it" \
	"the process, the descriptor and the way out are named"
run_is 16 "as JSON" vzctl suspend $VE --check-only --json
is "$(jq -r '.[] | select(.what | test("io_uring")) | .kind + " " + .comm + " " + (.passing | tostring)' \
	<<<"$out" | head -n 1)" "descriptor corpus false" "as a program wants it"
run_is 16 "suspend" vzctl suspend $VE
like "$err" "process [0-9]+ \(corpus\): descriptor [0-9]+, io_uring" "says why it can't, too"
is "$(corpus_asks)" ok "and it goes on"
# A name that wants to be more than text.
ve_exec "cd $C && mkdir n && name=\$(printf 'x\ny\033[2J') && cp /bin/corpus \"\$name\" &&
	{ \"./\$name\" netlink-groups $C/n >/dev/null 2>&1 </dev/null & }"
wait_for 20 ve_exec test -e "$C/n/ready"
run_is 16 "of a process with an odd name" vzctl suspend $VE --check-only
like "$out" "\(x.y.\[2J\): descriptor [0-9]+, netlink" "each obstacle is one line of text"
done_testing
