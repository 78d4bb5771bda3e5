/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vztmpl fetch: a template from TEMPLATE_URL, if somebody we trust signed it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/str.h"
#include "conf/conf.h"
#include "sys/hold.h"
#include "templates/cache.h"
#include "tool/opt.h"

static const char *const exts[] = { ".tar.zst", ".tar.gz", ".tar.xz" };

struct source {
	char *url, *keyring;
};

static void source_done(struct source *s)
{
	free(s->url);
	free(s->keyring);
}

static int read_source(const struct tmpl_inv *inv, struct source *ret)
{
	vz_autofree char *path = vz_strf("%s/vztmpl.conf", inv->ctx->confdir);
	vz_autoconf struct vz_conf *conf = NULL;
	const char *url, *keyring;
	int r = path ? vz_conf_load(inv->ctx, path, &conf, inv->err) : -ENOMEM;

	if (r && r != -ENOENT)
		return r;
	url = conf ? vz_conf_get(conf, "TEMPLATE_URL") : NULL;
	keyring = conf ? vz_conf_get(conf, "KEYRING") : NULL;
	if (!url || !*url)
		return vz_err_set(inv->err, VZ_E_VALUE, 0,
				  "TEMPLATE_URL is not set in %s: nowhere to fetch from",
				  path);
	if (strncmp(url, "https://", 8) && strncmp(url, "http://", 7) &&
	    strncmp(url, "file:///", 8))
		return vz_err_set(inv->err, VZ_E_BADCONF, 0,
				  "bad TEMPLATE_URL \"%s\" in %s: expected https://…, "
				  "http://… or file:///…",
				  url, path);
	ret->url = strdup(url);
	ret->keyring = keyring && *keyring
			       ? strdup(keyring)
			       : vz_strf("%s/keys/templates.gpg", inv->ctx->confdir);
	if (!ret->url || !ret->keyring)
		return vz_err_set(inv->err, VZ_E_SYSTEM, ENOMEM, "can't fetch");
	if (access(ret->keyring, R_OK))
		return vz_err_set(inv->err, VZ_E_BADCONF, errno,
				  "can't read the keyring %s (KEYRING of %s)",
				  ret->keyring, path);
	return 0;
}

enum down {
	DOWN_PROBE, /* its absence is no news */
	DOWN_QUIET,
	DOWN_BAR,
};

static int download(const struct tmpl_inv *inv, const char *url, const char *to,
		    enum down how)
{
	int err = how == DOWN_PROBE && !inv->verbose ? -1 : STDERR_FILENO;
	const char *const argv[] = { "curl",
				     "--fail",
				     "--location",
				     "--proto",
				     "=https,http,file",
				     "--proto-redir",
				     "=https,http",
				     how == DOWN_BAR ? "--progress-bar" : "--silent",
				     "--show-error",
				     "--connect-timeout",
				     "30",
				     "--output",
				     to,
				     "--",
				     url,
				     NULL };

	return tmpl_run(inv, argv, (int[3]){ -1, err, err }, "the download");
}

static int check_signature(const struct tmpl_inv *inv, const struct source *s,
			   const char *file, const char *sig)
{
	const char *const argv[] = { "gpgv", "--quiet", "--keyring", s->keyring,
				     "--",   sig,	file,	     NULL };
	int quiet = inv->verbose ? 2 : -1;
	int r = tmpl_run(inv, argv, (int[3]){ -1, quiet, quiet }, "gpgv");

	if (r && !vz_hold_struck() && inv->err->status != VZ_E_SYSTEM)
		return vz_err_set(inv->err, VZ_E_BADTEMPLATE, 0,
				  "the signature is not good, or of nobody in %s: the "
				  "template is refused",
				  s->keyring);
	return r;
}

/* "HEX *FILE" of sha256sum(1): what was signed is this file, not another one. */
static int read_sum(const struct tmpl_inv *inv, const char *sum, const char *base,
		    char ret_hex[65])
{
	vz_autofree char *text = NULL;
	size_t len;
	int r = vz_read_file(sum, 4096, &text, &len);

	if (r)
		return vz_err_set(inv->err, VZ_E_BADTEMPLATE, -r,
				  "can't read the signed checksum");
	text[strcspn(text, "\n")] = 0;
	if (strspn(text, "0123456789abcdef") != 64 || text[64] != ' ' ||
	    (text[65] != ' ' && text[65] != '*') || strcmp(text + 66, base))
		return vz_err_set(
			inv->err, VZ_E_BADTEMPLATE, 0,
			"what is signed is not the checksum of %s: it is refused", base);
	memcpy(ret_hex, text, 64);
	ret_hex[64] = 0;
	return 0;
}

/*
 * What the signature covers is the small file NAME.tar.X.sha256, which names
 * the archive and its sum: so an old or other template that was signed once
 * can't be served as this one. -ENOENT: the source has no such file.
 */
static int fetch_sum(const struct tmpl_inv *inv, const struct source *s,
		     const struct tmpl_work *w, const char *base, char ret_hex[65])
{
	vz_autofree char *url = vz_strf("%s/%s.sha256", s->url, base);
	vz_autofree char *sig_url = vz_strf("%s/%s.sha256.sig", s->url, base);
	vz_autofree char *sum = vz_strf("%s/sum", w->dir);
	vz_autofree char *sig = vz_strf("%s/sum.sig", w->dir);
	int r;

	if (!url || !sig_url || !sum || !sig)
		return vz_err_set(inv->err, VZ_E_SYSTEM, ENOMEM, "can't fetch");
	if (download(inv, sig_url, sig, DOWN_PROBE))
		return vz_hold_struck() ? -EINTR : -ENOENT;
	r = download(inv, url, sum, DOWN_QUIET);
	if (!r)
		r = check_signature(inv, s, sum, sig);
	return r ? r : read_sum(inv, sum, base, ret_hex);
}

/* One format: 0, -ENOENT when the source has no such file, or an error. */
static int fetch_as(const struct tmpl_inv *inv, const struct source *s,
		    const struct tmpl_work *w, const char *name, const char *ext)
{
	vz_autofree char *base = vz_strf("%s%s", name, ext);
	vz_autofree char *url = vz_strf("%s/%s%s", s->url, name, ext);
	vz_autofree char *file = vz_strf("%s/new%s", w->dir, ext);
	char hex[65];
	int r;

	if (!base || !url || !file)
		return vz_err_set(inv->err, VZ_E_SYSTEM, ENOMEM, "can't fetch %s", name);
	r = fetch_sum(inv, s, w, base, hex);
	if (!r)
		r = download(inv, url, file,
			     isatty(STDERR_FILENO) ? DOWN_BAR : DOWN_QUIET);
	if (!r)
		r = tmpl_install(inv, file, name, ext, hex);
	if (!r)
		printf("%s/cache/%s\n", inv->dir, base);
	return r;
}

static int fetch(const struct tmpl_inv *inv, const char *name)
{
	VZ_CLEANUP(source_done) struct source s = { 0 };
	tmpl_autowork struct tmpl_work w = TMPL_WORK_NONE;
	int r = read_source(inv, &s);

	if (!r)
		r = tmpl_work_begin(inv, name, &w);
	if (r)
		return r;
	r = -ENOENT;
	for (size_t i = 0; r == -ENOENT && i < VZ_ARRAY_SIZE(exts); i++)
		r = fetch_as(inv, &s, &w, name, exts[i]);
	if (r == -ENOENT)
		vz_err_set(inv->err, VZ_E_NOTEMPLATE, 0,
			   "no signed template %s at %s (%s%s needs %s%s.sha256 and "
			   "%s%s.sha256.sig beside it)",
			   name, s.url, name, exts[0], name, exts[0], name, exts[0]);
	return r;
}

static int run(struct tmpl_inv *inv)
{
	struct vz_strv words = { 0 };
	struct vz_opt_parse how = { .words = &words };
	vz_autohold struct vz_hold hold;
	int r = vz_opt_parse(&how, inv->argc, inv->argv, inv->err);

	vz_hold_begin(&hold);
	if (!r && words.n != 1)
		r = vz_err_set(inv->err, VZ_E_NOPARAM, 0,
			       "one template is fetched at a time: vztmpl fetch NAME");
	if (!r)
		r = tmpl_name(inv, words.v[0]);
	if (!r)
		r = fetch(inv, words.v[0]);
	vz_strv_done(&words);
	return r;
}

const struct tmpl_cmd tmpl_cmd_fetch = {
	.name = "fetch",
	.args = "NAME",
	.help = "get a signed template from TEMPLATE_URL of vztmpl.conf",
	.run = run,
};
