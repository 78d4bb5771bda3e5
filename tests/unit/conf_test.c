/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of KEY="value": what is read, what is refused, what a save leaves alone. */
#include <errno.h>
#include <iniparser.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/run.h"
#include "base/str.h"
#include "conf/conf.h"
#include "tests/unit/tap.h"

static int warnings;

static void count(void *data, enum vz_log_level level, const char *fmt, va_list ap)
{
	warnings += level == VZ_LOG_WARN;
}

static const struct vz_ctx ctx = { .log = count };

static struct vz_conf *parse(const char *text, struct vz_err *err)
{
	struct vz_conf *c = NULL;

	vz_conf_parse(&ctx, "f", text, strlen(text), &c, err);
	return c;
}

static void test_values(void)
{
	static const struct {
		const char *text, *want; /* the value of K; NULL: refused */
	} rows[] = {
		{ "K=\"v\"", "v" },
		{ "K=\"v\"\n", "v" },
		{ "K=\"v\"\r\nL=1\r\n", "v" },
		{ "\xef\xbb\xbfK=v\n", "v" },
		{ "  K=v  \n", "v" },
		{ "\tK = \"v\" \n", "v" },
		{ "export K=v\n", "v" },
		{ "export=1\nK=v", "v" },
		{ "K=\n", "" },
		{ "K=\"\"\n", "" },
		{ "K='a \"b\" $c \\'\n", "a \"b\" $c \\" },
		{ "K=a b c\n", "a b c" },
		{ "K=inherit # as the host\n", "inherit" },
		{ "K=a#b\n", "a#b" },
		{ "K=\"a # b\" # c\n", "a # b" },
		{ "K=\"a \\\"b\\\" \\\\ \\$x \\`y\\` \\z\"\n", "a \"b\" \\ $x `y` \\z" },
		{ "K=\"/vz/$VEID\"\n", "/vz/$VEID" },
		{ "K=\"a \"b\" c\"\n", "a \"b\" c" }, /* as vzctl 4 wrote it */
		{ "K=\"a\nb\"\n", "a\nb" },
		{ "K=\"a\\\nb\"\n", "ab" },
		{ "K=a\\ b\n", "a b" },
		{ "K=it's\n", "it's" },
		{ "K=1\nK=2\n", "2" },
		{ "# K=1\nK=2", "2" },
		{ "K=\"\xc3\xa4\xff\"\n", "\xc3\xa4\xff" },
		{ "K=\"v\n", NULL },
		{ "K=\"v\nL=\"w\"\n", NULL },
		{ "K='v\n", NULL },
		{ "K=\"v\" w\n", NULL },
		{ "K\n", NULL },
		{ "=v\n", NULL },
		{ "[section]\nK=v\n", NULL },
		{ "K L=v\n", NULL },
	};

	for (size_t i = 0; i < VZ_ARRAY_SIZE(rows); i++) {
		vz_autofree char *name = vz_strf("value %zu", i);
		struct vz_err err = { 0 };
		vz_autoconf struct vz_conf *c = parse(rows[i].text, &err);

		tap_is_str(c ? vz_conf_get(c, "K") : NULL, rows[i].want, name);
		if (!rows[i].want)
			tap_is_int(err.status, VZ_E_BADCONF, name);
	}
}

static void test_messages(void)
{
	struct vz_err err = { 0 };
	vz_autoconf struct vz_conf *c = parse("A=1\n\nB=\"x\ny\"\nnonsense\n", &err);

	tap_is_str(err.text, "f:5: expected KEY=\"value\"", "a bad line is named");
	vz_err_clear(&err);
	c = parse("A=1\n\nB=\"x\n", &err);
	tap_is_str(err.text, "f:3: no closing quote, or text after it",
		   "an open quote is named where it begins");
	warnings = 0;
	c = parse("A=1\nB=2\nA=3\n", &err);
	tap_is_int(warnings, 1, "a key that comes twice is warned about");
	tap_is_int(vz_conf_line(c, "A"), 3, "and its last line counts");
	tap_is_str(vz_conf_key(c, 0), "A", "keys come in the file's order");
	tap_is_str(vz_conf_key(c, 1), "B", "each once");
	tap_ok(!vz_conf_key(c, 2), "and then no more");
	tap_is_int(vz_conf_load(&ctx, "/nonexistent/f", &c, &err), -ENOENT,
		   "a missing file");
	tap_is_int(err.status, VZ_E_NOCONF, "has its exit status");
}

static void text_is(struct vz_conf *c, const char *want, const char *name)
{
	vz_autofree char *text = vz_conf_text(c);

	tap_is_str(text, want, name);
}

static void test_changes(void)
{
	static const char file[] = "# top\n"
				   "  export A='1' # why\n"
				   "\n"
				   "X-UNKNOWN=keep\n"
				   "B=1\n"
				   "B=2\n"
				   "#UUID: 4711";
	vz_autoconf struct vz_conf *c = parse(file, NULL);

	text_is(c, file, "what is not changed stays, byte for byte");
	vz_conf_set(c, "A", "2");
	vz_conf_set(c, "B", "3");
	vz_conf_set(c, "C", "4");
	text_is(c,
		"# top\n  export A=\"2\" # why\n\nX-UNKNOWN=keep\nB=\"3\"\n"
		"#UUID: 4711\nC=\"4\"\n",
		"a change stays in its place, a new key goes last");
	vz_conf_set(c, "A", NULL);
	vz_conf_set(c, "B", NULL);
	vz_conf_set(c, "NOT_THERE", NULL);
	text_is(c, "# top\n\nX-UNKNOWN=keep\n#UUID: 4711\nC=\"4\"\n", "keys go");
	tap_ok(!vz_conf_get(c, "A") && !vz_conf_line(c, "A"), "and are gone");
}

static const char *const odd[] = {
	"",
	" ",
	"plain",
	"two words ",
	"\"quoted\"",
	"it's",
	"\\",
	"\\\\\"",
	"\\\"",
	"$HOME ${HOME} $(id) `id`",
	"a\nb\n\nc\n",
	"\n",
	"# none",
	"K=\"v\"",
	"\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xa7",
	"\x01\x7f\xff",
	"a\r\nb\r",
	"!! * ? ~ ; & |",
};

/* What a shell makes of the file must be the value, too. */
static void shell_agrees(const char *dir, const char *value, const char *name)
{
	vz_autofree char *script = vz_strf(". %s/f; printf %%s \"$K\" >%s/out", dir, dir);
	vz_autofree char *out = vz_strf("%s/out", dir), *got = NULL;
	const char *const argv[] = { "/bin/sh", "-c", script, NULL };

	tap_is_int(vz_run(&(struct vz_run){ .argv = argv }), 0, name);
	vz_read_file(out, 4096, &got, NULL);
	tap_is_str(got, value, name);
	unlink(out);
}

static void test_round_trip(const char *dir)
{
	vz_autofree char *path = vz_strf("%s/f", dir);

	for (size_t i = 0; i < VZ_ARRAY_SIZE(odd); i++) {
		vz_autofree char *name = vz_strf("odd text %zu", i);
		vz_autoconf struct vz_conf *c = NULL, *again = NULL;

		vz_conf_new(path, &c);
		vz_conf_set(c, "FIRST", "1");
		vz_conf_set(c, "K", odd[i]);
		vz_conf_set(c, "LAST", "2");
		tap_is_int(vz_conf_save(c, NULL, NULL), 0, name);
		tap_is_int(vz_conf_load(&ctx, path, &again, NULL), 0, name);
		tap_is_str(again ? vz_conf_get(again, "K") : NULL, odd[i], name);
		tap_is_str(again ? vz_conf_get(again, "LAST") : NULL, "2", name);
		shell_agrees(dir, odd[i], name);
	}
	unlink(path);
}

static void test_save(const char *dir)
{
	vz_autofree char *path = vz_strf("%s/real", dir), *link = vz_strf("%s/link", dir);
	vz_autofree char *gone = vz_strf("%s/none/f", dir), *text = NULL;
	vz_autoconf struct vz_conf *c = NULL;
	struct vz_err err = { 0 };
	struct stat st;

	vz_replace_file(path, "K=1\n", 4, 0600);
	tap_ok(!symlink(path, link), "a link to a file");
	vz_conf_load(&ctx, link, &c, NULL);
	vz_conf_set(c, "K", "2");
	tap_is_int(vz_conf_save(c, NULL, &err), 0, "is saved through");
	tap_ok(!lstat(link, &st) && S_ISLNK(st.st_mode), "and stays a link");
	tap_ok(!stat(path, &st) && (st.st_mode & 07777) == 0600, "the mode stays");
	vz_read_file(path, 100, &text, NULL);
	tap_is_str(text, "K=\"2\"\n", "the file has it");
	tap_ok(vz_conf_save(c, gone, &err) < 0, "a save that can't be");
	tap_is_int(err.status, VZ_E_SAVE, "has its exit status");
	unlink(link);
	unlink(path);
}

/* 256 addresses and a line of many kilobytes: iniparser's 1,024 are no limit. */
static void test_long(void)
{
	vz_autostr struct vz_str b = { 0 };
	vz_autoconf struct vz_conf *c = NULL;

	vz_str_add(&b, "IP_ADDRESS=\"");
	for (int i = 0; i < 256; i++)
		vz_str_addf(&b, "2001:db8:1:2:3:4:5:%x ", 0x1000 + i);
	vz_str_add(&b, "\"\nK=1\n");
	c = parse(b.s, NULL);
	tap_is_int(c ? strlen(vz_conf_get(c, "IP_ADDRESS")) : 0, 256 * 24,
		   "256 addresses on a line");
	tap_is_str(c ? vz_conf_get(c, "K") : NULL, "1", "and a key after them");
}

/* Where iniparser's limits are not in the way, both read the same. */
static void test_iniparser(const char *dir)
{
	static const char file[] = "# comment\n"
				   "one=\"1:2\"\n"
				   "two=abc\n"
				   "three=\"a b c\"\n"
				   " four = x \n"
				   "five='single'\n"
				   "six=v # comment\n"
				   "seven=\"2G:2.2G\"\n"
				   "eight=\"a # b\"\n"
				   "one=\"3\"\n";
	static const char *const keys[] = { "one",  "two", "three", "four",
					    "five", "six", "seven", "eight" };
	vz_autofree char *path = vz_strf("%s/f", dir);
	vz_autoconf struct vz_conf *c = parse(file, NULL);
	dictionary *d;

	vz_replace_file(path, file, sizeof(file) - 1, 0644);
	d = iniparser_load(path);
	for (size_t i = 0; i < VZ_ARRAY_SIZE(keys); i++) {
		char key[32];

		snprintf(key, sizeof(key), ":%s", keys[i]);
		tap_is_str(vz_conf_get(c, keys[i]), iniparser_getstring(d, key, NULL),
			   keys[i]);
	}
	iniparser_freedict(d);
	unlink(path);
}

int main(void)
{
	char dir[] = "/tmp/vz-conf-test.XXXXXX";

	if (!mkdtemp(dir))
		return 1;
	test_values();
	test_messages();
	test_changes();
	test_round_trip(dir);
	test_save(dir);
	test_long();
	test_iniparser(dir);
	rmdir(dir);
	return tap_done();
}
