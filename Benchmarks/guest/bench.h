/* SPDX-License-Identifier: Apache-2.0 */
/* What the benchmarks share: each leaves a checksum in `sink`, or 0 where its result has no fixed value. */
#ifndef BENCH_H
#define BENCH_H

#include <stdint.h>

/* The checksum of the benchmark that runs; volatile, so that the work for it is done. */
extern volatile uint64_t sink;

/* Seconds that stand in place of the measured ones, for benchmarks whose set-up does not count; -1 for none. */
extern double override_seconds;

/* Monotonic seconds. */
double now(void);

/* The state of `random_word`: the same for every benchmark's start. */
extern uint32_t random_state;

/* xorshift32: small, the same everywhere. */
static inline uint32_t random_word(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state;
}

/* Keeps the compiler from seeing through what was written at `pointer`. */
#define OBSERVE(pointer) __asm__ volatile("" ::"r"(pointer) : "memory")

/* integer */
void bench_alu(void);
void bench_sieve(void);
void bench_crc(void);
void bench_qsort(void);
/* branch */
void bench_fib(void);
void bench_icall(void);
/* floating point */
void bench_matmul(void);
void bench_axpy(void);
/* memory */
void bench_memcpy(void);
void bench_bytecpy(void);
void bench_chase32k(void);
void bench_chase64m(void);
/* system */
void bench_syscall(void);
void bench_read4k(void);
void bench_pagefault(void);
void bench_fork(void);
void bench_forkexec(void);
/* self-modifying */
void bench_smc(void);

#endif
