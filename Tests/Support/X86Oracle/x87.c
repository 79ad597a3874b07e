// SPDX-License-Identifier: Apache-2.0
#include "X86Oracle.h"

#include <string.h>

#if defined(__x86_64__)

// FNSAVE's 32-bit image (Intel SDM Vol 1 figure 8-9): seven words of environment, then eight registers of ten bytes.
struct image {
    uint32_t environment[7];
    unsigned char registers[80];
};

static struct x86_extended extended(const unsigned char *bytes) {
    struct x86_extended value = {0, 0};
    memcpy(&value.significand, bytes, 8);
    memcpy(&value.sign_exponent, bytes + 8, 2);
    return value;
}

// FNSAVE does not wait, so that an unmasked exception stays pending and is read rather than raised.
#define RUN(LOAD, INSTRUCTION)                                                                                         \
    __asm__ volatile("fninit\n\t" LOAD "fldcw %[control]\n\t" INSTRUCTION "\n\tfnsave %[image]"                        \
                     : [image] "=m"(image), [stored] "+m"(stored)                                                      \
                     : [control] "m"(control), [a] "m"(left), [b] "m"(right)                                           \
                     : "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)", "memory")
#define ON_STACK(NAME, INSTRUCTION)                                                                                    \
    case NAME: RUN("fldt %[b]\n\tfldt %[a]\n\t", INSTRUCTION); break;
#define FROM_MEMORY(NAME, INSTRUCTION)                                                                                 \
    case NAME: RUN("", INSTRUCTION); break;

struct x86_x87_outcome x86_oracle_x87(
    unsigned operation, uint16_t control, struct x86_extended a, struct x86_extended b) {
    struct image image;
    unsigned char left[10], right[10], stored[10];
    memcpy(left, &a.significand, 8), memcpy(left + 8, &a.sign_exponent, 2);
    memcpy(right, &b.significand, 8), memcpy(right + 8, &b.sign_exponent, 2);
    memset(&image, 0, sizeof image);
    memset(stored, 0, sizeof stored);
    switch (operation) {
        ON_STACK(X86_FADD, "fadd %%st(1), %%st") ON_STACK(X86_FSUB, "fsub %%st(1), %%st")
        ON_STACK(X86_FMUL, "fmul %%st(1), %%st") ON_STACK(X86_FDIV, "fdiv %%st(1), %%st")
        ON_STACK(X86_FSQRT, "fsqrt") ON_STACK(X86_FPREM, "fprem") ON_STACK(X86_FPREM1, "fprem1")
        ON_STACK(X86_FRNDINT, "frndint") ON_STACK(X86_FSCALE, "fscale") ON_STACK(X86_FXTRACT, "fxtract")
        ON_STACK(X86_FCOM, "fcom %%st(1)") ON_STACK(X86_FUCOM, "fucom %%st(1)") ON_STACK(X86_FXAM, "fxam")
        ON_STACK(X86_FSTS, "fsts %[stored]") ON_STACK(X86_FSTD, "fstl %[stored]")
        ON_STACK(X86_FISTW, "fists %[stored]") ON_STACK(X86_FISTL, "fistl %[stored]")
        ON_STACK(X86_FISTQ, "fistpll %[stored]") ON_STACK(X86_FISTTW, "fisttps %[stored]")
        ON_STACK(X86_FISTTL, "fisttpl %[stored]") ON_STACK(X86_FISTTQ, "fisttpll %[stored]")
        ON_STACK(X86_FBSTP, "fbstp %[stored]")
        FROM_MEMORY(X86_FLDS, "flds %[a]") FROM_MEMORY(X86_FLDD, "fldl %[a]") FROM_MEMORY(X86_FBLD, "fbld %[a]")
        ON_STACK(X86_F2XM1, "f2xm1") ON_STACK(X86_FYL2X, "fyl2x") ON_STACK(X86_FYL2XP1, "fyl2xp1")
        ON_STACK(X86_FPATAN, "fpatan") ON_STACK(X86_FPTAN, "fptan") ON_STACK(X86_FSIN, "fsin")
        ON_STACK(X86_FCOS, "fcos") ON_STACK(X86_FSINCOS, "fsincos")
    default: break;
    }
    struct x86_x87_outcome outcome = {
        (uint16_t)image.environment[1], extended(image.registers), extended(image.registers + 10), extended(stored)};
    return outcome;
}
#else
struct x86_x87_outcome x86_oracle_x87(
    unsigned operation, uint16_t control, struct x86_extended a, struct x86_extended b) {
    struct x86_x87_outcome outcome;
    (void)operation, (void)control, (void)a, (void)b;
    memset(&outcome, 0, sizeof outcome);
    return outcome;
}
#endif
