/* What drivers of interrupt controllers register with irq: chips, which have inputs (IOAPICs), and the controller every
 * CPU has (the LAPIC), which vectors arrive through. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <irq/ipi.h>
#include <irq/irq.h>

struct irq_line;

struct irq_route {
    uint32_t cpu;
    uint8_t vector;
    enum irq_trigger trigger;
    enum irq_polarity polarity;
};

/* The functions are called with interrupts off, never two at a time for one input; the chip brings its own lock where
 * inputs share registers. */
struct irq_chip {
    const char *name;             /* [I] */
    uint32_t gsi_base, nr_inputs; /* [I] */
    /* Programs the input, which stays masked. */
    void (*route)(struct irq_chip *chip, unsigned input, const struct irq_route *route);
    void (*mask)(struct irq_chip *chip, unsigned input);
    void (*unmask)(struct irq_chip *chip, unsigned input);
    struct irq_line *lines; /* irq's, nr_inputs of them */
    struct irq_chip *next;  /* [irq lock] */
};

/* Adds a chip, whose inputs are all masked. -EEXIST where another one has some of its GSIs, -ENOMEM. It stays for ever.
 * Context: thread, init. */
MUST_CHECK int irq_chip_register(struct irq_chip *chip);

struct irq_controller {
    const char *name;
    void (*end_of_interrupt)(void);
    /* True when the vector has been delivered here and not ended yet: tells an interrupt from an exception. */
    bool (*is_in_service)(unsigned vector);
    void (*compose_message)(uint32_t cpu, uint8_t vector, struct msi_message *message);
    /* Fires a vector on this CPU, as another CPU's interrupt would. 0, or -EINVAL where the controller refuses it. */
    int (*send_to_self)(unsigned vector);
    /* This CPU's id, and whether an interrupt can be sent to the CPU with that one. */
    uint32_t (*own_id)(void);
    bool (*can_send_to)(uint32_t apic_id);
    void (*send_ipi)(uint32_t apic_id, enum irq_ipi_kind kind, uint8_t argument); /* as irq_ipi_send */
};

/* Context: init. */
void irq_controller_set(const struct irq_controller *controller);
/* NULL where there is none. Context: any. */
const struct irq_controller *irq_controller(void);

/* Says which GSI an ISA interrupt is wired to, and how; until then it is the GSI of its number, edge, active high.
 * -EINVAL above 15. Context: init. */
MUST_CHECK int irq_isa_override(unsigned isa_irq, uint32_t gsi, enum irq_trigger trigger, enum irq_polarity polarity);

/* Claims a vector of this CPU that the controller itself raises: its timer, its errors, its spurious vector. vector 0:
 * any. *assigned is the one it got. Errors: -EBUSY, -EINVAL below 32, -ENOSPC, -ENOMEM. Context: thread, init. */
#define IRQ_NO_END (1u << 1) /* it is not to be ended (SDM 3A 11.9: spurious) */
/* The boot CPU's, and every other CPU's from its irq_cpu_init on; above IPI_LAST_VECTOR only. The handler may run on
 * several CPUs at once, under no lock; the claim stays for ever. */
#define IRQ_EVERY_CPU (1u << 2)
MUST_CHECK int irq_request_local(unsigned vector, unsigned flags, irq_handler handler, void *context, const char *name,
                                 uint8_t *assigned, struct irq **irq);

/* Another CPU than the boot CPU, which runs this, takes interrupts: those of every CPU, and devices' from when it has
 * its final number. Context: init of a CPU. */
void irq_cpu_init(void);

/* That CPU has stopped before it joined: no device's interrupts go there from now on; none went there before. Context:
 * any. */
void irq_cpu_close(uint32_t cpu);

/* The trap layer's part. Runs the handlers of this CPU's vector; false when nobody has it (then it is ended here, too,
 * if it came through the controller). Context: irq-off. */
bool irq_dispatch(unsigned vector);

/* True, and ended, when this vector, below 32, was an interrupt and no exception. Context: irq-off. */
bool irq_end_stray(unsigned vector);

/* Who has timers says how to be asked for polls: start is called, interrupts off, when a line is masked because of a
 * storm; from then on irq_poll_storming has to be called now and then, until it returns false: no such line is left. It
 * asks their handlers, of which not all need be to blame, and takes the locks of the table and of lines: not from an
 * interrupt handler or a timer's function. Context: init; thread or deferred work. */
void irq_set_poller(void (*start)(void));
bool irq_poll_storming(void);

/* Whose vector it is on the CPU that runs this; false for nobody's. Context: any but NMI, and no handler. */
bool irq_vector_name(unsigned vector, char name[static IRQ_NAME_MAX]);

/* A CPU's id at its controller (own_id): where a message or an input is to be sent. Context: any. */
uint32_t irq_controller_id(uint32_t cpu);
