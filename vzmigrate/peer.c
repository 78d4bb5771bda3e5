/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vzmigrate/peer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/num.h"
#include "base/run.h"
#include "vzmigrate/child.h"

/* A person may have to type a pass phrase. */
#define GREET_MS 300000
#define END_MS 5000
/* The kernel's room for a socket's path, less what ssh puts behind it meanwhile. */
#define SOCKET_MAX (108 - 20)

/* Directories of a vzmigrate that was killed go with the next one. */
static void sweep(const char *base)
{
	vz_autodir DIR *d = opendir(base);
	struct dirent *e;
	uint64_t pid;

	while (d && (e = readdir(d)))
		if (!strncmp(e->d_name, "migrate-", 8) &&
		    !vz_parse_u64(e->d_name + 8, INT32_MAX, &pid) && pid &&
		    kill(pid, 0) && errno == ESRCH)
			vz_remove_tree(dirfd(d), e->d_name);
}

static int make_dir(struct peer *p, struct vz_err *err)
{
	const char *base = p->ctx->rundir;
	int r;

	if (strlen(base) + sizeof("/migrate-1234567890/s") > SOCKET_MAX)
		base = "/run";
	r = vz_mkdir_p(base, 0755);
	if (!r)
		sweep(base);
	snprintf(p->dir, sizeof(p->dir), "%s/migrate-%d", base, getpid());
	if (!r)
		r = vz_remove_tree(AT_FDCWD, p->dir);
	if (!r && mkdir(p->dir, 0700))
		r = -errno;
	if (!r)
		return 0;
	mig_fail(err, MIG_E_SYSTEM, -r, "can't make %s", p->dir);
	p->dir[0] = 0;
	return r;
}

/* The first of an option counts in ssh: what the administrator says. */
static int ssh_words(const struct peer *p, const char *opts, struct vz_strv *words)
{
	vz_autofree char *path = vz_strf("ControlPath=%s/s", p->dir);
	const char *const ours[] = { "-T", "-o", "ControlMaster=yes", "-o", path, "-o",
				     "ControlPersist=no", "-o", "ServerAliveInterval=15",
				     "-o", "ServerAliveCountMax=4", "-o",
				     "ConnectTimeout=30", "--", p->dest,
				     /* A word that any shell takes as it is. */
				     "env PATH=" VZ_RUN_PATH " vzmigrate --serve" };
	int r = path ? vz_strv_add(words, "ssh") : -ENOMEM;

	if (!r && opts)
		r = vz_strv_split(words, opts, " \t\n");
	for (size_t i = 0; i < VZ_ARRAY_SIZE(ours) && !r; i++)
		r = vz_strv_add(words, ours[i]);
	return r;
}

static int start_ssh(struct peer *p, const char *opts, struct vz_err *err)
{
	vz_autostrv struct vz_strv words = { 0 };
	int to[2] = { -1, -1 }, from[2] = { -1, -1 };
	int r = ssh_words(p, opts, &words);

	if (!r && (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC)))
		r = -errno;
	if (!r) {
		struct child ssh = { .argv = (const char *const *)words.v,
				     .fd = { to[0], from[1], -1 },
				     .deaf = true };

		r = child_start(&ssh, &p->ssh);
	}
	if (to[0] >= 0)
		close(to[0]);
	if (from[1] >= 0)
		close(from[1]);
	p->wire.out = to[1];
	p->wire.in = from[0];
	return r ? mig_fail(err, MIG_E_CONNECT, -r, "can't run ssh") : 0;
}

static int lost(const struct peer *p, struct vz_err *err)
{
	mig_fail(err, MIG_E_CONNECT, 0, "the connection to %s was lost", p->dest);
	return -EPIPE;
}

/* What it refused: its words, under its status if that is one. */
static int refused(const struct peer *p, const json_t *answer, struct vz_err *err)
{
	const char *text;
	uint64_t code;

	if (wire_num(answer, "code", MIG_E__END - 1, &code, err) ||
	    wire_text(answer, "error", sizeof(err->text) - 300, &text, err))
		return -EBADMSG;
	mig_fail(err, code ? (int)code : MIG_E_SYSTEM, 0, "%s: %s", p->dest, text);
	return -EREMOTEIO;
}

static bool is_event(const struct peer *p, const json_t *msg)
{
	const char *text;

	if (!json_object_get(msg, "event"))
		return false;
	if (!wire_text(msg, "text", 1000, &text, NULL))
		vz_warn(p->ctx, "%s: %s", p->dest, text);
	return true;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

int peer_answer(struct peer *p, int timeout_ms, json_t **ret, struct vz_err *err)
{
	int64_t end = now_ms() + timeout_ms;

	/* What it says on the way does not give it more time. */
	for (;;) {
		autojson json_t *msg = NULL;
		int64_t left = end - now_ms();
		int r = wire_recv(&p->wire, left > 0 ? (int)left : 0, &msg, err);
		bool ok;

		if (r)
			return r == -EPIPE ? lost(p, err) : r;
		if (is_event(p, msg))
			continue;
		r = wire_flag(msg, "ok", &ok, err);
		if (!r && !ok)
			r = refused(p, msg, err);
		if (!r && ret)
			*ret = vz_take(msg);
		return r;
	}
}

int peer_call(struct peer *p, json_t *ask, int timeout_ms, json_t **ret,
	      struct vz_err *err)
{
	int r = wire_send(&p->wire, ask, err);

	if (r)
		return r == -EPIPE ? lost(p, err) : r;
	return peer_answer(p, timeout_ms, ret, err);
}

int peer_ping(struct peer *p, struct vz_err *err)
{
	return peer_call(p, json_pack("{s:s}", "op", "ping"), PEER_SHORT_MS, NULL, err);
}

static int greet(struct peer *p, struct vz_err *err)
{
	autojson json_t *msg = NULL;
	const char *node;
	uint64_t version;
	bool ready;
	int r = peer_call(p,
			  json_pack("{s:s, s:i, s:s}", "op", "hello", "version",
				    WIRE_VERSION, "suite", VZ_VERSION),
			  GREET_MS, &msg, err);

	if (r == -EPIPE)
		mig_fail(err, MIG_E_CONNECT, 0,
			 "can't connect to %s, or vzmigrate is not there", p->dest);
	if (r)
		return r;
	r = wire_num(msg, "version", UINT32_MAX, &version, err);
	if (!r && version != WIRE_VERSION)
		return mig_fail(err, MIG_E_VERSION, 0,
				"%s speaks version %u of migration, this node %d: "
				"install the same vz on both",
				p->dest, (unsigned int)version, WIRE_VERSION);
	if (!r)
		r = wire_text(msg, "node", sizeof(p->node) - 1, &node, err);
	if (!r)
		r = wire_flag(msg, "ready", &ready, err);
	if (r)
		return r;
	strcpy(p->node, node);
	return ready ? 0
		     : mig_fail(err, MIG_E_NOSUITE, 0,
				"%s: VIRTUOZZO is not yes in its vz.conf: no VEs run "
				"there",
				p->dest);
}

int peer_open(const struct vz_ctx *ctx, const char *dest, const char *ssh_opts,
	      struct peer *ret, struct vz_err *err)
{
	autopeer struct peer p = PEER_NONE;
	int r;

	p.ctx = ctx;
	p.dest = strdup(dest);
	if (!p.dest)
		return mig_fail(err, MIG_E_SYSTEM, ENOMEM, "can't connect");
	r = make_dir(&p, err);
	if (!r)
		r = start_ssh(&p, ssh_opts, err);
	if (!r)
		r = greet(&p, err);
	if (r)
		return r;
	*ret = p;
	p = PEER_NONE;
	return 0;
}

void peer_close(struct peer *p)
{
	wire_done(&p->wire);
	if (p->ssh >= 0) {
		/* Its standard input has ended: it ends, or is made to. */
		vz_run_wait(p->ssh, END_MS);
		close(p->ssh);
	}
	if (p->dir[0])
		vz_remove_tree(AT_FDCWD, p->dir);
	free(p->dest);
	*p = PEER_NONE;
}
