/* Per-CPU data behind GS. Any file may define a per-CPU variable:
 *
 *     static PER_CPU unsigned depth;      // every CPU has one, all start as zero
 *     this_cpu_write(depth, this_cpu_read(depth) + 1);
 *
 * Reads and writes are single instructions on the CPU that executes them; a sequence of several needs preemption (or
 * interrupts) off, as the variable's own comment says. struct percpu holds what assembly, the compiler and the report
 * need at fixed places. GS base is valid from the first 64-bit instruction on. */
#pragma once

#include <base/assert.h>
#include <base/compiler.h>
#include <base/layout.h>
#include <base/types.h>

struct spinlock;
struct thread;

/* [c] throughout: only this CPU, with interrupts off or in one instruction. */
struct percpu {
    struct percpu *self;
    uint32_t cpu_number;    /* 0 is the boot CPU */
    uint32_t preempt_count; /* cpu/preempt.h */
    union {
        struct {
            uint32_t interrupt_depth; /* nested interrupts and exceptions, NMI and machine check not counted */
            uint32_t nmi_depth;       /* NMIs and machine checks */
        };
        uint64_t is_interrupted; /* both: 0 in a thread */
    };
    uint32_t in_report; /* nesting of the fault report */
    uint32_t reserved;
    uint64_t stack_canary;        /* at PERCPU_CANARY_OFFSET: the compiler knows */
    uint64_t scratch;             /* for entry stubs */
    struct spinlock *held_locks;  /* last taken first, by held_below; see sync/spinlock.h */
    struct thread *current;       /* who runs; NULL until the scheduler does */
    struct spinlock *wanted_lock; /* waited for, in the innermost context that waits; NULL: none */
    uint64_t nr_interrupts;       /* taken so far, of every kind: NMIs and strays too, exceptions not */
    void *interrupt_stack;        /* its top; NULL while an interrupt is on it, and before there is one */
};

static_assert(PERCPU_LINK_BASE + offsetof(struct percpu, stack_canary) == PERCPU_CANARY_OFFSET,
              "the compiler's stack protector reads the canary there");

#ifndef PERCPU_STORAGE
#define PERCPU_STORAGE /* a host test gives every thread its own: __thread */
#endif
extern PERCPU_STORAGE struct percpu percpu; /* linked first in the per-CPU section */

#ifdef __KEEL__
#define this_cpu_access_(variable) (*(__seg_gs __typeof__(variable) *)(uintptr_t) & (variable))
#define this_cpu_pointer(variable) \
    ((__typeof__(&(variable)))((uintptr_t)this_cpu_read(percpu.self) + ((uintptr_t) & (variable)-PERCPU_LINK_BASE)))
#else
#define this_cpu_access_(variable) (variable) /* the host has one CPU */
#define this_cpu_pointer(variable) (&(variable))
#endif

#define this_cpu_read(variable)         (this_cpu_access_(variable))
#define this_cpu_write(variable, value) (this_cpu_access_(variable) = (value))

#ifdef __KEEL__
/* This CPU's or another one's copy of a variable. The CPU has an area: its number is below percpu_nr_cpus(), or smp is
 * just starting it. What the variable's comment says of who may touch it holds. Context: any. */
#define percpu_of(cpu, variable) ((__typeof__(&(variable)))(percpu_gs_base(cpu) + (uintptr_t) & (variable)))
#else
#define percpu_of(cpu, variable) ((void)(cpu), &(variable))
#endif

/* How many CPUs run the kernel; their numbers are 0 and on. 1 while the boot CPU is alone. Context: any. */
uint32_t percpu_nr_cpus(void);

/* A CPU's area - PERCPU_LINK_BASE: what its GS base is. Context: any. */
uintptr_t percpu_gs_base(uint32_t cpu);

/* Gives the boot CPU its number and canary, and lets nobody preempt. Context: init, the first C code to run. */
void percpu_init_boot_cpu(void);

/* The rest is for who starts CPUs (smp). Context: init. */

size_t percpu_area_bytes(void);

/* Where the areas are from here on: gs_bases[cpu], the boot CPU's first (percpu_gs_base(0)). The table stays the
 * caller's, for ever. */
void percpu_set_areas(const uintptr_t *gs_bases);

/* Fills what a new CPU's area, all zero, must hold before it runs: self, number, canary. */
void percpu_init_area(uint32_t cpu);

/* So many CPUs run the kernel from now on. */
void percpu_set_nr_cpus(uint32_t count);
