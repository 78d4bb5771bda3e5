/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The distribution's scripts: which one, and with what. Their text is read on
 * the host and runs inside the VE; nothing of the VE runs, or is a word of a
 * command line, on the host.
 */
#include "ve/dist.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <string.h>

#include "base/fs.h"
#include "base/name.h"
#include "sys/root.h"
#include "ve/exec.h"
#include "ve/says.h"
#include "ve/state.h"

#define SCRIPT_MAX (256 * 1024)
#define PASSWORD_MAX 1000

static const char *const action_keys[] = {
	[VZ_DIST_ADD_IP] = "ADD_IP",
	[VZ_DIST_DEL_IP] = "DEL_IP",
	[VZ_DIST_SET_HOSTNAME] = "SET_HOSTNAME",
	[VZ_DIST_SET_DNS] = "SET_DNS",
	[VZ_DIST_SET_USERPASS] = "SET_USERPASS",
	[VZ_DIST_SET_UGID_QUOTA] = "SET_UGID_QUOTA",
	[VZ_DIST_POST_CREATE] = "POST_CREATE",
	[VZ_DIST_PRE_START] = "PRE_START",
	[VZ_DIST_SET_CONSOLE] = "SET_CONSOLE",
};
_Static_assert(VZ_ARRAY_SIZE(action_keys) == VZ_DIST__COUNT, "a key an action");

/* A name beneath dists/ or dists/scripts/: never a path out of there. */
static bool plain_name(const char *s)
{
	return *s && *s != '.' && !strchr(s, '/');
}

int vz_dist_find(const struct vz_ctx *ctx, const char *ostemplate, char **ret_path,
		 struct vz_err *err)
{
	vz_autofree char *name = strdup(ostemplate ? ostemplate : "");
	char *path, *dash;

	if (!name)
		return vz_err_set(err, VZ_E_SYSTEM, ENOMEM, "distribution");
	while (plain_name(name)) {
		path = vz_strf("%s/dists/%s.conf", ctx->confdir, name);
		if (!path)
			return vz_err_set(err, VZ_E_SYSTEM, ENOMEM, "distribution");
		if (!access(path, F_OK))
			return *ret_path = path, 0;
		free(path);
		dash = strrchr(name, '-');
		if (!dash)
			break;
		*dash = 0;
	}
	path = vz_strf("%s/dists/default.conf", ctx->confdir);
	if (path && !access(path, F_OK))
		return *ret_path = path, 0;
	vz_err_set(err, VZ_E_DISTCONF, errno,
		   "no file for the distribution of '%s' in %s/dists, and no %s",
		   ostemplate ? ostemplate : "", ctx->confdir,
		   path ? path : "default.conf");
	free(path);
	return -ENOENT;
}

/* Load the distribution's file. */
static int open_conf(const struct vz_ctx *ctx, const char *ostemplate,
		     struct vz_conf **ret, struct vz_err *err)
{
	vz_autofree char *path = NULL;
	int r = vz_dist_find(ctx, ostemplate, &path, err);

	if (r)
		return r;
	r = vz_conf_load(ctx, path, ret, err);
	if (r && err)
		err->status = VZ_E_DISTCONF;
	return r;
}

static int add_file(const struct vz_ctx *ctx, const char *name, struct vz_str *b,
		    struct vz_err *err)
{
	vz_autofree char *path = vz_strf("%s/dists/scripts/%s", ctx->confdir, name);
	vz_autofree char *text = NULL;
	int r = path ? vz_read_file(path, SCRIPT_MAX, &text, NULL) : -ENOMEM;

	if (r)
		return vz_err_set(err, VZ_E_DISTSCRIPT, -r, "can't read the script %s",
				  path ? path : name);
	vz_str_add(b, text);
	vz_str_add(b, "\n");
	return 0;
}

/* The functions and the script that conf names for an action; NULL: none. */
static int read_script(const struct vz_ctx *ctx, const struct vz_conf *conf,
		       enum vz_dist_action action, char **ret_text, struct vz_err *err)
{
	const char *name = vz_conf_get(conf, action_keys[action]);
	vz_autostr struct vz_str b = { 0 };
	int r;

	*ret_text = NULL;
	if (!name || !*name)
		return 0;
	if (!plain_name(name))
		return vz_err_set(err, VZ_E_DISTCONF, 0,
				  "%s: %s=\"%s\": expected the name of a file in "
				  "dists/scripts",
				  vz_conf_path(conf), action_keys[action], name);
	r = add_file(ctx, "functions", &b, err);
	if (!r)
		r = add_file(ctx, name, &b, err);
	if (r)
		return r;
	*ret_text = vz_str_steal(&b);
	return *ret_text ? 0 : vz_err_set(err, VZ_E_SYSTEM, ENOMEM, "script %s", name);
}

int vz_dist_script(const struct vz_ctx *ctx, const char *ostemplate,
		   enum vz_dist_action action, char **ret_text, struct vz_err *err)
{
	vz_autoconf struct vz_conf *conf = NULL;
	int r = open_conf(ctx, ostemplate, &conf, err);

	return r ? r : read_script(ctx, conf, action, ret_text, err);
}

static int make_env(uint32_t veid, const char *ve_state, const char *const *vars,
		    struct vz_strv *env)
{
	vz_autofree char *id = vz_strf("VEID=%u", veid);
	vz_autofree char *state = vz_strf("VE_STATE=%s", ve_state);
	int r = id && state ? vz_strv_add(env, id) : -ENOMEM;

	if (!r)
		r = vz_strv_add(env, state);
	for (; !r && vars && *vars; vars++)
		r = vz_strv_add(env, *vars);
	return r;
}

static int run_action(const struct vz_ve *ve, const struct vz_conf *conf,
		      enum vz_dist_action action, const char *ve_state,
		      const char *const *vars, struct vz_err *err)
{
	vz_autofree char *text = NULL;
	vz_autostrv struct vz_strv env = { 0 };
	int r = read_script(ve->ctx, conf, action, &text, err);

	if (r || !text)
		return r;
	if (make_env(ve->id, ve_state, vars, &env))
		return vz_err_set(err, VZ_E_SYSTEM, ENOMEM, "environment of a script");
	r = vz_exec_script(ve->ctx, ve->id, text, (const char *const *)env.v,
			   ve->ctx->script_timeout_ms, err);
	if (r == -ETIMEDOUT)
		vz_err_prefix(err, "the distribution's script %s in VE %u",
			      vz_conf_get(conf, action_keys[action]), ve->id);
	if (r > 0)
		return vz_err_set(err, VZ_E_DISTSCRIPT, 0,
				  "the distribution's script %s failed in VE %u with "
				  "status %d (%s in %s)",
				  vz_conf_get(conf, action_keys[action]), ve->id, r,
				  action_keys[action], vz_conf_path(conf));
	return r;
}

static const char *ostemplate(const struct vz_ve *ve)
{
	return vz_cfg_str(ve->cfg, VZ_P_OSTEMPLATE);
}

int vz_dist_run(const struct vz_ve *ve, enum vz_dist_action action, const char *ve_state,
		const char *const *vars, struct vz_err *err)
{
	vz_autoconf struct vz_conf *conf = NULL;
	int r = open_conf(ve->ctx, ostemplate(ve), &conf, err);

	return r ? r : run_action(ve, conf, action, ve_state, vars, err);
}

static int set_hostname(const struct vz_ve *ve, const struct vz_conf *conf,
			const char *ve_state, const char *name, struct vz_err *err)
{
	const char *bad = vz_bad_hostname(name);
	vz_autofree char *var = vz_strf("HOSTNM=%s", name);
	const char *vars[] = { var, NULL };

	if (bad)
		return vz_err_set(err, VZ_E_HOSTNAME, 0, "bad host name '%s': %s", name,
				  bad);
	if (!var)
		return vz_err_set(err, VZ_E_SYSTEM, ENOMEM, "host name");
	return run_action(ve, conf, VZ_DIST_SET_HOSTNAME, ve_state, vars, err);
}

/* One list: each word checked, `inherit` replaced by the host's words. */
static int expand(const struct vz_strv *words, const struct vz_strv *host,
		  struct vz_strv *ret)
{
	int r = 0;

	for (size_t i = 0; !r && i < words->n; i++) {
		if (strcmp(words->v[i], "inherit"))
			r = vz_strv_add(ret, words->v[i]);
		else
			for (size_t j = 0; !r && j < host->n; j++)
				r = vz_strv_add(ret, host->v[j]);
	}
	return r;
}

static int check_dns(const struct vz_resolv *r, struct vz_err *err)
{
	const char *bad;

	for (size_t i = 0; i < r->servers.n; i++)
		if ((bad = vz_bad_address(r->servers.v[i])))
			return vz_err_set(err, VZ_E_DNS, 0, "bad name server '%s': %s",
					  r->servers.v[i], bad);
	for (size_t i = 0; i < r->domains.n; i++)
		if ((bad = vz_bad_domain(r->domains.v[i])))
			return vz_err_set(err, VZ_E_SEARCHDOMAIN, 0,
					  "bad search domain '%s': %s", r->domains.v[i],
					  bad);
	return 0;
}

int vz_dist_dns(const struct vz_strv *servers, const struct vz_strv *domains,
		const char *const *host_files, struct vz_resolv *ret, struct vz_err *err)
{
	vz_autoresolv struct vz_resolv host = { 0 }, r = { 0 };
	int q = 0;

	if (vz_strv_has(servers, "inherit") || vz_strv_has(domains, "inherit"))
		q = vz_resolv_host(host_files, &host, err);
	if (q)
		return q;
	if (expand(servers, &host.servers, &r.servers) ||
	    expand(domains, &host.domains, &r.domains))
		return vz_err_set(err, VZ_E_SYSTEM, ENOMEM, "name servers");
	q = check_dns(&r, err);
	if (q)
		return q;
	*ret = r;
	r = (struct vz_resolv){ 0 };
	return 0;
}

static int wanted_dns(const struct vz_ve *ve, const struct vz_cfg *cfg,
		      struct vz_resolv *ret, struct vz_err *err)
{
	const struct vz_strv *servers = vz_cfg_list(cfg, VZ_P_NAMESERVER);
	int r = vz_dist_dns(servers, vz_cfg_list(cfg, VZ_P_SEARCHDOMAIN), NULL, ret, err);

	if (!r && servers->n && !ret->servers.n)
		vz_warn(ve->ctx,
			"VE %u: NAMESERVER is inherit, but the host's resolv.conf has no "
			"name server that a VE can reach; nothing set",
			ve->id);
	return r;
}

static int set_dns(const struct vz_ve *ve, const struct vz_conf *conf,
		   const char *ve_state, const struct vz_resolv *want, struct vz_err *err)
{
	vz_autofree char *servers = vz_strv_join(&want->servers, " ");
	vz_autofree char *domains = vz_strv_join(&want->domains, " ");
	vz_autofree char *ns = servers ? vz_strf("NAMESERVER=%s", servers) : NULL;
	vz_autofree char *sd = domains ? vz_strf("SEARCHDOMAIN=%s", domains) : NULL;
	const char *vars[] = { ns, sd, NULL };

	if (!ns || !sd)
		return vz_err_set(err, VZ_E_SYSTEM, ENOMEM, "name servers");
	return run_action(ve, conf, VZ_DIST_SET_DNS, ve_state, vars, err);
}

/* ADD_IP or DEL_IP, for the addresses `some`, when the VE is to have `all`. */
static int set_addresses(const struct vz_ve *ve, const struct vz_conf *conf,
			 enum vz_dist_action action, const char *ve_state,
			 const struct vz_strv *some, const char *all, struct vz_err *err)
{
	vz_autofree char *words = vz_strv_join(some, " ");
	vz_autofree char *ip = words ? vz_strf("IP_ADDR=%s", words) : NULL;
	vz_autofree char *total = vz_strf("IP_ALL=%s", all);
	/* At start the script begins with none; and without any, all are taken. */
	bool afresh = action == VZ_DIST_ADD_IP ? !strcmp(ve_state, "starting") : !*all;
	const char *vars[] = { ip, total,
			       vz_cfg_bool(ve->cfg, VZ_P_IPV6) ? "IPV6=yes" : "IPV6=no",
			       afresh ? "IPDELALL=yes" : "IPDELALL=", NULL };

	if (!ip || !total)
		return vz_err_set(err, VZ_E_SYSTEM, ENOMEM, "addresses");
	return run_action(ve, conf, action, ve_state, vars, err);
}

/* Words of a that are not in b. */
static int without(const struct vz_strv *a, const struct vz_strv *b, struct vz_strv *ret)
{
	int r = 0;

	for (size_t i = 0; !r && i < a->n; i++)
		if (!vz_strv_has(b, a->v[i]))
			r = vz_strv_add(ret, a->v[i]);
	return r;
}

int vz_dist_apply_addresses(const struct vz_ve *ve, const struct vz_cfg *old_cfg,
			    const struct vz_cfg *new_cfg, struct vz_err *err)
{
	const struct vz_strv *old = vz_cfg_list(old_cfg, VZ_P_IP_ADDRESS);
	const struct vz_strv *new = vz_cfg_list(new_cfg, VZ_P_IP_ADDRESS);
	vz_autofree char *all = vz_strv_join(new, " ");
	vz_autostrv struct vz_strv added = { 0 }, gone = { 0 };
	vz_autoconf struct vz_conf *conf = NULL;
	int r = 0;

	if (!all || without(new, old, &added) || without(old, new, &gone))
		return vz_err_set(err, VZ_E_SYSTEM, ENOMEM, "addresses");
	if (added.n || gone.n)
		r = open_conf(ve->ctx, ostemplate(ve), &conf, err);
	if (!r && gone.n)
		r = set_addresses(ve, conf, VZ_DIST_DEL_IP, "running", &gone, all, err);
	if (!r && added.n)
		r = set_addresses(ve, conf, VZ_DIST_ADD_IP, "running", &added, all, err);
	return r;
}

/* The steps of vz_dist_configure(), each skipped when there is nothing to do. */
static int configure_hostname(const struct vz_ve *ve, const struct vz_conf *conf,
			      int rootfd, struct vz_err *err)
{
	const char *name = vz_cfg_str(ve->cfg, VZ_P_HOSTNAME);

	if (!name || !*name || vz_says_hostname(rootfd, name))
		return 0;
	return set_hostname(ve, conf, "starting", name, err);
}

static int configure_dns(const struct vz_ve *ve, const struct vz_conf *conf, int rootfd,
			 struct vz_err *err)
{
	vz_autoresolv struct vz_resolv want = { 0 };
	int r = wanted_dns(ve, ve->cfg, &want, err);

	if (r || (!want.servers.n && !want.domains.n) || vz_says_dns(rootfd, &want))
		return r;
	return set_dns(ve, conf, "starting", &want, err);
}

/* The addresses are in force before; a VE without these files is no failure. */
static void configure_addresses(const struct vz_ve *ve, const struct vz_conf *conf,
				int rootfd)
{
	const struct vz_strv *list = vz_cfg_list(ve->cfg, VZ_P_IP_ADDRESS);
	vz_autofree char *all = vz_strv_join(list, " ");
	struct vz_err err = { 0 };

	if (!all || vz_says_addresses(rootfd, all))
		return;
	if (set_addresses(ve, conf, list->n ? VZ_DIST_ADD_IP : VZ_DIST_DEL_IP, "starting",
			  list, all, &err))
		vz_warn(ve->ctx,
			"VE %u: its own files do not have its addresses, which a restart "
			"of its network may lose: %s",
			ve->id, err.text);
}

static int configure_console(const struct vz_ve *ve, const struct vz_conf *conf,
			     int rootfd, struct vz_err *err)
{
	if (vz_says_console(rootfd))
		return 0;
	return run_action(ve, conf, VZ_DIST_SET_CONSOLE, "starting", NULL, err);
}

/* Whether the VE's /etc/mtab is the link that SET_UGID_QUOTA makes. */
static bool has_quota_mtab(int rootfd)
{
	char to[16];
	vz_autofd int fd = vz_root_openat(rootfd, "etc/mtab", O_PATH | O_NOFOLLOW, 0);
	ssize_t n = fd < 0 ? -1 : readlinkat(fd, "", to, sizeof(to));

	return n == 12 && !memcmp(to, "/proc/mounts", 12);
}

/* A VE whose files can't be told still has its quotas. */
static void configure_ugid_quota(const struct vz_ve *ve, const struct vz_conf *conf,
				 int rootfd)
{
	uint64_t limit = vz_cfg_u64(ve->cfg, VZ_P_QUOTAUGIDLIMIT);
	vz_autofree char *var = vz_strf("UGIDLIMIT=%" PRIu64, limit);
	const char *const vars[] = { var, NULL };
	struct vz_err err = { 0 };

	if (!var || !limit == !has_quota_mtab(rootfd))
		return;
	if (run_action(ve, conf, VZ_DIST_SET_UGID_QUOTA, "starting", vars, &err))
		vz_warn(ve->ctx, "VE %u: %s", ve->id, err.text);
}

/*
 * A shell in the VE costs as much as the rest of a start, so each script runs
 * only where the VE's files don't say the wanted thing already (ve/says.h):
 * mostly at the first start, or when the administrator has changed it.
 * PRE_START is the distribution's own and can't be judged from here: where it
 * is named it runs; none of the files that vz brings names one.
 */
int vz_dist_configure(struct vz_ve *ve, struct vz_err *err)
{
	vz_autoconf struct vz_conf *conf = NULL;
	const char *root = vz_ve_root(ve, err);
	vz_autofd int rootfd = root ? vz_root_open(root) : -1;
	int r;

	if (!root)
		return -EINVAL;
	if (rootfd < 0)
		return vz_err_set(err, VZ_E_SYSTEM, -rootfd, "can't open %s", root);
	r = open_conf(ve->ctx, ostemplate(ve), &conf, err);
	if (!r)
		r = run_action(ve, conf, VZ_DIST_PRE_START, "starting", NULL, err);
	if (!r)
		r = configure_hostname(ve, conf, rootfd, err);
	if (!r)
		r = configure_dns(ve, conf, rootfd, err);
	if (!r)
		configure_addresses(ve, conf, rootfd);
	if (!r)
		r = configure_console(ve, conf, rootfd, err);
	if (!r)
		configure_ugid_quota(ve, conf, rootfd);
	return r;
}

/*
 * The name that the running VE's kernel side has. Done from here, not by the
 * script: a VE need not have a program for it.
 */
static int set_kernel_hostname(const struct vz_ve *ve, const char *name,
			       struct vz_err *err)
{
	vz_autofd int own = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
	vz_autofd int pidfd = -1;
	struct vz_state st;
	int r = vz_state_open_init(ve->ctx, ve->id, &st, &pidfd, err);

	if (r)
		return r;
	if (own < 0 || setns(pidfd, CLONE_NEWUTS))
		return vz_err_set(err, VZ_E_HOSTNAME, errno,
				  "can't enter the UTS namespace of VE %u", ve->id);
	r = sethostname(name, strlen(name)) ? -errno : 0;
	if (setns(own, CLONE_NEWUTS) && !r)
		r = -errno;
	if (r)
		return vz_err_set(err, VZ_E_HOSTNAME, -r,
				  "can't set the host name of VE %u", ve->id);
	return 0;
}

int vz_dist_apply_hostname(struct vz_ve *ve, const struct vz_cfg *old_cfg,
			   const struct vz_cfg *new_cfg, struct vz_err *err)
{
	const char *name = vz_cfg_str(new_cfg, VZ_P_HOSTNAME);
	vz_autoconf struct vz_conf *conf = NULL;
	int r;

	if (!name || !*name)
		return 0;
	r = open_conf(ve->ctx, ostemplate(ve), &conf, err);
	if (!r)
		r = set_hostname(ve, conf, "running", name, err);
	return r ? r : set_kernel_hostname(ve, name, err);
}

int vz_dist_apply_dns(struct vz_ve *ve, const struct vz_cfg *old_cfg,
		      const struct vz_cfg *new_cfg, struct vz_err *err)
{
	vz_autoresolv struct vz_resolv want = { 0 };
	vz_autoconf struct vz_conf *conf = NULL;
	int r = wanted_dns(ve, new_cfg, &want, err);

	if (r || (!want.servers.n && !want.domains.n))
		return r;
	r = open_conf(ve->ctx, ostemplate(ve), &conf, err);
	return r ? r : set_dns(ve, conf, "running", &want, err);
}

int vz_dist_check_userpasswd(const char *userpw, struct vz_err *err)
{
	const char *colon = strchr(userpw, ':'), *bad;
	vz_autofree char *user = NULL;

	if (!colon || !colon[1])
		return vz_err_set(err, VZ_E_VALUE, 0,
				  "bad value of --userpasswd: expected USER:PASSWORD");
	user = strndup(userpw, colon - userpw);
	if (!user)
		return vz_err_set(err, VZ_E_SYSTEM, ENOMEM, "--userpasswd");
	bad = vz_bad_user(user);
	if (bad)
		return vz_err_set(err, VZ_E_VALUE, 0, "bad value of --userpasswd: %s",
				  bad);
	if (strlen(colon + 1) > PASSWORD_MAX || strpbrk(colon + 1, "\r\n"))
		return vz_err_set(err, VZ_E_VALUE, 0,
				  "bad value of --userpasswd: expected a password of one "
				  "line and at most %d characters",
				  PASSWORD_MAX);
	return 0;
}

/*
 * The password goes into the VE in the script's environment, as the contract
 * has it. /proc/PID/environ of that shell can be read by the VE's root and the
 * host's alone, who can read or replace what chpasswd writes as well; the
 * script takes it out of the environment before it starts anything else.
 */
int vz_dist_userpasswd(struct vz_ve *ve, const char *ve_state, const char *userpw,
		       struct vz_err *err)
{
	vz_autofree char *var = vz_strf("USERPW=%s", userpw);
	vz_autoconf struct vz_conf *conf = NULL;
	const char *vars[] = { var, NULL };
	int r = vz_dist_check_userpasswd(userpw, err);

	if (!r && !var)
		r = vz_err_set(err, VZ_E_SYSTEM, ENOMEM, "--userpasswd");
	if (!r)
		r = open_conf(ve->ctx, ostemplate(ve), &conf, err);
	if (r)
		return r;
	if (!vz_conf_get(conf, action_keys[VZ_DIST_SET_USERPASS]))
		return vz_err_set(err, VZ_E_PASSWORD, 0,
				  "can't set a password in VE %u: %s names no "
				  "SET_USERPASS script",
				  ve->id, vz_conf_path(conf));
	r = run_action(ve, conf, VZ_DIST_SET_USERPASS, ve_state, vars, err);
	if (r && err && err->status == VZ_E_DISTSCRIPT)
		err->status = VZ_E_PASSWORD;
	return r;
}
