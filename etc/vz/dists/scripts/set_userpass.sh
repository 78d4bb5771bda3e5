#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# SET_USERPASS: USERPW is "user:password"; the user is made when there is none.
# The password leaves this shell by standard input only: it is taken out of the
# environment first and no command has it among its words.

[ -n "${USERPW:-}" ] || exit 0
userpw=$USERPW
unset USERPW
user=${userpw%%:*}

has_user()
{
	while IFS=: read -r name _; do
		[ "$name" != "$user" ] || return 0
	done </etc/passwd
	return 1
}

add_user()
{
	if vz_have useradd; then
		useradd -m "$user"
	elif vz_have adduser; then
		adduser -D "$user" </dev/null
	else
		vz_fail "there is no user $user, and neither useradd nor adduser to make it"
	fi || vz_fail "can't add the user $user"
}

# with_hash FILE: its text with the user's second field replaced.
with_hash()
{
	while IFS= read -r text || [ -n "$text" ]; do
		case $text in
		"$user":*)
			rest=${text#*:}
			text=$user:$hash:${rest#*:}
			;;
		esac
		printf '%s\n' "$text"
	done <"$1"
}

# For a BusyBox that lacks chpasswd.
set_hash()
{
	vz_have mkpasswd || vz_fail "neither chpasswd nor mkpasswd to set a password with"
	hash=$(printf '%s\n' "${userpw#*:}" | mkpasswd -m sha512 -P 0)
	[ -n "$hash" ] || vz_fail "mkpasswd failed"
	file=/etc/passwd
	[ ! -f /etc/shadow ] || file=/etc/shadow
	text=$(with_hash $file) || exit 1
	case "
$text" in
	*"
$user:$hash:"*) ;;
	*) vz_fail "$file has no line for $user" ;;
	esac
	vz_put $file "$text"
}

# Programs would wait for ever at a pipe, or read a device to its end.
for file in /etc/passwd /etc/shadow /etc/group /etc/gshadow; do
	[ ! -e $file ] || [ -f $file ] || vz_fail "$file is not a file"
done
has_user || add_user
if vz_have chpasswd; then
	printf '%s\n' "$userpw" | chpasswd >&2 || vz_fail "chpasswd failed"
else
	set_hash
fi
