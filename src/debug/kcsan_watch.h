/* The table of watchpoints: who watches which bytes, and who met them there. No lock, no allocation; any context.
 *
 *  1. A slot's key is 0 (free), a watched access, or KCSAN_TAKEN: somebody met it, and writes down who he is.
 *  2. Only who set a watchpoint frees its slot. Only one who meets it takes it, once.
 *  3. A watchpoint never crosses a page, and lies in one of the slots its page hashes to. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

#define KCSAN_SLOTS     64u
#define KCSAN_PROBES    2u /* slots a page hashes to */
#define KCSAN_WATCH_MAX 8u /* bytes */
#define KCSAN_TRACE     12u

enum kcsan_kind { KCSAN_READ = 0, KCSAN_WRITE = 1, KCSAN_MARKED = 2 /* with either */ };

struct kcsan_access {
    uint64_t address;
    uint64_t size;
    unsigned kind; /* enum kcsan_kind */
};

/* One side of a race. */
struct kcsan_party {
    struct kcsan_access access;
    uint32_t cpu;
    uint32_t interrupt_depth;
    char thread[40];             /* REPORT_THREAD_MAX */
    uint64_t trace[KCSAN_TRACE]; /* the access, then return addresses; 0 ends it */
};

struct kcsan_watch {
    uint64_t key;             /* [a] */
    uint32_t is_told;         /* [a] other is complete */
    struct kcsan_party other; /* of who took it, until is_told; then of who set it */
};

struct kcsan_table {
    uint32_t nr_active; /* [a] slots in use: a hint, for those who need not look */
    struct kcsan_watch slots[KCSAN_SLOTS];
};

/* Watches the access's first bytes, as far as its page and KCSAN_WATCH_MAX reach. NULL where there is no room, or the
 * same bytes are being watched. */
struct kcsan_watch *kcsan_watch_set(struct kcsan_table *table, const struct kcsan_access *access);

/* Ends it. True where somebody met it: other then says who, and the slot stays taken until kcsan_watch_release. Waits
 * for him to have told: he does so with interrupts off. */
bool kcsan_watch_end(struct kcsan_table *table, struct kcsan_watch *watch);
void kcsan_watch_release(struct kcsan_table *table, struct kcsan_watch *watch);

/* Takes a watchpoint that this access races with, or returns NULL. The caller fills other, and then tells. Context:
 * interrupts off. */
struct kcsan_watch *kcsan_watch_meet(struct kcsan_table *table, const struct kcsan_access *access);
void kcsan_watch_tell(struct kcsan_watch *watch);
