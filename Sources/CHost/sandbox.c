// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "chost_sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// The same number on every architecture (landlock_restrict_self(2)); older headers lack it.
enum { RESTRICT_SELF = 446 };

enum { MOST_THREADS = 1024 };

enum thread_state { ASKED, STOPPED, CONFINED };

// One thread as the others see it. `state` is also what its waiters sleep on.
struct thread {
	_Atomic int number;
	atomic_uint state;
};

// What the handler is to do: nothing, stop until told, confine, go on unconfined, or make a call.
enum order { NOTHING, STOP, CONFINE, RELEASE, CALL };

static struct sock_fprog filters[CHOST_ROLE_COUNT];
static struct chost_confinement rules;
static struct thread threads[MOST_THREADS];
static atomic_uint thread_count;
static atomic_uint order = NOTHING;
static atomic_bool is_confined;
static _Atomic uint64_t failure;

static struct {
	atomic_uint state;
	_Atomic int thread;
	long number, arguments[6], result;
} call;

static _Thread_local enum chost_role own_role = CHOST_ROLE_SERVICE;
// The role that this thread was confined for in the handler, or -1.
static _Thread_local int confined_role = -1;

// Sleeps while `*word` is `value`, at most `milliseconds`.
static void sleep_on(atomic_uint *word, unsigned value, long milliseconds)
{
	struct timespec time = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000};
	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, &time, NULL, 0);
}

static void set_and_wake(atomic_uint *word, unsigned value)
{
	atomic_store(word, value);
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

static int64_t milliseconds_now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

int chost_thread_number(void)
{
	return (int)syscall(SYS_gettid);
}

// MARK: One thread

// The bounding set can be emptied by who has CAP_SETPCAP; without it, it only bounds what exec could give, and
// no_new_privs takes that away.
static int drop_bounding_set(void)
{
	for (unsigned long capability = 0; capability < 64; capability++)
		if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0)
			return errno == EINVAL || errno == EPERM ? 0 : errno;
	return 0;
}

static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}};
	// Kernels before 4.3 have no ambient set.
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return syscall(SYS_capset, &header, none) == 0 ? 0 : errno;
}

// The kernel's calls, which change this thread alone: glibc's would signal the others, which are stopped.
static int change_user(void)
{
	if (syscall(SYS_setgroups, 0, NULL) != 0 || syscall(SYS_setresgid, rules.group, rules.group, rules.group) != 0 ||
	    syscall(SYS_setresuid, rules.user, rules.user, rules.user) != 0)
		return errno;
	return 0;
}

static int install_filter(enum chost_role role)
{
	if (filters[role].filter == NULL)
		return 0;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filters[role]) == 0 ? 0 : errno;
}

static void note_failure(enum chost_step step, int error)
{
	uint64_t none = 0;
	uint64_t value = (uint64_t)step << 56 | (uint64_t)(error & 0xFFFF) << 32 | (uint32_t)chost_thread_number();
	atomic_compare_exchange_strong(&failure, &none, value);
}

// Each step needs the rights that a later one gives up.
static void confine_self(void)
{
	int error;
	if ((error = drop_bounding_set()) != 0)
		return note_failure(CHOST_STEP_CAPABILITIES, error);
	if (rules.changes_user && (error = change_user()) != 0)
		return note_failure(CHOST_STEP_USER, error);
	if ((error = drop_capabilities()) != 0)
		return note_failure(CHOST_STEP_CAPABILITIES, error);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return note_failure(CHOST_STEP_NO_NEW_PRIVILEGES, errno);
	if (rules.landlock >= 0 && syscall(RESTRICT_SELF, rules.landlock, 0) != 0)
		return note_failure(CHOST_STEP_LANDLOCK, errno);
	confined_role = own_role;
	if ((error = install_filter(own_role)) != 0)
		note_failure(CHOST_STEP_FILTER, error);
}

int chost_thread_begins(enum chost_role role)
{
	own_role = role;
	// Before: this thread is found by its number, and confined for its role. After: it has its creator's filter, which is
	// the wide one, and adds its own. Between: the handler has done one or the other.
	if (!atomic_load(&is_confined) || confined_role == (int)role || role == CHOST_ROLE_SERVICE)
		return 0;
	return install_filter(role);
}

// MARK: All threads

static struct thread *find_thread(int number)
{
	unsigned count = atomic_load(&thread_count);
	for (unsigned i = 0; i < count; i++)
		if (atomic_load(&threads[i].number) == number)
			return &threads[i];
	return NULL;
}

static void take_part(struct thread *self)
{
	set_and_wake(&self->state, STOPPED);
	while (atomic_load(&order) == STOP)
		sleep_on(&order, STOP, 1000);
	if (atomic_load(&order) == CONFINE)
		confine_self();
	set_and_wake(&self->state, CONFINED);
}

static void make_call(void)
{
	long *a = call.arguments;
	long result = syscall(call.number, a[0], a[1], a[2], a[3], a[4], a[5]);
	call.result = result == -1 ? -errno : result;
	set_and_wake(&call.state, CONFINED);
}

static void on_order(int number, siginfo_t *info, void *context)
{
	(void)number, (void)context;
	int saved = errno;
	if (info->si_code == SI_TKILL && info->si_pid == getpid()) {
		int self = chost_thread_number();
		struct thread *thread = find_thread(self);
		unsigned now = atomic_load(&order);
		if ((now == STOP || now == CONFINE) && thread != NULL && atomic_load(&thread->state) == ASKED)
			take_part(thread);
		else if (now == CALL && atomic_load(&call.thread) == self && atomic_load(&call.state) == ASKED)
			make_call();
	}
	errno = saved;
}

// Asks every thread that was not asked yet to stop: how many, or minus an errno. No library call that takes a lock: a
// stopped thread may hold it.
static int ask_new_threads(int folder, int self)
{
	static char entries[4096] __attribute__((aligned(8)));
	int asked = 0;
	if (lseek(folder, 0, SEEK_SET) != 0)
		return -errno;
	for (;;) {
		long size = syscall(SYS_getdents64, folder, entries, sizeof entries);
		if (size <= 0)
			return size < 0 ? -errno : asked;
		for (long at = 0; at < size;) {
			const struct dirent64 *entry = (const struct dirent64 *)(entries + at);
			at += entry->d_reclen;
			int number = 0;
			for (const char *digit = entry->d_name; *digit >= '0' && *digit <= '9'; digit++)
				number = number * 10 + (*digit - '0');
			if (number == 0 || number == self || find_thread(number) != NULL)
				continue;
			unsigned count = atomic_load(&thread_count);
			if (count == MOST_THREADS)
				return -E2BIG;
			atomic_store(&threads[count].state, ASKED);
			atomic_store(&threads[count].number, number);
			atomic_store(&thread_count, count + 1);
			// A thread that has just ended is none any more.
			if (syscall(SYS_tgkill, getpid(), number, SIGSYS) != 0)
				atomic_store(&threads[count].state, CONFINED);
			asked++;
		}
	}
}

// Waits until each thread has come as far as `state`, or has ended; 0 or the one that has not in ten seconds.
static int await_threads(enum thread_state state)
{
	int64_t deadline = milliseconds_now() + 10000;
	unsigned count = atomic_load(&thread_count);
	for (unsigned i = 0; i < count; i++) {
		unsigned now;
		while ((now = atomic_load(&threads[i].state)) < (unsigned)state) {
			int number = atomic_load(&threads[i].number);
			if (syscall(SYS_tgkill, getpid(), number, 0) != 0)
				break;
			if (milliseconds_now() > deadline)
				return number;
			sleep_on(&threads[i].state, now, 50);
		}
	}
	return 0;
}

// Threads that are stopped start no others: when a whole look finds none that was not asked, all are stopped.
static void gather(int self)
{
	int folder = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return note_failure(CHOST_STEP_GATHER, errno);
	int asked, late = 0;
	while ((asked = ask_new_threads(folder, self)) > 0 && (late = await_threads(STOPPED)) == 0) {
	}
	close(folder);
	if (asked < 0)
		note_failure(CHOST_STEP_GATHER, -asked);
	else if (late != 0)
		atomic_store(&failure, (uint64_t)CHOST_STEP_GATHER << 56 | (uint64_t)ETIMEDOUT << 32 | (uint32_t)late);
}

struct chost_outcome chost_confine(const struct chost_confinement *confinement, bool keeps_hook)
{
	struct sigaction action = {.sa_sigaction = on_order, .sa_flags = SA_SIGINFO | SA_RESTART}, before;
	rules = *confinement;
	sigaction(SIGSYS, &action, &before);
	atomic_store(&order, STOP);
	gather(chost_thread_number());
	if (atomic_load(&failure) == 0) {
		atomic_store(&is_confined, true);
		set_and_wake(&order, CONFINE);
		if (await_threads(CONFINED) != 0)
			note_failure(CHOST_STEP_GATHER, ETIMEDOUT);
		confine_self();
	}
	set_and_wake(&order, RELEASE);
	if (!keeps_hook)
		sigaction(SIGSYS, &before, NULL);
	uint64_t value = atomic_load(&failure);
	return (struct chost_outcome){
		.step = (enum chost_step)(value >> 56), .error = (int)(value >> 32 & 0xFFFF), .thread = (int)(uint32_t)value,
	};
}

long chost_call_on(int thread, long number, const long arguments[6])
{
	call.number = number;
	memcpy(call.arguments, arguments, sizeof call.arguments);
	atomic_store(&call.state, ASKED);
	atomic_store(&call.thread, thread);
	atomic_store(&order, CALL);
	long result = -ESRCH;
	int64_t deadline = milliseconds_now() + 10000;
	if (syscall(SYS_tgkill, getpid(), thread, SIGSYS) == 0) {
		while (atomic_load(&call.state) == ASKED && milliseconds_now() < deadline)
			sleep_on(&call.state, ASKED, 50);
		if (atomic_load(&call.state) == CONFINED)
			result = call.result;
	}
	atomic_store(&order, NOTHING);
	return result;
}

int chost_set_filter(enum chost_role role, const void *instructions, size_t count)
{
	if (count == 0 || count > BPF_MAXINSNS)
		return EINVAL;
	struct sock_filter *copy = malloc(count * sizeof *copy);
	if (copy == NULL)
		return ENOMEM;
	memcpy(copy, instructions, count * sizeof *copy);
	free(filters[role].filter);
	filters[role] = (struct sock_fprog){.len = (unsigned short)count, .filter = copy};
	return 0;
}
