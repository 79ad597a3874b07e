// SPDX-License-Identifier: Apache-2.0
#pragma once
#if !__has_include(<seccomp.h>)
#error "libseccomp is missing: apt-get install libseccomp-dev"
#endif
#include <seccomp.h>
