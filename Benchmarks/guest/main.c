/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's benchmark, a static program for x86-64 and riscv64. As the init of an initramfs it prints
 *     INIT-UP seconds                    as soon as it runs
 *     BENCH name seconds checksum        for each benchmark; checksum "-" where the result has no fixed value
 *     VULNERABILITY name: state          what the kernel says of the processor and its own mitigations
 *     ALL-DONE
 * and powers off. On the kernel's command line `bootonly` leaves out everything between the first and the last line,
 * and `bench=name,name` chooses benchmarks. Run natively, it takes names as arguments and prints the BENCH lines.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

volatile uint64_t sink;
double override_seconds = -1;
uint32_t random_state;

static const struct {
    const char *name;
    void (*run)(void);
} benchmarks[] = {
    {"alu", bench_alu},           {"sieve", bench_sieve},       {"crc", bench_crc},
    {"qsort", bench_qsort},       {"fib", bench_fib},           {"icall", bench_icall},
    {"matmul", bench_matmul},     {"axpy", bench_axpy},         {"memcpy", bench_memcpy},
    {"bytecpy", bench_bytecpy},   {"chase32k", bench_chase32k}, {"chase64m", bench_chase64m},
    {"syscall", bench_syscall},   {"read4k", bench_read4k},     {"pagefault", bench_pagefault},
    {"fork", bench_fork},         {"forkexec", bench_forkexec}, {"smc", bench_smc},
};

double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec * 1e-9;
}

/* Whether `name` is in the comma-separated `list`; every name is in an empty one. */
static int chosen(const char *list, const char *name) {
    size_t length = strlen(name);
    if (!*list) return 1;
    for (const char *at = list; (at = strstr(at, name)); at += length)
        if ((at == list || at[-1] == ',') && (at[length] == ',' || !at[length])) return 1;
    return 0;
}

static void run_all(const char *list) {
    for (unsigned i = 0; i < sizeof benchmarks / sizeof *benchmarks; i++) {
        if (!chosen(list, benchmarks[i].name)) continue;
        override_seconds = -1;
        sink = 0;
        random_state = 12345;
        double seconds = now();
        benchmarks[i].run();
        seconds = now() - seconds;
        if (override_seconds >= 0) seconds = override_seconds;
        if (sink)
            printf("BENCH %s %.6f %016lx\n", benchmarks[i].name, seconds, (unsigned long)sink);
        else
            printf("BENCH %s %.6f -\n", benchmarks[i].name, seconds);
    }
}

static void print_vulnerabilities(void) {
    const char *folder = "/sys/devices/system/cpu/vulnerabilities";
    DIR *entries = opendir(folder);
    if (!entries) return;
    for (struct dirent *entry; (entry = readdir(entries));) {
        char path[512], state[256] = "";
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        int file = open(path, O_RDONLY);
        if (file < 0) continue;
        if (read(file, state, sizeof state - 1) < 0) state[0] = 0;
        close(file);
        state[strcspn(state, "\n")] = 0;
        printf("VULNERABILITY %s: %s\n", entry->d_name, state);
    }
    closedir(entries);
}

/* Finds `word` among the blank-separated words of `line`; returns what follows it, or null. */
static char *find_word(char *line, const char *word) {
    for (char *at = line; (at = strstr(at, word)); at++)
        if (at == line || at[-1] == ' ') return at + strlen(word);
    return 0;
}

static void run_as_init(void) {
    char line[2048] = "", *list;
    mkdir("/dev", 0755);
    mkdir("/proc", 0755);
    mkdir("/sys", 0755);
    mount("none", "/dev", "devtmpfs", 0, 0);
    mount("none", "/proc", "proc", 0, 0);
    mount("none", "/sys", "sysfs", 0, 0);
    printf("INIT-UP %.3f\n", now());

    int file = open("/proc/cmdline", O_RDONLY);
    if (file >= 0) {
        if (read(file, line, sizeof line - 1) < 0) line[0] = 0;
        close(file);
    }
    line[strcspn(line, "\n")] = 0;
    if (!find_word(line, "bootonly")) {
        if ((list = find_word(line, "bench="))) list[strcspn(list, " ")] = 0;
        run_all(list ? list : "");
        print_vulnerabilities();
    }
    printf("ALL-DONE\n");
    sync();
    usleep(1000);
    reboot(RB_POWER_OFF);
    for (;;) pause();
}

int main(int count, char **arguments) {
    if (count > 1 && !strcmp(arguments[1], "--exit")) return 0;
    setvbuf(stdout, 0, _IOLBF, 0);
    if (getpid() == 1) run_as_init();
    if (count < 2) run_all("");
    for (int i = 1; i < count; i++) run_all(arguments[i]);
    return 0;
}
