/* SPDX-License-Identifier: Apache-2.0 */
/* Class memory: copies, and chains of dependent loads within and beyond the caches and the TLB. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bench.h"

void bench_memcpy(void) {
    enum { SIZE = 1 << 20 };
    char *to = malloc(SIZE), *from = malloc(SIZE);
    memset(to, 1, SIZE);
    memset(from, 2, SIZE);
    for (int round = 0; round < 6000; round++) {
        memcpy(to, from, SIZE);
        OBSERVE(to);
    }
    sink = to[5];
    free(to);
    free(from);
}

/* One byte loaded and one stored in each round. */
void bench_bytecpy(void) {
    enum { SIZE = 1 << 16 };
    static volatile char to[SIZE], from[SIZE];
    for (int i = 0; i < SIZE; i++) from[i] = i * 7;
    for (int round = 0; round < 9000; round++)
        for (int i = 0; i < SIZE; i++) to[i] = from[i];
    uint64_t hash = 0;
    for (int i = 0; i < SIZE; i++) hash = hash * 31 + (unsigned char)to[i];
    sink = hash;
}

/* Walks a random cycle through `bytes` of cache lines, in small pages; building the cycle is not timed. */
static void chase(size_t bytes, long steps) {
    size_t lines = bytes / 64;
    char *memory = mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    madvise(memory, bytes, MADV_NOHUGEPAGE);
    uint32_t *order = malloc(lines * sizeof *order);
    for (size_t i = 0; i < lines; i++) order[i] = i;
    for (size_t i = lines - 1; i > 0; i--) {
        size_t j = ((uint64_t)random_word() * i) >> 32;
        uint32_t other = order[i];
        order[i] = order[j];
        order[j] = other;
    }
    for (size_t i = 0; i < lines; i++)
        *(void **)(memory + (size_t)order[i] * 64) = memory + (size_t)order[(i + 1) % lines] * 64;

    double began = now();
    void **at = (void **)memory;
    for (long i = 0; i < steps; i++) at = *at;
    sink = (char *)at - memory;
    override_seconds = now() - began;
    munmap(memory, bytes);
    free(order);
}

void bench_chase32k(void) { chase(32 << 10, 150000000); }
void bench_chase64m(void) { chase(64 << 20, 6000000); }
