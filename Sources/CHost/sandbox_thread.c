// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "sandbox_thread.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// The same number on every architecture (landlock_restrict_self(2)); older headers lack it.
enum { RESTRICT_SELF = 446 };

static struct sock_fprog filters[CHOST_ROLE_COUNT];
static atomic_bool is_confined;

static _Thread_local enum chost_role own_role = CHOST_ROLE_SERVICE;
// The role that this thread was confined for in the handler, or -1.
static _Thread_local int confined_role = -1;

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
static int change_user(uid_t user, gid_t group)
{
	bool is_done = syscall(SYS_setgroups, 0, NULL) == 0 && syscall(SYS_setresgid, group, group, group) == 0 &&
		       syscall(SYS_setresuid, user, user, user) == 0;
	return is_done ? 0 : errno;
}

static int install_filter(enum chost_role role)
{
	if (filters[role].filter == NULL)
		return 0;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filters[role]) == 0 ? 0 : errno;
}

// Each step needs the rights that a later one gives up.
enum chost_step chost_confine_thread(const struct chost_confinement *rules, int *error)
{
	if ((*error = drop_bounding_set()) != 0)
		return CHOST_STEP_CAPABILITIES;
	if (rules->changes_user && (*error = change_user(rules->user, rules->group)) != 0)
		return CHOST_STEP_USER;
	if ((*error = drop_capabilities()) != 0)
		return CHOST_STEP_CAPABILITIES;
	if ((*error = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : errno) != 0)
		return CHOST_STEP_NO_NEW_PRIVILEGES;
	if (rules->landlock >= 0 && (*error = syscall(RESTRICT_SELF, rules->landlock, 0) == 0 ? 0 : errno) != 0)
		return CHOST_STEP_LANDLOCK;
	confined_role = own_role;
	return (*error = install_filter(own_role)) == 0 ? CHOST_STEP_NONE : CHOST_STEP_FILTER;
}

void chost_expect_confinement(void)
{
	atomic_store(&is_confined, true);
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
