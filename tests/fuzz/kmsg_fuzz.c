/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records of the kernel's log, in which names are a VE's choice: whatever they
 * are, what comes out can be shown, and is of the VE to which the uid belongs.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ve/why_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *record, const struct vz_why_kill *kill, uid_t first)
{
	const char *uid = strrchr(record, ',');
	unsigned long long n;

	for (const char *c = kill->name; *c; c++)
		if (*c < ' ' || *c > '~')
			abort();
	if (!uid || strncmp(uid, ",uid=", 5))
		abort();
	n = strtoull(uid + 5, NULL, 10);
	if (n < first || n - first >= VZ_ID_RANGE)
		abort();
	if (!strstr(record, "task_memcg=/vz/101"))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	vz_autofree char *record = strndup((const char *)data, size);
	const uid_t firsts[] = { 0, 1073741824 };
	struct vz_why_kill kill;
	int64_t us;

	for (size_t i = 0; record && i < VZ_ARRAY_SIZE(firsts); i++) {
		const struct vz_why_whose whose = { "vz/101", firsts[i] };

		memset(&kill, 'x', sizeof(kill));
		if (vz_why_parse_kill(record, &whose, &kill, &us) == 1)
			check(record, &kill, firsts[i]);
	}
	return 0;
}
