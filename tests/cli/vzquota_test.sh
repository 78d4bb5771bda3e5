#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vzquota: its words, columns and exit statuses, of a VE whose quota nobody keeps. What
# it does where there are quotas is system/quota_test.sh's.
. "$(dirname "$0")/../lib.sh"

is_root || skip_all "not root"
make_conf

run_is 0 "-h" vzquota -h
like "$out" "^Usage: vzquota " "says how it is used"
run_is 0 "-V" vzquota -V
like "$out" "^vzquota version [0-9.]+$" "says which it is"
run_is 2 "no command" vzquota
run_is 2 "an unknown one" vzquota check 101
is "$err" "vzquota: unknown command 'check': see vzquota -h" "is named"
run_is 2 "no VEID" vzquota stat
run_is 2 "a bad one" vzquota stat web
run_is 2 "that of the node" vzquota stat 0
run_is 2 "an unknown option" vzquota stat 101 --all
run_is 11 "no such VE" vzquota stat 1701

cat >"$VZ_CONFDIR/conf/1701.conf" <<-END
	# of a provider
	ONBOOT="no"
	OSTEMPLATE="$BUSYBOX_TEMPLATE"
	DISKSPACE="1000:1100"
	DISKINODES="200:220"
	QUOTATIME="600"
END
run_is 6 "stat" vzquota stat 1701
is "$err" "vzquota: no quota is kept for this VE, try vzquota show" "says that there is nothing to show"
run_ok "show" vzquota show 1701
is "$out" "   resource          usage       softlimit      hardlimit    grace
  1k-blocks              0            1000           1100         
     inodes              0             200            220         " "has OpenVZ's columns"
run_ok "for scripts" vzquota -b show 1701
is "$out" "             0           1000           1100              0            600
             0            200            220              0            600" "numbers only"
run_ok "setlimit" vzquota setlimit 1701 -B 1200 --inode-softlimit 150 -e 10:00 -n 10:00
is "$(cat "$VZ_CONFDIR/conf/1701.conf")" "# of a provider
ONBOOT=\"no\"
OSTEMPLATE=\"$BUSYBOX_TEMPLATE\"
DISKSPACE=\"1000:1200\"
DISKINODES=\"150:220\"
QUOTATIME=\"600\"" "changes what it is told"
run_is 2 "two grace times" vzquota setlimit 1701 -e 1d -n 2d
run_is 2 "soft above hard" vzquota setlimit 1701 -b 2000
run_is 2 "a suffix" vzquota setlimit 1701 -b 1G
run_is 2 "no time" vzquota setlimit 1701 -e soon
run_is 2 "nothing to set" vzquota setlimit 1701
run_is 2 "init without all limits" vzquota init 1701 -b 1 -B 2
run_is 6 "off" vzquota off 1701
run_is 9 "users, of a VE without files" vzquota dump 1701
flock "$T/lock/1701.lck" vzquota setlimit 1701 -b 900 2>"$T/err"
is "$?" 7 "a locked VE"
is "$(grep -c DISKSPACE=\"1000: "$VZ_CONFDIR/conf/1701.conf")" 1 "stays as it is"
done_testing
