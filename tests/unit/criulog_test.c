/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What logs of CRIU's are made into, and the messages that it talks in. */
#include "sys/criulog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sys/criurpc.h"
#include "tap.h"

#define TASK                                                                             \
	"(00.010) ========================================\n"                            \
	"(00.010) Dumping task (pid: 4711 comm: nginx)\n"
#define NOISE                                                                            \
	"(00.001) Error (criu/util.c:1534): rlimit: Can't setup RLIMIT_NOFILE for "      \
	"self\n"
#define FAILED "(00.100) Error (criu/cr-dump.c:1975): Dumping FAILED.\n"

static const struct {
	const char *name, *log;
	bool restore;
	const char *has; /* NULL: it tells of no error */
	const char *has_not;
} logs[] = {
	{ "an empty log", "", false, NULL },
	{ "a good one", NOISE TASK "(00.1) Dumping finished successfully\n", false,
	  NULL },
	{ "what is known is explained, with its process",
	  NOISE TASK
	  "(00.02) Error (criu/files-ext.c:98): Can't dump file 7 of that type "
	  "[140777] (anon)\n" FAILED,
	  false, "process 4711 (nginx): an open file of a kind", "RLIMIT" },
	{ "a way out is named",
	  TASK
	  "(00.02) Error (criu/tty.c:2281): tty: ctty inheritance detected sid/pgrp 20, "
	  "no PTY peer\n" FAILED,
	  false, "log out of it" },
	{ "what is not known is said as it is",
	  TASK "(00.02) Error (criu/x.c:1): something odd\n" FAILED, false,
	  "process 4711 (nginx): criu says: something odd", "FAILED" },
	{ "what is known counts more than what comes before it",
	  TASK
	  "(00.02) Error (criu/x.c:1): something odd\n"
	  "(00.03) Error (criu/namespaces.c:1): Can't dump nested uts namespace for 7\n",
	  false, "a container, or a sandboxed service" },
	{ "a restore says the process as the VE has it",
	  "(00.02)     16: Error (criu/files-reg.c:9): Can't open file tmp/x: No such "
	  "file\n",
	  true, "process 16 of the VE: a file that it had open is not there" },
	{ "before there is a process", "(00.01) Error (criu/a.c:1): no way\n", true,
	  "criu says: no way", "process" },
	{ "a line that breaks off", TASK "(00.02) Error (criu/a.c", false,
	  "Error (criu" },
	{ "a name with odd letters",
	  "(0.1) Dumping task (pid: 5 comm: (sd-pam))\n(0.2) Error (c:1): odd\n", false,
	  "process 5 ((sd-pam)" },
	{ "stamps without an end", "(((\n(0.2\nError (c:1): odd\n", false, "odd" },
};

static void test_logs(void)
{
	for (size_t i = 0; i < sizeof(logs) / sizeof(*logs); i++) {
		char *log = strdup(logs[i].log), said[512] = "";
		int r = vz_criulog_explain_text(log, logs[i].restore, said, sizeof(said));

		tap_ok(logs[i].has ? !r && strstr(said, logs[i].has) &&
					     (!logs[i].has_not ||
					      !strstr(said, logs[i].has_not))
				   : r == -ENOENT,
		       "%s: %s", logs[i].name, said);
		free(log);
	}
}

static void test_answers(void)
{
	/* DUMP, success, errno 13, "why"; then a notify of a pid. */
	static const unsigned char failed[] = { 8,    1, 16,  0,   56, 13,
						0x4a, 3, 'w', 'h', 'y' };
	static const unsigned char notify[] = { 8, 6,	16,  1,	  0x2a, 7, 10,
						3, 'a', 'b', 'c', 16,	42 };
	static const unsigned char version[] = {
		8, 10, 16, 1, 0x52, 6, 8, 4, 16, 2, 32, 1
	};
	struct vz_criu_answer a = { 0 };
	bool good = true;

	tap_ok(!vz_criu_answer_read(failed, sizeof(failed), &a) &&
		       a.type == VZ_CRIU_DUMP && !a.success && a.errnum == 13 &&
		       !strcmp(a.said, "why"),
	       "an answer that tells of an error");
	tap_ok(!vz_criu_answer_read(notify, sizeof(notify), &a) &&
		       a.type == VZ_CRIU_NOTIFY && !strcmp(a.notify, "abc") &&
		       a.pid == 42,
	       "a word on the way");
	tap_ok(!vz_criu_answer_read(version, sizeof(version), &a) && a.version == 40201,
	       "a version");
	/* Its type alone, and that with its success, are messages, too. */
	for (size_t n = 1; n < sizeof(notify) && good; n++)
		good = n == 2 || n == 4 || vz_criu_answer_read(notify, n, &a) == -EBADMSG;
	tap_ok(good, "no part of a message is taken for one");
}

static void test_fields(void)
{
	struct vz_str b = { 0 };
	struct vz_pb p;
	int found = 0;

	vz_pb_num(&b, 1, -1);
	vz_pb_num(&b, 64, 300);
	vz_pb_text(&b, 37, "mnt[/dev/null]:x");
	p = (struct vz_pb){ .at = (unsigned char *)b.s,
			    .end = (unsigned char *)b.s + b.len };
	found += vz_pb_next(&p) == 1 && p.field == 1 && (int64_t)p.num == -1;
	found += vz_pb_next(&p) == 1 && p.field == 64 && p.num == 300;
	found += vz_pb_next(&p) == 1 && p.field == 37 && p.len == 16 &&
		 !memcmp(p.data, "mnt[/dev/null]:x", 16);
	found += vz_pb_next(&p) == 0;
	tap_ok(found == 4, "what is put is got");
	vz_str_done(&b);
}

int main(void)
{
	test_logs();
	test_answers();
	test_fields();
	return tap_done();
}
