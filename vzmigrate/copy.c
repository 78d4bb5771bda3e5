/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vzmigrate/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/run.h"
#include "vzmigrate/box.h"
#include "vzmigrate/child.h"

/* The kernel's clock of files is a tick behind, and clocks are set a little. */
#define MARGIN_S 2
/* rsync's words for files that a live VE has removed, or can't be read. */
enum { RSYNC_PARTIAL = 23, RSYNC_VANISHED = 24 };

int copy_settle(const char *private, struct timespec *ret, struct vz_err *err)
{
	vz_autofd int fd = open(private, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	clock_gettime(CLOCK_REALTIME, ret);
	ret->tv_sec -= MARGIN_S;
	return fd < 0 || syncfs(fd)
		       ? mig_fail(err, MIG_E_COPY, errno, "can't sync %s", private)
		       : 0;
}

/* --- rsync, and what it says --- */

struct rsync {
	const struct copy *c;
	int pidfd, out, err; /* -1: at its end */
	char line[512], complaint[512];
	size_t line_len, complaint_len;
};

/* "  1,234,567  45%   12.30MB/s    0:00:10 (…": bytes so far, and how fast. */
static void heed_progress(const struct rsync *rs)
{
	uint64_t bytes = 0;
	char rate[24];
	const char *s = rs->line;

	while (*s == ' ')
		s++;
	for (; (*s >= '0' && *s <= '9') || *s == ','; s++)
		if (*s != ',')
			bytes = bytes * 10 + (*s - '0');
	if (sscanf(s, " %*d%% %23s", rate) == 1 && rs->c->progress)
		rs->c->progress(rs->c->progress_data, bytes, rate);
}

static void heed_output(struct rsync *rs, const char *buf, ssize_t n)
{
	for (ssize_t i = 0; i < n; i++) {
		if (buf[i] == '\r' || buf[i] == '\n') {
			rs->line[rs->line_len] = 0;
			heed_progress(rs);
			rs->line_len = 0;
		} else if (rs->line_len < sizeof(rs->line) - 1) {
			rs->line[rs->line_len++] = buf[i];
		}
	}
}

/* The beginning of what it complains about is the cause; its last line a summary. */
static void heed_complaint(struct rsync *rs, const char *buf, ssize_t n)
{
	for (ssize_t i = 0; i < n && rs->complaint_len < sizeof(rs->complaint) - 1; i++)
		rs->complaint[rs->complaint_len++] = buf[i] < ' ' ? ' ' : buf[i];
	rs->complaint[rs->complaint_len] = 0;
}

static void drain(struct rsync *rs, int *fd)
{
	char buf[4096];
	ssize_t n = read(*fd, buf, sizeof(buf));

	if (n <= 0) {
		close(*fd);
		*fd = -1;
	} else if (fd == &rs->out) {
		heed_output(rs, buf, n);
	} else {
		heed_complaint(rs, buf, n);
	}
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* Until both its outputs are at their end. The other node hears from us meanwhile. */
static int follow(struct rsync *rs, struct vz_err *err)
{
	int64_t last = now_ms();

	while (rs->out >= 0 || rs->err >= 0) {
		struct pollfd p[2] = { { .fd = rs->out, .events = POLLIN },
				       { .fd = rs->err, .events = POLLIN } };
		int n = poll(p, 2, PEER_PING_MS);

		if (n < 0 && errno != EINTR)
			return mig_fail(err, MIG_E_SYSTEM, errno, "can't follow rsync");
		if (now_ms() - last >= PEER_PING_MS) {
			if (peer_ping(rs->c->peer, err))
				return -EPIPE;
			last = now_ms();
		}
		if (n > 0 && p[0].revents)
			drain(rs, &rs->out);
		if (n > 0 && p[1].revents)
			drain(rs, &rs->err);
	}
	return 0;
}

static int rsync_words(const struct copy *c, const char *const *extra,
		       struct vz_strv *words)
{
	static const char *const ours[] = {
		"-aHAXS",	    "--numeric-ids",	  "--secluded-args",
		"--info=progress2", "--no-inc-recursive", "-e"
	};
	/* Through the connection there is, or not at all. */
	const char *rsh = c->channel ? BOX_RSH
				     : "ssh -F none -S " BOX_SSH
				       "/s -o BatchMode=yes -o ProxyCommand=false";
	vz_autofree char *to = vz_strf("node:%s/", c->to);
	int r = to ? vz_strv_add(words, "rsync") : -ENOMEM;

	for (size_t i = 0; i < VZ_ARRAY_SIZE(ours) && !r; i++)
		r = vz_strv_add(words, ours[i]);
	if (!r)
		r = vz_strv_add(words, rsh);
	if (!r && c->rsync_opts)
		r = vz_strv_split(words, c->rsync_opts, " \t\n");
	for (; *extra && !r; extra++)
		r = vz_strv_add(words, *extra);
	if (!r)
		r = vz_strv_add(words, BOX_VE "/");
	return r ? r : vz_strv_add(words, to);
}

static int start(struct rsync *rs, const struct vz_strv *words, struct vz_err *err)
{
	const struct copy *c = rs->c;
	vz_autofree char *rsh = vz_strf("%s/vz-rsh", c->peer->ctx->libexecdir);
	struct box box = { .private = c->private,
			   .dir = c->peer->dir,
			   .rsh = c->channel ? rsh : NULL };
	vz_autofd int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int out[2] = { -1, -1 }, errs[2] = { -1, -1 }, r = 0;

	if (null < 0 || pipe2(out, O_CLOEXEC) || pipe2(errs, O_CLOEXEC))
		r = -errno;
	if (!r) {
		struct child how = { .argv = (const char *const *)words->v,
				     .fd = { null, out[1], errs[1] },
				     .session = c->channel ? c->channel->fd : 0,
				     .enter = box_enter,
				     .data = &box };

		r = child_start(&how, &rs->pidfd);
	}
	if (out[1] >= 0)
		close(out[1]);
	if (errs[1] >= 0)
		close(errs[1]);
	rs->out = out[0];
	rs->err = errs[0];
	return r ? mig_fail(err, MIG_E_COPY, -r, "can't run rsync") : 0;
}

/* rsync's exit status, or -errno with the error set. */
static int run(const struct copy *c, const char *const *extra, char complaint[512],
	       struct vz_err *err)
{
	vz_autostrv struct vz_strv words = { 0 };
	struct rsync rs = { .c = c, .pidfd = -1, .out = -1, .err = -1 };
	int r = rsync_words(c, extra, &words);

	r = r ? mig_fail(err, MIG_E_SYSTEM, ENOMEM, "can't run rsync")
	      : start(&rs, &words, err);
	if (!r)
		r = follow(&rs, err);
	if (rs.out >= 0)
		close(rs.out);
	if (rs.err >= 0)
		close(rs.err);
	if (rs.pidfd >= 0) {
		if (r)
			child_kill(rs.pidfd);
		else
			r = vz_run_wait(rs.pidfd, 0);
		close(rs.pidfd);
	}
	memcpy(complaint, rs.complaint, sizeof(rs.complaint));
	return r;
}

static int judge(const struct copy *c, int status, bool live, const char *complaint,
		 struct vz_err *err)
{
	if (status < 0)
		return status;
	if (!status || (live && status == RSYNC_VANISHED))
		return 0;
	if (live && status == RSYNC_PARTIAL)
		return 1;
	/* Whether it was the connection the next word to the other node will tell. */
	return mig_fail(err, MIG_E_COPY, 0,
			"copying the files to %s failed (rsync: %s %d%s%s)",
			c->peer->dest, status < 256 ? "exit status" : "signal",
			status & 255, *complaint ? ": " : "", complaint);
}

int copy_pass(const struct copy *c, bool live, struct vz_err *err)
{
	static const char *const extra[] = { "--delete", NULL };
	char complaint[512];
	int r = run(c, extra, complaint, err);

	return judge(c, r, live, complaint, err);
}

/* --- files that changed --- */

/* In place: each may be one of several names of a file. */
#define LISTED                                                                           \
	"--files-from=" BOX_SSH "/changed", "--from0", "--ignore-times", "--inplace",    \
		"--no-whole-file"

static FILE *open_list(const struct copy *c)
{
	vz_autofree char *path = vz_strf("%s/changed", c->peer->dir);

	return path ? fopen(path, "we") : NULL;
}

/* r: of who wrote it. */
static int close_list(FILE *out, int r, struct vz_err *err)
{
	if (!out || (fclose(out) && !r))
		r = -errno;
	return r ? mig_fail(err, MIG_E_COPY, -r, "can't list the files that changed") : 0;
}

int copy_changed(const struct copy *c, const struct timespec *since, bool live,
		 struct vz_err *err)
{
	static const char *const extra[] = { LISTED, NULL };
	FILE *out = open_list(c);
	char complaint[512];
	size_t n = 0;
	int r = out ? tree_changed_since(c->private, since, live, out, &n) : 0;

	r = close_list(out, r, err);
	if (r || !n)
		return r;
	r = run(c, extra, complaint, err);
	return judge(c, r, live, complaint, err);
}

int copy_rest(const struct copy *c, struct tree *then, const struct timespec *since,
	      size_t *ret_n, struct vz_err *err)
{
	/* What is listed and not there is to be there no more, whatever is in it. */
	static const char *const extra[] = { LISTED, "--delete-missing-args",
					     "--no-implied-dirs", "--force", NULL };
	FILE *out = open_list(c);
	char complaint[512];
	int r = out ? tree_changes(then, c->private, since, out, ret_n) : 0;

	r = close_list(out, r, err);
	if (r || !*ret_n)
		return r;
	r = run(c, extra, complaint, err);
	return judge(c, r, false, complaint, err);
}

int copy_measure(const char *private, struct copy_size *ret, struct vz_err *err)
{
	FTS *fts = tree_walk(private);
	struct copy_size size = { 0 };
	FTSENT *e;

	if (!fts)
		return mig_fail(err, MIG_E_COPY, errno, "can't read %s", private);
	while ((e = fts_read(fts))) {
		bool again = e->fts_info == FTS_DP || e->fts_info == FTS_NS ||
			     e->fts_info == FTS_DNR || e->fts_info == FTS_ERR;

		if (again)
			continue;
		size.inodes++;
		/* Of one that was removed as it was looked at there is no link left. */
		size.bytes +=
			e->fts_statp->st_blocks * 512ull / (e->fts_statp->st_nlink ?: 1);
	}
	fts_close(fts);
	*ret = size;
	return 0;
}
