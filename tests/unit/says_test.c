/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a VE's files say already, on fake roots. With words, a tool for
 * tests/cli/dist_scripts_test.sh, which asks it after a script has run:
 * says_test ROOT hostname NAME | dns SERVERS DOMAINS | console
 */
#include "ve/says.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fs.h"
#include "sys/root.h"
#include "tests/unit/tap.h"

static char dir[] = "/tmp/vz-says-XXXXXX";

static void put(const char *name, const char *text)
{
	vz_autofree char *path = vz_strf("%s/%s", dir, name);
	vz_autofree char *parent = strdup(path);

	*strrchr(parent, '/') = 0;
	unlink(path);
	if (!text)
		return;
	if (vz_mkdir_p(parent, 0755) ||
	    (text[0] == '>' ? symlink(text + 1, path)
			    : vz_replace_file(path, text, strlen(text), 0644)))
		exit(2);
}

static const struct {
	const char *hostname, *hosts, *name;
	bool says;
} names[] = {
	{ "web1\n", "127.0.1.1 web1\n", "web1", true },
	{ "web1", "127.0.1.1\tweb1.a.org web1", "web1", true },
	{ "web1.a.org\n", "10.0.0.1 x web1.a.org # y\n", "web1.a.org", true },
	{ "web2\n", "127.0.1.1 web1\n", "web1", false },
	{ "web1\n", "# 127.0.1.1 web1\n", "web1", false },
	{ "web1\n", "127.0.1.1 web2 # web1\n", "web1", false },
	{ "web1\n", "127.0.1.1 web10\n", "web1", false },
	{ "web1\n", "web1\n", "web1", false },
	{ "web1\n", "", "web1", false },
	{ "web1\n", NULL, "web1", false },
	{ NULL, "127.0.1.1 web1\n", "web1", false },
	{ ">/nowhere", "127.0.1.1 web1\n", "web1", false },
	{ ">/proc/sys/kernel/hostname", "127.0.1.1 web1\n", "web1", false },
	{ "", "", "web1", false },
};

static void test_hostname(int root)
{
	for (size_t i = 0; i < VZ_ARRAY_SIZE(names); i++) {
		put("etc/hostname", names[i].hostname);
		put("etc/hosts", names[i].hosts);
		tap_ok(vz_says_hostname(root, names[i].name) == names[i].says,
		       "host name no. %zu", i);
	}
}

static const struct {
	const char *resolv, *other, *text, *servers, *domains;
	bool says;
} dns[] = {
#define STUB ">../run/systemd/resolve/stub-resolv.conf"
#define DROPIN "etc/systemd/resolved.conf.d/vz.conf"
#define BASE "etc/resolvconf/resolv.conf.d/base"
	{ "nameserver 1.1.1.1\n", NULL, NULL, "1.1.1.1", "", true },
	{ "nameserver 1.1.1.1\nsearch a\n", NULL, NULL, "1.1.1.1", "", true },
	{ "nameserver 1.1.1.1\nsearch a\n", NULL, NULL, "1.1.1.1", "a", true },
	{ "nameserver 1.1.1.1\nsearch a\n", NULL, NULL, "", "a", true },
	{ "nameserver 1.1.1.1\nsearch a b\n", NULL, NULL, "1.1.1.1", "a", false },
	{ "nameserver 1.1.1.1\nnameserver 2.2.2.2\n", NULL, NULL, "1.1.1.1", "", false },
	{ "nameserver 2.2.2.2\nnameserver 1.1.1.1\n", NULL, NULL, "1.1.1.1 2.2.2.2", "",
	  false },
	{ NULL, NULL, NULL, "1.1.1.1", "", false },
	{ ">/etc/my.conf", "etc/my.conf", "nameserver 1.1.1.1\n", "1.1.1.1", "", true },
	{ ">../run/x.conf", "run/x.conf", "nameserver 1.1.1.1\n", "1.1.1.1", "", false },
	{ STUB, DROPIN, "[Resolve]\nDNS=\nDNS=1.1.1.1\n", "1.1.1.1", "", true },
	{ STUB, DROPIN, "[Resolve]\nDNS=1.1.1.1\nDomains=a b\n", "1.1.1.1", "a b", true },
	{ STUB, DROPIN, "[Resolve]\nDNS=1.1.1.1\nDNS=\nDNS=3.3.3.3\n", "1.1.1.1", "",
	  false },
	{ STUB, DROPIN, NULL, "1.1.1.1", "", false },
	{ ">/run/resolvconf/resolv.conf", BASE, "nameserver 1.1.1.1\n", "1.1.1.1", "",
	  true },
};

static bool says_dns(int root, const char *servers, const char *domains)
{
	vz_autoresolv struct vz_resolv want = { 0 };

	vz_strv_split(&want.servers, servers, " ");
	vz_strv_split(&want.domains, domains, " ");
	return vz_says_dns(root, &want);
}

static void test_dns(int root)
{
	for (size_t i = 0; i < VZ_ARRAY_SIZE(dns); i++) {
		put("etc/resolv.conf", dns[i].resolv);
		if (dns[i].other)
			put(dns[i].other, dns[i].text);
		tap_ok(says_dns(root, dns[i].servers, dns[i].domains) == dns[i].says,
		       "name servers no. %zu", i);
		if (dns[i].other)
			put(dns[i].other, NULL);
	}
	put("etc/resolv.conf", NULL);
}

static const struct {
	const char *inittab;
	bool says;
} consoles[] = {
	{ NULL, true },
	{ "id:2:initdefault:\n", false },
	{ "::respawn:/bin/sh\n", true },
	{ "console::askfirst:/bin/sh\n", true },
	{ "vz:2345:respawn:/sbin/getty 38400 console linux\n", true },
	{ "1:2345:respawn:/sbin/getty 38400 tty1\n", false },
	{ "::respawn:/bin/sh\ntty1::respawn:/sbin/getty 38400 tty1\n", false },
	{ "::respawn:/bin/sh\n#1:2345:respawn:/sbin/getty 38400 tty1\n", true },
	{ "::respawn:/bin/sh\nT0:23:respawn:/sbin/getty -L ttyS0 9600 vt100\n", false },
	{ "::respawn:/bin/sh\nh0:23:respawn:/sbin/getty hvc0\n", false },
	{ "::respawn:/bin/sh\nca:12345:ctrlaltdel:/sbin/shutdown\n", true },
};

static void test_console(int root)
{
	for (size_t i = 0; i < VZ_ARRAY_SIZE(consoles); i++) {
		put("etc/inittab", consoles[i].inittab);
		tap_ok(vz_says_console(root) == consoles[i].says, "inittab no. %zu", i);
	}
}

static int ask(char **word)
{
	vz_autofd int root = vz_root_open(word[0]);

	if (root < 0)
		return 2;
	if (!strcmp(word[1], "hostname"))
		return !vz_says_hostname(root, word[2]);
	if (!strcmp(word[1], "dns"))
		return !says_dns(root, word[2], word[3]);
	if (!strcmp(word[1], "addresses"))
		return !vz_says_addresses(root, word[2]);
	return !vz_says_console(root);
}

int main(int argc, char **argv)
{
	vz_autofd int root = -1;

	if (argc > 2)
		return ask(argv + 1);
	if (!mkdtemp(dir))
		return 2;
	put("etc/keep", "");
	root = vz_root_open(dir);
	test_hostname(root);
	test_dns(root);
	test_console(root);
	vz_remove_tree(AT_FDCWD, dir);
	return tap_done();
}
