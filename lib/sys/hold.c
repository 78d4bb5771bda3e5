/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sys/hold.h"

static const int held[] = { SIGINT, SIGTERM, SIGHUP };

void vz_hold_begin(struct vz_hold *h)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(held) / sizeof(*held); i++)
		sigaddset(&set, held[i]);
	sigprocmask(SIG_BLOCK, &set, &h->was);
}

/* One that is ignored (nohup) never waits. */
bool vz_hold_struck(void)
{
	sigset_t set;

	if (sigpending(&set))
		return false;
	for (size_t i = 0; i < sizeof(held) / sizeof(*held); i++)
		if (sigismember(&set, held[i]))
			return true;
	return false;
}

void vz_hold_end(struct vz_hold *h)
{
	sigprocmask(SIG_SETMASK, &h->was, NULL);
}
