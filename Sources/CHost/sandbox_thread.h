// SPDX-License-Identifier: Apache-2.0
//
// How one thread gives up its rights, for sandbox.c, which has all of them do it at once.
#pragma once

#include "chost_sandbox.h"

/// Confines the calling thread by `rules`, for the role that it has. Takes no lock, so that a signal handler may call it.
/// Answers the step that failed, with its errno in `error`, or CHOST_STEP_NONE.
enum chost_step chost_confine_thread(const struct chost_confinement *rules, int *error);

/// From now on threads that begin install their role's filter themselves, unless they were confined meanwhile.
void chost_expect_confinement(void);
