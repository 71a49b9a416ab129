/* The lock checker's ears: every lock tells when it is wanted, taken and given back, and the checker learns from that
 * in which order locks are taken. A circle is found before it hangs: the first time that the second order is asked for,
 * also when nobody else is there. docs/lockdep.md has the theory.
 *
 * A class is what is learnt about: all locks of one name, or of one class name where their names differ. Two locks of a
 * class are held together only when both have a number, by the lower number first.
 *
 * In a build without CONFIG_LOCKDEP (all but `debug`) nothing here is left. Context: any; in an NMI nothing is learnt.
 */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <cpu/percpu.h>

#define LOCKDEP_FRAMES_MAX 12

struct lock_class;

#if CONFIG_LOCKDEP

/* Part of every lock; all zero is right for a lock whose class is its name. */
struct lockdep_map {
    const char *class_name;   /* [I] NULL: the lock's own name */
    struct lock_class *class; /* [a] NULL: not looked up yet */
    uint32_t number;          /* [I] 0: none */
};

/* One lock that is held, or waited for. */
struct lockdep_hold {
    const struct lockdep_map *map;
    struct lock_class *class;
    uint64_t since; /* counter ticks: of the wish, then of the taking */
    uint16_t flags;
    uint8_t is_waiting;
    uint8_t nr_frames;
    uint32_t interrupt_depth;               /* in how many interrupts it was taken */
    const void *frames[LOCKDEP_FRAMES_MAX]; /* return addresses, that of the taking first */
};

#define LOCKDEP_HOLDS_MAX 24

struct lockdep_holds {
    uint32_t nr;
    struct lockdep_hold holds[LOCKDEP_HOLDS_MAX + 1]; /* in the order of taking; then the one that is being taken */
};

#else

struct lockdep_map {
};
struct lockdep_holds {
};

#endif

/* How a lock is taken. */
enum lockdep_flags {
    LOCKDEP_TRY = 1,      /* without waiting: what was held before does not matter */
    LOCKDEP_SLEEPING = 2, /* a lock that a thread keeps when it sleeps: mutex, semaphore; else the CPU holds it */
    LOCKDEP_SHARED = 4,   /* with others, who also read; waits for writers all the same */
    LOCKDEP_FUNCTION = 8, /* no lock, but a function that runs: lockdep_function_enter */
};

#if CONFIG_LOCKDEP

/* Somebody is about to wait for the lock, or with LOCKDEP_TRY has taken it. What is wrong with that is reported here.
 */
void lockdep_acquire(struct lockdep_map *map, const char *name, unsigned flags);

/* It was not free; it is taken, with or without waiting. Neither is called with LOCKDEP_TRY. */
void lockdep_contended(struct lockdep_map *map);
void lockdep_acquired(struct lockdep_map *map);

/* Before it is given back, by who holds it. */
void lockdep_release(struct lockdep_map *map);

/* Around a call of a function that others wait for the end of: a timer's, deferred work's. Who waits for it while
 * holding a lock that it takes closes a circle, which is found without anybody hanging. The class is the function; kind
 * is the word before its name in reports. map is the caller's, all zero. flags: LOCKDEP_SLEEPING or 0. */
void lockdep_function_enter(struct lockdep_map *map, const char *kind, uintptr_t function, unsigned flags);
void lockdep_function_exit(struct lockdep_map *map);

/* The caller is about to wait until that function does not run, or would if it ran. */
void lockdep_wait_for_function(const char *kind, uintptr_t function);

/* Locks that have different names, but are taken in one order, are one class. Before the first taking. */
static ALWAYS_INLINE void lockdep_set_class(struct lockdep_map *map, const char *class_name)
{
    map->class_name = class_name;
}

/* Of several locks of this class, that with the lower number is taken first. number is not 0: a CPU's number + 1. */
static ALWAYS_INLINE void lockdep_set_number(struct lockdep_map *map, uint32_t number)
{
    map->number = number;
}

/* The thread that runs on this CPU from now on, whose sleeping locks these are. Context: irq-off. */
void lockdep_switch(struct lockdep_holds *holds);

/* The CPU enters and leaves an interrupt (no exception, no NMI), and deferred work. Context: irq-off. */
void lockdep_interrupt_enter(void);
void lockdep_interrupt_exit(void);
void lockdep_deferred_enter(void);
void lockdep_deferred_exit(void);

#else

static ALWAYS_INLINE void lockdep_acquire(struct lockdep_map *map, const char *name, unsigned flags)
{
    (void)map, (void)name, (void)flags;
}

static ALWAYS_INLINE void lockdep_contended(struct lockdep_map *map)
{
    (void)map;
}

static ALWAYS_INLINE void lockdep_acquired(struct lockdep_map *map)
{
    (void)map;
}

static ALWAYS_INLINE void lockdep_release(struct lockdep_map *map)
{
    (void)map;
}

static ALWAYS_INLINE void lockdep_function_enter(struct lockdep_map *map, const char *kind, uintptr_t function,
                                                 unsigned flags)
{
    (void)map, (void)kind, (void)function, (void)flags;
}

static ALWAYS_INLINE void lockdep_function_exit(struct lockdep_map *map)
{
    (void)map;
}

static ALWAYS_INLINE void lockdep_wait_for_function(const char *kind, uintptr_t function)
{
    (void)kind, (void)function;
}

static ALWAYS_INLINE void lockdep_set_class(struct lockdep_map *map, const char *class_name)
{
    (void)map, (void)class_name;
}

static ALWAYS_INLINE void lockdep_set_number(struct lockdep_map *map, uint32_t number)
{
    (void)map, (void)number;
}

static ALWAYS_INLINE void lockdep_switch(struct lockdep_holds *holds)
{
    (void)holds;
}

static ALWAYS_INLINE void lockdep_interrupt_enter(void)
{
}

static ALWAYS_INLINE void lockdep_interrupt_exit(void)
{
}

static ALWAYS_INLINE void lockdep_deferred_enter(void)
{
}

static ALWAYS_INLINE void lockdep_deferred_exit(void)
{
}

#endif
