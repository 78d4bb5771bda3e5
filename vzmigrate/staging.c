/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vzmigrate/staging.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/str.h"

/* How long what had begun to write there may go on to. */
#define GONE_MS 10000
/* What a dump has beside the memory. */
#define MARGIN (256ull << 20)

char *staging_path(const char *private)
{
	return vz_strf("%s.migrating", private);
}

/* Bytes that can be used without swapping; 0: not known. */
uint64_t staging_free_memory(void)
{
	vz_autofile FILE *f = fopen("/proc/meminfo", "re");
	uint64_t kib = 0;
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %" SCNu64, &kib) == 1)
			break;
	return kib << 10;
}

/* Where it can't be in memory, a disk will do. */
static void put_in_memory(const char *dump, uint64_t memory)
{
	char options[64];

	if (!memory || staging_free_memory() < 2 * memory + MARGIN)
		return;
	snprintf(options, sizeof(options), "mode=700,size=%" PRIu64,
		 (uint64_t)(2 * memory + MARGIN));
	mount("vz-dump", dump, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options);
}

bool staging_dump_in_memory(const char *staging)
{
	vz_autofree char *dump = vz_strf("%s/dump", staging);
	struct statfs st;

	return dump && !statfs(dump, &st) && st.f_type == TMPFS_MAGIC;
}

void staging_drop_dump(const char *staging)
{
	vz_autofree char *dump = vz_strf("%s/dump", staging);

	/* Of a try that was killed there may be more than one. */
	while (dump && !umount2(dump, MNT_DETACH | UMOUNT_NOFOLLOW))
		;
}

int staging_make(const char *staging, bool live, uint64_t memory, struct vz_err *err)
{
	vz_autofree char *root = vz_strf("%s/root", staging);
	vz_autofree char *conf = vz_strf("%s/conf", staging);
	vz_autofree char *dump = vz_strf("%s/dump", staging);
	vz_autofree char *above = strdup(staging);
	int r = root && conf && dump && above ? 0 : -ENOMEM;

	staging_drop_dump(staging);
	if (!r && strrchr(above, '/') != above) {
		*strrchr(above, '/') = 0;
		/* For root's eyes, as vzctl create makes it. */
		r = vz_mkdir_p(above, 0700);
	}
	if (!r && ((mkdir(staging, 0700) && errno != EEXIST) ||
		   (mkdir(root, 0700) && errno != EEXIST)))
		r = -errno;
	if (!r)
		r = vz_remove_tree(AT_FDCWD, conf);
	if (!r)
		r = vz_remove_tree(AT_FDCWD, dump);
	if (!r && live && mkdir(dump, 0700))
		r = -errno;
	if (!r && mkdir(conf, 0700))
		r = -errno;
	if (!r && live)
		put_in_memory(dump, memory);
	return r ? mig_fail(err, MIG_E_COPY, -r, "can't make %s", staging) : 0;
}

int staging_remove(const char *staging, struct vz_err *err)
{
	const struct timespec nap = { .tv_nsec = 50000000 };
	int r;

	staging_drop_dump(staging);
	r = vz_remove_tree(AT_FDCWD, staging);
	for (int ms = 0; r && ms < GONE_MS; ms += 50) {
		nanosleep(&nap, NULL);
		r = vz_remove_tree(AT_FDCWD, staging);
	}
	return r ? mig_fail(err, MIG_E_SYSTEM, -r, "can't remove %s", staging) : 0;
}
