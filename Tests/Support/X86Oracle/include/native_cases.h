// SPDX-License-Identifier: Apache-2.0
//
// Runs pieces of code on the host processor, in a child process, and says what they left: registers, flags, memory, and
// the exception that ended each. Only on x86-64 Linux: elsewhere `native_cases_run` answers that it cannot.
#pragma once
#include <stdbool.h>
#include <stdint.h>

/// Where code and data lie in the child: the same addresses that the test gives its guest.
#define NATIVE_CODE 0x10010000ull
#define NATIVE_CODE_BYTES 256
#define NATIVE_DATA 0x10020000ull
#define NATIVE_DATA_BYTES 1024
/// The whole of what is mapped there.
#define NATIVE_BASE 0x10000000ull
#define NATIVE_SIZE 0x40000ull

/// A processor's state, as far as programs see it.
struct native_state {
    /// rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8 to r15.
    uint64_t general[16];
    uint64_t rip;
    uint64_t rflags;
    /// The image that FXSAVE writes, of which bytes 0 to 415 count.
    uint8_t fxsave[512];
    /// The upper halves of YMM0 to YMM15.
    uint8_t ymm_high[256];
};

/// One piece of code with all that it starts from, and what it left.
struct native_case {
    struct native_state before;
    struct native_state after;
    uint8_t code[NATIVE_CODE_BYTES];
    uint8_t data_before[NATIVE_DATA_BYTES];
    uint8_t data_after[NATIVE_DATA_BYTES];
    /// The vector of the exception that ended it; -1: it did not end in time.
    int32_t vector;
    /// It was run.
    int32_t done;
    /// The exception's error code, and the address of a page fault.
    uint64_t error;
    uint64_t address;
};

/// Whether this host can.
bool native_cases_available(void);
/// Room for `count` cases, zeroed, that a child shares; NULL where there is none.
struct native_case *_Nullable native_cases_allocate(int count);
void native_cases_free(struct native_case *_Nonnull cases, int count);
/// Runs all cases, one after the other. False when the child could not begin or died.
bool native_cases_run(struct native_case *_Nonnull cases, int count);
