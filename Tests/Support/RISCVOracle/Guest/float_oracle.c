// SPDX-License-Identifier: Apache-2.0
//
// Runs one floating-point instruction on each record of its input and writes the results: the black box that the
// soft floating point is compared with under qemu-riscv64. Freestanding, so that no C library for RISC-V is needed.
//
// Input, little-endian, repeated to the end of the file:
//     name[16] rounding:u64 count:u64, then count times a:u64 b:u64 c:u64
// Output for each record:
//     result:u64 fflags:u64, all 64 bits of the result's register
//
// The exit status is 1 for an instruction that the table lacks and 2 for input that ends too early.

typedef unsigned long u64;

struct header {
    char name[16];
    u64 rounding, count;
};

struct operands {
    u64 a, b, c;
};

struct answer {
    u64 result, flags;
};

static long system_call(long number, long a, long b, long c) {
    register long a0 __asm__("a0") = a;
    register long a1 __asm__("a1") = b;
    register long a2 __asm__("a2") = c;
    register long a7 __asm__("a7") = number;
    __asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a7) : "memory");
    return a0;
}

static void finish(int status) {
    for (;;) system_call(93, status, 0, 0);
}

// The bytes read, fewer than `size` only at the end of the input.
static u64 read_fully(void *buffer, u64 size) {
    u64 done = 0;
    while (done < size) {
        long n = system_call(63, 0, (long)((char *)buffer + done), (long)(size - done));
        if (n <= 0) break;
        done += (u64)n;
    }
    return done;
}

static void write_fully(const void *buffer, u64 size) {
    u64 done = 0;
    while (done < size) {
        long n = system_call(64, 1, (long)((const char *)buffer + done), (long)(size - done));
        if (n <= 0) finish(2);
        done += (u64)n;
    }
}

// Whether the mnemonic, the first word of `text`, is `name`.
static int is_named(const char *text, const char *name) {
    while (*text != ' ' && *text == *name) text++, name++;
    return *text == ' ' && *name == 0;
}

// All 64 bits of the operands enter ft0, ft1 and ft2, boxed or not, and all of the result leaves ft3 or an x register.
#define STORE_f "fmv.x.d %[r], ft3\n"
#define STORE_x

#define INSTRUCTION(to, text)                                                                             \
    if (is_named(text, name)) {                                                                           \
        for (u64 i = 0; i < count; i++)                                                                   \
            __asm__ volatile("fmv.d.x ft0, %[a]\nfmv.d.x ft1, %[b]\nfmv.d.x ft2, %[c]\nfscsr %[m]\n"      \
                             text "\nfrflags %[f]\n" STORE_##to                                           \
                             : [r] "=&r"(out[i].result), [f] "=&r"(out[i].flags)                          \
                             : [a] "r"(in[i].a), [b] "r"(in[i].b), [c] "r"(in[i].c), [m] "r"(fcsr)        \
                             : "ft0", "ft1", "ft2", "ft3");                                               \
        return 1;                                                                                         \
    }

#define FORMAT(w)                                                                                         \
    INSTRUCTION(f, "fadd." #w " ft3, ft0, ft1")                                                           \
    INSTRUCTION(f, "fsub." #w " ft3, ft0, ft1")                                                           \
    INSTRUCTION(f, "fmul." #w " ft3, ft0, ft1")                                                           \
    INSTRUCTION(f, "fdiv." #w " ft3, ft0, ft1")                                                           \
    INSTRUCTION(f, "fsqrt." #w " ft3, ft0")                                                               \
    INSTRUCTION(f, "fmadd." #w " ft3, ft0, ft1, ft2")                                                     \
    INSTRUCTION(f, "fmsub." #w " ft3, ft0, ft1, ft2")                                                     \
    INSTRUCTION(f, "fnmsub." #w " ft3, ft0, ft1, ft2")                                                    \
    INSTRUCTION(f, "fnmadd." #w " ft3, ft0, ft1, ft2")                                                    \
    INSTRUCTION(f, "fmin." #w " ft3, ft0, ft1")                                                           \
    INSTRUCTION(f, "fmax." #w " ft3, ft0, ft1")                                                           \
    INSTRUCTION(f, "fsgnj." #w " ft3, ft0, ft1")                                                          \
    INSTRUCTION(f, "fsgnjn." #w " ft3, ft0, ft1")                                                         \
    INSTRUCTION(f, "fsgnjx." #w " ft3, ft0, ft1")                                                         \
    INSTRUCTION(x, "feq." #w " %[r], ft0, ft1")                                                           \
    INSTRUCTION(x, "flt." #w " %[r], ft0, ft1")                                                           \
    INSTRUCTION(x, "fle." #w " %[r], ft0, ft1")                                                           \
    INSTRUCTION(x, "fclass." #w " %[r], ft0")                                                             \
    INSTRUCTION(x, "fcvt.w." #w " %[r], ft0")                                                             \
    INSTRUCTION(x, "fcvt.wu." #w " %[r], ft0")                                                            \
    INSTRUCTION(x, "fcvt.l." #w " %[r], ft0")                                                             \
    INSTRUCTION(x, "fcvt.lu." #w " %[r], ft0")                                                            \
    INSTRUCTION(f, "fcvt." #w ".w ft3, %[a]")                                                             \
    INSTRUCTION(f, "fcvt." #w ".wu ft3, %[a]")                                                            \
    INSTRUCTION(f, "fcvt." #w ".l ft3, %[a]")                                                             \
    INSTRUCTION(f, "fcvt." #w ".lu ft3, %[a]")

// The moves between the register files, as Zfh, F and D call the widths.
#define MOVES(w)                                                                                          \
    INSTRUCTION(x, "fmv.x." #w " %[r], ft0")                                                              \
    INSTRUCTION(f, "fmv." #w ".x ft3, %[a]")

static int run(const char *name, u64 fcsr, const struct operands *in, struct answer *out, u64 count) {
    FORMAT(h)
    FORMAT(s)
    FORMAT(d)
    MOVES(h)
    MOVES(w)
    MOVES(d)
    INSTRUCTION(f, "fcvt.s.h ft3, ft0")
    INSTRUCTION(f, "fcvt.d.h ft3, ft0")
    INSTRUCTION(f, "fcvt.h.s ft3, ft0")
    INSTRUCTION(f, "fcvt.d.s ft3, ft0")
    INSTRUCTION(f, "fcvt.h.d ft3, ft0")
    INSTRUCTION(f, "fcvt.s.d ft3, ft0")
    return 0;
}

enum { chunk = 4096 };
static struct operands input[chunk];
static struct answer output[chunk];

void _start(void) {
    struct header header;
    for (;;) {
        u64 got = read_fully(&header, sizeof header);
        if (got == 0) finish(0);
        if (got != sizeof header) finish(2);
        header.name[sizeof header.name - 1] = 0;
        for (u64 left = header.count; left > 0;) {
            u64 count = left < chunk ? left : chunk;
            if (read_fully(input, count * sizeof *input) != count * sizeof *input) finish(2);
            // The rounding mode is bits 7 to 5 of fcsr (RISC-V Unpriv, F 2.2 §20.2); the flags start clear.
            if (!run(header.name, header.rounding << 5, input, output, count)) finish(1);
            write_fully(output, count * sizeof *output);
            left -= count;
        }
    }
}
