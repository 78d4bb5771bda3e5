/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory: mapped, shared, locked; System V's and POSIX's. */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <mqueue.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "corpus.h"

#define SIZE (1 << 20)

static char *memory;
static int fd = -1, id;
static pid_t child;

static void *map(size_t size, int flags, int f)
{
	void *m = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, f, 0);

	return m == MAP_FAILED ? NULL : m;
}

static bool has_memory(void)
{
	return !strcmp(memory, WORD);
}

static void make_anonymous(void)
{
	memory = map(SIZE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	must(memory, "mmap");
	strcpy(memory, WORD);
}

static void writes_word(void)
{
	strcpy(memory, WORD);
}

static void make_shared(void)
{
	memory = map(SIZE, MAP_SHARED | MAP_ANONYMOUS, -1);
	must(memory, "mmap");
	child = helper(writes_word);
}

static bool has_shared(void)
{
	return lives(child) && has_memory();
}

static void file_of(const char *name)
{
	fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	must(fd >= 0 && !ftruncate(fd, SIZE), name);
}

static void map_file(const char *name, int flags)
{
	file_of(name);
	memory = map(SIZE, flags, fd);
	must(memory, "mmap");
	strcpy(memory, WORD);
	close(fd);
}

static void make_file_shared(void)
{
	map_file("file", MAP_SHARED);
}

static void make_file_private(void)
{
	map_file("file", MAP_PRIVATE);
}

static void make_file_deleted(void)
{
	map_file("file", MAP_SHARED);
	must(!unlink("file"), "unlink");
}

static void make_posix_shm(void)
{
	map_file("/dev/shm/corpus", MAP_SHARED);
}

static void make_locked(void)
{
	make_anonymous();
	skip_unless(!mlock(memory, 65536), "mlock");
}

static void make_no_access(void)
{
	make_anonymous();
	must(!mprotect(memory + 65536, 65536, PROT_NONE) &&
		     !madvise(memory, 65536, MADV_DONTFORK) &&
		     !madvise(memory, SIZE, MADV_NOHUGEPAGE),
	     "madvise");
}

/* --- memfd and the like --- */

static void map_fd(void)
{
	must(!ftruncate(fd, SIZE) && (memory = map(SIZE, MAP_SHARED, fd)), "mmap");
	strcpy(memory, WORD);
}

static void make_memfd(void)
{
	fd = memfd_create("corpus", 0);
	skip_unless(fd >= 0, "memfd");
	map_fd();
}

static void make_memfd_sealed(void)
{
	fd = memfd_create("corpus", MFD_ALLOW_SEALING);
	skip_unless(fd >= 0, "memfd");
	map_fd();
	must(!fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL), "seal");
}

static bool has_sealed(void)
{
	return has_memory() &&
	       fcntl(fd, F_GET_SEALS) == (F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
}

static void make_memfd_huge(void)
{
	fd = memfd_create("corpus", MFD_HUGETLB);
	skip_unless(fd >= 0, "memfd of huge pages");
}

static bool has_fd(void)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void make_secret(void)
{
	fd = syscall(SYS_memfd_secret, 0);
	skip_unless(fd >= 0, "memfd_secret");
	map_fd();
}

static void make_secret_mapped(void)
{
	make_secret();
	close(fd);
}

static void make_huge(void)
{
	memory = map(2 << 20, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1);
	skip_unless(memory, "huge pages");
	strcpy(memory, WORD);
}

/* --- asynchronous IO --- */

static aio_context_t aio;

static void make_aio(void)
{
	skip_unless(!syscall(SYS_io_setup, 16, &aio), "io_setup");
}

static bool has_aio(void)
{
	char buf[512];
	struct iocb cb = { .aio_lio_opcode = IOCB_CMD_PREAD,
			   .aio_buf = (uintptr_t)buf,
			   .aio_nbytes = sizeof(buf) };
	struct iocb *list = &cb;
	struct io_event done;

	cb.aio_fildes = open("/bin/busybox", O_RDONLY);
	if (syscall(SYS_io_submit, aio, 1, &list) != 1 ||
	    syscall(SYS_io_getevents, aio, 1, 1, &done, NULL) != 1)
		return false;
	close(cb.aio_fildes);
	return done.res == sizeof(buf);
}

/* A request that is never done: nobody writes to the pipe. */
static void make_aio_busy(void)
{
	static struct iocb cb = { .aio_lio_opcode = IOCB_CMD_POLL, .aio_buf = 1 };
	struct iocb *list = &cb;
	int ends[2];

	make_aio();
	must(!pipe(ends), "pipe");
	cb.aio_fildes = ends[0];
	skip_unless(syscall(SYS_io_submit, aio, 1, &list) == 1, "io_submit");
	fd = ends[0];
}

/* --- System V and POSIX --- */

static void make_sysv_shm(void)
{
	id = shmget(IPC_PRIVATE, SIZE, IPC_CREAT | 0600);
	memory = shmat(id, NULL, 0);
	must(memory != (void *)-1, "shmget");
	strcpy(memory, WORD);
}

static bool has_sysv_shm(void)
{
	struct shmid_ds ds;

	return has_memory() && !shmctl(id, IPC_STAT, &ds) && ds.shm_nattch == 1;
}

/* As databases do: it goes when the last process does. */
static void make_sysv_shm_removed(void)
{
	make_sysv_shm();
	must(!shmctl(id, IPC_RMID, NULL), "shmctl");
}

static void make_sem(void)
{
	id = semget(IPC_PRIVATE, 3, IPC_CREAT | 0600);
	must(id >= 0 && !semctl(id, 1, SETVAL, 7), "semget");
}

static bool has_sem(void)
{
	return semctl(id, 1, GETVAL) == 7;
}

static void make_msg(void)
{
	struct {
		long type;
		char text[8];
	} m = { 1, WORD };

	id = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
	must(id >= 0 && !msgsnd(id, &m, sizeof(m.text), 0), "msgget");
}

static bool has_msg(void)
{
	struct {
		long type;
		char text[8];
	} m;

	return msgrcv(id, &m, sizeof(m.text), 0, IPC_NOWAIT) == sizeof(m.text) &&
	       !strcmp(m.text, WORD) && !msgsnd(id, &m, sizeof(m.text), 0);
}

static void make_mq(void)
{
	fd = mq_open("/corpus", O_RDWR | O_CREAT, 0600, NULL);
	skip_unless(fd >= 0, "mq_open");
}

const struct thing memory_things[] = {
	{ "memory", make_anonymous, has_memory },
	{ "memory-shared", make_shared, has_shared },
	{ "memory-locked", make_locked, has_memory },
	{ "memory-advised", make_no_access, has_memory },
	{ "map-file", make_file_shared, has_memory },
	{ "map-file-private", make_file_private, has_memory },
	{ "map-file-deleted", make_file_deleted, has_memory },
	{ "shm-posix", make_posix_shm, has_memory },
	{ "memfd", make_memfd, has_memory },
	{ "memfd-sealed", make_memfd_sealed, has_sealed },
	{ "memfd-huge", make_memfd_huge, has_fd },
	{ "memfd-secret", make_secret, has_memory },
	{ "memfd-secret-mapped", make_secret_mapped, has_memory },
	{ "huge-pages", make_huge, has_memory },
	{ "aio", make_aio, has_aio },
	{ "aio-busy", make_aio_busy, has_fd },
	{ "shm-sysv", make_sysv_shm, has_sysv_shm },
	{ "shm-sysv-removed", make_sysv_shm_removed, has_sysv_shm },
	{ "sem-sysv", make_sem, has_sem },
	{ "msg-sysv", make_msg, has_msg },
	{ "mqueue", make_mq, has_fd },
	{ 0 },
};
