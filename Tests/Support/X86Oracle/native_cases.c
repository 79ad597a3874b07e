// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "native_cases.h"
#include <stddef.h>
#include <string.h>

#if defined(__x86_64__) && defined(__linux__)
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

// The cases, and which one runs: the child's alone.
static struct native_case *volatile cases;
static volatile int count, current;
static char alternate[65536];

// Where registers lie in a signal frame, in the order of their encoding.
static const int places[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                               REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

// The kernel says behind the FXSAVE image whether an XSAVE area follows (magic at byte 464; Linux, struct _fpx_sw_bytes).
static int has_xsave(const uint8_t *fp) {
    uint32_t magic;
    memcpy(&magic, fp + 464, 4);
    return magic == 0x46505853;
}

static void keep(struct native_case *c, ucontext_t *context, int vector) {
    for (int i = 0; i < 16; i++) c->after.general[i] = (uint64_t)context->uc_mcontext.gregs[places[i]];
    c->after.rip = (uint64_t)context->uc_mcontext.gregs[REG_RIP];
    c->after.rflags = (uint64_t)context->uc_mcontext.gregs[REG_EFL];
    c->error = (uint64_t)context->uc_mcontext.gregs[REG_ERR];
    c->address = (uint64_t)context->uc_mcontext.gregs[REG_CR2];
    const uint8_t *fp = (const uint8_t *)context->uc_mcontext.fpregs;
    memcpy(c->after.fxsave, fp, 416);
    if (has_xsave(fp)) {
        uint64_t present;
        memcpy(&present, fp + 512, 8);
        if (present & 4) memcpy(c->after.ymm_high, fp + 576, 256);
        // A component in its initial state is not written: all zero, but for the x87 control words.
        if (!(present & 2)) memset(c->after.fxsave + 160, 0, 256);
        if (!(present & 1)) {
            memset(c->after.fxsave, 0, 24);
            memset(c->after.fxsave + 32, 0, 128);
            c->after.fxsave[0] = 0x7f;
            c->after.fxsave[1] = 3;
        }
    }
    memcpy(c->data_after, (void *)NATIVE_DATA, NATIVE_DATA_BYTES);
    c->vector = vector;
    c->done = 1;
}

static void begin(const struct native_case *c, ucontext_t *context) {
    memcpy((void *)NATIVE_CODE, c->code, NATIVE_CODE_BYTES);
    memcpy((void *)NATIVE_DATA, c->data_before, NATIVE_DATA_BYTES);
    for (int i = 0; i < 16; i++) context->uc_mcontext.gregs[places[i]] = (long long)c->before.general[i];
    context->uc_mcontext.gregs[REG_RIP] = (long long)c->before.rip;
    context->uc_mcontext.gregs[REG_EFL] = (long long)c->before.rflags;
    uint8_t *fp = (uint8_t *)context->uc_mcontext.fpregs;
    memcpy(fp, c->before.fxsave, 416);
    if (has_xsave(fp)) {
        uint64_t present;
        memcpy(&present, fp + 512, 8);
        present |= 7;
        memcpy(fp + 512, &present, 8);
        memcpy(fp + 576, c->before.ymm_high, 256);
    }
    struct itimerval limit = {{0, 0}, {2, 0}};
    setitimer(ITIMER_REAL, &limit, NULL);
}

// Every case ends in an exception. The handler keeps what it left and returns into the next one.
static void on_signal(int number, siginfo_t *info, void *raw) {
    (void)info;
    ucontext_t *context = raw;
    if (current >= 0)
        keep(&cases[current], context, number == SIGALRM ? -1 : (int)context->uc_mcontext.gregs[REG_TRAPNO]);
    current++;
    if (current >= count) _exit(0);
    begin(&cases[current], context);
}

static void child(void) {
    void *area = mmap((void *)NATIVE_BASE, NATIVE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (area != (void *)NATIVE_BASE) _exit(2);
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
    if (sigaltstack(&stack, NULL) != 0) _exit(3);
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    const int signals[] = {SIGSEGV, SIGILL, SIGFPE, SIGTRAP, SIGBUS, SIGALRM};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) sigaction(signals[i], &action, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    current = -1;
    __asm__ volatile("ud2");
    _exit(4);
}

bool native_cases_available(void) { return true; }

struct native_case *native_cases_allocate(int n) {
    void *area = mmap(NULL, sizeof(struct native_case) * (size_t)n, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return area == MAP_FAILED ? NULL : area;
}

void native_cases_free(struct native_case *c, int n) { munmap(c, sizeof(struct native_case) * (size_t)n); }

bool native_cases_run(struct native_case *c, int n) {
    pid_t id = fork();
    if (id < 0) return false;
    if (id == 0) {
        cases = c;
        count = n;
        child();
    }
    int status;
    while (waitpid(id, &status, 0) < 0) {
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

#else

bool native_cases_available(void) { return false; }
struct native_case *native_cases_allocate(int n) { (void)n; return NULL; }
void native_cases_free(struct native_case *c, int n) { (void)c; (void)n; }
bool native_cases_run(struct native_case *c, int n) { (void)c; (void)n; return false; }
#endif
