// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "chost_sandbox.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

// The same numbers on every architecture (landlock_create_ruleset(2)); older headers lack them.
enum { CREATE_RULESET = 444, ADD_RULE = 445 };

int chost_filter_support(void)
{
	uint32_t action = SECCOMP_RET_KILL_PROCESS;
	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0 ? 0 : errno;
}

int chost_landlock_version(void)
{
	long version = syscall(CREATE_RULESET, NULL, 0, 1U /* LANDLOCK_CREATE_RULESET_VERSION */);
	return version >= 0 ? (int)version : -errno;
}

int chost_landlock_rules(uint64_t files, uint64_t network, uint64_t scopes)
{
	uint64_t handled[3] = {files, network, scopes};
	// Kernels that know a shorter structure take a longer one whose rest is zero.
	long rules = syscall(CREATE_RULESET, handled, sizeof handled, 0);
	return rules >= 0 ? (int)rules : -errno;
}

int chost_landlock_allow(int rules, int fd, uint64_t rights)
{
	struct {
		uint64_t rights;
		int32_t parent;
	} __attribute__((packed)) rule = {rights, fd};
	return syscall(ADD_RULE, rules, 1 /* LANDLOCK_RULE_PATH_BENEATH */, &rule, 0) == 0 ? 0 : errno;
}

int chost_scratch_file(void)
{
	int fd = memfd_create("apus-filter", MFD_CLOEXEC);
	return fd >= 0 ? fd : -errno;
}

int chost_hide_process(void)
{
	struct rlimit none = {0, 0};
	if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return errno;
	return 0;
}
