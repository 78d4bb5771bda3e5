#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Disk quotas on xfs, on a node whose kernel has them.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/quota.sh"

is_root || skip_all "not root"
type -P mkfs.xfs >/dev/null || skip_all "no mkfs.xfs (xfsprogs)"
make_conf
if ! make_fs xfs 2>/dev/null; then
	drop_fs
	skip_all "a kernel without quotas of xfs"
fi
drop_fs
with_quotas xfs
drop_fs
done_testing
