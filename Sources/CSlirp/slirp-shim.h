// SPDX-License-Identifier: Apache-2.0
#pragma once
#if !__has_include(<slirp/libslirp.h>)
#error "libslirp is missing: apt-get install libslirp-dev"
#endif
#include <slirp/libslirp.h>
