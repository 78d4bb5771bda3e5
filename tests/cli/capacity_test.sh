#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Planning of capacity on a made-up node: exact output (tests/golden/capacity), exit
# codes, bad input. GOLDEN=write tests/run … writes down what the tools say now.
# shellcheck disable=SC2016 # a literal $VEID belongs into configurations
. "$(dirname "$0")/../lib.sh"

is_root || skip_all "counters of VEs need root"

golden=$TESTS/golden/capacity
ubc=$golden/user_beancounters
node=$T/node

# machine RAM_MB SWAP_MB CPUS: the /proc of a node with 127000 threads
machine() {
	local i
	mkdir -p "$node/sys/kernel"
	printf 'MemTotal: %15d kB\nMemFree: 1 kB\nSwapTotal: %14d kB\n' $(($1 << 10)) $(($2 << 10)) \
		>"$node/meminfo"
	for ((i = 0; i < $3; i++)); do
		printf 'processor\t: %d\nmodel name\t: one\nbogomips\t: 5200.50\n\n' "$i"
	done >"$node/cpuinfo"
	echo 127000 >"$node/sys/kernel/threads-max"
}

# put FILE KEY=value...: in place of what was there
put() {
	local file=$1 line
	shift
	for line; do
		sed -i "/^${line%%=*}=/d" "$file"
		printf '%s\n' "$line" >>"$file"
	done
}

# ve VEID SAMPLE [KEY=value...]
ve() {
	cp "$VZ_CONFDIR/conf/ve-$2.conf-sample" "$VZ_CONFDIR/conf/$1.conf"
	put "$VZ_CONFDIR/conf/$1.conf" "${@:3}"
}

# golden NAME COMMAND...: output, errors and exit status are those of the file
golden() {
	local name=$1 file=$golden/$1
	shift
	run "$@"
	{
		[ -z "$out" ] || printf '%s\n' "$out"
		[ -z "$err" ] || printf 'stderr: %s\n' "${err//$'\n'/$'\n'stderr: }"
		[ "$status" = 0 ] || echo "exit $status"
	} | sed "s|$T|DIR|g" >"$T/said"
	[ "${GOLDEN-}" != write ] || cp "$T/said" "$file"
	cmp -s "$T/said" "$file"
	ok $? "$name: ${*##*/}" || diag "$(diff "$file" "$T/said")"
}

machine 16384 8192 4
# The disk of VEs is the machine's: without one each VE gets the same.
sed -i 's|^VE_PRIVATE=.*|VE_PRIVATE="/nowhere/$VEID"|' "$VZ_CONFDIR/vz.conf"
ve 14001 basic
ve 14002 vswap-1g 'MEMRESERVE="512M"' 'CPURESERVE="50"' 'CPULIMIT="100"' 'CPUUNITS="2000"'
ve 14003 light 'POOL="gold"'
mkdir "$VZ_CONFDIR/pools" && echo 'MEMRESERVE="1G"' >"$VZ_CONFDIR/pools/gold.conf"
: >"$VZ_CONFDIR/conf/0.conf"

# --- vzcalc ---

golden calc-stopped vzcalc --proc "$node" 14001
golden calc-stopped-v vzcalc -v --proc "$node" 14001
golden calc-running-v vzcalc -v --proc "$node" --ubc "$ubc" 14001
golden calc-unknown-v vzcalc -v --proc "$node" --ubc "$ubc" 14002
golden calc-json vzcalc --json --proc "$node" --ubc "$ubc" 14001
golden calc-unconfigured vzcalc --proc "$node" --ubc "$ubc" 14009
golden calc-node vzcalc --node --proc "$node"
golden calc-node-running vzcalc --node -r --proc "$node" --ubc "$ubc" --config basic
golden calc-node-plan vzcalc --node --proc "$node" --config vswap-4g --nodes 3
golden calc-node-json vzcalc --node -j --proc "$node" --config basic --nodes 2
run_ok "--html" vzcalc --node --proc "$node" --config basic --nodes 2 --html "$T/page.html"
is "$(grep -c '^<rect class="all"' "$T/page.html"):$(grep -c '^<tr><td>' "$T/page.html")" 6:6 \
	"has a bar and a line for each resource"
is "$(grep -cE 'https?:|src=' "$T/page.html")" 0 "and needs nothing from elsewhere"
is "$(grep -c 'promised 1.50G of 16.0G' "$T/page.html")" 1 "says the same numbers"
golden calc-html-no-dir vzcalc --node -j --proc "$node" --html "$T/no/such"
machine 1024 0 1
golden calc-node-small vzcalc --node --proc "$node" --config vswap-1g --nodes 2
machine 16384 8192 4
echo 'LowTotal: 900000 kB' >>"$node/meminfo"
golden calc-lowmem vzcalc -v --proc "$node" --ubc "$ubc" 14001
machine 16384 8192 4
golden calc-no-ve vzcalc --proc "$node" 14999
golden calc-no-words vzcalc
golden calc-two-words vzcalc 1 2
golden calc-bad-veid vzcalc --proc "$node" -- -5
golden calc-bad-nodes vzcalc --node --nodes 1 --proc "$node"
golden calc-bad-sample vzcalc --node --config ../x --proc "$node"
golden calc-no-sample vzcalc --node --config nosuch --proc "$node"
golden calc-no-file vzcalc --ubc "$T/nosuch" --proc "$node" 14001
golden calc-no-proc vzcalc --proc "$T/nosuch" 14001
golden calc-help vzcalc --help
echo nonsense >"$T/nonsense"
: >"$T/empty"
golden calc-bad-file vzcalc --ubc "$T/nonsense" --proc "$node" 14001
golden calc-empty-file vzcalc --ubc "$T/empty" --proc "$node" 14001
echo 'NUMPROC="many"' >"$VZ_CONFDIR/conf/14004.conf"
golden calc-node-broken vzcalc --node --proc "$node"
golden calc-broken vzcalc --proc "$node" 14004
rm "$VZ_CONFDIR/conf/14004.conf"

# --- vzmemcheck, vzcpucheck, vzoversell ---

golden mem vzmemcheck --proc "$node" --ubc "$ubc"
golden mem-v vzmemcheck -v --proc "$node" --ubc "$ubc"
golden mem-vA vzmemcheck -vA --proc "$node" --ubc "$ubc"
golden mem-json vzmemcheck -j -v --proc "$node" --ubc "$ubc"
golden mem-none vzmemcheck --proc "$node"
golden mem-word vzmemcheck 14001
golden cpu vzcpucheck --proc "$node"
golden cpu-va vzcpucheck -va --proc "$node"
sed -i '/bogomips/d' "$node/cpuinfo"
golden cpu-silent vzcpucheck --proc "$node"
printf 'processor : 0\nbogomips : 100\n' >"$node/cpuinfo"
golden cpu-over vzcpucheck -a --proc "$node"
machine 16384 8192 4
golden over vzoversell --proc "$node"
golden over-file vzoversell --proc "$node" "$ubc"
golden over-all vzoversell -a --proc "$node"
golden over-no-file vzoversell --proc "$node" "$T/nosuch"
machine 1024 0 1
golden over-small vzoversell --proc "$node" --ubc "$ubc"
machine 16384 8192 4

# --- vzcfgvalidate ---

c=$T/c.conf
cp "$VZ_CONFDIR/conf/ve-basic.conf-sample" "$c"
golden valid-basic vzcfgvalidate --proc "$node" "$c"
put "$c" 'NUMPROC="240:250"' 'DGRAMRCVBUF="1000"' 'NUMFILE="100"' 'PRIVVMPAGES="1:2"'
golden valid-broken vzcfgvalidate --proc "$node" "$c"
cp "$c" "$T/asked.conf"
golden valid-repair vzcfgvalidate -r --proc "$node" "$c"
golden valid-repaired cat "$c"
run_ok "what was repaired" vzcfgvalidate --proc "$node" "$c"
printf 'n\ny\n\nx\nn\n' | vzcfgvalidate -i --proc "$node" "$T/asked.conf" >"$T/said" 2>&1
is "$?" 2 "what is left as it was is still wrong"
golden valid-asked cat "$T/said"
is "$(tail -n 4 "$T/asked.conf" | tr '\n' ' ')" \
	'NUMPROC="240:250" DGRAMRCVBUF="1000" NUMFILE="5760:5760" PRIVVMPAGES="33792:33792" ' "what was agreed to is done"
golden valid-missing vzcfgvalidate -r --proc "$node" "$T/empty"
golden valid-vswap vzcfgvalidate --proc "$node" "$VZ_CONFDIR/conf/ve-vswap-1g.conf-sample"
printf '%s\n' 'PHYSPAGES="5:90000000"' 'SWAPPAGES="0:unlimited"' >"$c"
golden valid-vswap-broken vzcfgvalidate --proc "$node" "$c"
golden valid-vswap-no vzcfgvalidate -v no --proc "$node" "$VZ_CONFDIR/conf/ve-vswap-1g.conf-sample"
golden valid-vswap-yes vzcfgvalidate -v yes --proc "$node" "$VZ_CONFDIR/conf/ve-basic.conf-sample"
golden valid-vswap-what vzcfgvalidate -v maybe --proc "$node" "$c"
golden valid-no-file vzcfgvalidate --proc "$node" "$T/nosuch"
golden valid-nothing vzcfgvalidate
golden valid-two vzcfgvalidate a b
golden valid-nonsense vzcfgvalidate --proc "$node" "$T/nonsense"
echo 'NUMPROC="-5"' >"$c"
golden valid-negative vzcfgvalidate --proc "$node" "$c"
for sample in basic light; do
	run_ok "the sample $sample is valid" vzcfgvalidate --proc "$node" \
		"$VZ_CONFDIR/conf/ve-$sample.conf-sample"
done

# --- vzsplit ---

golden split-10 vzsplit -n 10 -v yes --proc "$node"
golden split-10-ubc vzsplit -n 10 -v no --proc "$node"
golden split-4600-ubc vzsplit -n 4600 -v no --proc "$node"
golden split-swap vzsplit -n 10 -s 1024 -v yes --proc "$node"
bad=
for n in 1 2 3 5 10 33 100 250 700 1500 3000 3900 4600; do
	for mode in yes no; do
		vzsplit -n $n -v $mode --proc "$node" >"$c" 2>/dev/null || continue
		vzcfgvalidate --proc "$node" "$c" >/dev/null || bad+=" $n/$mode"
	done
done
is "$bad" "" "what vzsplit makes is valid"
golden split-many vzsplit -n 5000 --proc "$node"
golden split-huge vzsplit -n 99999999999999999999 --proc "$node"
golden split-zero vzsplit -n 0 --proc "$node"
golden split-negative vzsplit -n -3 --proc "$node"
golden split-word vzsplit -n ten --proc "$node"
golden split-nothing vzsplit --proc "$node"
golden split-bad-swap vzsplit -n 3 -s -1 --proc "$node"
golden split-bad-mode vzsplit -n 3 -v perhaps --proc "$node"
golden split-bad-name vzsplit -n 3 -f ../x --proc "$node"
golden split-file vzsplit -n 3 -v yes -f third --proc "$node"
golden split-file-there vzsplit -n 3 -v yes -f third --proc "$node"
is "$(grep -c '^PHYSPAGES="0:1' "$VZ_CONFDIR/conf/ve-third.conf-sample")" 1 "is a sample"
is "$(vzsplit -v yes --proc "$node" <<<7 2>/dev/null | grep PHYS)" 'PHYSPAGES="0:597357"' \
	"asks for the number"
if mount -t tmpfs -o size=30g,nr_inodes=2100000,mode=700 disk "$T/private" 2>/dev/null; then
	sed -i "s|^VE_PRIVATE=.*|VE_PRIVATE=\"$T/private/\\\$VEID\"|" "$VZ_CONFDIR/vz.conf"
	is "$(vzsplit -n 10 --proc "$node" | grep DISK | tr '\n' ' ')" \
		'DISKSPACE="953250:1048576" DISKINODES="90909:100000" ' "shares out the disk"
	umount "$T/private"
else
	skip "shares out the disk" "no tmpfs can be mounted here"
fi
machine 40 0 1
golden split-tiny vzsplit -n 1 --proc "$node"
machine 16384 8192 4

# --- vzcfgscale ---

cat >"$c" <<'END'
# a comment
NUMPROC="240:240"
KMEMSIZE="14372700:unlimited"
PHYSPAGES="0:1000"
SWAPPAGES="0:unlimited"
DISKSPACE="1000:1100"
CPUUNITS="400000"
CPULIMIT="50"
HOSTNAME="web1"
IP_ADDRESS="10.0.0.1"
RATE="*:1:1000"
UNKNOWN="kept"
END
golden scale-all vzcfgscale -a 1.5 --proc "$node" "$c"
golden scale-some vzcfgscale -a 2 -c 0.5 -m 1 -d .1 --proc "$node" "$c"
golden scale-ubc vzcfgscale -u 0.0001 --proc "$node" "$c"
golden scale-remove vzcfgscale -r --proc "$node" "$c"
golden scale-none vzcfgscale --proc "$node" "$c"
golden scale-validate vzcfgscale -v -a 100000 --proc "$node" "$c"
golden scale-invalid vzcfgscale -v -m 1000 -o "$T/out.conf" --proc "$node" \
	"$VZ_CONFDIR/conf/ve-vswap-4g.conf-sample"
[ ! -e "$T/out.conf" ]
ok $? "what is invalid is not written"
run_ok "-o" vzcfgscale -n 2 -o "$T/out.conf" --proc "$node" "$c"
is "$(grep RATE "$T/out.conf")" 'RATE="*:1:2000"' "writes a file"
run_ok "-o with the same file" vzcfgscale -c 2 -o "$c" --proc "$node" "$c"
is "$(grep CPUU "$c")" 'CPUUNITS="500000"' "replaces it"
golden scale-bad vzcfgscale -a -1 "$c"
golden scale-zero vzcfgscale -a 0 "$c"
golden scale-word vzcfgscale -a twice "$c"
golden scale-empty vzcfgscale -a '' "$c"
golden scale-no-file vzcfgscale -a 2 "$T/nosuch"
golden scale-no-dir vzcfgscale -a 2 -o "$T/no/such" --proc "$node" "$c"
golden scale-nothing vzcfgscale -a 2

for tool in vzcalc vzmemcheck vzcpucheck vzoversell vzcfgvalidate vzsplit vzcfgscale; do
	run_ok "$tool --version" $tool --version
	like "$out" "^$tool version [0-9.]+\$" "says its version"
	run_ok "$tool -h" $tool -h
	like "$out" "^Usage: $tool " "says how it is used"
	run_is 1 "$tool with an unknown option" $tool --frob
	is "$out:$err" ":$tool: unknown option '--frob'" "names it"
	[ ! -w /dev/full ] || {
		$tool --help >/dev/full 2>"$T/.err"
		is "$?:$(grep -c 'write to standard output' "$T/.err")" 1:1 "$tool notices a full disk"
	}
done
done_testing
