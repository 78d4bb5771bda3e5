/* SPDX-License-Identifier: GPL-2.0-or-later */
/* resolv.conf: what it says, and which of the host's servers a VE can use. */
#include "sys/resolv.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/fs.h"
#include "tests/unit/tap.h"

static void is_list(const struct vz_strv *l, const char *want, const char *name)
{
	vz_autofree char *got = vz_strv_join(l, " ");

	tap_is_str(got, want, name);
}

static const struct {
	const char *text, *servers, *domains;
} parsed[] = {
	{ "", "", "" },
	{ "nameserver 1.2.3.4", "1.2.3.4", "" },
	{ "nameserver 1.2.3.4\nnameserver ::1\n", "1.2.3.4 ::1", "" },
	{ "\tnameserver\t1.2.3.4 junk\r\n", "1.2.3.4", "" },
	{ "# nameserver 1.2.3.4\n;nameserver 5.6.7.8\nnameserverx 1.1.1.1\n", "", "" },
	{ "nameserver\nsearch a b  c\n", "", "a b c" },
	{ "domain a\nsearch b c\n", "", "b c" },
	{ "search b c\ndomain a\n", "", "a" },
	{ "options ndots:2\nsortlist 1.2.3.4\n", "", "" },
};

static void test_parse(void)
{
	for (size_t i = 0; i < VZ_ARRAY_SIZE(parsed); i++) {
		vz_autoresolv struct vz_resolv r = { 0 };

		tap_is_int(vz_resolv_parse(parsed[i].text, &r), 0, "parsed");
		is_list(&r.servers, parsed[i].servers, "servers");
		is_list(&r.domains, parsed[i].domains, "domains");
	}
}

static const struct {
	const char *name, *first, *second, *servers, *domains;
} hosts[] = {
	{ "a usual host", "nameserver 10.0.0.1\nsearch x.org\n", NULL, "10.0.0.1",
	  "x.org" },
	{ "a stub is looked behind", "nameserver 127.0.0.53\nsearch a.org\n",
	  "nameserver 10.0.0.2\nsearch b.org\n", "10.0.0.2", "a.org" },
	{ "a stub among others is left out",
	  "nameserver 127.0.0.1\nnameserver ::1\nnameserver 10.0.0.3\n",
	  "nameserver 10.0.0.2\n", "10.0.0.3", "" },
	{ "no file at all", NULL, NULL, "", "" },
	{ "nothing but a stub", "nameserver 127.0.0.53\n", NULL, "", "" },
	{ "a bad word of the host goes no further",
	  "nameserver $(id)\nsearch a;b ok.org\n", "nameserver fe80::1%eth0\n", "",
	  "ok.org" },
};

static void put(const char *path, const char *text)
{
	unlink(path);
	if (text && vz_replace_file(path, text, strlen(text), 0644))
		exit(2);
}

static void test_host(void)
{
	char dir[] = "/tmp/vz-resolv-XXXXXX";
	vz_autofree char *a = NULL, *b = NULL;
	const char *files[3] = { 0 };

	if (!mkdtemp(dir))
		exit(2);
	files[0] = a = vz_strf("%s/a", dir);
	files[1] = b = vz_strf("%s/b", dir);
	for (size_t i = 0; i < VZ_ARRAY_SIZE(hosts); i++) {
		vz_autoresolv struct vz_resolv r = { 0 };
		struct vz_err err = { 0 };

		put(a, hosts[i].first);
		put(b, hosts[i].second);
		tap_is_int(vz_resolv_host(files, &r, &err), 0, hosts[i].name);
		is_list(&r.servers, hosts[i].servers, "its servers");
		is_list(&r.domains, hosts[i].domains, "its domains");
	}
	put(a, NULL);
	put(b, NULL);
	rmdir(dir);
}

int main(void)
{
	test_parse();
	test_host();
	return tap_done();
}
