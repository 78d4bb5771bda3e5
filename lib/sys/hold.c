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

/* Whoever ignores it (nohup) means it not to end us; blocked, it waits all the same. */
static bool is_ignored(int sig)
{
	struct sigaction how;

	return !sigaction(sig, NULL, &how) && how.sa_handler == SIG_IGN;
}

bool vz_hold_struck(void)
{
	sigset_t set;

	if (sigpending(&set))
		return false;
	for (size_t i = 0; i < sizeof(held) / sizeof(*held); i++)
		if (sigismember(&set, held[i]) && !is_ignored(held[i]))
			return true;
	return false;
}

void vz_hold_end(struct vz_hold *h)
{
	sigprocmask(SIG_SETMASK, &h->was, NULL);
}
