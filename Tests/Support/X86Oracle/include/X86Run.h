// SPDX-License-Identifier: Apache-2.0
//
// One instruction of the host, any, with all registers around it set and read. Why C: the instruction is a copy in
// executable memory between assembly that loads and stores the registers.
#ifndef X86_RUN_H
#define X86_RUN_H

#include <stdint.h>

/// The registers that an instruction sees and leaves. rsp, rbp and r8 to r15 are not its own.
struct x86_run_state {
    /// rax, rcx, rdx, rbx, rsi, rdi; rdi is made to point at the 64th byte of `memory`, aligned to 64.
    uint64_t general[6];
    uint64_t flags;
    uint64_t mxcsr;
    uint64_t vectors[64];
    /// FXSAVE's area; only the x87 part counts.
    uint8_t x87[512];
    /// The signal that it died of, or 0.
    uint64_t signal;
    uint64_t padding[7];
    /// Memory for operands.
    uint8_t memory[256];
};

/// Executes `length` bytes of code; 0 where the host cannot (no AVX, no executable memory, another architecture).
int x86_run(const uint8_t *code, unsigned length, struct x86_run_state *state);

#endif
