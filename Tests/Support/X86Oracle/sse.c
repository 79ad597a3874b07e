// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "X86Oracle.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <ucontext.h>

static _Thread_local volatile uint32_t trapped_mxcsr;
static _Thread_local volatile uint32_t trapped;
static _Thread_local volatile uint32_t operating;
static struct sigaction earlier;

// A trap of an operation here is noted, and the instruction restarted with everything masked; any other is somebody
// else's (run.c), whose handler was there before or comes before this one.
static void on_trap(int number, siginfo_t *information, void *context) {
    if (!operating) {
        if (earlier.sa_flags & SA_SIGINFO && earlier.sa_sigaction) {
            earlier.sa_sigaction(number, information, context);
        } else {
            signal(number, SIG_DFL);
        }
        return;
    }
    fpregset_t registers = ((ucontext_t *)context)->uc_mcontext.fpregs;
    trapped = 1;
    trapped_mxcsr = registers->mxcsr;
    registers->mxcsr |= 0x1f80;
}

static void install(void) {
    struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigaction(SIGFPE, &action, &earlier);
}

int x86_oracle_is_available(void) { return 1; }

int x86_oracle_has_fma(void) {
    return __builtin_cpu_supports("avx") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
}

#define AROUND(INSTRUCTION) "ldmxcsr %[set]\n\t" INSTRUCTION "\n\tstmxcsr %[after]\n\tldmxcsr %[saved]"
#define CONTROLS [set] "m"(mxcsr), [saved] "m"(saved)

// dest op= source
#define BINARY(NAME, INSTRUCTION)                                                                                      \
    case NAME:                                                                                                         \
        __asm__ volatile(AROUND(INSTRUCTION " %[y], %[x]") : [x] "+x"(x), [after] "=m"(after) : [y] "x"(y), CONTROLS);  \
        break;
#define UNARY(NAME, INSTRUCTION)                                                                                       \
    case NAME:                                                                                                         \
        __asm__ volatile(AROUND(INSTRUCTION " %[y], %[x]") : [x] "+x"(y), [after] "=m"(after) : [y] "x"(x), CONTROLS);  \
        x = y;                                                                                                         \
        break;
#define COMPARE(NAME, INSTRUCTION)                                                                                     \
    case NAME: {                                                                                                       \
        uint64_t flags;                                                                                                \
        __asm__ volatile(AROUND(INSTRUCTION " %[y], %[x]\n\tlahf\n\tmovzbl %%ah, %%eax")                               \
                         : "=a"(flags), [after] "=m"(after)                                                            \
                         : [x] "x"(x), [y] "x"(y), CONTROLS                                                            \
                         : "cc");                                                                                      \
        x = _mm_cvtsi64_si128((long long)flags);                                                                       \
        break;                                                                                                         \
    }
#define TO_INTEGER(NAME, INSTRUCTION, TYPE)                                                                            \
    case NAME: {                                                                                                       \
        TYPE value;                                                                                                    \
        __asm__ volatile(AROUND(INSTRUCTION " %[x], %[r]")                                                             \
                         : [r] "=r"(value), [after] "=m"(after)                                                        \
                         : [x] "x"(x), CONTROLS);                                                                      \
        x = _mm_cvtsi64_si128((long long)value);                                                                       \
        break;                                                                                                         \
    }
#define FROM_INTEGER(NAME, INSTRUCTION, TYPE)                                                                          \
    case NAME:                                                                                                         \
        __asm__ volatile(AROUND(INSTRUCTION " %[r], %[x]")                                                             \
                         : [x] "+x"(x), [after] "=m"(after)                                                            \
                         : [r] "r"((TYPE)a), CONTROLS);                                                                \
        break;
// dest = source1 * dest + source2: a is the first factor.
#define FUSED(NAME, INSTRUCTION)                                                                                       \
    case NAME:                                                                                                         \
        __asm__ volatile(AROUND(INSTRUCTION " %[z], %[y], %[x]")                                                       \
                         : [x] "+x"(y), [after] "=m"(after)                                                            \
                         : [y] "x"(x), [z] "x"(z), CONTROLS);                                                          \
        x = y;                                                                                                         \
        break;
#define IMMEDIATE_UNARY(NAME, INSTRUCTION, IMMEDIATE)                                                                  \
    case NAME + IMMEDIATE:                                                                                             \
        __asm__ volatile(AROUND(INSTRUCTION " $" #IMMEDIATE ", %[x], %[x]")                                            \
                         : [x] "+x"(x), [after] "=m"(after)                                                            \
                         : CONTROLS);                                                                                  \
        break;
#define PREDICATE(NAME, INSTRUCTION, IMMEDIATE)                                                                        \
    case NAME + IMMEDIATE:                                                                                             \
        __asm__ volatile(AROUND(INSTRUCTION " $" #IMMEDIATE ", %[y], %[x], %[x]")                                      \
                         : [x] "+x"(x), [after] "=m"(after)                                                            \
                         : [y] "x"(y), CONTROLS);                                                                      \
        break;
#define SIXTEEN(M, NAME, I)                                                                                            \
    M(NAME, I, 0) M(NAME, I, 1) M(NAME, I, 2) M(NAME, I, 3) M(NAME, I, 4) M(NAME, I, 5) M(NAME, I, 6) M(NAME, I, 7)    \
    M(NAME, I, 8) M(NAME, I, 9) M(NAME, I, 10) M(NAME, I, 11) M(NAME, I, 12) M(NAME, I, 13) M(NAME, I, 14)             \
    M(NAME, I, 15)
#define THIRTY_TWO(M, NAME, I)                                                                                         \
    SIXTEEN(M, NAME, I)                                                                                                \
    M(NAME, I, 16) M(NAME, I, 17) M(NAME, I, 18) M(NAME, I, 19) M(NAME, I, 20) M(NAME, I, 21) M(NAME, I, 22)           \
    M(NAME, I, 23) M(NAME, I, 24) M(NAME, I, 25) M(NAME, I, 26) M(NAME, I, 27) M(NAME, I, 28) M(NAME, I, 29)           \
    M(NAME, I, 30) M(NAME, I, 31)

struct x86_sse_outcome x86_oracle_sse(unsigned operation, uint32_t mxcsr, uint64_t a, uint64_t b, uint64_t c) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install);
    uint32_t saved = _mm_getcsr(), after = 0;
    __m128i x = _mm_cvtsi64_si128((long long)a), y = _mm_cvtsi64_si128((long long)b);
    __m128i z = _mm_cvtsi64_si128((long long)c);
    trapped = 0;
    operating = 1;
    switch (operation) {
        BINARY(X86_ADDS, "addss") BINARY(X86_SUBS, "subss") BINARY(X86_MULS, "mulss") BINARY(X86_DIVS, "divss")
        BINARY(X86_MINS, "minss") BINARY(X86_MAXS, "maxss") UNARY(X86_SQRTS, "sqrtss")
        BINARY(X86_ADDD, "addsd") BINARY(X86_SUBD, "subsd") BINARY(X86_MULD, "mulsd") BINARY(X86_DIVD, "divsd")
        BINARY(X86_MIND, "minsd") BINARY(X86_MAXD, "maxsd") UNARY(X86_SQRTD, "sqrtsd")
        COMPARE(X86_COMIS, "comiss") COMPARE(X86_UCOMIS, "ucomiss")
        COMPARE(X86_COMID, "comisd") COMPARE(X86_UCOMID, "ucomisd")
        UNARY(X86_CVTS2D, "cvtss2sd") UNARY(X86_CVTD2S, "cvtsd2ss")
        TO_INTEGER(X86_CVTS2W, "cvtss2si", uint32_t) TO_INTEGER(X86_CVTS2Q, "cvtss2si", uint64_t)
        TO_INTEGER(X86_CVTTS2W, "cvttss2si", uint32_t) TO_INTEGER(X86_CVTTS2Q, "cvttss2si", uint64_t)
        TO_INTEGER(X86_CVTD2W, "cvtsd2si", uint32_t) TO_INTEGER(X86_CVTD2Q, "cvtsd2si", uint64_t)
        TO_INTEGER(X86_CVTTD2W, "cvttsd2si", uint32_t) TO_INTEGER(X86_CVTTD2Q, "cvttsd2si", uint64_t)
        FROM_INTEGER(X86_CVTW2S, "cvtsi2ssl", uint32_t) FROM_INTEGER(X86_CVTQ2S, "cvtsi2ssq", uint64_t)
        FROM_INTEGER(X86_CVTW2D, "cvtsi2sdl", uint32_t) FROM_INTEGER(X86_CVTQ2D, "cvtsi2sdq", uint64_t)
        FUSED(X86_FMADDS, "vfmadd213ss") FUSED(X86_FNMSUBS, "vfnmsub213ss")
        FUSED(X86_FMADDD, "vfmadd213sd") FUSED(X86_FNMSUBD, "vfnmsub213sd")
        UNARY(X86_CVTH2S, "vcvtph2ps")
    case X86_CVTS2H:
        __asm__ volatile(AROUND("vcvtps2ph $4, %[x], %[x]") : [x] "+x"(x), [after] "=m"(after) : CONTROLS);
        break;
#define ROUND(NAME, I, N) IMMEDIATE_UNARY(NAME, I, N)
#define CMP(NAME, I, N) PREDICATE(NAME, I, N)
        SIXTEEN(ROUND, X86_ROUNDS, "roundss") SIXTEEN(ROUND, X86_ROUNDD, "roundsd")
        THIRTY_TWO(CMP, X86_CMPS, "vcmpss") THIRTY_TWO(CMP, X86_CMPD, "vcmpsd")
    default: break;
    }
    operating = 0;
    struct x86_sse_outcome outcome = {(uint64_t)_mm_cvtsi128_si64(x), trapped ? trapped_mxcsr : after, trapped};
    return outcome;
}
#else
int x86_oracle_is_available(void) { return 0; }

int x86_oracle_has_fma(void) { return 0; }

struct x86_sse_outcome x86_oracle_sse(unsigned operation, uint32_t mxcsr, uint64_t a, uint64_t b, uint64_t c) {
    (void)operation, (void)mxcsr, (void)a, (void)b, (void)c;
    return (struct x86_sse_outcome){0, 0, 0};
}
#endif
