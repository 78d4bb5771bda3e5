/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vzmigrate/images.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"

#define NAME_MAX_LEN 200
#define SILENT_MS 60000

static bool is_log(const char *name)
{
	size_t n = strlen(name);

	return n > 4 && !strcmp(name + n - 4, ".log");
}

/* --- the source --- */

static int list(int dir, json_t *files)
{
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	vz_autodir DIR *d = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *e;

	while (d && !r && (e = readdir(d))) {
		struct stat st;

		if (is_log(e->d_name))
			continue;
		if (fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW))
			return -errno;
		if (S_ISREG(st.st_mode) &&
		    json_array_append_new(files, json_pack("[s, I]", e->d_name,
							   (json_int_t)st.st_size)))
			r = -ENOMEM;
	}
	return d ? r : -errno;
}

/* A pipe takes what it has room for; files of tmpfs and disks go without a copy. */
static int send_file(int out, int dir, const char *name, uint64_t size)
{
	vz_autofd int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	while (size) {
		ssize_t n = sendfile(out, fd, NULL, size < 1 << 20 ? size : 1 << 20);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		size -= n;
	}
	return 0;
}

int images_send(struct peer *p, int dir, struct vz_err *err)
{
	autojson json_t *files = json_array();
	const json_t *f;
	int r = files ? list(dir, files) : -ENOMEM;
	size_t i;

	if (r)
		return mig_fail(err, MIG_E_COPY, -r, "can't list the dump");
	r = wire_send(&p->wire, json_pack("{s:s, s:O}", "op", "images", "files", files),
		      err);
	if (r)
		return r;
	json_array_foreach(files, i, f)
	{
		r = send_file(p->wire.out, dir, json_string_value(json_array_get(f, 0)),
			      json_integer_value(json_array_get(f, 1)));
		if (r)
			return mig_fail(err, MIG_E_CONNECT, -r,
					"can't send the dump to %s", p->dest);
	}
	return peer_answer(p, PEER_LONG_MS, NULL, err);
}

/* --- the destination --- */

static int make_file(int dir, const char *name)
{
	int fd;

	if (!name || !*name || *name == '.' || strchr(name, '/') ||
	    strlen(name) > NAME_MAX_LEN)
		return -EINVAL;
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	return fd < 0 ? -errno : fd;
}

/* fd: -1 when it is of no use any more, and only has to be taken. */
static int take_file(struct wire *w, int fd, uint64_t size, char *buf, size_t room,
		     int *ret_failed)
{
	while (size) {
		ssize_t n = wire_take(w, buf, size < room ? size : room, SILENT_MS);
		int r;

		if (n < 0)
			return n;
		size -= n;
		r = fd < 0 ? 0 : vz_write_all(fd, buf, n);
		if (r) {
			*ret_failed = r;
			fd = -1;
		}
	}
	return 0;
}

int images_receive(struct wire *w, const json_t *ask, int dir, struct vz_err *err)
{
	const json_t *files = json_object_get(ask, "files"), *f;
	vz_autofree char *buf = malloc(1 << 20);
	int failed = 0, r = 0;
	size_t i;

	if (!buf)
		return mig_fail(err, MIG_E_SYSTEM, ENOMEM, "can't receive the dump");
	json_array_foreach(files, i, f)
	{
		const char *name = json_string_value(json_array_get(f, 0));
		json_int_t size = json_integer_value(json_array_get(f, 1));
		vz_autofd int fd = failed ? -1 : make_file(dir, name);

		if (fd < 0 && !failed)
			failed = fd;
		if (size < 0)
			return mig_fail(err, MIG_E_CONNECT, 0, "a file of size %lld",
					(long long)size);
		r = take_file(w, fd, size, buf, 1 << 20, &failed);
		if (r)
			return mig_fail(err, MIG_E_CONNECT, -r, "the dump ends early");
	}
	return failed ? mig_fail(err, MIG_E_COPY, -failed, "can't write the dump") : 0;
}
