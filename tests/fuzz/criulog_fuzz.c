/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Logs of criu's, in which names and paths are a VE's choice, and its answers: what
 * comes out has an end, and is not empty.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "sys/criulog.h"
#include "sys/criurpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vz_criu_answer answer;
	char said[512];

	for (int restore = 0; restore < 2; restore++) {
		vz_autofree char *log = strndup((const char *)data, size);

		memset(said, 'x', sizeof(said));
		if (log && !vz_criulog_explain_text(log, restore, said, sizeof(said)) &&
		    (!memchr(said, 0, sizeof(said)) || !*said))
			abort();
	}
	memset(&answer, 'x', sizeof(answer));
	if (!vz_criu_answer_read(data, size, &answer) &&
	    (!memchr(answer.said, 0, sizeof(answer.said)) ||
	     !memchr(answer.notify, 0, sizeof(answer.notify))))
		abort();
	return 0;
}
