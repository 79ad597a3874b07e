// SPDX-License-Identifier: Apache-2.0
//
// The calls by which processes share the host's processors: see chost.h for why each is C.
#define _GNU_SOURCE
#include "chost.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int chost_shared_wait(const uint32_t *word, uint32_t expected, uint64_t deadline)
{
	struct timespec until = {
		.tv_sec = (time_t)(deadline / 1000000000), .tv_nsec = (long)(deadline % 1000000000),
	};
	long result = syscall(SYS_futex, word, FUTEX_WAIT_BITSET, expected, deadline == UINT64_MAX ? NULL : &until,
			      NULL, FUTEX_BITSET_MATCH_ANY);
	return result == 0 ? 0 : errno;
}

void chost_shared_wake(const uint32_t *word)
{
	int saved = errno;
	syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
	errno = saved;
}

int chost_lock_byte(int fd, int64_t offset, bool exclusive)
{
	struct flock lock = {
		.l_type = exclusive ? F_WRLCK : F_RDLCK, .l_whence = SEEK_SET, .l_start = offset, .l_len = 1,
	};
	while (fcntl(fd, F_OFD_SETLK, &lock) != 0)
		if (errno != EINTR)
			return errno == EACCES ? -EAGAIN : -errno;
	return 0;
}

int chost_unlock_byte(int fd, int64_t offset)
{
	struct flock lock = {.l_type = F_UNLCK, .l_whence = SEEK_SET, .l_start = offset, .l_len = 1};
	return fcntl(fd, F_OFD_SETLK, &lock) != 0 ? -errno : 0;
}

int chost_byte_is_locked(int fd, int64_t offset)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = offset, .l_len = 1};
	return fcntl(fd, F_OFD_GETLK, &lock) != 0 ? -errno : lock.l_type != F_UNLCK;
}

int chost_get_affinity(uint64_t *words, int count)
{
	// The raw call fills only as many bytes as the kernel has.
	for (int i = 0; i < count; i++)
		words[i] = 0;
	return syscall(SYS_sched_getaffinity, 0, count * sizeof *words, words) < 0 ? errno : 0;
}

int chost_set_affinity(const uint64_t *words, int count)
{
	return syscall(SYS_sched_setaffinity, 0, count * sizeof *words, words) < 0 ? errno : 0;
}
