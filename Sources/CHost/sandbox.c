// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "sandbox_thread.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { MOST_THREADS = 1024 };

enum thread_state { ASKED, STOPPED, CONFINED };

// One thread as the others see it. `state` is also what its waiters sleep on.
struct thread {
	_Atomic int number;
	atomic_uint state;
};

// What the handler is to do: nothing, stop until told, confine, go on unconfined, or make a call.
enum order { NOTHING, STOP, CONFINE, RELEASE, CALL };

static struct chost_confinement rules;
static struct thread threads[MOST_THREADS];
static atomic_uint thread_count;
static atomic_uint order = NOTHING;
static _Atomic uint64_t failure;

static struct {
	atomic_uint state;
	_Atomic int thread;
	long number, arguments[6], result;
} call;

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

// The first failure is the one to tell.
static void note_failure(enum chost_step step, int error)
{
	uint64_t none = 0;
	uint64_t value = (uint64_t)step << 56 | (uint64_t)(error & 0xFFFF) << 32 | (uint32_t)chost_thread_number();
	atomic_compare_exchange_strong(&failure, &none, value);
}

static void confine_self(void)
{
	int error;
	enum chost_step step = chost_confine_thread(&rules, &error);
	if (step != CHOST_STEP_NONE)
		note_failure(step, error);
}

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
		chost_expect_confinement();
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
