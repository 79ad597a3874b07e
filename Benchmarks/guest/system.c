/* SPDX-License-Identifier: Apache-2.0 */
/* Classes system and self-modifying: the kernel's paths, and code that was written a moment ago. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

void bench_syscall(void) {
    for (int i = 0; i < 2000000; i++) syscall(SYS_getppid);
}

void bench_read4k(void) {
    static char buffer[4096];
    int file = open("/dev/zero", O_RDONLY);
    for (int i = 0; i < 500000; i++)
        if (read(file, buffer, sizeof buffer) != sizeof buffer) _exit(3);
    close(file);
}

void bench_pagefault(void) {
    enum { PAGES = 256, PAGE = 4096 };
    for (int round = 0; round < 1000; round++) {
        char *memory = mmap(0, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        madvise(memory, PAGES * PAGE, MADV_NOHUGEPAGE);
        for (int i = 0; i < PAGES; i++) memory[i * PAGE] = 1;
        munmap(memory, PAGES * PAGE);
    }
}

void bench_fork(void) {
    for (int i = 0; i < 2000; i++) {
        pid_t child = fork();
        if (!child) _exit(0);
        waitpid(child, 0, 0);
    }
}

/* The program itself, told to leave at once. */
void bench_forkexec(void) {
    for (int i = 0; i < 1500; i++) {
        pid_t child = vfork();
        if (!child) {
            execl("/proc/self/exe", "bench", "--exit", (char *)0);
            _exit(1);
        }
        waitpid(child, 0, 0);
    }
}

/* A just-in-time compiler in small: writes a function that returns a constant, and calls it. */
void bench_smc(void) {
    unsigned char *memory =
        mmap(0, 16 * 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint64_t sum = 0;
    for (int i = 0; i < 100000; i++) {
        unsigned char *code = memory + (i & 15) * 4096 + ((i >> 4) & 63) * 64;
#if defined(__x86_64__)
        code[0] = 0xb8; /* mov eax, i */
        memcpy(code + 1, &i, 4);
        code[5] = 0xc3; /* ret */
#elif defined(__riscv)
        uint32_t words[2] = {(uint32_t)(i & 0x7ff) << 20 | 10 << 7 | 0x13, /* li a0, i & 0x7ff */
                             0x00008067};                                  /* ret */
        memcpy(code, words, sizeof words);
#else
#error "no code for this architecture"
#endif
        __builtin___clear_cache((char *)code, (char *)code + 16);
        sum += ((uint32_t(*)(void))code)();
    }
    sink = sum;
    munmap(memory, 16 * 4096);
}
