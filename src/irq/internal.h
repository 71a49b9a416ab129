/* Lines and claims, shared by the files of this module.
 *
 * A line is a source of interrupts with a vector on one CPU: a chip's input, a message, or the controller's own. A
 * claim (struct irq) is one handler on it; only a level-triggered input has more than one.
 *
 * Locks: irq_table_lock (irqsave) protects vector tables, chips, the list of lines, and who claims what; a line's own
 * lock, taken inside it, is held while its handlers run, so that a release waits for them. A handler may mask its line
 * and queue deferred work, and may not release.
 *
 * A line of every CPU (IRQ_EVERY_CPU: the timer's) has one claim, which stays for ever, so its handler runs without any
 * lock, on all CPUs at once. */
#pragma once

#include <base/assert.h>
#include <irq/chip.h>
#include <lib/list.h>
#include <sync/spinlock.h>

enum line_kind { LINE_INPUT, LINE_MESSAGE, LINE_LOCAL };

/* How often since when (storm.c). */
struct storm_watch {
    uint64_t begin_ns;
    uint32_t handled, unclaimed;
};

struct irq_line {
    struct spinlock lock;
    struct list link;           /* [t] in irq_lines while claimed; t: irq_table_lock */
    struct list claims;         /* [t] and [l] to change, either to read */
    struct irq_chip *chip;      /* [I] of LINE_INPUT */
    unsigned input;             /* [I] */
    enum line_kind kind;        /* [I] */
    unsigned flags;             /* [t] */
    enum irq_trigger trigger;   /* [t] */
    enum irq_polarity polarity; /* [t] */
    uint32_t cpu;               /* [t] */
    uint8_t vector;             /* [t] */
    uint32_t mask_depth;        /* [m] the mask lock */
    bool is_storming;           /* [l] */
    uint64_t unclaimed;         /* [l] */
    struct irq *own_claim;      /* [I] with IRQ_EVERY_CPU */
    struct storm_watch watch;   /* [l] */
};

struct irq {
    struct list link; /* [t] and [l] */
    struct irq_line *line;
    irq_handler handler;
    void *context;
    const char *name;
    uint64_t handled; /* [l] */
};

extern struct spinlock irq_table_lock;
extern struct list irq_lines; /* [t] */

void irq_line_init(struct irq_line *line, enum line_kind kind);

/* The input of this number, or NULL. [t] */
struct irq_line *irq_find_line(uint32_t gsi);

/* Masking nests; the outermost calls reach the chip. Context: any but NMI. */
void irq_line_mask(struct irq_line *line);
void irq_line_unmask(struct irq_line *line);

/* A vector of this CPU, IRQ_ANY_CPU: of one with few devices, for a device. Returns 0; -ENOSPC; -ENODEV for a CPU that
 * is not there; -ERANGE for one that no device can name. [t] */
MUST_CHECK int vector_assign(struct irq_line *line, uint32_t cpu);
/* A vector of the CPU that runs this; wanted 0: any. -ENOSPC, -EINVAL, -EBUSY. [t] */
MUST_CHECK int vector_assign_local(struct irq_line *line, unsigned wanted);
/* Nobody finds its line any more. [t] */
void vector_free(uint32_t cpu, unsigned vector);
/* Waits until that CPU runs no handlers of the line that it found before vector_free. Context: any but the line's
 * handlers. */
void vector_wait(uint32_t cpu, const struct irq_line *line);

/* This CPU's line, or NULL: one of every CPU, which stays; or any, which stays until vector_leave. Context: irq-off. */
struct irq_line *vector_line(unsigned vector);
struct irq_line *vector_enter(unsigned vector);
void vector_leave(void);

/* How often this CPU, and a certain one, took one of the vectors every CPU has. Context: irq-off; any. */
void vector_count_own(unsigned vector);
uint64_t vector_own_count(uint32_t cpu, unsigned vector);

/* The boot CPU can be sent to, or there is nobody else: its controller is set. Context: init. */
void vectors_open_boot_cpu(void);

/* Asks its handlers, as an interrupt would. [t] */
void irq_line_poll(struct irq_line *line);

/* A line was masked because of a storm. Context: irq-off. */
void storm_ask_for_polls(void);

/* Takes note of an interrupt; true when it makes a storm. [l] Pure but for the clock, which it is given. */
bool storm_note(struct storm_watch *watch, bool is_handled, uint64_t (*now_ns)(void));
