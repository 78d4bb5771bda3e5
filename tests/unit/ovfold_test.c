/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Folding a layer: for each pair of what the lower and the upper layer have under one
 * name, what the upper one has afterwards.
 */
#include "sys/ovfold.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "tests/unit/tap.h"

#define OPAQUE "trusted.overlay.opaque"

static void make_file(int at, const char *name, const char *text)
{
	vz_autofd int fd = openat(at, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	tap_bad += fd < 0 || vz_write_all(fd, text, strlen(text)) != 0;
}

/*
 * What a name is: "-" nothing, "f" a file with the layer's letter, "w" a whiteout, "d"
 * a directory with a file of the layer's letter in it, "o" the same, opaque.
 */
static void make(int at, char kind, char layer)
{
	const char letter[2] = { layer };
	vz_autofd int dir = -1;

	if (kind == 'f')
		make_file(at, "x", letter);
	if (kind == 'w')
		tap_bad += mknodat(at, "x", S_IFCHR, 0) != 0;
	if (kind != 'd' && kind != 'o')
		return;
	tap_bad += mkdirat(at, "x", layer == 'u' ? 0700 : 0711) != 0;
	dir = openat(at, "x", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	make_file(dir, letter, letter);
	make_file(dir, "both", letter);
	if (kind == 'o')
		tap_bad += fsetxattr(dir, OPAQUE, "y", 1, 0) != 0;
}

/* The same in words; of a directory also which of its files are there, and "both"'s. */
static void describe(int at, char ret[16])
{
	vz_autofd int dir = -1;
	char text[8] = "", c;
	struct stat st;
	size_t n = 1;

	strcpy(ret, "-");
	if (fstatat(at, "x", &st, AT_SYMLINK_NOFOLLOW))
		return;
	*ret = S_ISCHR(st.st_mode) ? 'w' : S_ISREG(st.st_mode) ? 'f' : 'd';
	if (S_ISREG(st.st_mode) && !vz_read_small(at, "x", text, sizeof(text)))
		ret[n++] = *text;
	ret[n] = 0;
	if (!S_ISDIR(st.st_mode))
		return;
	dir = openat(at, "x", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fgetxattr(dir, OPAQUE, &c, 1) == 1)
		*ret = 'o';
	ret[n++] = st.st_mode & 0011 ? 'L' : 'U';
	if (!faccessat(dir, "l", F_OK, 0))
		ret[n++] = 'l';
	if (!faccessat(dir, "u", F_OK, 0))
		ret[n++] = 'u';
	if (!vz_read_small(dir, "both", text, sizeof(text)))
		ret[n++] = *text;
	ret[n] = 0;
}

static void test(const char *top, char lower, char upper, const char *want)
{
	char name[64], got[16], left[16];
	vz_autofd int fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC), l = -1, u = -1;
	int r;

	vz_remove_tree(fd, "l");
	vz_remove_tree(fd, "u");
	tap_bad += mkdirat(fd, "l", 0755) || mkdirat(fd, "u", 0755);
	l = openat(fd, "l", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	u = openat(fd, "u", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	make(l, lower, 'l');
	make(u, upper, 'u');
	r = vz_ovfold(l, u);
	describe(u, got);
	describe(l, left);
	snprintf(name, sizeof(name), "lower %c, upper %c", lower, upper);
	tap_is_str(r ? "failed" : got, want, name);
	if (*left != '-')
		tap_is_str(left, "-", "the lower one is empty then");
}

static void test_marks(const char *top, const char *mark)
{
	vz_autofd int fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC), l = -1, u = -1;
	vz_autofd int file = -1;
	char got[16];

	vz_remove_tree(fd, "l");
	vz_remove_tree(fd, "u");
	tap_bad += mkdirat(fd, "l", 0755) || mkdirat(fd, "u", 0755);
	l = openat(fd, "l", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	u = openat(fd, "u", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	make(l, 'f', 'l');
	make(u, 'f', 'u');
	file = openat(u, "x", O_RDONLY | O_CLOEXEC);
	tap_bad += fsetxattr(file, mark, "", 0, 0) != 0;
	tap_is_int(vz_ovfold(l, u), -EOPNOTSUPP, mark);
	describe(l, got);
	tap_is_str(got, "fl", "what it needs of the lower layer stays");
}

int main(void)
{
	static const struct {
		char lower, upper;
		const char *want;
	} rows[] = {
		{ 'f', '-', "fl" },
		{ 'w', '-', "w" },
		{ 'd', '-', "dLll" },
		{ 'o', '-', "oLll" },
		{ '-', 'f', "fu" },
		{ '-', 'd', "dUuu" },
		{ 'f', 'f', "fu" },
		{ 'w', 'f', "fu" },
		{ 'd', 'f', "fu" },
		{ 'f', 'w', "w" },
		{ 'w', 'w', "w" },
		{ 'd', 'w', "w" },
		{ 'd', 'd', "dUluu" },
		{ 'o', 'd', "oUluu" },
		{ 'd', 'o', "oUuu" },
		/* What lies below both was hidden by the lower one: so it stays. */
		{ 'f', 'd', "oUuu" },
		{ 'w', 'd', "oUuu" },
		{ 'w', 'o', "oUuu" },
	};
	char top[] = "/tmp/vz-ovfold.XXXXXX";

	if (geteuid()) {
		tap_skip("folding", "needs root, for the marks of an overlay");
		return tap_done();
	}
	if (!mkdtemp(top))
		return 2;
	for (size_t i = 0; i < VZ_ARRAY_SIZE(rows); i++)
		test(top, rows[i].lower, rows[i].upper, rows[i].want);
	test_marks(top, "trusted.overlay.metacopy");
	test_marks(top, "trusted.overlay.redirect");
	vz_remove_tree(AT_FDCWD, top);
	return tap_done();
}
