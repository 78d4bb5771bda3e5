#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vzctl set on VEs that do not run: what is written, what is refused and how.
# shellcheck disable=SC2016
. "$(dirname "$0")/../lib.sh"

is_root || skip_all "not root"
make_conf
conf=$VZ_CONFDIR/conf/1101.conf
export VEID=1101 # as whoever reads the files in a shell has it

write_conf() {
	cat >"$conf" <<-'END'
		# my VE
		ONBOOT="no"
		  CPUUNITS=1000   # weight
		export HOSTNAME='old'
		DCACHE="100:200"
		UNKNOWN_KEY="keep me"
		#UUID: 1234
	END
}

# refused STATUS MESSAGE OPTIONS...: one line on stderr, and the file as it was
refused() {
	local want=$1 message=$2 before
	shift 2
	before=$(md5sum <"$conf")
	run_is "$want" "set $*" vzctl set 1101 "$@"
	is "$err" "vzctl: $message" "says what is wrong"
	is "$(md5sum <"$conf")" "$before" "and changes nothing"
}

write_conf
run_ok "options before and after the VEID" vzctl set --save --cpuunits=2000 1101 \
	--hostname web1 --dcachesize 5:6 --private '/x/$VEID' --ram 512M --iolimit 10
is "$(cat "$conf")" '# my VE
ONBOOT="no"
  CPUUNITS="2000"   # weight
export HOSTNAME="web1"
DCACHE="5:6"
UNKNOWN_KEY="keep me"
#UUID: 1234
VE_PRIVATE="/x/$VEID"
IOLIMIT="10485760"
PHYSPAGES="0:131072"' "comments, order, unknown keys and spellings stay"
is "$out" "VE configuration saved to $conf" "set says where it saved"
run_ok "the same again" vzctl set 1101 --cpuunits 2000 --save
is "$out" "" "saves nothing"

text=$'a "q" `x` $HOME \\ it\'s\nsecond line \u00fc'
run_ok "a description of any text" vzctl set 1101 --description "$text" --save
# shellcheck disable=SC1090
is "$(. "$conf"; echo "$DESCRIPTION")" "$text" "reads back in a shell"

ips=$(printf '2001:db8:1:2:3:4:5:%x ' {1..256})
run_ok "256 addresses" vzctl set 1101 --ipdel all --ipadd "$ips" --save
# shellcheck disable=SC1090
is "$(. "$conf"; wc -w <<<"$IP_ADDRESS")" 256 "are all in the file"
run_ok "ipdel of one" vzctl set 1101 --ipdel 2001:db8:1:2:3:4:5:0010 --save
# shellcheck disable=SC1090
is "$(. "$conf"; wc -w <<<"$IP_ADDRESS")" 255 "whatever its spelling"

write_conf
refused 21 '--cpuunits "5": expected a number from 8 to 500000' --cpuunits 5 --save
refused 21 '--onboot "maybe": expected yes or no' --onboot maybe
refused 20 "unknown option '--foo'" --foo bar
refused 20 "option '--cpus' needs a value" --save --cpus
refused 20 "unexpected argument 'word'" --save word
refused 27 "nothing to set: see vzctl(8) for the parameters" --save
refused 31 "VE 1101 is not running: without --save nothing is set" --cpuunits 500
refused 31 "VE 1101 is not running" --reset_ub
refused 20 "--reset_ub goes with no other option" --reset_ub --cpus 1
refused 20 "--name needs --save" --name web
refused 20 "--force needs --save" --force --cpus 1
refused 21 '--setmode "x": expected restart or ignore' --setmode x --cpus 1
refused 71 '--ipadd "1.2.3": expected an address such as 10.0.0.1, 10.0.0.1/24 or fd00::1/64' \
	--ipadd 1.2.3 --save
refused 131 'bad name "55": it would be taken for a VE'\''s number' --name 55 --save
refused 130 "the VE has no interface 'eth0': --netif_add" --ifname eth0 --bridge br0 --save
refused 21 'DISKSPACE="5:3": expected the first number not to be greater than the second' \
	--diskspace 5:3 --save
refused 21 '--cpureserve "-1": expected a number from 0 to 1000000' --cpureserve -1 --save
refused 21 '--memreserve "12X": expected a number with an optional suffix T, G, M, K, P or B' \
	--memreserve 12X --save
refused 21 '--memreserve "unlimited": expected a number with an optional suffix T, G, M, K, P or B' \
	--memreserve unlimited --save
refused 21 'CPURESERVE=50: expected no more than CPULIMIT, which is 40' \
	--cpureserve 50 --cpulimit 40 --save
refused 21 "CPURESERVE=150: expected no more than the VE's CPUs have, which are CPUS=1" \
	--cpureserve 150 --cpus 1 --save
refused 21 "there is no pool nowhere: no file $VZ_CONFDIR/pools/nowhere.conf" --pool nowhere --save
refused 21 'MEMRESERVE=65536: expected no more than the limit of PHYSPAGES, which is 32768' \
	--memreserve 256M --ram 128M --save
for name in ../x a/b .hidden 'two words' "$(printf '%025d' 0)"; do
	refused 21 "--pool \"$name\": expected a name of at most 24 letters, digits, - and _" \
		--pool "$name" --save
done
run_is 109 "a sample that is not there" vzctl set 1101 --applyconfig none --save
run_is 14 "a VE that is not there" vzctl set 1199 --cpus 1 --save
run_is 14 "a name that is not there" vzctl set nobody --cpus 1 --save
run_is 20 "no VEID" vzctl set --save

echo 'CPULIMIT="abc"' >>"$conf"
refused 85 "$conf:8: CPULIMIT=\"abc\": expected a number from 0 to 1000000" --cpus 1 --save
write_conf

printf 'ONBOOT="no"\nNAME="other"\n' >"$VZ_CONFDIR/conf/1102.conf"
ln -s "$VZ_CONFDIR/conf/1102.conf" "$VZ_CONFDIR/names/other"
refused 131 'the name "other" is VE 1102'\''s' --name other --save
run_ok "a name" vzctl set 1101 --name web --save
run_ok "is taken for the VEID" vzctl set web --name "db 1" --save
run_is 14 "and gone when it is another" vzctl set web --cpus 1 --save
rm "$VZ_CONFDIR/names/db 1"
run_ok "a link that was lost" vzctl set 1101 --applyconfig_map name
run_ok "is made again" vzctl set "db 1" --cpus 1 --save

cp "${TESTS%/*}/etc/vz/conf/0.conf" "$VZ_CONFDIR/conf/" 2>/dev/null ||
	cp /etc/vz/conf/0.conf "$VZ_CONFDIR/conf/"
run_ok "VE 0 takes set" vzctl set 0 --cpuunits 3000 --save
run_is 21 "and nothing else" vzctl start 0

run_ok "a sample's values" vzctl set 1101 --applyconfig vswap-1g --save
like "$(cat "$conf")" 'PHYSPAGES="0:262144"' "are taken"
like "$(cat "$conf")" 'HOSTNAME='\''old'\' "the VE's own stay"

# One wins at each moment, nobody's change is lost when it said 0.
for i in {1..20}; do
	(vzctl set 1101 --description "$i" --cpus "$i" --save >/dev/null 2>"$T/e$i"; echo $? >"$T/s$i") &
done
wait
good=0 bad=0
for i in {1..20}; do
	case $(<"$T/s$i") in
	0) good=$((good + 1)) ;;
	9) ;;
	*) bad=$((bad + 1)); diag "$(cat "$T/e$i")" ;;
	esac
done
is "$bad" 0 "twenty at once: each wins or is told of the lock (9)"
[ "$good" -gt 0 ]
ok $? "and at least one wins"
# shellcheck disable=SC1090
is "$(. "$conf"; [ "$DESCRIPTION" = "$CPUS" ]; echo $?)" 0 "the file is one of theirs"

# Killed at any moment the file is the old or the new one, and the next goes on.
torn=0
for i in {1..60}; do
	vzctl set 1101 --description "k$i" --cpus "$i" --save >/dev/null 2>&1 &
	sleep "0.00$((i % 6))$((i % 10))"
	kill -9 $! 2>/dev/null
	wait $! 2>/dev/null
	# shellcheck disable=SC1090
	(. "$conf" && [ "k$CPUS" = "$DESCRIPTION" ]) || [ "$i" = 1 ] ||
		[ "$(. "$conf"; echo "$CPUS")" = "$(. "$conf"; echo "$DESCRIPTION")" ] ||
		torn=$((torn + 1))
done
is "$torn" 0 "kill -9 at 60 moments: never a torn file"
run_ok "and the next one goes on" vzctl set 1101 --cpus 3 --save
is "$(find "$VZ_CONFDIR/conf" -name "*1101*tmp*" | wc -l)" 0 "with nothing left beside the file"

done_testing
