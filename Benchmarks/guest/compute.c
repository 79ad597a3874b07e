/* SPDX-License-Identifier: Apache-2.0 */
/* Classes integer, branch and floating point: work inside the processor and its nearest caches. */
#include <stdlib.h>
#include <string.h>

#include "bench.h"

/* Arithmetic in registers alone. */
void bench_alu(void) {
    uint64_t a = 88172645463325252ull, sum = 0;
    for (int i = 0; i < 120000000; i++) {
        a ^= a << 13;
        a ^= a >> 7;
        a ^= a << 17;
        sum += a & 0xff;
        if ((a & 3) == 0) sum ^= i;
    }
    sink = sum;
}

/* Byte stores at growing strides. */
void bench_sieve(void) {
    enum { N = 2000000 };
    static unsigned char prime[N + 1];
    uint64_t count = 0;
    for (int round = 0; round < 60; round++) {
        memset(prime, 1, N + 1);
        for (int i = 2; (long)i * i <= N; i++)
            if (prime[i])
                for (int j = i * i; j <= N; j += i) prime[j] = 0;
        for (int i = 2; i <= N; i++) count += prime[i];
    }
    sink = count;
}

/* A chain of dependent table look-ups. */
void bench_crc(void) {
    static uint32_t table[256];
    static unsigned char buffer[1 << 16];
    for (int i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int k = 0; k < 8; k++) c = c & 1 ? 0xEDB88320u ^ (c >> 1) : c >> 1;
        table[i] = c;
    }
    for (unsigned i = 0; i < sizeof buffer; i++) buffer[i] = random_word();
    uint32_t crc = ~0u;
    for (int round = 0; round < 2400; round++)
        for (unsigned i = 0; i < sizeof buffer; i++) crc = table[(crc ^ buffer[i]) & 255] ^ (crc >> 8);
    sink = crc;
}

static int compare_ints(const void *a, const void *b) {
    int x = *(const int *)a, y = *(const int *)b;
    return x < y ? -1 : x > y;
}

/* The C library's sort: unpredictable branches, calls through a pointer. */
void bench_qsort(void) {
    enum { N = 1000000 };
    int *numbers = malloc(N * sizeof *numbers);
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < N; i++) numbers[i] = random_word();
        qsort(numbers, N, sizeof *numbers, compare_ints);
    }
    uint64_t hash = 0;
    for (int i = 0; i < N; i++) hash = hash * 31 + (uint32_t)numbers[i];
    sink = hash;
    free(numbers);
}

static __attribute__((noinline)) int fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

/* Calls and returns. */
void bench_fib(void) {
    volatile int n = 40;
    sink = fib(n);
}

static __attribute__((noinline)) int add_one(int x) { return x + 1; }
static __attribute__((noinline)) int flip(int x) { return x ^ 5; }
static __attribute__((noinline)) int triple(int x) { return x * 3; }
static __attribute__((noinline)) int less_seven(int x) { return x - 7; }

/* Indirect calls with four targets. */
void bench_icall(void) {
    int (*volatile targets[4])(int) = {add_one, flip, triple, less_seven};
    int x = 1;
    for (int i = 0; i < 120000000; i++) x = targets[(i >> 1) & 3](x);
    sink = x;
}

static uint64_t hash_doubles(const double *values, int count) {
    uint64_t hash = 0;
    for (int i = 0; i < count; i++) {
        uint64_t bits;
        memcpy(&bits, &values[i], 8);
        hash = hash * 31 + bits;
    }
    return hash;
}

/* Multiplies and adds in one chain, loads with a long stride. */
void bench_matmul(void) {
    enum { N = 256 };
    static double a[N][N], b[N][N], c[N][N];
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            a[i][j] = i * 0.5 + j;
            b[i][j] = i - j * 0.25;
            c[i][j] = 0;
        }
    for (int round = 0; round < 8; round++)
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) {
                double sum = 0;
                for (int k = 0; k < N; k++) sum += a[i][k] * b[k][j];
                c[i][j] += sum;
            }
    sink = hash_doubles(&c[0][0], N * N);
}

/* Independent multiplies and adds, which compilers turn into vectors where the architecture has them. */
void bench_axpy(void) {
    enum { N = 4096 };
    static double x[N], y[N];
    for (int i = 0; i < N; i++) {
        x[i] = i;
        y[i] = 1;
    }
    for (int round = 0; round < 120000; round++) {
        double a = 1e-9 * round;
        for (int i = 0; i < N; i++) y[i] += a * x[i];
        OBSERVE(y);
    }
    sink = hash_doubles(y, N);
}
