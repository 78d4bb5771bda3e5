/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is written down of a migration, and whom it keeps from the VE. */
#include "ve/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/str.h"
#include "tests/unit/tap.h"

static char dir[] = "/tmp/vz-journal-test.XXXXXX";

/* One row a state: of whom it is, and whether the VE is this node's while it is so. */
static const struct {
	enum vz_mig_state state;
	enum vz_mig_role role;
	bool ours;
} rows[] = {
	{ VZ_MIG_COPYING, VZ_MIG_SOURCE, true },
	{ VZ_MIG_STOPPING, VZ_MIG_SOURCE, true },
	{ VZ_MIG_HANDED, VZ_MIG_SOURCE, false },
	{ VZ_MIG_CLEARING, VZ_MIG_SOURCE, false },
	{ VZ_MIG_UNDONE, VZ_MIG_SOURCE, true },
	{ VZ_MIG_RECEIVING, VZ_MIG_DEST, false },
	{ VZ_MIG_PREPARED, VZ_MIG_DEST, false },
	{ VZ_MIG_TAKING, VZ_MIG_DEST, false },
	{ VZ_MIG_DONE, VZ_MIG_DEST, true },
	{ VZ_MIG_REFUSED, VZ_MIG_DEST, false },
};

static void each_state(const struct vz_ctx *ctx)
{
	for (size_t i = 0; i < VZ_ARRAY_SIZE(rows); i++) {
		const char *name = vz_mig_state_name(rows[i].state);
		struct vz_journal j = { .state = rows[i].state,
					.id = "0123abc",
					.peer = "root@node2",
					.ssh = "-p 22 -i \"a b\"",
					.live = i % 4 == 1,
					.start = i % 2,
					.keep = i % 3,
					.pid = 77,
					.pid_start = 1ull << 40,
					.private = "/var/lib/vz/private/$VEID",
					.uid = 4000000000u,
					.old_gid = 1 },
				  got = { 0 };
		struct vz_err err = { 0 };
		int r;

		tap_is_int(vz_journal_save(ctx, 101, rows[i].role, &j, &err), 0, name);
		tap_is_int(vz_journal_load(ctx, 101, rows[i].role, &got, &err), 0, name);
		tap_ok(!memcmp(&j, &got, sizeof(j)), "%s reads as it was written", name);
		r = vz_journal_check(ctx, 101, &err);
		tap_is_int(r, rows[i].ours ? 0 : -EBUSY, name);
		tap_ok(rows[i].ours ||
			       (err.status == VZ_E_LOCKED && strstr(err.text, name)),
		       "%s: %s", name, err.text);
		tap_is_int(vz_journal_check(ctx, 102, &err), 0, "another VE");
		tap_is_int(vz_journal_remove(ctx, 101, rows[i].role, &err), 0, name);
		tap_is_int(vz_journal_load(ctx, 101, rows[i].role, &got, &err), -ENOENT,
			   name);
	}
}

/* A file that says something else keeps everybody away: nobody knows whose the VE is. */
static void damaged(const struct vz_ctx *ctx, const char *name, const char *from,
		    const char *to)
{
	vz_autofree char *path = vz_strf("%s/migrate/101.out", dir), *text = NULL;
	struct vz_journal j = { .state = VZ_MIG_COPYING, .id = "1", .peer = "n" };
	vz_autostr struct vz_str out = { 0 };
	struct vz_err err = { 0 };
	char *at;

	if (vz_journal_save(ctx, 101, VZ_MIG_SOURCE, &j, &err) ||
	    vz_read_file(path, 4096, &text, NULL))
		return;
	at = strstr(text, from);
	vz_str_addn(&out, text, at - text);
	vz_str_add(&out, to);
	vz_str_add(&out, at + strlen(from));
	vz_replace_file(path, out.s, out.len, 0600);
	tap_ok(vz_journal_check(ctx, 101, &err) < 0 && err.status, "%s: %s", name,
	       err.text);
	vz_journal_remove(ctx, 101, VZ_MIG_SOURCE, &err);
}

int main(void)
{
	struct vz_ctx ctx;
	vz_autoids struct vz_ids ids = { 0 };
	struct vz_journal j = { .state = VZ_MIG_DONE };
	struct vz_err err = { 0 };

	vz_ctx_init(&ctx);
	if (!mkdtemp(dir))
		return 1;
	ctx.statedir = dir;
	tap_is_int(vz_journal_check(&ctx, 101, &err), 0, "no journal at all");
	each_state(&ctx);
	damaged(&ctx, "an unknown state", "copying", "flying");
	damaged(&ctx, "a state of the other side", "copying", "taking");
	damaged(&ctx, "no state", "STATE=", "STOAT=");
	damaged(&ctx, "no number", "PID=\"0\"", "PID=\"x\"");
	damaged(&ctx, "no truth value", "START=\"no\"", "START=\"maybe\"");
	vz_journal_save(&ctx, 101, VZ_MIG_DEST, &j, &err);
	vz_journal_save(&ctx, 300, VZ_MIG_DEST, &j, &err);
	tap_is_int(vz_journal_list(&ctx, VZ_MIG_SOURCE, &ids), 0, "the list of sources");
	tap_is_int(ids.n, 0, "is empty");
	tap_is_int(vz_journal_list(&ctx, VZ_MIG_DEST, &ids), 0, "of destinations");
	tap_ok(ids.n == 2 && ids.v[0] == 101 && ids.v[1] == 300, "has both");
	vz_remove_tree(AT_FDCWD, dir);
	return tap_done();
}
