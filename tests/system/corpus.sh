# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Workloads, each with one kind of thing (tests/corpus): what the oracle predicts of it is
# compared with what CRIU does. Sourced after lib.sh. Whoever does that says how:
#   ve_exec COMMAND   in the VE, wherever it is
#   ve_asks           the oracle; prints its lines; 0: it can go, 8, 16: it can't
#   ve_goes           CRIU does it; prints what is said; 0: it was done
#   ve_found          called after that: finds where the VE is now
# shellcheck disable=SC2154,SC2034 # T, out and the like are lib.sh's

C=/root/c # where a workload is, in the VE

declare -i corpus_right=0 corpus_wrong=0 corpus_skipped=0
corpus_bad='' corpus_table=''

# corpus_install PRIVATE: the program, into a VE's files
corpus_install() {
	local program
	program=$(test_program corpus/corpus) || return
	install -o "$(stat -c %u "$1/bin/busybox")" -g "$(stat -c %g "$1/bin/busybox")" \
		"$program" "$1/bin/corpus"
}

corpus_names() {
	"$(test_program corpus/corpus)" --list
}

corpus_clean() {
	ve_exec "kill -9 -1; for m in up m m; do umount -l $C/\$m; done; rm -rf $C /dev/shm/* \
		/dev/mqueue/*; mkdir -p $C; ip link del corpus0; :" >/dev/null 2>&1
}

# corpus_start NAME: 0: it is there; 1: not on this kernel, $ready says why
corpus_start() {
	corpus_clean
	ve_exec "corpus $1 $C >/root/log 2>&1 </dev/null &"
	wait_for 20 ve_exec test -e $C/ready || return 2
	ready=$(ve_exec cat $C/ready)
	[ "$ready" = ok ]
}

# What the workload says of itself: "ok", or what is lost.
corpus_asks() {
	ve_exec "cd $C && rm -f said && : >ask"
	wait_for 20 ve_exec test -e $C/said || {
		echo silent
		return
	}
	ve_exec "sed 's/^ok .*/ok/' $C/said"
}

corpus_row() {
	corpus_table+=$(printf '%-22s %-9s %-9s %s' "$@")$'\n'
}

# corpus_judge NAME PREDICTED DONE SAID: after it was tried
corpus_judge() {
	local name=$1 predicted=$2 happened=$3 said=$4 now
	now=$(corpus_asks)
	# CRIU thinks that it has kept it, and has not.
	if [ "$predicted,$happened" = refused,goes ] && [ "$now" != ok ]; then
		happened=refused said="lost: $said" now=ok
	fi
	[ "$now" = ok ] || corpus_bad+="$name: after it $happened: $now; "
	# Whoever reads it knows the process and what to do, or the mount and the like.
	case $happened in
	refused) [[ $said == *': '*': '* ]] || corpus_bad+="$name: no cause: $said; " ;;
	esac
	if [ "$predicted" = "$happened" ]; then
		corpus_right+=1
	else
		corpus_wrong+=1
	fi
	corpus_row "$name" "$predicted" "$happened" "$([ "$happened" = goes ] || echo "$said")"
}

# corpus_try NAME
corpus_try() {
	local name=$1 predicted happened said lines code
	corpus_start "$name"
	case $? in
	0) ;;
	1)
		corpus_skipped+=1
		corpus_row "$name" - - "$ready"
		return
		;;
	*)
		corpus_bad+="$name: did not begin: $(ve_exec cat /root/log); "
		return
		;;
	esac
	[ "$(corpus_asks)" = ok ] || {
		corpus_bad+="$name: not even before: $(ve_exec cat $C/said); "
		return
	}
	lines=$(ve_asks)
	code=$?
	case $code in
	0) predicted=goes ;;
	8 | 16) predicted=refused ;;
	*) predicted="failed($code)" ;;
	esac
	if said=$(ve_goes 2>&1); then
		happened=goes
	else
		happened=refused
	fi
	said=${lines:-$said}
	ve_found "$name" "$said"
	corpus_judge "$name" "$predicted" "$happened" "$(head -n 1 <<<"$said")"
}

# The table, and what it comes to.
corpus_result() {
	local all=$((corpus_right + corpus_wrong))
	diag "$(printf '%-22s %-9s %-9s %s' workload predicted happened why)"
	diag "$corpus_table"
	diag "$corpus_right of $all predictions right, $corpus_skipped not on this kernel"
	[ $((corpus_right * 100)) -ge $((all * 95)) ] && [ $all -gt 0 ]
	ok $? "95 % of the predictions are right ($corpus_right of $all)"
	is "$corpus_bad" "" "each failure has its cause, and after each try all is as it was"
}
