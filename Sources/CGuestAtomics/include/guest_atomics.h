// SPDX-License-Identifier: Apache-2.0
//
// Atomic accesses to memory that a guest, its devices and several vCPU threads share.
//
// Why C: Swift has no relaxed atomic access to raw memory at an address known only at run time that compiles to one
// plain move; these do. Header-only, no library, no state: pure targets may use it on bare metal.
// Every address must be aligned to the access's size; callers split what is not.
#pragma once
#include <stdint.h>
#include <stdbool.h>

#define GA_TYPES(X) X(8) X(16) X(32) X(64)

// Why C: single-copy atomic loads and stores without ordering (a plain move on x86-64 and arm64).
#define GA_ACCESS(N)                                                                                        \
    static inline uint##N##_t ga_load_##N(const void *_Nonnull p) {                                         \
        return __atomic_load_n((const uint##N##_t *)p, __ATOMIC_RELAXED);                                   \
    }                                                                                                       \
    static inline uint##N##_t ga_load_acquire_##N(const void *_Nonnull p) {                                 \
        return __atomic_load_n((const uint##N##_t *)p, __ATOMIC_ACQUIRE);                                   \
    }                                                                                                       \
    static inline void ga_store_##N(void *_Nonnull p, uint##N##_t v) {                                      \
        __atomic_store_n((uint##N##_t *)p, v, __ATOMIC_RELAXED);                                            \
    }                                                                                                       \
    static inline void ga_store_release_##N(void *_Nonnull p, uint##N##_t v) {                              \
        __atomic_store_n((uint##N##_t *)p, v, __ATOMIC_RELEASE);                                            \
    }
GA_TYPES(GA_ACCESS)

// Why C: read-modify-write on raw memory, sequentially consistent; each returns the value before.
#define GA_RMW(N)                                                                                           \
    static inline uint##N##_t ga_exchange_##N(void *_Nonnull p, uint##N##_t v) {                            \
        return __atomic_exchange_n((uint##N##_t *)p, v, __ATOMIC_SEQ_CST);                                  \
    }                                                                                                       \
    static inline uint##N##_t ga_fetch_add_##N(void *_Nonnull p, uint##N##_t v) {                           \
        return __atomic_fetch_add((uint##N##_t *)p, v, __ATOMIC_SEQ_CST);                                   \
    }                                                                                                       \
    static inline uint##N##_t ga_fetch_and_##N(void *_Nonnull p, uint##N##_t v) {                           \
        return __atomic_fetch_and((uint##N##_t *)p, v, __ATOMIC_SEQ_CST);                                   \
    }                                                                                                       \
    static inline uint##N##_t ga_fetch_or_##N(void *_Nonnull p, uint##N##_t v) {                            \
        return __atomic_fetch_or((uint##N##_t *)p, v, __ATOMIC_SEQ_CST);                                    \
    }                                                                                                       \
    static inline uint##N##_t ga_fetch_xor_##N(void *_Nonnull p, uint##N##_t v) {                           \
        return __atomic_fetch_xor((uint##N##_t *)p, v, __ATOMIC_SEQ_CST);                                   \
    }                                                                                                       \
    /* Stores `desired` if the memory holds `expected`; true if it did. */                                  \
    static inline bool ga_compare_exchange_##N(void *_Nonnull p, uint##N##_t expected, uint##N##_t desired) {   \
        return __atomic_compare_exchange_n((uint##N##_t *)p, &expected, desired, false, __ATOMIC_SEQ_CST,   \
                                           __ATOMIC_RELAXED);                                               \
    }
GA_TYPES(GA_RMW)

// Why C: a fence between a store and a later load of another location, which no Swift call promises on raw memory.
static inline void ga_fence(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
// Why C: orders what the compiler and the host do on either side, without the cost of a full fence on x86-64.
static inline void ga_fence_acquire_release(void) { __atomic_thread_fence(__ATOMIC_ACQ_REL); }

// Why C: accesses at any address that are single instructions, so that aligned ones are single-copy atomic, in the order
// that an x86 guest relies on (loads in order, stores in order): free on x86-64, fences elsewhere.
#if defined(__x86_64__)
#define GA_ORDER(ORDER)
#else
#define GA_ORDER(ORDER) __atomic_thread_fence(ORDER);
#endif
#define GA_ANY(N)                                                                                           \
    typedef uint##N##_t ga_any_##N __attribute__((aligned(1), may_alias));                                  \
    static inline uint##N##_t ga_load_any_##N(const void *_Nonnull p) {                                     \
        uint##N##_t v = *(const volatile ga_any_##N *)p;                                                    \
        GA_ORDER(__ATOMIC_ACQUIRE)                                                                          \
        return v;                                                                                           \
    }                                                                                                       \
    static inline void ga_store_any_##N(void *_Nonnull p, uint##N##_t v) {                                  \
        GA_ORDER(__ATOMIC_RELEASE)                                                                          \
        *(volatile ga_any_##N *)p = v;                                                                      \
    }
GA_ANY(16) GA_ANY(32) GA_ANY(64)
