/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Our line scanner beside iniparser: what both read of a file, both read as the
 * same value. Left out is only where KEY="value" files of shells and vzctl 4 are
 * another format than ini files: see comparable() and plain().
 */
#include <ctype.h>
#include <iniparser.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fs.h"
#include "conf/conf.h"
#include "conf/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int be_silent(const char *format, ...)
{
	return 0;
}

/*
 * iniparser has no escapes and joins lines, also comments, at a backslash; it has
 * no value of several lines, and no line of more than a kilobyte. A byte order mark
 * and `export` are to it the beginning of a key.
 */
static bool comparable(const char *text, size_t len)
{
	struct vz_scan_item it;
	const char *problem;
	struct vz_scan scan;

	if (memchr(text, '\\', len) || (len && *text == '\xef') ||
	    memmem(text, len, "export", 6))
		return false;
	vz_scan_init(&scan, text, len);
	while (vz_scan_next(&scan, &it, &problem) > 0)
		if (it.text_len > 1000 || (it.key && memchr(it.raw, '\n', it.raw_len)))
			return false;
	return true;
}

static dictionary *load_ini(const char *text, size_t len)
{
	int fd = memfd_create("ini", MFD_CLOEXEC);
	dictionary *ini;
	char path[64];

	if (fd < 0 || vz_write_all(fd, text, len))
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	iniparser_set_error_callback(be_silent);
	ini = iniparser_load(path);
	close(fd);
	return ini;
}

/*
 * Keys are words to both, and their case counts only to us. Both of the values'
 * quotes end a value of iniparser's, a ; begins a comment and so does a # without
 * a blank before it; we take what vzctl 4 and the shell took.
 */
static bool plain(const struct vz_conf *conf, const char *key)
{
	const char *other;

	for (const char *p = key; *p; p++)
		if (!isalnum((unsigned char)*p) && *p != '_')
			return false;
	for (size_t i = 0; (other = vz_conf_key(conf, i)); i++)
		if (!strcasecmp(other, key) && strcmp(other, key))
			return false;
	return !strpbrk(vz_conf_get(conf, key), "\"';#");
}

static void compare(const struct vz_conf *conf, const dictionary *ini, const char *key)
{
	char name[1024];
	const char *theirs;

	snprintf(name, sizeof(name), ":%s", key);
	theirs = iniparser_getstring(ini, name, NULL);
	if (theirs && !strcmp(theirs, vz_conf_get(conf, key)))
		return;
	fprintf(stderr, "%s: ours is <%s>, iniparser's <%s>\n", key,
		vz_conf_get(conf, key), theirs ? theirs : "(none)");
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	vz_autoconf struct vz_conf *conf = NULL;
	const char *text = (const char *)data, *key;
	struct vz_err err = { 0 };
	struct vz_ctx ctx;
	dictionary *ini;

	vz_ctx_init(&ctx);
	if (vz_conf_parse(&ctx, "fuzz", text, size, &conf, &err) ||
	    !comparable(text, size))
		return 0;
	ini = load_ini(text, size);
	for (size_t i = 0; ini && (key = vz_conf_key(conf, i)); i++)
		if (plain(conf, key))
			compare(conf, ini, key);
	if (ini)
		iniparser_freedict(ini);
	return 0;
}
