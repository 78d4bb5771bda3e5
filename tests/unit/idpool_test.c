/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ranges of host ids: the first free one, never one twice, never another's. */
#include "ve/idpool.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "tests/unit/tap.h"

static char dir[] = "/tmp/vz-test-idpool.XXXXXX";
static struct vz_ctx ctx;

static void take_away(const char *name)
{
	vz_autofree char *path = vz_strf("%s/%s", dir, name);

	unlink(path);
}

static void put(const char *name, const char *text)
{
	vz_autofree char *path = vz_strf("%s/%s", dir, name);
	vz_autofile FILE *f = fopen(path, "we");

	if (!f || fputs(text, f) < 0)
		tap_ok(false, "can't write %s", path);
}

/* vz.conf with a pool of three ranges from 200000 on, unless it says otherwise. */
static struct vz_cfg *config(const char *pool)
{
	vz_autofree char *text = vz_strf("LOCKDIR=%s/lock\nUID_POOL=%s\n", dir, pool);
	struct vz_cfg *cfg = NULL;
	struct vz_err err = { 0 };

	put("vz.conf", text);
	tap_is_int(vz_cfg_load_global(&ctx, &cfg, &err), 0, pool);
	return cfg;
}

#define THREE "200000:396607"
#define FIRST 200000u
#define SECOND (FIRST + VZ_ID_RANGE)
#define THIRD (SECOND + VZ_ID_RANGE)

static void test_take(void)
{
	vz_autocfg struct vz_cfg *cfg = config(THREE);
	vz_autoidrange struct vz_idrange a = VZ_IDRANGE_NONE, b = VZ_IDRANGE_NONE;
	vz_autoidrange struct vz_idrange c = VZ_IDRANGE_NONE;
	struct vz_err err = { 0 };

	tap_is_int(vz_idrange_take(&ctx, cfg, &a, &err), 0, "a range");
	tap_is_int(a.first, FIRST, "is the first");
	tap_is_int(vz_idrange_take(&ctx, cfg, &b, &err), 0,
		   "another, while that is kept");
	tap_is_int(b.first, SECOND, "is the second");
	vz_idrange_release(&a);
	a = VZ_IDRANGE_NONE;
	tap_is_int(vz_idrange_take(&ctx, cfg, &c, &err), 0, "one that was given back");
	tap_is_int(c.first, FIRST, "is free again");
}

static void test_taken_by_configs(void)
{
	vz_autocfg struct vz_cfg *cfg = config(THREE);
	vz_autoidrange struct vz_idrange a = VZ_IDRANGE_NONE, none = VZ_IDRANGE_NONE;
	struct vz_err err = { 0 };

	put("conf/101.conf", "LOCAL_UID=200000\nLOCAL_GID=200000\n");
	/* It begins in the second, and ends in the third. */
	put("conf/102.conf", "LOCAL_UID=\"300000\"\n");
	tap_ok(vz_idrange_take(&ctx, cfg, &a, &err) && err.status == VZ_E_RESOURCES,
	       "none is left: %s", err.text);
	take_away("conf/102.conf");
	tap_is_int(vz_idrange_take(&ctx, cfg, &a, &err), 0, "one VE less");
	tap_is_int(a.first, SECOND, "the second is free");
	tap_ok(vz_idrange_claim(&ctx, cfg, 103, FIRST, &none, &err) &&
		       err.status == VZ_E_VALUE,
	       "another VE's: %s", err.text);
	tap_ok(vz_idrange_claim(&ctx, cfg, 103, FIRST + 1000, &none, &err) != 0,
	       "nor a part of it");
	tap_ok(vz_idrange_claim(&ctx, cfg, 103, 0xfffffff0u, &none, &err) != 0,
	       "nor what ends above all ids");
	tap_is_int(vz_idrange_claim(&ctx, cfg, 103, THIRD, &none, &err), 0,
		   "a free one may be chosen");
	take_away("conf/101.conf");
}

static void test_killed(void)
{
	vz_autocfg struct vz_cfg *cfg = config(THREE);
	vz_autoidrange struct vz_idrange a = VZ_IDRANGE_NONE;
	struct vz_err err = { 0 };
	pid_t pid = fork();

	if (!pid) {
		struct vz_idrange kept = VZ_IDRANGE_NONE;

		/* Ends with its reservation still there. */
		_exit(vz_idrange_take(&ctx, cfg, &kept, NULL) != 0);
	}
	waitpid(pid, NULL, 0);
	tap_is_int(vz_idrange_take(&ctx, cfg, &a, &err), 0, "after one that was killed");
	tap_is_int(a.first, FIRST, "its range is free");
}

static void test_bad_pools(void)
{
	static const char *const pools[] = { "200000:200001", "1000:1000",
					     "400000:200000" };
	struct vz_err err = { 0 };

	for (size_t i = 0; i < VZ_ARRAY_SIZE(pools); i++) {
		vz_autofree char *text =
			vz_strf("LOCKDIR=%s/lock\nUID_POOL=%s\n", dir, pools[i]);
		vz_autoidrange struct vz_idrange a = VZ_IDRANGE_NONE;
		vz_autocfg struct vz_cfg *cfg = NULL;

		put("vz.conf", text);
		tap_ok(vz_cfg_load_global(&ctx, &cfg, &err) ||
			       vz_idrange_take(&ctx, cfg, &a, &err),
		       "a pool of %s has none: %s", pools[i], err.text);
	}
}

int main(void)
{
	vz_autofree char *conf = NULL;

	if (!mkdtemp(dir))
		return 1;
	vz_ctx_init(&ctx);
	ctx.confdir = dir;
	conf = vz_strf("%s/conf", dir);
	vz_mkdir_p(conf, 0755);
	test_take();
	test_taken_by_configs();
	test_killed();
	test_bad_pools();
	vz_remove_tree(AT_FDCWD, dir);
	return tap_done();
}
