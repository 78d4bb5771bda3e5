/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ve/backupfile.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/num.h"
#include "conf/conf.h"
#include "sys/untar.h"

/* A frame that zstd passes over: its magic number, its length, and what it is for. */
#define FRAME_MAGIC 0x184d2a5eu
#define SUM_TAG "vz sha256"
#define INDEX_TAG "vz index"
enum { CHAIN_MAX = 1000 };

struct frame {
	uint32_t magic, len;
};

struct trailer {
	struct frame frame;
	char tag[16];
	char sum[VZ_DIGEST_LEN - 1];
};

/* Behind the index, and in its frame: it is found from the end. */
struct index_end {
	uint64_t len;
	unsigned char sum[SHA256_DIGEST_SIZE];
	char tag[16];
};

/* --- writing --- */

static void sum_of(const void *data, size_t len, unsigned char ret[SHA256_DIGEST_SIZE])
{
	struct sha256_ctx sha;

	sha256_init(&sha);
	sha256_update(&sha, len, data);
	sha256_digest(&sha, SHA256_DIGEST_SIZE, ret);
}

static int write_index(int fd, const struct vz_findex *index)
{
	struct index_end end = { .tag = INDEX_TAG };
	vz_autofree char *data = NULL;
	struct frame f;
	size_t len;
	int r = vz_findex_pack(index, &data, &len);

	if (r)
		return r;
	if (len > UINT32_MAX - sizeof(end))
		return -EFBIG;
	f.magic = htole32(FRAME_MAGIC);
	f.len = htole32(len + sizeof(end));
	end.len = htole64(len);
	sum_of(data, len, end.sum);
	r = vz_write_all(fd, &f, sizeof(f));
	if (!r)
		r = vz_write_all(fd, data, len);
	return r ? r : vz_write_all(fd, &end, sizeof(end));
}

int vz_backup_seal(int fd, const struct vz_findex *index)
{
	struct trailer tr = { .frame = { htole32(FRAME_MAGIC),
					 htole32(sizeof(tr) - sizeof(tr.frame)) },
			      .tag = SUM_TAG };
	char sum[VZ_DIGEST_LEN];
	int r = write_index(fd, index);

	if (!r)
		r = vz_digest_fd(fd, NULL, NULL, sum);
	if (r)
		return r;
	memcpy(tr.sum, sum, sizeof(tr.sum));
	r = vz_write_all(fd, &tr, sizeof(tr));
	return r || !fsync(fd) ? r : -errno;
}

/* --- reading one --- */

static int read_trailer(int fd, const char *path, struct trailer *ret, off_t *ret_at,
			struct vz_err *err)
{
	struct stat st;

	if (fstat(fd, &st))
		return vz_err_set(err, VZ_E_SYSTEM, errno, "can't read %s", path);
	*ret_at = st.st_size - (off_t)sizeof(*ret);
	if (*ret_at < 0 || pread(fd, ret, sizeof(*ret), *ret_at) != sizeof(*ret) ||
	    le32toh(ret->frame.magic) != FRAME_MAGIC ||
	    strncmp(ret->tag, SUM_TAG, sizeof(ret->tag)))
		return vz_err_set(err, VZ_E_BADTEMPLATE, 0,
				  "%s is no backup of a VE, or cut off", path);
	return 0;
}

static int check_sum(int fd, const char *path, struct vz_err *err)
{
	char sum[VZ_DIGEST_LEN];
	struct trailer tr;
	off_t at;
	int r = read_trailer(fd, path, &tr, &at, err);

	if (r)
		return r;
	r = vz_digest_part(fd, at, NULL, NULL, sum);
	if (r)
		return vz_err_set(err, VZ_E_SYSTEM, -r, "can't read %s", path);
	return memcmp(sum, tr.sum, sizeof(tr.sum))
		       ? vz_err_set(err, VZ_E_BADTEMPLATE, EBADMSG,
				    "%s is damaged: its checksum is another", path)
		       : 0;
}

static bool take_word(const struct vz_conf *conf, const char *key, char *ret, size_t size)
{
	const char *value = vz_conf_get(conf, key);

	if (value && strlen(value) < size)
		strcpy(ret, value);
	return *ret;
}

static int take_copy(const struct vz_conf *conf, const char *key, char **ret)
{
	const char *value = vz_conf_get(conf, key);

	*ret = value ? strdup(value) : NULL;
	return value && !*ret ? -ENOMEM : 0;
}

/* What makes sense of it; -EBADMSG when something does not. */
static int take_about(const struct vz_conf *conf, struct vz_backup_file *b)
{
	const char *veid = vz_conf_get(conf, "VEID");
	const char *number = vz_conf_get(conf, "NUMBER");
	uint64_t n = 0;
	int r;

	if (!veid || vz_parse_veid(veid, &b->veid) ||
	    !take_word(conf, "LAYOUT", b->layout, sizeof(b->layout)) ||
	    (number && vz_parse_u64(number, CHAIN_MAX, &n)))
		return -EBADMSG;
	b->number = n;
	take_word(conf, "ID", b->id, sizeof(b->id));
	take_word(conf, "SINCE", b->since, sizeof(b->since));
	if (take_word(conf, "BASE", b->base, sizeof(b->base)) &&
	    !vz_digest_valid(b->base))
		return -EBADMSG;
	if (b->number && (!*b->since || !*b->id))
		return -EBADMSG;
	r = take_copy(conf, "SINCE_FILE", &b->since_file);
	return r ? r : take_copy(conf, "TEMPLATE", &b->template);
}

static int read_about(const struct vz_ctx *ctx, const char *text,
		      struct vz_backup_file *b, struct vz_err *err)
{
	vz_autoconf struct vz_conf *conf = NULL;
	const char *version;
	uint64_t v;
	int r = vz_conf_parse(ctx, VZ_BACKUP_ABOUT, text, strlen(text), &conf, err);

	if (r)
		return r;
	version = vz_conf_get(conf, "VERSION");
	if (!version || vz_parse_u64(version, UINT32_MAX, &v) || v > VZ_BACKUP_VERSION)
		return vz_err_set(err, VZ_E_BADTEMPLATE, 0,
				  "%s is a backup of version %s: this vz knows up to %d",
				  b->path, version ? version : "none", VZ_BACKUP_VERSION);
	r = take_about(conf, b);
	return r ? vz_err_set(err, r == -ENOMEM ? VZ_E_RESOURCES : VZ_E_BADTEMPLATE, 0,
			      "%s is no backup of a VE", b->path)
		 : 0;
}

static int read_texts(const struct vz_ctx *ctx, int fd, struct vz_backup_file *b,
		      struct vz_err *err)
{
	static const char *const names[] = { VZ_BACKUP_ABOUT, VZ_BACKUP_CONF,
					     VZ_BACKUP_QUOTA };
	char *text[VZ_ARRAY_SIZE(names)] = { 0 };
	vz_autofree char *about = NULL;
	int r = vz_untar_peek(fd, names, VZ_ARRAY_SIZE(names), text, err);

	if (r)
		return r;
	about = text[0];
	b->conf = text[1];
	b->quota = text[2];
	return about && b->conf ? read_about(ctx, about, b, err)
				: vz_err_set(err, VZ_E_BADTEMPLATE, 0,
					     "%s is no backup of a VE", b->path);
}

int vz_backup_open(const struct vz_ctx *ctx, const char *path, bool all,
		   struct vz_backup_file *ret, struct vz_err *err)
{
	vz_autobackup struct vz_backup_file b = { .path = strdup(path) };
	vz_autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct trailer tr;
	off_t at;
	int r;

	if (fd < 0 || !b.path)
		return vz_err_set(err, VZ_E_SYSTEM, errno, "can't read %s", path);
	r = all ? check_sum(fd, path, err) : read_trailer(fd, path, &tr, &at, err);
	if (!r)
		r = read_texts(ctx, fd, &b, err);
	if (r)
		return r;
	*ret = b;
	b = (struct vz_backup_file){ 0 };
	return 0;
}

void vz_backup_close(struct vz_backup_file *b)
{
	free(b->path);
	free(b->conf);
	free(b->quota);
	free(b->since_file);
	free(b->template);
	*b = (struct vz_backup_file){ 0 };
}

/* 0, or -EBADMSG. */
static int load_index(int fd, off_t end, struct vz_findex *ret)
{
	unsigned char sum[SHA256_DIGEST_SIZE];
	vz_autofree char *data = NULL;
	struct index_end e;
	uint64_t len;

	end -= sizeof(e);
	if (end < 0 || pread(fd, &e, sizeof(e), end) != sizeof(e) ||
	    strncmp(e.tag, INDEX_TAG, sizeof(e.tag)))
		return -EBADMSG;
	len = le64toh(e.len);
	if (len > (uint64_t)end || len > UINT32_MAX)
		return -EBADMSG;
	data = malloc(len + 1);
	if (!data)
		return -ENOMEM;
	for (uint64_t at = 0; at < len;) {
		ssize_t n = pread(fd, data + at, len - at, end - len + at);

		if (n <= 0)
			return n ? -errno : -EBADMSG;
		at += n;
	}
	sum_of(data, len, sum);
	return memcmp(sum, e.sum, sizeof(sum)) ? -EBADMSG
					       : vz_findex_unpack(data, len, ret);
}

int vz_backup_read_index(const char *path, struct vz_findex *ret, struct vz_err *err)
{
	vz_autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct trailer tr;
	off_t at;
	int r;

	if (fd < 0)
		return vz_err_set(err, VZ_E_SYSTEM, errno, "can't read %s", path);
	r = read_trailer(fd, path, &tr, &at, err);
	if (r)
		return r;
	r = load_index(fd, at, ret);
	return r ? vz_err_set(err, r == -EBADMSG ? VZ_E_BADTEMPLATE : VZ_E_SYSTEM,
			      r == -EBADMSG ? 0 : -r, "%s has no index, or a damaged one",
			      path)
		 : 0;
}

/* --- a chain --- */

char *vz_backup_before(const struct vz_backup_file *b)
{
	const char *slash = strrchr(b->path, '/');
	const char *name = b->since_file ? strrchr(b->since_file, '/') : NULL;
	char *beside;

	if (!b->since_file)
		return NULL;
	name = name ? name + 1 : b->since_file;
	beside = vz_strf("%.*s%s", slash ? (int)(slash + 1 - b->path) : 0, b->path, name);
	if (beside && !access(beside, F_OK))
		return beside;
	free(beside);
	return access(b->since_file, F_OK) ? NULL : strdup(b->since_file);
}

static int open_before(const struct vz_ctx *ctx, const struct vz_backup_file *b,
		       struct vz_backup_file *ret, struct vz_err *err)
{
	vz_autofree char *path = vz_backup_before(b);
	vz_autobackup struct vz_backup_file before = { 0 };
	int r;

	if (!path)
		return vz_err_set(
			err, VZ_E_BADTEMPLATE, ENOENT,
			"%s has only what changed since the backup {%s}, %s, which is "
			"neither there nor beside it",
			b->path, b->since, b->since_file ?: "a file of unknown name");
	r = vz_backup_open(ctx, path, true, &before, err);
	if (r)
		return r;
	if (strcmp(before.id, b->since) || before.number + 1 != b->number)
		return vz_err_set(err, VZ_E_BADTEMPLATE, 0,
				  "%s is not the backup {%s} that %s goes on from", path,
				  b->since, b->path);
	*ret = before;
	before = (struct vz_backup_file){ 0 };
	return 0;
}

int vz_backup_open_chain(const struct vz_ctx *ctx, const char *path,
			 struct vz_backup_chain *ret, struct vz_err *err)
{
	vz_autobackupchain struct vz_backup_chain c = { 0 };
	struct vz_backup_file last = { 0 };
	int r = vz_backup_open(ctx, path, true, &last, err);

	if (r)
		return r;
	c.n = last.number + 1;
	c.v = calloc(c.n, sizeof(*c.v));
	if (!c.v) {
		c.n = 0;
		vz_backup_close(&last);
		return vz_err_set(err, VZ_E_RESOURCES, ENOMEM, "can't read %s", path);
	}
	c.v[c.n - 1] = last;
	for (size_t i = c.n - 1; !r && i > 0; i--)
		r = open_before(ctx, &c.v[i], &c.v[i - 1], err);
	if (r)
		return r;
	*ret = c;
	c = (struct vz_backup_chain){ 0 };
	return 0;
}

void vz_backup_close_chain(struct vz_backup_chain *c)
{
	for (size_t i = 0; i < c->n; i++)
		vz_backup_close(&c->v[i]);
	free(c->v);
	*c = (struct vz_backup_chain){ 0 };
}
