// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "chost.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int chost_futex_wait(const uint32_t *word, uint32_t expected, uint64_t deadline)
{
	struct timespec until = {
		.tv_sec = (time_t)(deadline / 1000000000), .tv_nsec = (long)(deadline % 1000000000),
	};
	// The BITSET form takes an absolute time, so that a restart after a signal does not sleep longer.
	long result = syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, expected,
			      deadline == UINT64_MAX ? NULL : &until, NULL, FUTEX_BITSET_MATCH_ANY);
	return result == 0 ? 0 : errno;
}

void chost_futex_wake(const uint32_t *word, int count)
{
	int saved = errno;
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
	errno = saved;
}

int chost_memory_file(uint64_t size)
{
	int fd = memfd_create("apus-guest-ram", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	// A mapper that shrank the file would make our own accesses fault.
	if (ftruncate(fd, (off_t)size) != 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
		int error = errno;
		close(fd);
		return -error;
	}
	return fd;
}

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif

void chost_name_memory(void *start, size_t count, const char *name)
{
	int saved = errno;
	prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, start, count, name);
	errno = saved;
}

static int release_segments(struct dl_phdr_info *program, size_t size, void *page) {
    (void)size;
    for (int index = 0; index < program->dlpi_phnum; index++) {
        const ElfW(Phdr) *segment = &program->dlpi_phdr[index];
        if (segment->p_type != PT_LOAD || segment->p_flags & PF_W) continue;
        uintptr_t start = program->dlpi_addr + segment->p_vaddr, last = start + segment->p_memsz;
        start = (start + *(uintptr_t *)page - 1) & -*(uintptr_t *)page;
        last &= -*(uintptr_t *)page;
        if (start < last) madvise((void *)start, last - start, MADV_DONTNEED);
    }
    return 0;
}

void chost_release_code(void) {
    uintptr_t page = sysconf(_SC_PAGESIZE);
    dl_iterate_phdr(release_segments, &page);
}

int chost_pipe(int ends[2])
{
	return pipe2(ends, O_CLOEXEC) == 0 ? 0 : -errno;
}

void chost_thread_name(const char *name)
{
	char kept[16] = {0};
	strncpy(kept, name, sizeof kept - 1);
	pthread_setname_np(pthread_self(), kept);
}

int chost_allocate(int fd, enum chost_allocation what, int64_t offset, int64_t count)
{
	int mode = (what == CHOST_PUNCH_HOLE ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE) | FALLOC_FL_KEEP_SIZE;
	while (fallocate(fd, mode, offset, count) != 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

int64_t chost_next_data(int fd, int64_t from, int64_t *end)
{
	off_t start = lseek(fd, from, SEEK_DATA);
	if (start < 0)
		return -errno;
	off_t hole = lseek(fd, start, SEEK_HOLE);
	if (hole < 0)
		return -errno;
	*end = hole;
	return start;
}

int chost_clone_file(int target, int source)
{
	return ioctl(target, FICLONE, source) == 0 ? 0 : -errno;
}

int chost_lock_file(int fd, bool exclusive)
{
	struct flock lock = {.l_type = exclusive ? F_WRLCK : F_RDLCK, .l_whence = SEEK_SET};
	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return 0;
	return errno == EACCES ? -EAGAIN : -errno;
}

int chost_accept(int fd)
{
	int connection = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	return connection >= 0 ? connection : -errno;
}

int chost_peer(int fd, int *process, unsigned *user)
{
	struct ucred peer;
	socklen_t size = sizeof peer;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
		return -errno;
	*process = peer.pid;
	*user = peer.uid;
	return 0;
}

int chost_spawn_close_from(posix_spawn_file_actions_t *actions, int first)
{
	return -posix_spawn_file_actions_addclosefrom_np(actions, first);
}

short chost_spawn_session(void)
{
	return POSIX_SPAWN_SETSID;
}

// The one terminal in raw mode. `terminal_fd` is -1 when there is none; the settings are written before it is stored
// and not changed until it is -1 again, so that a handler that sees a descriptor sees whole settings.
static atomic_int terminal_fd = -1;
static struct termios terminal_cooked, terminal_raw;
static atomic_bool terminal_hooked;

// A background process that sets its terminal is stopped by SIGTTOU, so look first who is in front. A terminal that is
// not the process's own answers -1 and may be set.
static void terminal_set(int fd, const struct termios *settings)
{
	pid_t front = tcgetpgrp(fd);
	if (front >= 0 && front != getpgrp())
		return;
	while (tcsetattr(fd, TCSANOW, settings) != 0 && errno == EINTR) {
	}
}

void chost_terminal_leave(void)
{
	int saved = errno;
	int fd = atomic_exchange(&terminal_fd, -1);
	if (fd >= 0)
		terminal_set(fd, &terminal_cooked);
	errno = saved;
}

// What was installed before us, by signal: the Swift runtime's backtraces, for one.
static struct sigaction before[SIGSYS + 1];

// Signals that end the process: the terminal first, then the signal does what it would have done.
static void on_deadly_signal(int number)
{
	chost_terminal_leave();
	sigaction(number, &before[number], NULL);
	raise(number);
}

// Stop: cooked settings for the shell. SIGCONT, also after an uncatchable SIGSTOP, makes them raw again.
static void on_stop(int number)
{
	(void)number;
	int saved = errno, fd = atomic_load(&terminal_fd);
	if (fd >= 0)
		terminal_set(fd, &terminal_cooked);
	raise(SIGSTOP);
	errno = saved;
}

static void on_continue(int number)
{
	(void)number;
	int saved = errno, fd = atomic_load(&terminal_fd);
	if (fd >= 0)
		terminal_set(fd, &terminal_raw);
	errno = saved;
}

// A signal that is ignored (nohup) stays so. Handlers run on an alternate stack where the thread has one.
static void hook(int number, void (*handler)(int), int flags)
{
	struct sigaction new = {.sa_handler = handler, .sa_flags = flags | SA_ONSTACK};
	if (sigaction(number, NULL, &before[number]) == 0 && before[number].sa_handler != SIG_IGN)
		sigaction(number, &new, NULL);
}

int chost_terminal_enter(int fd, const struct termios *cooked, const struct termios *raw)
{
	static atomic_flag entering = ATOMIC_FLAG_INIT;
	int result = 0;
	while (atomic_flag_test_and_set(&entering)) {
	}
	if (atomic_load(&terminal_fd) >= 0) {
		result = EBUSY;
	} else {
		terminal_cooked = *cooked;
		terminal_raw = *raw;
		if (!atomic_exchange(&terminal_hooked, true)) {
			static const int deadly[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGSEGV, SIGBUS,
						     SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS};
			for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++)
				hook(deadly[i], on_deadly_signal, 0);
			hook(SIGTSTP, on_stop, SA_RESTART);
			hook(SIGCONT, on_continue, SA_RESTART);
			atexit(chost_terminal_leave);
		}
		atomic_store(&terminal_fd, fd);
		while (tcsetattr(fd, TCSADRAIN, raw) != 0) {
			if (errno == EINTR)
				continue;
			result = errno;
			atomic_store(&terminal_fd, -1);
			break;
		}
	}
	atomic_flag_clear(&entering);
	return result;
}

int chost_tap_open(char *name)
{
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	if (ioctl(fd, TUNSETIFF, &request) != 0) {
		int error = errno;
		close(fd);
		return -error;
	}
	memcpy(name, request.ifr_name, IFNAMSIZ);
	return fd;
}

int chost_address_socket(bool hears_changes)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		return -errno;
	struct sockaddr_nl address = {.nl_family = AF_NETLINK};
	if (hears_changes)
		address.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
	if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0) {
		int error = errno;
		close(fd);
		return -error;
	}
	return fd;
}
