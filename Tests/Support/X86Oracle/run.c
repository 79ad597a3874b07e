// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "X86Run.h"

#if defined(__x86_64__)
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

_Static_assert(offsetof(struct x86_run_state, vectors) == 64, "the assembly knows the offsets");
_Static_assert(offsetof(struct x86_run_state, x87) == 576, "the assembly knows the offsets");

// Position-independent, copied into executable memory. r15 is the state; the hole takes an instruction.
__asm__(".pushsection .text\n"
        "x86_run_begin:\n"
        "push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n"
        "mov %rdi, %r15\n"
        "fxrstor64 576(%r15)\n"
        "ldmxcsr 56(%r15)\n"
        "vmovdqu 64(%r15), %ymm0\n vmovdqu 96(%r15), %ymm1\n vmovdqu 128(%r15), %ymm2\n vmovdqu 160(%r15), %ymm3\n"
        "vmovdqu 192(%r15), %ymm4\n vmovdqu 224(%r15), %ymm5\n vmovdqu 256(%r15), %ymm6\n vmovdqu 288(%r15), %ymm7\n"
        "vmovdqu 320(%r15), %ymm8\n vmovdqu 352(%r15), %ymm9\n vmovdqu 384(%r15), %ymm10\n vmovdqu 416(%r15), %ymm11\n"
        "vmovdqu 448(%r15), %ymm12\n vmovdqu 480(%r15), %ymm13\n vmovdqu 512(%r15), %ymm14\n vmovdqu 544(%r15), %ymm15\n"
        "push 48(%r15)\n popfq\n"
        "mov 0(%r15), %rax\n mov 8(%r15), %rcx\n mov 16(%r15), %rdx\n mov 24(%r15), %rbx\n mov 32(%r15), %rsi\n"
        "mov 40(%r15), %rdi\n"
        "x86_run_hole: .fill 16, 1, 0x90\n"
        "x86_run_after:\n"
        "mov %rax, 0(%r15)\n mov %rcx, 8(%r15)\n mov %rdx, 16(%r15)\n mov %rbx, 24(%r15)\n mov %rsi, 32(%r15)\n"
        "mov %rdi, 40(%r15)\n"
        "pushfq\n pop 48(%r15)\n"
        "vmovdqu %ymm0, 64(%r15)\n vmovdqu %ymm1, 96(%r15)\n vmovdqu %ymm2, 128(%r15)\n vmovdqu %ymm3, 160(%r15)\n"
        "vmovdqu %ymm4, 192(%r15)\n vmovdqu %ymm5, 224(%r15)\n vmovdqu %ymm6, 256(%r15)\n vmovdqu %ymm7, 288(%r15)\n"
        "vmovdqu %ymm8, 320(%r15)\n vmovdqu %ymm9, 352(%r15)\n vmovdqu %ymm10, 384(%r15)\n vmovdqu %ymm11, 416(%r15)\n"
        "vmovdqu %ymm12, 448(%r15)\n vmovdqu %ymm13, 480(%r15)\n vmovdqu %ymm14, 512(%r15)\n vmovdqu %ymm15, 544(%r15)\n"
        "stmxcsr 56(%r15)\n"
        "fxsave64 576(%r15)\n"
        "fninit\n"
        "push $0x1f80\n ldmxcsr (%rsp)\n add $8, %rsp\n"
        "cld\n vzeroupper\n"
        "pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n"
        "ret\n"
        "x86_run_end:\n"
        ".popsection\n");
extern const uint8_t x86_run_begin[], x86_run_hole[], x86_run_after[], x86_run_end[];

static _Thread_local uint8_t *page;
static _Thread_local volatile uint64_t died;
static struct sigaction earlier[32];

// A fault within the hole goes on behind it; any other is somebody else's.
static void on_fault(int number, siginfo_t *information, void *context) {
    greg_t *rip = &((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
    uint64_t hole = (uint64_t)page + (uint64_t)(x86_run_hole - x86_run_begin);
    if (page && (uint64_t)*rip >= hole && (uint64_t)*rip < hole + 16) {
        died = (uint64_t)number;
        *rip = (greg_t)((uint64_t)page + (uint64_t)(x86_run_after - x86_run_begin));
        return;
    }
    if (earlier[number].sa_flags & SA_SIGINFO && earlier[number].sa_sigaction) {
        earlier[number].sa_sigaction(number, information, context);
    } else {
        signal(number, SIG_DFL);
    }
}

static void install(void) {
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    const int numbers[] = {SIGFPE, SIGILL, SIGSEGV, SIGBUS};
    for (unsigned i = 0; i < 4; i++) { sigaction(numbers[i], &action, &earlier[numbers[i]]); }
}

int x86_run(const uint8_t *code, unsigned length, struct x86_run_state *state) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (!__builtin_cpu_supports("avx") || length > 16) { return 0; }
    pthread_once(&once, install);
    if (!page) {
        void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) { return 0; }
        page = memory;
        memcpy(page, x86_run_begin, (size_t)(x86_run_end - x86_run_begin));
    }
    uint8_t *hole = page + (x86_run_hole - x86_run_begin);
    memset(hole, 0x90, 16);
    memcpy(hole, code, length);
    // Alignment is part of what instructions look at; Swift's copy has none to speak of.
    static _Thread_local _Alignas(64) struct x86_run_state copy;
    copy = *state;
    copy.general[5] = (uint64_t)(uintptr_t)&copy.memory[64];
    died = 0;
    ((void (*)(struct x86_run_state *))(uintptr_t)page)(&copy);
    copy.signal = died;
    *state = copy;
    return 1;
}
#else
int x86_run(const uint8_t *code, unsigned length, struct x86_run_state *state) {
    (void)code, (void)length, (void)state;
    return 0;
}
#endif
