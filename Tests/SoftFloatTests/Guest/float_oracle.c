// SPDX-License-Identifier: Apache-2.0
//
// Runs one floating-point instruction on each record of its input and writes the results: the black box that the
// soft floating point is compared with under qemu-riscv64. Freestanding, so that no C library for RISC-V is needed.
//
// Input, little-endian, repeated to the end of the file:
//     name[16] rounding:u64 count:u64, then count times a:u64 b:u64 c:u64
// Output for each record:
//     result:u64 fflags:u64
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

// Operands enter ft0, ft1 and ft2 from integer registers, which boxes the narrow ones; the result leaves ft3.
#define LOAD(move) move " ft0, %[a]\n" move " ft1, %[b]\n" move " ft2, %[c]\n"
#define LOAD_h LOAD("fmv.h.x")
#define LOAD_s LOAD("fmv.w.x")
#define LOAD_d LOAD("fmv.d.x")
#define LOAD_x
#define STORE_h "fmv.x.h %[r], ft3\n"
#define STORE_s "fmv.x.w %[r], ft3\n"
#define STORE_d "fmv.x.d %[r], ft3\n"
#define STORE_x

#define INSTRUCTION(from, to, text)                                                                       \
    if (is_named(text, name)) {                                                                           \
        for (u64 i = 0; i < count; i++)                                                                   \
            __asm__ volatile("fscsr %[m]\n" LOAD_##from text "\n" STORE_##to "frflags %[f]\n"             \
                             : [r] "=&r"(out[i].result), [f] "=&r"(out[i].flags)                          \
                             : [a] "r"(in[i].a), [b] "r"(in[i].b), [c] "r"(in[i].c), [m] "r"(fcsr)        \
                             : "ft0", "ft1", "ft2", "ft3");                                               \
        return 1;                                                                                         \
    }

#define FORMAT(f)                                                                                         \
    INSTRUCTION(f, f, "fadd." #f " ft3, ft0, ft1")                                                        \
    INSTRUCTION(f, f, "fsub." #f " ft3, ft0, ft1")                                                        \
    INSTRUCTION(f, f, "fmul." #f " ft3, ft0, ft1")                                                        \
    INSTRUCTION(f, f, "fdiv." #f " ft3, ft0, ft1")                                                        \
    INSTRUCTION(f, f, "fsqrt." #f " ft3, ft0")                                                            \
    INSTRUCTION(f, f, "fmadd." #f " ft3, ft0, ft1, ft2")                                                  \
    INSTRUCTION(f, f, "fmsub." #f " ft3, ft0, ft1, ft2")                                                  \
    INSTRUCTION(f, f, "fnmsub." #f " ft3, ft0, ft1, ft2")                                                 \
    INSTRUCTION(f, f, "fnmadd." #f " ft3, ft0, ft1, ft2")                                                 \
    INSTRUCTION(f, f, "fmin." #f " ft3, ft0, ft1")                                                        \
    INSTRUCTION(f, f, "fmax." #f " ft3, ft0, ft1")                                                        \
    INSTRUCTION(f, x, "feq." #f " %[r], ft0, ft1")                                                        \
    INSTRUCTION(f, x, "flt." #f " %[r], ft0, ft1")                                                        \
    INSTRUCTION(f, x, "fle." #f " %[r], ft0, ft1")                                                        \
    INSTRUCTION(f, x, "fclass." #f " %[r], ft0")                                                          \
    INSTRUCTION(f, x, "fcvt.w." #f " %[r], ft0")                                                          \
    INSTRUCTION(f, x, "fcvt.wu." #f " %[r], ft0")                                                         \
    INSTRUCTION(f, x, "fcvt.l." #f " %[r], ft0")                                                          \
    INSTRUCTION(f, x, "fcvt.lu." #f " %[r], ft0")                                                         \
    INSTRUCTION(x, f, "fcvt." #f ".w ft3, %[a]")                                                          \
    INSTRUCTION(x, f, "fcvt." #f ".wu ft3, %[a]")                                                         \
    INSTRUCTION(x, f, "fcvt." #f ".l ft3, %[a]")                                                          \
    INSTRUCTION(x, f, "fcvt." #f ".lu ft3, %[a]")

static int run(const char *name, u64 fcsr, const struct operands *in, struct answer *out, u64 count) {
    FORMAT(h)
    FORMAT(s)
    FORMAT(d)
    INSTRUCTION(h, s, "fcvt.s.h ft3, ft0")
    INSTRUCTION(h, d, "fcvt.d.h ft3, ft0")
    INSTRUCTION(s, h, "fcvt.h.s ft3, ft0")
    INSTRUCTION(s, d, "fcvt.d.s ft3, ft0")
    INSTRUCTION(d, h, "fcvt.h.d ft3, ft0")
    INSTRUCTION(d, s, "fcvt.s.d ft3, ft0")
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
