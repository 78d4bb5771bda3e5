#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a VE's root can do to the host through the kernel: devices, mounts,
# files of /proc and /sys, control groups, system calls.
# shellcheck disable=SC2016 # the VE's shell expands them
. "$(dirname "$0")/hostile.sh"

make_hostile 1420 || skip_all "no VE could be made"
run_ok "start" vzctl start 1420

run vzctl exec 1420 'id -u; cat /proc/self/uid_map'
like "$out" '^0' "it is root there"
unlike "$out" '[[:space:]]0[[:space:]]+0[[:space:]]' "and nobody here"

# --- files that reach the host ---

run vzctl exec 1420 'for f in /proc/sysrq-trigger /proc/sys/kernel/core_pattern \
	/proc/sys/kernel/modprobe /proc/sys/kernel/hotplug /proc/sys/kernel/sysrq \
	/proc/sys/kernel/randomize_va_space /proc/sys/kernel/panic /proc/sys/kernel/ns_last_pid_ \
	/proc/sys/kernel/kexec_load_disabled /proc/sys/kernel/unprivileged_bpf_disabled \
	/proc/sys/vm/overcommit_memory /proc/sys/vm/drop_caches /proc/sys/vm/panic_on_oom \
	/proc/sys/fs/file-max /proc/sys/fs/suid_dumpable /proc/sys/fs/protected_symlinks \
	/proc/sys/net/core/bpf_jit_enable /proc/irq/default_smp_affinity /proc/mtrr \
	/proc/acpi/wakeup /proc/timer_stats /proc/scsi/scsi \
	/sys/kernel/uevent_helper /sys/power/state /sys/power/disk /sys/kernel/profiling \
	/sys/kernel/mm/ksm/run /sys/module/printk/parameters/time /sys/kernel/fscaps \
	/sys/block/*/uevent /sys/block/*/queue/scheduler /sys/kernel/vmcoreinfo \
	/sys/kernel/debug/* /sys/kernel/tracing/trace /sys/firmware/* \
	/sys/devices/system/cpu/cpu0/uevent /sys/bus/*/drivers_probe; do
	[ -f $f ] && true 2>/dev/null >>$f && echo writable $f; done; true' 2>/dev/null
is "$(grep writable <<<"$out")" "" "none of the kernel's switches can be written"
run vzctl exec 1420 'mount -o remount,rw /sys 2>/dev/null; mount -o remount,rw /proc 2>/dev/null
	mount -t sysfs s /mnt 2>/dev/null || mount -t sysfs s /tmp 2>/dev/null
	for d in /sys /mnt /tmp; do true 2>/dev/null >>$d/kernel/uevent_helper && echo writable $d; done
	umount /mnt /tmp 2>/dev/null; true' 2>/dev/null
is "$(grep writable <<<"$out")" "" "not by mounting it again either"
run vzctl exec 1420 'for f in /proc/kcore /proc/kmsg /dev/kmsg /dev/mem /dev/port /proc/vmallocinfo \
	/proc/pagetypeinfo /proc/slabinfo /proc/iomem_ /sys/kernel/debug/x; do
	[ -c /dev/null ] && head -c 1 $f >/tmp/x 2>/dev/null && [ -s /tmp/x ] && echo readable $f; done; true' 2>/dev/null
is "$(grep readable <<<"$out")" "" "nor the kernel's memory and log read"
run vzctl exec 1420 'dmesg | head -n 2'
is "$out" "" "dmesg shows nothing of the host"
run vzctl exec 1420 'cut -d " " -f 1 /proc/kallsyms | grep -c "[1-9a-f]"' 2>/dev/null
like "$out" '^0?$' "no kernel addresses"

# --- devices ---

run vzctl exec 1420 'cd /tmp && for d in "c 1 1" "c 1 2" "c 1 4" "c 1 11" "c 10 237" "b 7 0" \
	"b 8 0" "b 254 0" "b 253 0" "b 259 0"; do rm -f n; mknod n $d 2>/dev/null || continue
	dd if=n of=/dev/null bs=1 count=1 2>/dev/null && echo opened $d; done; true'
is "$(grep opened <<<"$out")" "" "no device but its own can be opened"
disk=$(findmnt -no SOURCE / 2>/dev/null)
if [ -b "$disk" ]; then
	mknod "$T/private/1420/disk" b $((0x$(stat -Lc %t "$disk"))) $((0x$(stat -Lc %T "$disk")))
	chmod 666 "$T/private/1420/disk"
	run vzctl exec 1420 'head -c 512 /disk 2>/dev/null | wc -c'
	is "$out" "0" "not even one that was left in its files"
	run vzctl exec 1420 'mkdir -p /mnt; for t in ext4 ext2 xfs btrfs vfat; do
		mount -t $t /disk /mnt 2>/dev/null && echo mounted; done; true'
	is "$out" "" "nor mounted"
	rm -f "$T/private/1420/disk"
else
	skip "the host's disk in the VE" "the host's root is on no device"
fi
run vzctl exec 1420 'for d in null zero full random urandom tty console ptmx; do
	[ -e /dev/$d ] || echo missing $d; done; head -c 4 /dev/zero | wc -c; echo x >/dev/null && echo well'
is "$out" $'4\nwell' "its own devices are there and work"
run vzctl exec 1420 'ls /dev; ls -A /dev/vz 2>/dev/null'
unlike "$out" '(^|[[:space:]])(sd|vd|nvme|mem|kmsg|kvm|loop|vz)' "and no others"

# --- mounts ---

# What is at /run/vz is the VE's own.
run vzctl exec 1420 'grep -v " /run/vz/proc/" /proc/self/mountinfo'
unlike "$out" "$T/(etc|host|run|lock)|/etc/vz|/run/vz" "no mount tells of the host's paths"
run vzctl exec 1420 'mkdir -p /mnt; for t in debugfs tracefs securityfs configfs pstore efivarfs \
	bpf hugetlbfs selinuxfs nfsd rpc_pipefs fusectl; do
	mount -t $t x /mnt 2>/dev/null || continue
	true 2>/dev/null >>/mnt/register && echo "$t writes"
	ls /mnt/kprobes/list /mnt/sleep_time 2>/dev/null
	umount /mnt; done; true'
is "$out" "" "file systems of the kernel give nothing"
run vzctl exec 1420 'umount /proc/sys 2>/dev/null; umount -l /proc/kcore /proc/keys 2>/dev/null
	head -c 1 /proc/kcore 2>/dev/null | wc -c; true 2>/dev/null >>/proc/sys/kernel/core_pattern && echo written; true' 2>/dev/null
is "$out" "0" "what is masked is denied also without the mask"
host_mounts >"$T/mounts"
run vzctl exec 1420 'mkdir -p /mnt && mount -t tmpfs t /mnt && mount --make-rshared / && mount -t tmpfs t /tmp && umount -l /tmp /mnt'
is "$(host_mounts)" "$(cat "$T/mounts")" "its mounts do not reach the host"

# --- control groups: release_agent, limits, other VEs ---

run vzctl exec 1420 'mkdir -p /cg; for c in memory devices rdma pids cpu freezer blkio cpuset misc systemd; do
	if [ $c = systemd ]; then o=none,name=systemd; else o=$c; fi
	mount -t cgroup -o $o c /cg 2>/dev/null || continue
	for f in /cg/release_agent /cg/*/release_agent; do
		[ -e $f ] && echo "#!/bin/sh" >$f 2>/dev/null && echo "$c: release_agent"; done
	for f in memory.limit_in_bytes devices.allow pids.max cpu.shares cpuset.cpus freezer.state; do
		[ -e /cg/$f ] && true 2>/dev/null >>/cg/$f && echo "$c: $f"; done
	mkdir /cg/new 2>/dev/null && { rmdir /cg/new; [ $c = systemd ] || echo "$c: new group"; }
	umount /cg; done; true' 2>/dev/null
is "$out" "" "v1: no release agent, no limit, no group of the controllers"
run vzctl exec 1420 'unshare -UrmC sh -c "mkdir -p /cg; mount -t cgroup -o memory c /cg 2>/dev/null &&
	echo x 2>/dev/null >/cg/release_agent && echo written"; true' 2>/dev/null
is "$out" "" "v1: nor from namespaces of its own"
run vzctl exec 1420 'cd /sys/fs/cgroup && for f in memory.max memory.high cpu.max cpu.weight pids.max io.max \
	cpuset.cpus memory.swap.max memory.min; do [ -e $f ] && true 2>/dev/null >>$f && echo writable $f; done
	ls -d /sys/fs/cgroup/../* /sys/fs/cgroup/*/ 2>/dev/null | grep -c "14[0-9][0-9]"; true' 2>/dev/null
is "$out" "0" "v2: its own limits are the host's, and others are not seen"

# --- system calls ---

run vzctl exec 1420 'hostile calls'
is "$out" "" "no call that reaches the host"
run vzctl exec 1420 'unshare -Ur hostile calls'
is "$out" "" "nor from a user namespace of its own"
run vzctl exec 1420 'hwclock -w 2>/dev/null && echo clock; date -s 2001-01-01 >/dev/null 2>&1
	swapon /tmp/x 2>/dev/null && echo swap; insmod /tmp/x 2>/dev/null && echo insmod
	nice -n -20 true; chroot / true; ulimit -c; true'
unlike "$out" "clock|swap|insmod" "nor a command"
[ "$(date +%Y)" -gt 2001 ]
ok $? "the host's clock goes on"

# --- links of the network and names of the host ---

run vzctl exec 1420 'ip -o link | grep -vc " lo:"' 2>/dev/null
run vzctl exec 1420 'hostname stolen; cat /proc/sys/kernel/hostname'
is "$out" "stolen" "its own host name it may set"
[ "$(cat /proc/sys/kernel/hostname)" != stolen ]
ok $? "not the host's"
run vzctl exec 1420 'ps -o pid,args; ls /proc | grep -c "^[0-9]"'
unlike "$out" "vzsuper|$T" "no process of the host is seen"
run vzctl exec 1420 'kill -9 -1'
run_ok "and after all that it stops" vzctl stop 1420 --fast
host_untouched "in the end"
run_ok "destroy" vzctl destroy 1420
done_testing
