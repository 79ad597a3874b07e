// SPDX-License-Identifier: Apache-2.0
//
// How every thread of a process gives up its rights at once. Credentials, Landlock and filters belong to a thread, and
// threads that are not ours (of the Swift runtime) can only be made to act by a signal; so all are stopped in the
// handler of one, SIGSYS, which nobody blocks, and each confines itself there before any of them goes on.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// What a thread does, and so which filter it has. A thread that says nothing serves.
enum chost_role { CHOST_ROLE_SERVICE = 0, CHOST_ROLE_VCPU = 1, CHOST_ROLE_DISK = 2, CHOST_ROLE_COUNT = 3 };

/// What each thread does to itself, whatever its role.
struct chost_confinement {
	/// The Landlock rules, or -1 for none.
	int landlock;
	/// Whether it becomes `user` and `group`, without any other group.
	bool changes_user;
	uint32_t user, group;
};

/// Where a thread's confinement failed.
enum chost_step {
	CHOST_STEP_NONE = 0,
	/// Threads could not be found or stopped.
	CHOST_STEP_GATHER,
	CHOST_STEP_CAPABILITIES,
	CHOST_STEP_USER,
	CHOST_STEP_NO_NEW_PRIVILEGES,
	CHOST_STEP_LANDLOCK,
	CHOST_STEP_FILTER,
};

/// The first failure, its errno and the thread; the step is CHOST_STEP_NONE where there was none.
struct chost_outcome {
	enum chost_step step;
	int error, thread;
};

/// Whether this kernel has filters of system calls that can end the process: 0 or an errno.
/// Why C: syscall(2) is variadic, here and below.
int chost_filter_support(void);

/// Sets the filter that threads of `role` get: `count` instructions of classic BPF, which are copied. Before
/// `chost_confine`; answers 0 or an errno.
int chost_set_filter(enum chost_role role, const void *instructions, size_t count);

/// Confines every thread of this process, and with them all that they will start. Whatever fails leaves the process
/// unfit to go on. With `keeps_hook` SIGSYS goes on being heard, for `chost_call_on`.
/// Why C: no Swift may run in a signal handler, and none of malloc's locks may be needed while threads are stopped.
struct chost_outcome chost_confine(const struct chost_confinement *confinement, bool keeps_hook);

/// What a thread of ours says first: its role. Where the process is confined already it takes on its role's filter.
/// Answers 0 or an errno.
int chost_thread_begins(enum chost_role role);

/// Makes system call `number` on thread `thread` of this process, for tests of its filter: what the kernel answers, an
/// errno being negative; or -ESRCH where no such thread answers. `chost_confine` has kept the hook.
long chost_call_on(int thread, long number, const long arguments[6]);

/// The number of the calling thread. Why C: syscall(2) is variadic.
int chost_thread_number(void);

/// What Landlock this kernel has: its version, or minus an errno.
int chost_landlock_version(void);

/// Rules that handle (that is, forbid) these rights, as a descriptor, or minus an errno.
int chost_landlock_rules(uint64_t files, uint64_t network, uint64_t scopes);

/// Allows `rights` beneath the file or folder `fd`. Answers 0 or an errno.
int chost_landlock_allow(int rules, int fd, uint64_t rights);

/// A file in memory, empty, close-on-exec; or minus an errno. Why C: memfd_create.
int chost_scratch_file(void);

/// Ends core dumps and being traced by processes of the same user. Answers 0 or an errno. Why C: prctl is variadic.
int chost_hide_process(void);
