/* Interrupts as drivers see them. An interrupt source is a GSI (an IOAPIC input, ACPI 6.5 5.2.13), or a message (MSI,
 * MSI-X) that the bus programs into its device. Vectors are allocated for each CPU; the chip behind a source is
 * registered from below drivers/ (irq/chip.h), so nothing here knows a LAPIC.
 *
 * A level-triggered GSI may be shared: every handler is asked, and one of them must own up, or the line is counted as
 * unclaimed and, when that does not stop, masked with a message (irq_storm_*). */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

enum irq_result { IRQ_NOT_MINE, IRQ_HANDLED };

/* Runs in interrupt context, interrupts off. Keeps short: what takes longer is deferred (irq/deferred.h). */
typedef enum irq_result (*irq_handler)(void *context);

enum irq_trigger { IRQ_EDGE, IRQ_LEVEL };
enum irq_polarity { IRQ_ACTIVE_HIGH, IRQ_ACTIVE_LOW };

struct irq; /* one claim of one handler on one source */

#define IRQ_ALL_CPUS UINT32_MAX /* as the CPU of an interrupt that is no certain one's */
#define IRQ_ANY_CPU  UINT32_MAX /* as the CPU of one that is to be chosen */

#define IRQ_NAME_MAX 32

struct irq_statistics {
    char name[IRQ_NAME_MAX]; /* cut where it is longer */
    const char *chip;        /* "message" or "local" where there is no input */
    uint32_t gsi;            /* with has_gsi */
    bool has_gsi;
    enum irq_trigger trigger;
    enum irq_polarity polarity;
    uint32_t cpu;
    uint8_t vector;
    uint64_t handled, unclaimed;
    bool is_masked, is_storming;
};

/* Claims a GSI. name must outlive the claim. IRQ_SHARED callers with equal trigger and polarity may share a
 * level-triggered GSI. Returns 0; -EBUSY when the input is assigned already; -ENODEV without such an input; -ENOMEM;
 * -ENOSPC without a free vector. Context: thread. */
#define IRQ_SHARED (1u << 0)
MUST_CHECK int irq_request_gsi(uint32_t gsi, enum irq_trigger trigger, enum irq_polarity polarity, unsigned flags,
                               irq_handler handler, void *context, const char *name, struct irq **irq);

/* Claims an ISA interrupt, 0 to 15, through the MADT's overrides. */
MUST_CHECK int irq_request_isa(unsigned isa_irq, irq_handler handler, void *context, const char *name,
                               struct irq **irq);

/* What a device writes to raise the interrupt (SDM 3A 11.11). */
struct msi_message {
    uint64_t address;
    uint32_t data;
};

/* Allocates a vector for a message; the bus programs *message into the device. Errors: -ENODEV (no LAPIC), -ENOMEM,
 * -ENOSPC. */
MUST_CHECK int irq_request_msi(irq_handler handler, void *context, const char *name, struct msi_message *message,
                               struct irq **irq);

/* The same for a certain CPU. -ENODEV where it does not run, -ERANGE where no message can name it: its APIC id is above
 * 254. Such CPUs are left out where any will do. */
MUST_CHECK int irq_request_msi_to(uint32_t cpu, irq_handler handler, void *context, const char *name,
                                  struct msi_message *message, struct irq **irq);

/* From now on the source's interrupts come to this CPU, with all claims on it; one that was on its way is made up for
 * by asking the handlers. Returns 0; the errors of irq_request_msi_to; -ENOTSUP for messages, which their bus would
 * have to program anew. Context: thread. */
MUST_CHECK int irq_move(struct irq *irq, uint32_t cpu);

/* Raises a message's interrupt as its device would. -ENOTSUP for others. Context: any. */
int irq_raise(struct irq *irq);

/* True when its interrupts come to the CPU that runs this: with interrupts on it has taken those that were raised.
 * Context: any. */
bool irq_is_here(const struct irq *irq);

/* Gives the claim back, on whatever CPU its handler runs; it does not run any more when this returns. Context: thread,
 * with nothing held that the handler takes. */
void irq_release(struct irq *irq);

/* Masks and unmasks at the chip; calls nest. A message source is masked by its bus. Context: any but NMI. */
void irq_mask(struct irq *irq);
void irq_unmask(struct irq *irq);

/* The n-th claim's figures, for `interrupts`; false past the last. */
bool irq_statistics(unsigned n, struct irq_statistics *statistics);
