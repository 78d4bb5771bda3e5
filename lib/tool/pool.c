/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tool/pool.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/run.h"

/* One of the places for what runs at the same time. */
struct slot {
	struct vz_job *job; /* NULL: free */
	int pidfd, words; /* words: a file in memory for standard error */
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ll + ts.tv_nsec / 1000000;
}

static void take_words(struct slot *slot)
{
	struct vz_job *job = slot->job;
	ssize_t n = -1;

	if (slot->words >= 0) {
		n = pread(slot->words, job->said, sizeof(job->said) - 1, 0);
		close(slot->words);
	}
	job->said[n > 0 ? n : 0] = 0;
}

static void finish(const struct vz_pool *pool, struct slot *slot, int status)
{
	struct vz_job *job = slot->job;

	job->status = status;
	job->ms = now_ms() - job->ms;
	take_words(slot);
	slot->job = NULL;
	if (pool->done)
		pool->done(pool->data, job);
}

static void begin(const struct vz_pool *pool, struct slot *slot, struct vz_job *job)
{
	struct vz_run run = { .argv = job->argv, .env = pool->env, .fd = { -1, -1, -1 } };
	int r;

	*slot = (struct slot){ .job = job, .pidfd = -1 };
	slot->words = memfd_create("stderr", MFD_CLOEXEC);
	run.fd[2] = slot->words;
	job->ms = now_ms();
	r = vz_run_start(&run, &slot->pidfd);
	if (r)
		finish(pool, slot, r);
}

/* Wait for any that runs, and finish those that ended. */
static int wait_some(const struct vz_pool *pool, struct slot *slots, struct pollfd *fds)
{
	int n;

	for (unsigned int i = 0; i < pool->parallel; i++)
		fds[i] = (struct pollfd){ .fd = slots[i].job ? slots[i].pidfd : -1,
					  .events = POLLIN };
	do {
		n = poll(fds, pool->parallel, -1);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	for (unsigned int i = 0; i < pool->parallel; i++) {
		if (!fds[i].revents)
			continue;
		n = vz_run_wait(slots[i].pidfd, 0);
		close(slots[i].pidfd);
		finish(pool, &slots[i], n);
	}
	return 0;
}

int vz_pool_run(const struct vz_pool *pool)
{
	vz_autofree struct slot *slots = calloc(pool->parallel, sizeof(*slots));
	vz_autofree struct pollfd *fds = calloc(pool->parallel, sizeof(*fds));
	size_t next = 0;
	int r = 0;

	if (!slots || !fds)
		return -ENOMEM;
	while (!r) {
		bool busy = false;

		for (unsigned int i = 0; i < pool->parallel; i++) {
			while (!slots[i].job && next < pool->n)
				begin(pool, &slots[i], &pool->jobs[next++]);
			busy |= slots[i].job != NULL;
		}
		if (!busy)
			break;
		r = wait_some(pool, slots, fds);
	}
	return r;
}
