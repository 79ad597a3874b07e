// SPDX-License-Identifier: Apache-2.0
//
// What Swift cannot say to Linux: variadic calls, code that runs in signal handlers, and headers that Swift's Glibc
// module leaves out. Everything else is in the Host target.
#pragma once

#include <spawn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <termios.h>

// Included for Host alone: Swift's Glibc module leaves these headers out.
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

/// Sleeps while `*word` is `expected`, at most until `deadline` nanoseconds of CLOCK_MONOTONIC (UINT64_MAX: for ever).
/// Answers 0, or the errno: EAGAIN (the word differed), EINTR, ETIMEDOUT.
/// Why C: syscall(2) is variadic, and glibc has no wrapper of futex(2).
int chost_futex_wait(const uint32_t *word, uint32_t expected, uint64_t deadline);

/// Wakes up to `count` sleepers on `word`.
/// Why C: as above.
void chost_futex_wake(const uint32_t *word, int count);

// Most of those that follow exist because glibc declares the calls for _GNU_SOURCE alone, which Swift's Glibc module is
// built without. Each answers minus an errno where it fails.

/// A memory file of `size` bytes that can be neither grown nor shrunk, close-on-exec. Why C: memfd_create, F_ADD_SEALS.
int chost_memory_file(uint64_t size);

/// Gives `count` bytes of private memory at `start` a name in /proc/PID/maps; without effect where the kernel keeps
/// none. Why C: prctl(2) is variadic, and PR_SET_VMA newer than many headers.
void chost_name_memory(void *start, size_t count, const char *name);

/// Lets go of this process's mappings of its programs' and libraries' pages that nobody writes: the next use of one
/// maps it again. Why C: dl_iterate_phdr, ElfW.
void chost_release_code(void);

/// A pipe, close-on-exec from the start: `ends[0]` reads, `ends[1]` writes. Why C: pipe2.
int chost_pipe(int ends[2]);

/// Names the calling thread; 15 bytes count. Why C: pthread_setname_np.
void chost_thread_name(const char *name);

/// What `chost_allocate` does to a range of a file, whose size it never changes.
enum chost_allocation { CHOST_PUNCH_HOLE = 1, CHOST_ZERO_RANGE = 2 };

/// Punches a hole into, or zeroes, `count` bytes at `offset`. Why C: fallocate, FALLOC_FL_*.
int chost_allocate(int fd, enum chost_allocation what, int64_t offset, int64_t count);

/// Where the next data of a file lies, at or behind `from`, and in `end` where it ends: the rest are holes. -ENXIO behind
/// the last data. Why C: SEEK_DATA, SEEK_HOLE.
int64_t chost_next_data(int fd, int64_t from, int64_t *end);

/// Makes all of `target` share the blocks of `source`, until one of them is written. Why C: ioctl is variadic.
int chost_clone_file(int target, int source);

/// Locks all of a file for its open file description: exclusively or shared, without waiting; -EAGAIN if another
/// description's lock forbids it. Why C: F_OFD_SETLK.
int chost_lock_file(int fd, bool exclusive);

/// Takes a connection, close-on-exec and non-blocking. Why C: accept4.
int chost_accept(int fd);

/// Who is at the other end of the unix socket `fd`: process and user. 0, or minus an errno. Why C: struct ucred.
int chost_peer(int fd, int *process, unsigned *user);

/// Adds to `actions` that the started program has no descriptor from `first` up. Why C:
/// posix_spawn_file_actions_addclosefrom_np.
int chost_spawn_close_from(posix_spawn_file_actions_t *actions, int first);

/// The flag of posix_spawn(3) that gives the started program a session of its own. Why C: POSIX_SPAWN_SETSID.
short chost_spawn_session(void);

/// Puts `fd` into raw mode `raw` and remembers `cooked`, so that exit, deadly signals, stop and continue find the
/// terminal as it was. Answers 0 or an errno. One terminal at a time: EBUSY.
/// Why C: the settings must come back inside signal handlers, where no Swift may run.
int chost_terminal_enter(int fd, const struct termios *cooked, const struct termios *raw);

/// Gives the terminal its remembered settings back and forgets them. Safe to call twice, and in a signal handler.
/// Why C: as above.
void chost_terminal_leave(void);

/// Opens the tap interface `name` (empty: the kernel names it) without packet information; `name` gets the name used.
/// Answers the descriptor or minus an errno. `name` has at least 16 bytes.
/// Why C: TUNSETIFF is a macro over struct ifreq, whose unions Swift does not import usably.
int chost_tap_open(char *name);

/// A socket for questions about the addresses of this network namespace; or, with `hears_changes`, one that becomes
/// readable when an address or link changes. Non-blocking; or minus an errno.
/// Why C: Swift's Glibc module has no netlink.
int chost_address_socket(bool hears_changes);

// What follows serves the sharing of the host's processors (processor.c).

/// As `chost_futex_wait`, on a word that other processes map too. Why C: as above.
int chost_shared_wait(const uint32_t *word, uint32_t expected, uint64_t deadline);

/// Wakes all sleepers on a word that other processes map too. Why C: as above.
void chost_shared_wake(const uint32_t *word);

/// Locks one byte of a file for its open file description, without waiting; -EAGAIN if another's lock forbids it.
/// Why C: F_OFD_SETLK.
int chost_lock_byte(int fd, int64_t offset, bool exclusive);

/// Gives that lock back. 0 or minus an errno. Why C: as above.
int chost_unlock_byte(int fd, int64_t offset);

/// Whether another open file description has a lock on that byte; or minus an errno. Why C: F_OFD_GETLK.
int chost_byte_is_locked(int fd, int64_t offset);

/// Fills `words` (64 CPUs each, the lowest bit the first) with where the calling thread may run. 0 or an errno.
/// Why C: glibc declares the call and its CPU sets for _GNU_SOURCE alone.
int chost_get_affinity(uint64_t *words, int count);

/// Lets the calling thread run on those CPUs alone. 0 or an errno. Why C: as above.
int chost_set_affinity(const uint64_t *words, int count);
