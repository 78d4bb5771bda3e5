#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vzlist on made-up configurations: exact output, exit codes, what known clients ask.
# shellcheck disable=SC2016 # a literal $VEID belongs into configurations
. "$(dirname "$0")/../lib.sh"

is_root || skip_all "vzlist needs root"

# conf VEID [KEY=value...]: a VE that is defined and has a private area
conf() {
	local veid=$1
	shift
	mkdir -p "$T/private/$veid" "$T/root/$veid"
	printf '%s\n' "$@" >"$VZ_CONFDIR/conf/$veid.conf"
}

name() {
	ln -s "../conf/$1.conf" "$VZ_CONFDIR/names/$2"
}

words() {
	tr -s ' \n' ' ' <<<"$1" | sed 's/^ //; s/ $//'
}

run_ok "no VE at all is no error" vzlist -a
is "$out" "" "and prints nothing on standard output"
is "$err" "Container(s) not found" "and says so"
run_ok "the same in JSON" vzlist -a -j
is "$out" "[]" "is an empty array"

conf 1601 'ONBOOT="yes"' 'HOSTNAME="web1.example.com"' \
	'IP_ADDRESS="10.0.0.1 10.0.0.2"' 'NAME="web one"' \
	'DESCRIPTION="The first of all web servers, described at length"' \
	'KMEMSIZE="14372700:14790164"' 'PRIVVMPAGES="65536:unlimited"' 'NUMPROC="240"' \
	'DISKSPACE="1048576:1153434"' 'CPUUNITS="1000"' 'CPULIMIT="50"' 'CPUS="2"' \
	'IOLIMIT="10485760"' 'BOOTORDER="10"' '#UUID: 1234' 'NAMESERVER="10.0.0.53 10.0.0.54"'
conf 1602 'ONBOOT="no"' 'HOSTNAME="db"' 'NAME="gone"' 'DISABLED="yes"'
conf 1603 'PHYSPAGES="0:65536"' 'SWAPPAGES="0:131072"' 'BOOTORDER="7"' \
	"VE_PRIVATE='$T/private/\$VEID'"
conf 1604 'ONBOOT="no" # trailing words' 'export HOSTNAME=plain' 'HOSTNAME="last"'
printf '%s\n' 'HOSTNAME="no private area"' >"$VZ_CONFDIR/conf/1605.conf"
cp "$VZ_CONFDIR/conf/1601.conf" "$VZ_CONFDIR/conf/1606.conf.destroyed"
: >"$VZ_CONFDIR/conf/0.conf"
name 1601 "web one"
name 1603 gone
: >"$T/dump/Dump.1602"

run_ok "-a" vzlist -a
is "$out" "      CTID      NPROC STATUS    IP_ADDR         HOSTNAME
      1601          - stopped   10.0.0.1        web1.example.com
      1602          - suspended -               db
      1603          - stopped   -               -
      1604          - stopped   -               last" "the default fields of all VEs"
is "$err" "" "and nothing else"

run_ok "-n" vzlist -a -n 1601 1602
is "$out" " SMARTNAME      NPROC STATUS    IP_ADDR         HOSTNAME
   web one          - stopped   10.0.0.1        web1.example.com
      1602          - suspended -               db" "names that names/ agrees with"
run_ok "-1" vzlist -a -1
is "$out" "      1601
      1602
      1603
      1604" "-1 is -H -o ctid"
run_ok "nothing runs" vzlist
is "$out$err" "Container(s) not found" "without -a, running VEs only"
run_ok "-S" vzlist -S -1
is "${out##* }" 1604 "-S lists VEs that do not run"

# libvirt
run_ok "libvirt lists" vzlist -a -ovpsid,status -H
is "$out" "      1601 stopped
      1602 suspended
      1603 stopped
      1604 stopped" "VEID, one blank, status, no blank behind"
run_ok "libvirt asks for a status" vzlist 1601 -ostatus -H
is "$out" "stopped" "the word alone"
run_ok "libvirt asks for a VEID" vzlist 1601 -ovpsid -H
is "$out" "      1601" "the number alone"
run_ok "libvirt asks for a host name" vzlist -o hostname 1603 -H
is "$out" "-" "an unset one is a dash"
run_ok "libvirt asks for limits" vzlist --no-header -oprivvmpages.b,privvmpages.l 1601
is "$out" "     65536 9223372036854775807" "unlimited is a number"
run_ok "and of a VE with ram and swap" vzlist --no-header -oprivvmpages.b,privvmpages.l 1603
is "$out" "9223372036854775807 9223372036854775807" "an implied one is a number too"
run_ok "of an unset one" vzlist -H -o lockedpages.b,lockedpages.l,kmemsize.l 1603
is "$out" "     65536      65536 9223372036854775807" "what ram implies, and the default"

# options in all forms, at any place
want=$(vzlist -H -o ctid,hostname -a)
for args in "--all --no-header --output ctid,hostname" "-aHoctid,hostname" \
	"-a -H --output=ctid,hostname" "1601 -H 1602 -octid,hostname 1603 1604"; do
	# shellcheck disable=SC2086 # words
	run vzlist $args
	is "$status:$out" "0:$want" "vzlist $args"
done
run_ok "a name in place of a VEID" vzlist -H -o ctid "web one"
is "$out" "      1601" "finds the VE"
run_ok "long options with values" vzlist --all -1 --hostname 'web*'
is "$out" "      1601" "--hostname PATTERN"
run_ok "-N" vzlist -a1 -N 'web*'
is "$out" "      1601" "-N PATTERN"
run_ok "-d" vzlist -a1 -d '*length'
is "$out" "      1601" "-d PATTERN"
run_ok "no match" vzlist -a1 -h 'x*'
is "$out" "" "is no error"
run_ok "--name_filter" vzlist -a1 --name_filter 'gone'
is "$out" "" "a name that names/ does not agree with does not count"

# trimming
run_ok "a long value in the middle" vzlist -H -o description,ip,ctid 1601
is "$out" "The first of all web servers, de 10.0.0.1              1601" "is cut, of a list stays one"
run_ok "at the end" vzlist -H -o ip,description 1601
is "$out" "10.0.0.1        The first of all web servers, described at length" "is whole"
run_ok "a list at the end" vzlist -H -o ip 1601
is "$out" "10.0.0.1 10.0.0.2" "is whole"
run_ok "-t" vzlist -tH -o ip,nameserver,ctid 1601
is "$out" "10.0.0.1 10.0.0.2 10.0.0.53 10.0.0.54       1601" "cuts nothing"

# values
fields=cpulimit,cpuunits,cpus,ioprio,iolimit,iopslimit,onboot,bootorder,layout,vswap,disabled
run_ok "numbers" vzlist -o $fields 1601 1602 1603
is "$out" " CPULIM  CPUUNI  CPUS IOP    IOLIMIT IOPS ONBOOT  BOOTORDER LAYOUT VSWAP DISABL
     50    1000     2   -   10485760    -    yes         10  simfs    no     no
      -       -     -   -          -    -     no          -  simfs    no    yes
      -       -     -   -          -    -      -          7  simfs   yes     no" "of several kinds"
run_ok "quotas" vzlist -H -o diskspace,diskspace.s,diskspace.h,diskinodes.h 1601
is "$out" "         -    1048576    1153434          -" "soft and hard limits"
run_ok "counters" vzlist -H -o kmemsize,kmemsize.m,kmemsize.b,kmemsize.l,kmemsize.f,numproc.b 1601
is "$out" "         -          -   14372700   14790164          -        240" "limits of the file"
run_ok "paths" vzlist -H -o private 1601
is "$out" "$T/private/1601" "have the VEID in them"
run_ok "paths of their own" vzlist -H -o private 1603
is "$out" "$T/private/1603" "quoted with single quotes"
run_ok "what runs only" vzlist -H -o uptime,laverage 1601
is "$out" "              -              -" "is unset for others"

# sorting
run_ok "-s" vzlist -a1 -s bootorder
is "$(words "$out")" "1602 1604 1603 1601" "unset first"
run_ok "-s -" vzlist -a1 -s -bootorder
is "$(words "$out")" "1601 1603 1604 1602" "reversed exactly"
run_ok "--sort" vzlist -a1 --sort=hostname
is "$(words "$out")" "1603 1602 1604 1601" "by text"

# JSON
run_ok "-j" vzlist -j 1601
is "$(jq -r '.[0] | [.ctid, .status, .hostname, .onboot, .cpulimit] | map(tostring) | join(" ")' <<<"$out")" \
	"1601 stopped web1.example.com true 50" "has values of their types"
is "$(jq -c '.[0].ip, .[0].nameserver, .[0].searchdomain' <<<"$out")" \
	'["10.0.0.1","10.0.0.2"]
["10.0.0.53","10.0.0.54"]
[]' "lists are arrays"
is "$(jq -c '.[0].kmemsize, .[0].diskspace, .[0].diskinodes, .[0].laverage' <<<"$out")" \
	'{"held":null,"maxheld":null,"barrier":14372700,"limit":14790164,"failcnt":null}
{"usage":null,"softlimit":1048576,"hardlimit":1153434}
null
null' "counters and quotas are objects"
run_ok "-j -o" vzlist -a -j -o ctid,hostname
is "$(jq -c . <<<"$out")" '[{"ctid":1601,"hostname":"web1.example.com"},{"ctid":1602,"hostname":"db"},{"ctid":1603,"hostname":null},{"ctid":1604,"hostname":"last"}]' \
	"only the fields that were asked for; what is unset is null"
run_is 1 "a part of a counter in JSON" vzlist -a -j -o ctid,numproc.l
is "$out" "" "is refused"

# what is not there
run_is 1 "an unknown field" vzlist -a -o ctid,frob
is "$err" "vzlist: Unknown field: frob" "is named"
run_is 1 "an unknown field with a suffix" vzlist -a -o numproc.x
run_is 1 "an unknown field to sort by" vzlist -a -s frob
run_is 1 "an unknown option" vzlist --frob
is "$out" "" "prints nothing"
run_is 1 "a VEID that is not there" vzlist 1699
is "$out:$err" ":Container(s) not found" "is said on standard error"
run_is 1 "the same in JSON" vzlist -j 1699
is "$out" "[]" "is an empty array"
run_is 1 "a VE without a private area" vzlist 1605
run_is 1 "a bad VEID" vzlist 99999999999
run_is 1 "a name nobody has" vzlist nobody
run_is 1 "one of two is missing" vzlist -1 1601 1699
is "$out:$err" "      1601:Container(s) not found" "the other is listed"

# odd files
conf 1610 'HOSTNAME="two' 'lines"' 'NOT A LINE' 'IP_ADDRESS="10.9.9.9"' 'CPUS="many"'
conf 1611 $'HOSTNAME="esc\e[2Jape"' 'DESCRIPTION="a \"quoted\" word"'
run_ok "a broken file" vzlist -H -o ctid,hostname,ip,cpus 1610
is "$out" "      1610 two?lines                        10.9.9.9            -" "is read as far as it can be"
run_ok "control characters" vzlist -H -o hostname,description 1611
is "$out" 'esc?[2Jape                       a "quoted" word' "do not reach the terminal"
run_ok "-L" vzlist -L
is "$(grep -c '^\(ctid\|veid\|vpsid\|smart_name\|status\|laverage\|uptime\|vswap\|ip\|hostname\|numproc\(\.[mblf]\)\?\|swappages.f\|diskinodes.h\) ' <<<"$out")" \
	17 "lists the fields"
is "$(vzlist -H -a -1 -o "$(vzlist -L | awk '{ print $1 }' | paste -sd,)" 2>&1 | grep -c Unknown)" \
	0 "all of which can be asked for"

# many
for i in $(seq 1001 1600); do
	conf "$i" "HOSTNAME=\"h$i\"" 'VE_ROOT="'"$T"'/root/$VEID"'
done
mkdir "$T/elsewhere" && printf '%s\n' "VE_PRIVATE=\"$T/elsewhere\"" >>"$VZ_CONFDIR/conf/1300.conf"
rmdir "$T/private/1200" "$T/private/1300"
is "$(vzlist -a1 | wc -l)" 605 "600 more VEs, but one without a private area"
mount --bind "$T/elsewhere" "$T/root/1400" &&
	is "$(vzlist -a -H -o ctid,status | awk '$2 == "mounted"')" "      1400 mounted" \
		"what is mounted is seen among many"
is "$(vzlist -H -o status 1400)" mounted "and by itself"
umount "$T/root/1400"
is "$(ldd "$VZ_BIN/vzlist" | grep -cE 'seccomp|archive|nl-|cgroup|bpf')" 0 \
	"no library is loaded that it does not need"
done_testing
