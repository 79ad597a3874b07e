// SPDX-License-Identifier: Apache-2.0
// The shims are inline in guest_atomics.h; SwiftPM wants one source file a C target.
#include "guest_atomics.h"
