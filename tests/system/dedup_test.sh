#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Identical files of VEs share their blocks again, where the file system can, and
# whatever else lies about in a VE; elsewhere it is said that it can't.
# shellcheck disable=SC2034,SC2016 # lib.sh reads it; the VE's shell expands it
ON_DISK=yes OWN_MOUNTS=yes
. "$(dirname "$0")/../lib.sh"

is_root || skip_all "needs root"
[ -w /dev/loop-control ] || skip_all "no loop devices"
busybox_template

make_fs() {
	mkdir -p "$m" && truncate -s 600M "$T/$fs.img"
	type -P "mkfs.$fs" >/dev/null && "mkfs.$fs" -q "$T/$fs.img" >/dev/null 2>&1 &&
		mount -o loop "$T/$fs.img" "$m" 2>/dev/null
}

no_loop() {
	[ -z "$(losetup -j "$T/$fs.img")" ]
}

used_kb() {
	sync -f "$m"
	# What btrfs has freed it counts when the transaction is through.
	[ $fs != btrfs ] || btrfs filesystem sync "$m" 2>/dev/null
	df -k --output=used "$m" | tail -n 1 | tr -d ' '
}

# What there is of all files, but where on the disk.
tree() {
	(cd "$m/private" && find . \( -type f ! -size +200M -exec sha256sum {} + \) -o -true -printf '' &&
		find . -printf '%p %M %U %G %s %T@ %l\n') | sort
}

# shared "TEXT": the KiB that are shared now
shared() {
	sed -n 's/.*looked at: \([0-9]*\) KiB.*/\1/p' <<<"$1"
}

# Things that must not be opened, followed or read for ever.
traps() {
	python3 - "$m/private/2351" <<-'END'
		import os, sys
		os.chdir(sys.argv[1] + "/root")
		os.symlink("/etc/shadow", "shadow"); os.symlink("..", "up"); os.symlink("loop", "loop")
		os.mkfifo("fifo")
		with open("huge", "wb") as f:
		    f.truncate(1 << 40)
		with open("huge2", "wb") as f:
		    f.truncate(1 << 40)
		os.link("big", "big-again")
		d = os.open(".", os.O_RDONLY)
		for i in range(300):
		    os.mkdir("deep", dir_fd=d)
		    n = os.open("deep", os.O_RDONLY, dir_fd=d); os.close(d); d = n
	END
	chattr +i "$m/private/2352/root/fixed"
}

shares() {
	local was want i
	head -c 20M /dev/urandom >"$m/private/2351/root/big"
	head -c 3M /dev/urandom >"$m/private/2351/root/fixed"
	cp --reflink=never -a "$m/private/2351/root/"{big,fixed} "$m/private/2352/root/"
	{ head -c 2000000 "$m/private/2351/root/big" && echo another; } >"$m/private/2352/root/near"
	traps
	run_ok "$fs: starts" vzctl --quiet start 2351
	vzctl exec 2351 'i=0; while :; do i=$((i+1)); echo $i >/root/busy; done >/dev/null 2>&1 &'
	was=$(used_kb)
	want=$(tree | grep -v busy)
	run_ok "$fs: dedup of a VE that runs and one that does not" timeout $((120 * SLOW)) vzctl dedup 2351 2352
	[ "$(shared "$out")" -ge 20480 ] && [ "$(shared "$out")" -lt 30000 ]
	ok $? "$fs: shares what is the same ($(shared "$out") KiB)"
	like "$err" "Warning: [1-9]" "$fs: and says what lies too deep"
	is "$(tree | grep -v busy)" "$want" "$fs: nothing is seen of it"
	[ $((was - $(used_kb))) -ge 18000 ]
	ok $? "$fs: the room is there again ($was KiB before, $(used_kb) after)"
	run_ok "$fs: again" vzctl dedup 2351 2352
	[ "$(shared "$out")" -lt 4000 ]
	ok $? "$fs: has nothing left to do ($(shared "$out") KiB)"
	like "$out" "shared now, [0-9]{5,} KiB" "$fs: as it says"
	vzctl exec 2351 'echo x >>/root/big'
	is "$(stat -c %s "$m/private/2352/root/big")" $((20 << 20)) "$fs: who writes has his own"
	chattr -i "$m/private/2352/root/fixed"
}

killed() {
	local us want i
	for i in $(seq 40); do
		head -c 500k /dev/urandom >"$m/private/2351/root/k$i"
		cp --reflink=never -a "$m/private/2351/root/k$i" "$m/private/2352/root/"
	done
	want=$(tree | grep -v busy)
	for us in 1000 5000 10000 20000 40000 80000; do
		vzctl --quiet dedup --all 2>/dev/null &
		sleep "$(printf '0.%06d' "$us")"
		kill -9 $! 2>/dev/null
		wait $! 2>/dev/null
	done
	timeout -s TERM 0.05 vzctl --quiet dedup --all >/dev/null 2>&1
	is "$(tree | grep -v busy)" "$want" "$fs: kill -9 at many moments"
	run_ok "$fs: and all of it" vzctl dedup --all
	like "$out" "Passed over: VE 2353 is of layout overlay" "$fs: but for an overlay"
}

for fs in ext4 xfs btrfs; do
	m=$T/$fs
	if ! make_fs; then
		skip "dedup on $fs" "no $fs here"
		continue
	fi
	mkdir -p "$m/private" "$m/template" && ln -s "$T/template/cache" "$m/template/cache"
	sed -i "s|^TEMPLATE=.*|TEMPLATE=\"$m/template\"|" "$VZ_CONFDIR/vz.conf"
	vzctl --quiet create 2351 --layout simfs --private "$m/private/2351" &&
		vzctl --quiet create 2352 --layout simfs --private "$m/private/2352"
	ok $? "$fs: two VEs"
	if [ $fs = ext4 ]; then
		run_is 5 "$fs: no" vzctl dedup 2351 2352
		like "$err" "VE 2351: the file system of .* shares no blocks between files" "$fs: is what it says"
		run_is 5 "$fs: nor any" vzctl dedup --all
	else
		vzctl --quiet create 2353 --layout overlay --private "$m/private/2353"
		run_is 99 "$fs: an overlay's files are shared already" vzctl dedup 2353
		shares
		killed
		vzctl --quiet stop 2351 --fast
		vzctl --quiet destroy 2353
	fi
	vzctl --quiet destroy 2351
	vzctl --quiet destroy 2352
	umount "$m"
	wait_for 10 no_loop
	rm "$T/$fs.img"
done
run_is 20 "no VE" vzctl dedup
run_is 20 "both" vzctl dedup 101 --all
done_testing
