/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vzquota: disk quotas of VEs, in the words of OpenVZ's tool of this name. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/num.h"
#include "tool/qtime.h"
#include "tool/stdio.h"
#include "ve/diskquota.h"
#include "ve/mount.h"
#include "ve/quotafile.h"
#include "ve/state.h"
#include "vzctl/vzquota.h"

static const char help[] =
	"Usage: vzquota [-q] [-v] [-b] COMMAND VEID [OPTIONS]\n"
	"\n"
	"Show and set the disk quotas of a VE, and of its users and groups.\n"
	"\n"
	"  stat VEID [-t]       what the kernel counts and keeps; -t: users and groups "
	"too\n"
	"  show VEID [-t]       the same, also while no quota is kept\n"
	"  setlimit VEID [-b KB] [-B KB] [-i N] [-I N] [-e TIME] [-u N]\n"
	"                       limits of the VE, in its configuration and at once\n"
	"  setlimit2 VEID -u UID|-g GID BSOFT BHARD ISOFT IHARD\n"
	"                       limits of a user or group of the VE\n"
	"  setlimit2 VEID -t [-u|-g] BTIME ITIME\n"
	"                       grace times of users or groups, of the whole file "
	"system\n"
	"  on VEID [limits]     keep the limits\n"
	"  off VEID             do not keep them until the next mount\n"
	"  init VEID -b KB -B KB -e TIME -i N -I N -n TIME [-s 0|1]\n"
	"                       count a stopped VE's files anew, and keep limits\n"
	"  drop VEID            take all limits off a VE whose quota is off\n"
	"  dump VEID            limits of users and groups, as text\n"
	"  load VEID            make what dump printed be the limits; standard input\n"
	"\n"
	"  -b                   numbers only, for scripts\n"
	"  -h, -V               this; the version\n";

/* -- what the commands share -- */

static bool has_limits(const struct vz_quota *v)
{
	return v->space_soft || v->space_hard || v->inode_soft || v->inode_hard;
}

/* Whether limits are kept: those in the kernel, or none where there are none. */
static bool is_on(struct vzquota *q, struct vz_quota *ret)
{
	const char *private = vz_ve_private(&q->ve, NULL);
	struct vz_quota want;

	*ret = (struct vz_quota){ 0 };
	if (!private || vz_diskquota_read(q->ctx, q->ve.id, private, ret))
		return false;
	vz_diskquota_limits(q->ve.cfg, &want);
	return has_limits(ret) || !has_limits(&want);
}

static int fail(struct vzquota *q, enum vzquota_exit status, const char *text)
{
	q->status = status;
	return vz_err_set(q->err, VZ_E_DQ_USAGE, 0, "%s", text);
}

static int no_words(struct vzquota *q)
{
	return q->words.n ? fail(q, QUOTA_E_USAGE, "too many arguments") : 0;
}

static int open_users(struct vzquota *q, struct vz_ugid *ret)
{
	int r = vz_ugid_open(&q->ve, ret, q->err);

	if (r)
		q->status = QUOTA_E_UGID;
	return r;
}

static bool in_use(const struct vzquota *q)
{
	return vz_state_running(q->ctx, q->ve.id) == 1 || vz_ve_mounted(&q->ve) == 1;
}

static int turn_on(struct vzquota *q)
{
	int r = vz_diskquota_on(&q->ve, q->err);

	if (!r)
		vz_quotafile_put(&q->ve);
	return r;
}

/* -- the commands -- */

enum { SHOW_USERS, SHOW_FORCE, SHOW_FILE };
static const struct vz_opt show_opts[] = {
	[SHOW_USERS] = { "user-group", 't', NULL, "users and groups, too" },
	[SHOW_FORCE] = { "force", 'f', NULL, "taken, and means nothing here" },
	[SHOW_FILE] = { "quota-file", 'c', "FILE", "the same" },
	{ 0 },
};

static int print_users(struct vzquota *q)
{
	vz_autougid struct vz_ugid u = VZ_UGID_NONE;
	int r = open_users(q, &u);

	if (!r)
		r = vzquota_print_users(q, &u);
	if (r)
		return r;
	/* Says something, and is no error. */
	if (!vz_cfg_u64(q->ve.cfg, VZ_P_QUOTAUGIDLIMIT))
		q->status = QUOTA_E_UGID;
	return 0;
}

static int run_stat(struct vzquota *q)
{
	struct vz_quota v;
	int r = no_words(q);

	if (r)
		return r;
	if (!is_on(q, &v))
		return fail(q, QUOTA_E_NOTRUNNING,
			    "no quota is kept for this VE, try vzquota show");
	vz_quotafile_put(&q->ve);
	vzquota_print(q, &v);
	return q->value[SHOW_USERS] ? print_users(q) : 0;
}

static uint64_t configured(uint64_t limit)
{
	return limit < VZ_UNLIMITED ? limit : 0;
}

/* Usage as far as it is counted; limits as the configuration has them. */
static int run_show(struct vzquota *q)
{
	struct vz_limit space = vz_cfg_limit(q->ve.cfg, VZ_P_DISKSPACE);
	struct vz_limit inodes = vz_cfg_limit(q->ve.cfg, VZ_P_DISKINODES);
	struct vz_quota v;
	int r = no_words(q);

	if (r)
		return r;
	is_on(q, &v);
	v.space_soft = configured(space.barrier);
	v.space_hard = configured(space.limit);
	v.inode_soft = configured(inodes.barrier);
	v.inode_hard = configured(inodes.limit);
	vzquota_print(q, &v);
	return q->value[SHOW_USERS] ? print_users(q) : 0;
}

enum { SET_FORCE = OPT_LIMITS__COUNT, SET_SUB, SET_PATH, SET_RELATIVE, SET_FILE };
static const struct vz_opt limit_opts[] = {
	VZQUOTA_LIMIT_OPTS,
	[SET_FORCE] = { "force", 'f', NULL, "taken, and means nothing here" },
	[SET_SUB] = { "sub-quotas", 's', "0|1", "0: no quotas of users and groups" },
	[SET_PATH] = { "path", 'p', "DIR", "must be VE_PRIVATE" },
	[SET_RELATIVE] = { "relative", 'R', NULL, "taken, and means nothing here" },
	[SET_FILE] = { "quota-file", 'c', "FILE", "the same" },
	{ 0 },
};

/* -s 0 is -u 0; -s 1 leaves -u as it is. -p is checked only: a VE has one area. */
static int check_limit_opts(struct vzquota *q)
{
	const char *path = q->value[SET_PATH], *sub = q->value[SET_SUB];
	const char *private = vz_ve_private(&q->ve, q->err);
	struct stat here, there;

	if (!private)
		return -EINVAL;
	if (sub && strcmp(sub, "0") && strcmp(sub, "1"))
		return fail(q, QUOTA_E_USAGE, "-s: expected 0 or 1");
	if (sub && *sub == '0')
		q->value[OPT_UGIDS] = "0";
	if (path && (stat(path, &here) || stat(private, &there) ||
		     here.st_ino != there.st_ino || here.st_dev != there.st_dev))
		return fail(q, QUOTA_E_USAGE, "-p: that is not the VE's private area");
	return no_words(q);
}

static int run_setlimit(struct vzquota *q)
{
	bool changed;
	int r = check_limit_opts(q);

	if (!r)
		r = vzquota_save_limits(q, false, &changed);
	if (r)
		return r;
	if (!changed)
		return fail(q, QUOTA_E_USAGE, "nothing to set");
	return in_use(q) ? turn_on(q) : 0;
}

static int run_on(struct vzquota *q)
{
	struct vz_quota v;
	bool changed;
	int r = check_limit_opts(q);

	if (r)
		return r;
	if (is_on(q, &v))
		return fail(q, QUOTA_E_RUNNING, "the quota is on already");
	r = vzquota_save_limits(q, false, &changed);
	return r ? r : turn_on(q);
}

static int run_off(struct vzquota *q)
{
	struct vz_quota v;
	int r = no_words(q);

	if (r)
		return r;
	if (!is_on(q, &v))
		return fail(q, QUOTA_E_NOTRUNNING, "the quota is off already");
	vz_quotafile_drop(q->ctx, q->ve.id);
	return vz_diskquota_off(&q->ve, q->err);
}

static int run_init(struct vzquota *q)
{
	bool changed;
	int r = check_limit_opts(q);

	if (r)
		return r;
	if (in_use(q))
		return fail(q, QUOTA_E_RUNNING, "the VE is mounted: umount it first");
	r = vzquota_save_limits(q, true, &changed);
	return r ? r : vz_diskquota_init(&q->ve, q->err);
}

static int run_drop(struct vzquota *q)
{
	struct vz_quota v;
	int r = no_words(q);

	if (r)
		return r;
	if (is_on(q, &v) && !q->value[SHOW_FORCE])
		return fail(q, QUOTA_E_RUNNING,
			    "the quota is on: vzquota off first, or -f");
	return vz_diskquota_off(&q->ve, q->err);
}

enum { UG_USER, UG_GROUP, UG_TIMES };
static const struct vz_opt ugid_opts[] = {
	[UG_USER] = { "user", 'u', NULL, "of a user" },
	[UG_GROUP] = { "group", 'g', NULL, "of a group" },
	[UG_TIMES] = { "times", 't', NULL, "grace times" },
	{ 0 },
};

static int set_times(struct vzquota *q, const struct vz_ugid *u)
{
	uint64_t space, inode;
	int r = 0;

	if (q->words.n != 2 || vz_qtime_parse(q->words.v[0], &space) ||
	    vz_qtime_parse(q->words.v[1], &inode))
		return fail(q, QUOTA_E_USAGE, "expected two times, of blocks and inodes");
	if (!q->value[UG_GROUP])
		r = vz_quota_set_grace(&u->fs, VZ_QUOTA_USER, space, inode);
	if (!r && (q->value[UG_GROUP] || !q->value[UG_USER]))
		r = vz_quota_set_grace(&u->fs, VZ_QUOTA_GROUP, space, inode);
	return r ? vz_err_set(q->err, VZ_E_DQ_USER, -r, "can't set the grace times") : 0;
}

static int run_setlimit2(struct vzquota *q)
{
	vz_autougid struct vz_ugid u = VZ_UGID_NONE;
	enum vz_quota_type type = q->value[UG_GROUP] ? VZ_QUOTA_GROUP : VZ_QUOTA_USER;
	struct vz_quota v = { 0 };
	uint64_t *const to[] = { &v.space_soft, &v.space_hard, &v.inode_soft,
				 &v.inode_hard };
	uint64_t id;
	int r = open_users(q, &u);

	if (r)
		return r;
	if (q->value[UG_TIMES])
		return set_times(q, &u);
	if (!q->value[UG_USER] == !q->value[UG_GROUP] || q->words.n != 5 ||
	    vz_parse_u64(q->words.v[0], VZ_ID_RANGE - 1, &id))
		return fail(q, QUOTA_E_USAGE,
			    "expected -u UID or -g GID (0 to 65535) and four limits");
	for (size_t i = 0; i < VZ_ARRAY_SIZE(to); i++)
		if (vz_parse_u64(q->words.v[i + 1], VZ_UNLIMITED / 1024, to[i]))
			return fail(q, QUOTA_E_USAGE, "a limit is no number");
	r = vz_ugid_set(&u, type, id, &v, VZ_QUOTA_LIMITS);
	return r ? vz_err_set(q->err, VZ_E_DQ_USER, -r, "can't set the limits of id %s",
			      q->words.v[0])
		 : 0;
}

static int run_dump(struct vzquota *q)
{
	vz_autougid struct vz_ugid u = VZ_UGID_NONE;
	vz_autostr struct vz_str text = { 0 };
	int r = no_words(q);

	if (!r)
		r = open_users(q, &u);
	if (r)
		return r;
	r = vz_ugid_export(&u, &text);
	if (r)
		return vz_err_set(q->err, VZ_E_DQ_USAGE, -r, "can't read the limits");
	fputs(text.s, stdout);
	return 0;
}

#define DUMP_MAX (16 << 20)

static int run_load(struct vzquota *q)
{
	vz_autougid struct vz_ugid u = VZ_UGID_NONE;
	vz_autofree char *text = NULL;
	size_t len;
	int r = no_words(q);

	if (!r)
		r = open_users(q, &u);
	if (r)
		return r;
	r = vz_read_fd(STDIN_FILENO, DUMP_MAX, &text, &len);
	if (r)
		return vz_err_set(q->err, VZ_E_SYSTEM, -r, "can't read standard input");
	return vz_ugid_import(&u, text, q->err);
}

static const struct command {
	const char *name;
	const struct vz_opt *opts;
	bool changes; /* under the VE's lock */
	int (*run)(struct vzquota *q);
} commands[] = {
	{ "stat", show_opts, false, run_stat },
	{ "show", show_opts, false, run_show },
	{ "setlimit", limit_opts, true, run_setlimit },
	{ "setlimit2", ugid_opts, true, run_setlimit2 },
	{ "on", limit_opts, true, run_on },
	{ "off", show_opts, true, run_off },
	{ "init", limit_opts, true, run_init },
	{ "drop", show_opts, true, run_drop },
	{ "dump", show_opts, false, run_dump },
	{ "load", show_opts, true, run_load },
};

/* -- main -- */

static int parse(struct vzquota *q, const struct command *c, int argc, char **argv,
		 uint32_t *ret_veid)
{
	struct vz_opt_parse how = { .own = c->opts,
				    .ret_values = q->value,
				    .words = &q->words };
	int r = vz_opt_parse(&how, argc, argv, q->err);

	q->status = QUOTA_E_USAGE;
	if (r)
		return r;
	if (!q->words.n || vz_parse_veid(q->words.v[0], ret_veid) || !*ret_veid)
		return vz_err_set(q->err, VZ_E_SYNTAX, 0,
				  "expected a VEID after %s: see vzquota -h", c->name);
	free(q->words.v[0]);
	q->words.n--;
	memmove(q->words.v, q->words.v + 1, (q->words.n + 1) * sizeof(*q->words.v));
	q->status = QUOTA_OK;
	return 0;
}

static int lock(struct vzquota *q, uint32_t veid, int *ret_fd)
{
	vz_autocfg struct vz_cfg *global = NULL;
	int r = vz_cfg_load_global(q->ctx, &global, q->err);

	if (!r)
		r = vz_ve_lock(q->ctx, global, veid, ret_fd, q->err);
	if (r == -EBUSY)
		q->status = QUOTA_E_LOCKED;
	return r;
}

static int run(struct vzquota *q, const struct command *c, int argc, char **argv)
{
	vz_autofd int lock_fd = -1;
	uint32_t veid;
	int r = parse(q, c, argc, argv, &veid);

	if (r)
		return r;
	if (geteuid()) {
		q->status = QUOTA_E_SYSCALL;
		return vz_err_set(q->err, VZ_E_PERM, 0, "only root may use quotas");
	}
	r = c->changes ? lock(q, veid, &lock_fd) : 0;
	if (r)
		return r;
	r = vz_ve_open(q->ctx, veid, &q->ve, q->err);
	if (r) {
		q->status = q->err->status == VZ_E_NOCONF ? QUOTA_E_NOFILE : QUOTA_E_FILE;
		return r;
	}
	return c->run(q);
}

__attribute__((format(printf, 3, 0))) static void
print_log(void *data, enum vz_log_level level, const char *fmt, va_list ap)
{
	const struct vzquota *q = data;

	if (level > VZ_LOG_WARN || q->quiet)
		return;
	fputs("vzquota: warning: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

/* The words before the command. How many; negative: the exit status is known. */
static int read_globals(struct vzquota *q, int argc, char **argv)
{
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "-b")) {
			q->batch = true;
		} else if (!strcmp(argv[i], "-q")) {
			q->quiet = true;
		} else if (!strcmp(argv[i], "-h") || !strcmp(argv[i], "--help")) {
			fputs(help, stdout);
			return -1;
		} else if (!strcmp(argv[i], "-V") || !strcmp(argv[i], "--version")) {
			puts("vzquota version " VZ_VERSION);
			return -1;
		} else if (strspn(argv[i] + 1, "v") != strlen(argv[i] + 1)) {
			break;
		}
	}
	return i;
}

static int finish(struct vzquota *q, int r)
{
	int status = q->status ? (int)q->status : r ? QUOTA_E_SYSTEM : QUOTA_OK;

	if (r)
		fprintf(stderr, "vzquota: %s\n", q->err->text);
	vz_strv_done(&q->words);
	vz_ve_close(&q->ve);
	return vz_stdio_end("vzquota") ? status : QUOTA_E_SYSTEM;
}

int main(int argc, char **argv)
{
	const char *value[16] = { NULL };
	struct vz_err err = { 0 };
	struct vz_ctx ctx;
	struct vzquota q = { .ctx = &ctx, .value = value, .err = &err };
	int at;

	vz_stdio_begin();
	vz_ctx_init(&ctx);
	ctx.log = print_log;
	ctx.log_data = &q;
	at = read_globals(&q, argc, argv);
	if (at < 0)
		return finish(&q, 0);
	for (size_t i = 0; at < argc && i < VZ_ARRAY_SIZE(commands); i++)
		if (!strcmp(argv[at], commands[i].name))
			return finish(&q, run(&q, &commands[i], argc - at, argv + at));
	q.status = QUOTA_E_USAGE;
	return finish(&q, vz_err_set(&err, VZ_E_SYNTAX, 0,
				     at < argc ? "unknown command '%s': see vzquota -h"
					       : "no command: see vzquota -h",
				     at < argc ? argv[at] : ""));
}
