/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/untar.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "sys/decomp.h"

enum { READ_SIZE = 64 << 10, FILE_MAX = 16 << 20 };

struct peek {
	struct vz_decomp dec;
	char buf[READ_SIZE];
};

static la_ssize_t read_some(struct archive *a, void *data, const void **ret)
{
	struct peek *p = data;
	ssize_t n;

	do
		n = read(p->dec.fd, p->buf, READ_SIZE);
	while (n < 0 && errno == EINTR);
	*ret = p->buf;
	return n;
}

static int find(const char *const *names, size_t n, const char *path)
{
	for (size_t i = 0; path && i < n; i++)
		if (!strcmp(names[i], path))
			return i;
	return -1;
}

static int read_file(struct archive *a, struct archive_entry *e, char **ret)
{
	int64_t size = archive_entry_size(e);
	char *text;

	if (size < 0 || size > FILE_MAX || archive_entry_filetype(e) != AE_IFREG ||
	    archive_entry_hardlink(e))
		return -EBADMSG;
	text = malloc(size + 1);
	if (!text)
		return -ENOMEM;
	if (archive_read_data(a, text, size) != size) {
		free(text);
		return -EBADMSG;
	}
	text[size] = 0;
	free(*ret);
	*ret = text;
	return 0;
}

static int read_all(struct archive *a, const char *const *names, size_t n, char **ret)
{
	struct archive_entry *e;
	int r = 0, i;

	while (!r) {
		r = archive_read_next_header(a, &e);
		if (r == ARCHIVE_EOF)
			return 0;
		if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
			return -EBADMSG;
		i = find(names, n, archive_entry_pathname(e));
		if (i < 0)
			return 0;
		r = read_file(a, e, &ret[i]);
	}
	return r;
}

int vz_untar_peek(int archive_fd, const char *const *names, size_t n, char **ret,
		  struct vz_err *err)
{
	vz_autofree struct peek *p = malloc(sizeof(*p));
	struct archive *a = archive_read_new();
	int r = p && a ? 0 : -ENOMEM;

	memset(ret, 0, n * sizeof(*ret));
	if (r) {
		archive_read_free(a);
		return vz_err_set(err, VZ_E_RESOURCES, ENOMEM, "can't read the archive");
	}
	p->dec = VZ_DECOMP_NONE;
	r = vz_decomp_start(archive_fd, &p->dec, err);
	if (!r) {
		archive_read_support_format_tar(a);
		r = archive_read_open(a, p, NULL, read_some, NULL);
		r = r ? -EBADMSG : read_all(a, names, n, ret);
		if (r)
			vz_err_set(err, VZ_E_BADTEMPLATE, -r, "the archive is damaged");
	}
	archive_read_free(a);
	vz_decomp_stop(&p->dec);
	for (size_t i = 0; r && i < n; i++)
		free(vz_take(ret[i]));
	return r;
}
