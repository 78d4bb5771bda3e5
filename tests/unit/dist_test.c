/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The distribution's file and scripts on a fake /etc/vz; values for them. */
#include "ve/dist.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fs.h"
#include "tests/unit/tap.h"

static char dir[] = "/tmp/vz-dist-XXXXXX";

static void put(const char *name, const char *text)
{
	vz_autofree char *path = vz_strf("%s/dists/%s", dir, name);

	unlink(path);
	if (text && vz_replace_file(path, text, strlen(text), 0644))
		exit(2);
}

static const struct {
	const char *ostemplate, *file;
} found[] = {
	{ "debian-12-x86_64", "debian-12.conf" },
	{ "debian-12", "debian-12.conf" },
	{ "debian-12-x86_64-mini-mal", "debian-12.conf" },
	{ "debian-11-x86_64", "debian.conf" },
	{ "debian", "debian.conf" },
	{ "debian12", "default.conf" },
	{ "gentoo-1", "default.conf" },
	{ "", "default.conf" },
	{ NULL, "default.conf" },
	{ "../evil", "default.conf" },
	{ "../../etc/passwd-x", "default.conf" },
	{ "scripts/x", "default.conf" },
	{ ".hidden", "default.conf" },
	{ "-", "default.conf" },
};

static void test_find(const struct vz_ctx *ctx)
{
	struct vz_err err = { 0 };
	char *path = NULL;

	for (size_t i = 0; i < VZ_ARRAY_SIZE(found); i++) {
		vz_autofree char *got = NULL;

		vz_dist_find(ctx, found[i].ostemplate, &got, &err);
		tap_is_str(got ? strrchr(got, '/') + 1 : NULL, found[i].file,
			   found[i].ostemplate ? found[i].ostemplate : "no template");
	}
	put("default.conf", NULL);
	tap_is_int(vz_dist_find(ctx, "gentoo", &path, &err), -ENOENT, "no default.conf");
	tap_is_int(err.status, VZ_E_DISTCONF, "and its exit status");
	tap_ok(!path, "and no path");
}

static const struct {
	const char *name, *conf, *script, *text;
	enum vz_exit status;
} scripts[] = {
	{ "a script", "SET_DNS=dns.sh\n", "echo dns\n", "f() { :; }\n\necho dns\n\n", 0 },
	{ "not named", "SET_HOSTNAME=dns.sh\n", "echo\n", NULL, 0 },
	{ "named by nothing", "SET_DNS=\"\"\n", "echo\n", NULL, 0 },
	{ "not there", "SET_DNS=dns.sh\n", NULL, NULL, VZ_E_DISTSCRIPT },
	{ "a path", "SET_DNS=../../conf/1.start\n", "echo\n", NULL, VZ_E_DISTCONF },
	{ "an absolute path", "SET_DNS=/bin/sh\n", "echo\n", NULL, VZ_E_DISTCONF },
	{ "a broken file", "what is this\n", "echo\n", NULL, VZ_E_DISTCONF },
};

static void test_script(const struct vz_ctx *ctx)
{
	put("scripts/functions", "f() { :; }\n");
	for (size_t i = 0; i < VZ_ARRAY_SIZE(scripts); i++) {
		vz_autofree char *text = NULL;
		struct vz_err err = { 0 };

		put("debian.conf", scripts[i].conf);
		put("scripts/dns.sh", scripts[i].script);
		vz_dist_script(ctx, "debian-x", VZ_DIST_SET_DNS, &text, &err);
		tap_is_str(text, scripts[i].text, scripts[i].name);
		tap_is_int(err.status, scripts[i].status, "its exit status");
	}
	put("scripts/functions", NULL);
	put("scripts/dns.sh", NULL);
}

static const struct {
	const char *servers, *domains;
	enum vz_exit status;
	const char *want_servers, *want_domains;
} dns[] = {
	{ "1.2.3.4 ::2", "a.org", 0, "1.2.3.4 ::2", "a.org" },
	{ "inherit", "", 0, "10.0.0.1", "" },
	{ "", "inherit", 0, "", "h.org" },
	{ "1.2.3.4 inherit", "a.org inherit", 0, "1.2.3.4 10.0.0.1", "a.org h.org" },
	{ "", "", 0, "", "" },
	{ "1.2.3", "", VZ_E_DNS },
	{ "$(reboot)", "", VZ_E_DNS },
	{ "", "a;b", VZ_E_SEARCHDOMAIN },
};

static void test_dns(void)
{
	vz_autofree char *host = vz_strf("%s/dists/resolv.conf", dir);
	const char *files[] = { host, NULL };

	put("resolv.conf", "nameserver 127.0.0.53\nnameserver 10.0.0.1\nsearch h.org\n");
	for (size_t i = 0; i < VZ_ARRAY_SIZE(dns); i++) {
		vz_autostrv struct vz_strv s = { 0 }, d = { 0 };
		vz_autoresolv struct vz_resolv r = { 0 };
		vz_autofree char *got_s = NULL, *got_d = NULL;
		struct vz_err err = { 0 };

		vz_strv_split(&s, dns[i].servers, " ");
		vz_strv_split(&d, dns[i].domains, " ");
		vz_dist_dns(&s, &d, files, &r, &err);
		tap_is_int(err.status, dns[i].status, dns[i].servers);
		got_s = vz_strv_join(&r.servers, " ");
		got_d = vz_strv_join(&r.domains, " ");
		tap_is_str(got_s, dns[i].status ? "" : dns[i].want_servers, "servers");
		tap_is_str(got_d, dns[i].status ? "" : dns[i].want_domains, "domains");
	}
	put("resolv.conf", NULL);
}

static const struct {
	const char *userpw;
	bool good;
} passwords[] = {
	{ "root:secret", true },
	{ "root:a:b c$(id)'\"", true },
	{ "www-data:\xc3\xa9", true },
	{ "root", false },
	{ "root:", false },
	{ ":secret", false },
	{ "ro ot:secret", false },
	{ "root:a\nother:b", false },
	{ "", false },
};

static void test_passwords(void)
{
	for (size_t i = 0; i < VZ_ARRAY_SIZE(passwords); i++) {
		struct vz_err err = { 0 };
		int r = vz_dist_check_userpasswd(passwords[i].userpw, &err);

		tap_ok(!r == passwords[i].good, "password no. %zu is %s", i,
		       passwords[i].good ? "taken" : "refused");
		tap_ok(!strstr(err.text, "secret"), "and not repeated");
	}
}

int main(void)
{
	struct vz_ctx ctx;
	vz_autofree char *scripts_dir = NULL, *dists = NULL;

	if (!mkdtemp(dir))
		return 2;
	vz_ctx_init(&ctx);
	ctx.confdir = dir;
	dists = vz_strf("%s/dists", dir);
	scripts_dir = vz_strf("%s/scripts", dists);
	if (vz_mkdir_p(scripts_dir, 0755))
		return 2;
	put("debian.conf", "");
	put("debian-12.conf", "");
	put("default.conf", "");
	test_find(&ctx);
	test_script(&ctx);
	test_dns();
	test_passwords();
	vz_remove_tree(AT_FDCWD, dir);
	return tap_done();
}
