#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Storage: a create on overlay beside a mount and unmount of an overlay as commands; what
# a hundred VEs of one template take on the disk and in memory. With Debian's template
# where there is one (TEMPLATE_FILE, build/templates), else with BusyBox'. ROUNDS=N.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/verdict.sh"

BIN=$O/tests/bench
ROUNDS=${ROUNDS:-21}
VES=100
is_root || skip_all "needs root"
file=${TEMPLATE_FILE:-${TESTS%/*}/build/templates/cache/debian-12-x86_64.tar.zst}
if [ -e "$file" ]; then
	name=${file##*/}
	name=${name%.tar.*}
	ln -s "$(realpath "$file")" "$T/template/cache/${file##*/}"
else
	busybox_template
	name=$BUSYBOX_TEMPLATE
fi

vzctl --quiet create 2000 --layout overlay --ostemplate "$name" || exit
base=$(echo "$T"/template/base/*/root)
echo "template $name, $(du -sm "$base" | cut -f 1) MB unpacked"

# --- time ---

mkdir "$T/u" "$T/w" "$T/m"
printf '%s\t%s\t%s\t\n' \
	mount "mount -t overlay overlay -o index=off,lowerdir=$base,upperdir=$T/u,workdir=$T/w $T/m ; umount $T/m" "" \
	create "vzctl --quiet create 2001 --layout overlay --ostemplate $name" "vzctl --quiet destroy 2001" \
	>"$T/list"
"$BIN/timeit" "$ROUNDS" 0 <"$T/list" >"$T/times" || exit 1
declare -A ms
while read -r what median low high; do
	ms[$what]=$median
	printf '  %s %.2f ms (%.2f–%.2f)\n' "$what" "$median" "$low" "$high"
done <"$T/times"
verdict "create / overlay mounted and unmounted" "$(ratio "${ms[create]}" "${ms[mount]}")" most 3

# --- disk ---

# What its file system has given away below the private areas.
used() {
	du -s --block-size=1 "$T/private" | cut -f 1
}
before=$(used)
for ((i = 2001; i < 2000 + VES; i++)); do
	vzctl --quiet create $i --layout overlay --ostemplate "$name" || exit 1
done
each=$((($(used) - before) / (VES - 1)))
verdict "KB on the disk for each VE more" "$((each / 1024))" most 1024
is_one=$(find "$T/template/base" -mindepth 1 -maxdepth 1 -type d -name '????????????????????????????????*' | wc -l)
verdict "times that the template is unpacked" "$is_one" most 1

# --- memory: what init maps, in two VEs at once ---

for i in 2001 2002; do
	vzctl --quiet start $i || exit 1
done
sleep 3
# What VE's init maps of files, and its share of that, in KB.
pss() {
	local pid
	pid=$(sed -n 's/^pid = //p' "$VZ_RUNDIR/$1/state")
	awk '/^[0-9a-f]+-/ { file = $6 ~ /^\// } file && /^Rss:/ { r += $2 } file && /^Pss:/ { p += $2 }
		END { printf "%d %d\n", r, p }' "/proc/$pid/smaps"
}
read -r rss both <<<"$(pss 2001)"
vzctl --quiet stop 2002 --fast
read -r _ alone <<<"$(pss 2001)"
echo "  init's files in memory: $rss KB; its share of them is $both KB beside a second VE, $alone KB alone"
verdict "share of them beside a second VE / alone" "$(ratio "$both" "$alone")" most 0.6
vzctl --quiet stop 2001 --fast
for ((i = 2000; i < 2000 + VES; i++)); do
	vzctl --quiet destroy $i
done
exit $((missed > 0))
