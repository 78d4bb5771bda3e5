#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Limits of a VE's users go with it to another node, or it is said that they can't.
# shellcheck disable=SC2034 # lib.sh reads it
OWN_NET=yes
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/quota.sh"
. "$(dirname "$0")/migrate.sh"

is_root || skip_all "not root"
need_nodes
make_conf
make_fs ext4 2>/dev/null || { drop_fs; skip_all "no quotas in this kernel"; }
drop_fs

node_up n1 && node_up n2
ok $? "two nodes" || { done_testing; exit; }

# fs_for NODE [options]: its private areas in a file system of their own
fs_for() {
	truncate -s 300M "$T/$1.img"
	mkfs.ext4 -q -F -O quota,project -E quotatype=usrquota:grpquota:prjquota "$T/$1.img" &&
		on "$1" mount -o "loop${2:+,$2}" "$T/$1.img" "$T/$1/private"
}

fs_for n1 usrquota,grpquota,prjquota && fs_for n2 noatime
ok $? "with disks"
node_ve n1 2750 --layout simfs --diskspace 40M:44M
on n1 vzquota setlimit2 2750 -u 1001 0 500 0 7
on n1 vzquota setlimit2 2750 -g 1002 30 40 0 0
want=$(on n1 vzquota dump 2750)
is "$(grep -c 100 <<<"$want")" 2 "a VE with limits of a user and a group"

run_is 13 "not to where nobody keeps them" migrate n2 2750
like "$err" "2 users and groups of the VE have limits.*--nodeps=quota" "is said"
is "$(status_of n1 2750)" "exist unmounted down" "and it stays"
on n2 umount "$T/n2/private"
fs_for n2 usrquota,grpquota,prjquota
on n1 vzctl --quiet start 2750
run_ok "to where they are kept, of a VE that runs" migrate n2 2750
is "$(on n2 vzquota dump 2750)" "$want" "they are there"
is "$(on n1 repquota -u -n "$T/n1/private" | awk '/^#[0-9]{6}/ && ($4 || $5 || $7 || $8)')" "" "and not here any more"
is "$(status_of n2 2750)" "exist mounted running" "it runs"
done_testing
