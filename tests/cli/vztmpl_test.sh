#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vztmpl: list, make, verify, remove, and fetch what somebody trusted signed.
. "$(dirname "$0")/../lib.sh"

is_root || skip_all "needs root"
cache=$T/template/cache
arch=$(uname -m)

run vztmpl list -H
is "$status $out" "0 " "an empty cache"
run_ok "make" vztmpl make "busybox-$arch"
ok "$([ -s "$cache/busybox-$arch.tar.zst" ] && [ -s "$cache/busybox-$arch.tar.zst.sha256" ]; echo $?)" \
	"a template and its checksum"
like "$(vztmpl list -H)" "^busybox-$arch " "is listed"
is "$(vztmpl list -j | jq -r '.[0].name')" "busybox-$arch" "also as JSON"
run_ok "verify" vztmpl verify "busybox-$arch"
run_ok "another format" vztmpl make "busybox-$arch" --format gz
ok "$([ -s "$cache/busybox-$arch.tar.gz" ]; echo $?)" "is made"
run_ok "a VE of it" vzctl --quiet create 21001 --ostemplate "busybox-$arch"
run_ok "goes" vzctl --quiet destroy 21001

for f in "$cache"/busybox-*.tar.*; do
	case $f in *.sha256) continue ;; esac
	printf 'x' | dd of="$f" bs=1 seek=100 conv=notrunc 2>/dev/null
done
run_is 47 "a changed one does not verify" vztmpl verify "busybox-$arch"
run_ok "remove" vztmpl remove "busybox-$arch"
is "$(ls "$cache")" "" "nothing is left"
run_is 91 "it is gone" vztmpl verify "busybox-$arch"
run_is 91 "nor removed twice" vztmpl remove "busybox-$arch"

for name in ../x .x -x 'a b' ''; do
	run vztmpl make "$name"
	[ "$status" != 0 ] && [ -z "$(ls "$cache")" ]
	ok $? "no template '$name'"
done
run_is 91 "nobody makes that" vztmpl make nosuch-1
run_is 20 "no command" vztmpl
run_is 20 "an unknown one" vztmpl frob
run_is 27 "make what?" vztmpl make
run_is 21 "a bad format" vztmpl make "busybox-$arch" --format rar

# --- fetch ---

if ! type -P gpg >/dev/null; then
	skip "fetch" "no gpg to sign with"
	done_testing
fi
src=$T/src home=$T/gnupg
mkdir -p "$src" "$VZ_CONFDIR/keys" && mkdir -m 700 "$home"
gpg_do() {
	gpg --homedir "$home" --batch --quiet --no-tty "$@" 2>>"$T/gpg.log"
}
gpg_do --passphrase '' --quick-gen-key trusted default default never
gpg_do --passphrase '' --quick-gen-key stranger default default never
gpg_do --export trusted >"$VZ_CONFDIR/keys/templates.gpg"
# publish NAME SIGNER: a template in the archive
publish() {
	make_busybox_root "$T/fetch-root" && tar -C "$T/fetch-root" -c . | zstd -q >"$src/$1.tar.zst"
	(cd "$src" && sha256sum "$1.tar.zst" >"$1.tar.zst.sha256")
	rm -f "$src/$1.tar.zst.sha256.sig"
	gpg_do --yes -u "$2" --output "$src/$1.tar.zst.sha256.sig" --detach-sign "$src/$1.tar.zst.sha256"
}
run_is 21 "no URL is configured" vztmpl fetch good
printf 'TEMPLATE_URL="file://%s"\n' "$src" >"$VZ_CONFDIR/vztmpl.conf"
publish good trusted
run_ok "fetch" vztmpl fetch good
run_ok "what came verifies" vztmpl verify good
run_ok "a VE of it" vzctl --quiet create 21002 --ostemplate good
run_ok "goes" vzctl --quiet destroy 21002
run_ok "remove" vztmpl remove good

# refused NAME WHAT: 47, and nothing of it stays
refused() {
	run_is 47 "$2" vztmpl fetch "$1"
	is "$(find "$cache" -mindepth 1)" "" "and nothing of it stays"
}
publish strange stranger
refused strange "signed by somebody else"
publish bare trusted
rm "$src/bare.tar.zst.sha256.sig"
run vztmpl fetch bare
[ "$status" != 0 ] && [ -z "$(find "$cache" -mindepth 1)" ]
ok $? "not signed at all"
publish changed trusted
printf 'x' | dd of="$src/changed.tar.zst" bs=1 seek=100 conv=notrunc 2>/dev/null
refused changed "changed after it was signed"
publish swapped trusted
publish other trusted
cp "$src/other.tar.zst.sha256" "$src/swapped.tar.zst.sha256"
cp "$src/other.tar.zst.sha256.sig" "$src/swapped.tar.zst.sha256.sig"
refused swapped "with another one's signature"
run vztmpl fetch nosuch
[ "$status" != 0 ] && [ -z "$(find "$cache" -mindepth 1)" ]
ok $? "one that is not there"
printf 'TEMPLATE_URL="ftp://x"\n' >"$VZ_CONFDIR/vztmpl.conf"
run_is 85 "a bad URL" vztmpl fetch good
printf 'TEMPLATE_URL="file://%s"\nKEYRING="/nonexistent"\n' "$src" >"$VZ_CONFDIR/vztmpl.conf"
run_is 85 "no keyring" vztmpl fetch good
gpgconf --homedir "$home" --kill all 2>/dev/null
done_testing
