#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Services in a Debian VE with systemd: each is looked at by the oracle, then suspended and
# resumed while somebody uses it. A long run, which fetches packages: see
# `make check-migrate`.
# shellcheck disable=SC2016 # words for the VE's shell
. "$(dirname "$0")/inits.sh"
. "$(dirname "$0")/corpus.sh"

[ "${CORPUS-}" = all ] || skip_all "a long run: make check-migrate"
need_criu
use_ve 2215
os_template "debian-12-$(uname -m)"
run_ok "create" vzctl create "$V" --ostemplate "debian-12-$(uname -m)" --hostname deb || exit
run_ok "start --wait" vzctl start "$V" --wait || exit
in_ve systemctl is-system-running --wait >/dev/null

# Packages that the VE lacks come by this machine's apt, as the VE's would choose them. What
# must be there before another one is unpacked is, when they are gone through again.
install_packages() {
	local apt=(apt-get -qq -y --no-install-recommends -o "Dir::Cache::archives=$T/debs"
		-o "Dir::State::status=$T/private/$V/var/lib/dpkg/status" -o APT::Sandbox::User=root
		-o Dir::State::extended_states=/dev/null -o Debug::NoLocking=1)
	mkdir -p "$T/debs/partial"
	"${apt[@]}" --download-only install "$@" >"$T/apt.log" 2>&1 || return
	tar -C "$T/debs" -c . | in_ve 'mkdir -p /root/debs && tar -C /root/debs -x &&
		printf "#!/bin/sh\nexit 101\n" >/usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d &&
		export DEBIAN_FRONTEND=noninteractive
		for n in 1 2 3; do dpkg --force-unsafe-io -i /root/debs/*.deb && break; done && rm -r /root/debs' \
		>>"$T/apt.log" 2>&1
}
install_packages nginx-light redis-server postgresql php-cli python3 openssh-server openssh-client cron
ok $? "its packages" || diag "$(tail -n 20 "$T/apt.log")"

ve_exec() {
	in_ve "$@"
}
ve_asks() {
	vzctl suspend "$V" --check-only 2>/dev/null
}
ve_goes() {
	vzctl --quiet suspend "$V" && vzctl --quiet resume "$V"
}
ve_found() {
	[[ $(status_of) == *running* ]] || corpus_bad+="$1: it does not run: $2; "
}

# What each is, how it begins, and how it says that it has all it had. In the VE.
declare -A begin=(
	[cron]='systemctl start cron'
	[sshd]='test -e /root/.ssh/id_ed25519 || { ssh-keygen -q -t ed25519 -N "" -f /root/.ssh/id_ed25519 &&
		cp /root/.ssh/id_ed25519.pub /root/.ssh/authorized_keys; }; systemctl start ssh &&
		{ ssh -tt -o StrictHostKeyChecking=no -o BatchMode=yes localhost \
		"echo \$\$ >/run/session; exec sleep 1000" >/run/ssh.log 2>&1 </dev/null & }'
	[nginx]='systemctl start nginx'
	[redis]='systemctl start redis-server; redis-cli set word kept >/dev/null;
		{ redis-cli subscribe news >/run/news 2>&1 </dev/null & }'
	[postgresql]='systemctl start postgresql@15-main; test -e /run/pg || { mkfifo /run/pg; chmod 666 /run/pg; }
		{ su postgres -c "psql -q -At" <>/run/pg >/run/pg.said 2>&1 & }
		echo "create temp table t as select 47 as n;" >/run/pg'
	[php]='mkdir -p /srv/php; echo "<?php echo 40 + 7;" >/srv/php/index.php
		systemd-run -q --unit=php php -S 127.0.0.1:8047 -t /srv/php'
	[python]='systemd-run -q --unit=python python3 -m http.server --bind 127.0.0.1 8048 --directory /etc'
)
get='get() { exec 5<>/dev/tcp/127.0.0.1/$1 && printf "GET /$2 HTTP/1.0\r\n\r\n" >&5 && timeout 20 cat <&5; }'
declare -A asks=(
	[cron]='systemctl is-active -q cron'
	[sshd]='kill -0 $(cat /run/session) && exec 5<>/dev/tcp/127.0.0.1/22 && read -t 20 -r line <&5 && [[ $line == SSH-* ]]'
	[nginx]="$get; get 80 | grep -q nginx"
	[redis]='test "$(redis-cli get word)" = kept && redis-cli publish news "$$" >/dev/null &&
		for i in $(seq 100); do grep -q "^$$\$" /run/news && break; sleep 0.1; done; grep -q "^$$\$" /run/news'
	[postgresql]='echo "select n + $$ from t;" >/run/pg; for i in $(seq 100); do
		grep -q "^$((47 + $$))\$" /run/pg.said && break; sleep 0.1; done; grep -q "^$((47 + $$))\$" /run/pg.said'
	[php]="$get; get 8047 | grep -q 47"
	[python]="$get; get 8048 hostname | grep -q deb"
)

corpus_start() {
	in_ve 'systemctl stop ssh cron nginx redis-server postgresql@15-main php python 2>/dev/null
		pkill -x ssh; pkill -x psql; pkill -x redis-cli; :'
	in_ve bash -s <<<"${begin[$1]}" >"$T/begin.log" 2>&1 || return 2
	wait_for 20 asks "$1"
}
asks() {
	in_ve bash -s <<<"${asks[$1]}"
}
corpus_asks() {
	asks "$name" >"$T/asks.log" 2>&1 && echo ok || echo "lost: $(tail -n 3 "$T/asks.log" | tr '\n' ' ')"
}

for name in cron sshd nginx redis postgresql php python; do
	corpus_try "$name"
done
corpus_result
run_ok "stop" vzctl stop "$V"
run_ok "destroy" vzctl destroy "$V"
done_testing
