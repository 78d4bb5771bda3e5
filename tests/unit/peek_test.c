// SPDX-License-Identifier: GPL-2.0-or-later
// What a peek says of a key is what loading the whole file says.
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "conf/conf.h"
#include "conf/peek.h"
#include "tests/unit/tap.h"

static const char *const keys[] = { "A", "AB", "NAME", "NUMPROC" };

static const char *const texts[] = {
	"",
	"A",
	"A=",
	"A=\n",
	"A=\"\"\n",
	"A=\"x\"",
	"A=\"x\"\nA=\"y\"\n",
	"A=\"x\"\nB=\"A=z\"\n",
	"AB=\"x\"\nA='y'\n",
	"# A=\"x\"\n#A=\"y\"\nA=1\n",
	"OTHER=\"\nA=no\n\"\nA=yes\n",
	"OTHER='\nA=\"no\"\n'\nA=\"yes\"\n",
	"OTHER=\"a\\\"\nA=\"no\"\n\"\nAB=\"yes\"\n",
	"OTHER=\" \nA=\"no\"\n\"\nAB=\"yes\"\n",
	"OTHER=\"\"\nA=\"x\" # \"y\"\n",
	"A=\"x\"y\"\nAB=\"a b\"  \n",
	"A = \"x\"\n AB=\"y\"\nexport NAME=\"z\"\n",
	"A=x # y\nAB=x#y\n",
	"A=\"a\\$b\\\\\"\n",
	"NUMPROC=\"240:240\"\r\nNAME=\"x\"\r\n",
	/* A byte order mark; \101 is A, which the hexadecimal escape would eat. */
	"\xef\xbb\xbf\101=\"x\"\n",
	"=\"x\"\nB=\nA=\"\n",
	"B=\"A=\"\nA=\"q\"\n",
	"NAME=\"trailing \"\nA=\" leading\"\n",
};

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static void compare(const char *path, const char *text)
{
	struct vz_ctx ctx = { 0 };
	vz_autoconf struct vz_conf *conf = NULL;
	struct vz_peek peek = { 0 };
	const char *values[VZ_ARRAY_SIZE(keys)];
	bool good = true;

	/* A file that is in error is never acted on: nothing to agree with. */
	if (vz_conf_load(&ctx, path, &conf, NULL)) {
		tap_is_int(vz_peek_read(&peek, AT_FDCWD, path, keys, VZ_ARRAY_SIZE(keys),
					values),
			   0, "a bad file can be peeked at");
		vz_peek_done(&peek);
		return;
	}
	vz_peek_read(&peek, AT_FDCWD, path, keys, VZ_ARRAY_SIZE(keys), values);
	for (size_t i = 0; i < VZ_ARRAY_SIZE(keys); i++) {
		const char *want = vz_conf_get(conf, keys[i]);

		if (same(values[i], want))
			continue;
		good = false;
		printf("# %s: got %s, expected %s\n", keys[i], values[i] ?: "nothing",
		       want ?: "nothing");
	}
	tap_ok(good, "peek and load agree on %zu bytes", strlen(text));
	vz_peek_done(&peek);
}

int main(void)
{
	char path[] = "/tmp/vz-peek-XXXXXX";
	int fd = mkstemp(path);
	struct vz_peek peek = { 0 };
	const char *values[VZ_ARRAY_SIZE(keys)];
	vz_autofree char *big = malloc(100001);

	memset(big, '#', 100000);
	memcpy(big + 99990, "\nNAME=\"x\"\n", 10);
	big[100000] = 0;
	for (size_t i = 0; i <= VZ_ARRAY_SIZE(texts); i++) {
		const char *text = i < VZ_ARRAY_SIZE(texts) ? texts[i] : big;

		if (ftruncate(fd, 0) || pwrite(fd, text, strlen(text), 0) < 0)
			return 1;
		compare(path, text);
	}
	tap_is_int(vz_peek_read(&peek, AT_FDCWD, path, keys, VZ_ARRAY_SIZE(keys), values),
		   0, "a file longer than the buffer");
	tap_is_str(values[2], "x", "is read to its end");
	vz_peek_done(&peek);
	unlink(path);
	tap_ok(vz_peek_read(&peek, AT_FDCWD, path, keys, VZ_ARRAY_SIZE(keys), values) < 0,
	       "a missing file is an error");
	return tap_done();
}
