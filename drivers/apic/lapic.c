/* SDM 3A chapter 11. In xAPIC mode registers are memory, in x2APIC mode MSRs. */
#include "lapic.h"

#include <base/errno.h>
#include <cpu/features.h>
#include <cpu/interrupts.h>
#include <cpu/percpu.h>
#include <cpu/registers.h>
#include <debug/log.h>
#include <hw/lapic.h>
#include <irq/chip.h>
#include <mm/paging.h>
#include <mm/vmalloc.h>

/* Their low four bits are ones: a spurious vector's are, on old CPUs (SDM 3A 11.9). */
#define VECTOR_SPURIOUS       0xff
#define VECTOR_SPURIOUS_ASIDE 0xef
#define VECTOR_ERROR          0xfe

#define ICR_POLLS_MAX 100000u

static bool is_present, is_x2apic;           /* [I] after lapic_init */
static struct lapic_register *registers;     /* [I] */
static uint64_t boot_address;                /* [I] of the registers, in the boot CPU's MSR */
static struct irq *spurious_irq, *error_irq; /* [I] */
static uint32_t last_errors;                 /* [a] what the error interrupt has read */
static uint32_t thermal_entry;               /* [I] after lapic_init: what every CPU's LVT has for its sensor */

bool lapic_is_present(void)
{
    return is_present;
}

uint32_t lapic_read(unsigned offset)
{
    if (is_x2apic)
        return (uint32_t)rdmsr(MSR_X2APIC_BASE + offset / 16);
    return register_read(&registers[offset / sizeof(*registers)].value);
}

void lapic_write(unsigned offset, uint32_t value)
{
    if (is_x2apic)
        wrmsr(MSR_X2APIC_BASE + offset / 16, value);
    else
        register_write(&registers[offset / sizeof(*registers)].value, value);
}

uint32_t lapic_id(void)
{
    uint32_t id = lapic_read(LAPIC_ID);

    return is_x2apic ? id : id >> 24;
}

static void end_of_interrupt(void)
{
    lapic_write(LAPIC_EOI, 0);
}

static bool is_in_service(unsigned vector)
{
    return (lapic_read(LAPIC_ISR + vector / 32 * 0x10) >> (vector % 32)) & 1;
}

static void compose_message(uint32_t cpu, uint8_t vector, struct msi_message *message)
{
    message->address = MSI_ADDRESS_BASE | (uint64_t)irq_controller_id(cpu) << MSI_ADDRESS_DESTINATION_SHIFT;
    message->data = vector;
}

/* A write first: it latches what there is (SDM 3A 11.5.3). */
static uint32_t read_errors(void)
{
    lapic_write(LAPIC_ESR, 0);
    return lapic_read(LAPIC_ESR);
}

static bool can_send_to(uint32_t apic_id)
{
    return is_x2apic || apic_id < LAPIC_XAPIC_BROADCAST;
}

static void wait_until_sent(void)
{
    for (unsigned i = 0; i < ICR_POLLS_MAX && (lapic_read(LAPIC_ICR) & LAPIC_ICR_PENDING); i++)
        cpu_relax();
}

static void send_by_halves(uint32_t destination, uint32_t value)
{
    lapic_write(LAPIC_ICR_HIGH, destination << LAPIC_ICR_HIGH_SHIFT);
    lapic_write(LAPIC_ICR, value);
    wait_until_sent();
}

/* The interrupted code may have written one half, or be waiting for what it has sent. */
static NOINLINE void send_by_halves_in_nmi(uint32_t destination, uint32_t value)
{
    uint32_t interrupted = lapic_read(LAPIC_ICR_HIGH);

    wait_until_sent();
    send_by_halves(destination, value);
    lapic_write(LAPIC_ICR_HIGH, interrupted);
}

/* destination: an APIC id; no matter where value has a shorthand. In xAPIC mode the two halves belong together: nothing
 * may send between them but an NMI or a machine check, which leaves them as they were. */
static void send_icr(uint32_t destination, uint32_t value)
{
    if (is_x2apic) {
        /* What was stored before is to be seen by who is interrupted; these MSRs wait for nothing (SDM 3A 11.12.3). */
        __asm__ volatile("mfence; lfence" : : : "memory");
        wrmsr(MSR_X2APIC_BASE + LAPIC_ICR / 16, (uint64_t)destination << 32 | value);
        return;
    }
    if (UNLIKELY(this_cpu_read(percpu.nmi_depth) > 0))
        send_by_halves_in_nmi(destination, value);
    else
        send_by_halves(destination, value);
}

static void send_ipi(uint32_t apic_id, enum irq_ipi_kind kind, uint8_t argument)
{
    static const uint32_t modes[] = {[IRQ_IPI_VECTOR] = 0,
                                     [IRQ_IPI_NMI] = LAPIC_ICR_NMI,
                                     [IRQ_IPI_INIT] = LAPIC_ICR_INIT,
                                     [IRQ_IPI_STARTUP] = LAPIC_ICR_STARTUP};
    uint64_t flags = irq_save();

    send_icr(apic_id, LAPIC_ICR_ASSERT | modes[kind] | argument);
    irq_restore(flags);
}

static int send_to_self(unsigned vector)
{
    uint64_t flags = irq_save();
    uint32_t errors;

    (void)read_errors();
    __atomic_store_n(&last_errors, 0, __ATOMIC_RELAXED);
    send_icr(0, LAPIC_ICR_SELF | LAPIC_ICR_ASSERT | vector);
    errors = read_errors();
    irq_restore(flags); /* the error interrupt comes here, if it does */
    errors |= __atomic_load_n(&last_errors, __ATOMIC_RELAXED);
    return errors & (LAPIC_ESR_SEND_ILLEGAL_VECTOR | LAPIC_ESR_RECEIVE_ILLEGAL_VECTOR) ? -EINVAL : 0;
}

static struct irq_controller controller = {
    .name = "local APIC",
    .end_of_interrupt = end_of_interrupt,
    .is_in_service = is_in_service,
    .compose_message = compose_message,
    .send_to_self = send_to_self,
    .own_id = lapic_id,
    .can_send_to = can_send_to,
    .send_ipi = send_ipi,
};

/* The 1st, 2nd, 4th, 8th ... */
static void log_sparingly(uint32_t *count, const char *what)
{
    uint32_t nr = __atomic_add_fetch(count, 1, __ATOMIC_RELAXED);

    if ((nr & (nr - 1)) == 0)
        log_warn("apic: %u %s so far", nr, what);
}

/* An interrupt that went away before it was taken; nothing is in service for it. One that was sent with this number is,
 * and Bochs 2.7 ends none that has the spurious vector's number: so that has another meanwhile. It is not raised before
 * interrupts are on again. */
static enum irq_result handle_spurious(void *context)
{
    static uint32_t nr_spurious; /* [a] */

    (void)context;
    log_sparingly(&nr_spurious, "spurious interrupts");
    if (is_in_service(VECTOR_SPURIOUS)) {
        lapic_write(LAPIC_SPURIOUS, LAPIC_SPURIOUS_ENABLE | VECTOR_SPURIOUS_ASIDE);
        end_of_interrupt();
        lapic_write(LAPIC_SPURIOUS, LAPIC_SPURIOUS_ENABLE | VECTOR_SPURIOUS);
    }
    return IRQ_HANDLED;
}

static enum irq_result handle_error(void *context)
{
    static uint32_t nr_errors; /* [a] */
    uint32_t errors = read_errors();

    (void)context;
    __atomic_fetch_or(&last_errors, errors, __ATOMIC_RELAXED);
    log_sparingly(&nr_errors, "error interrupts");
    return IRQ_HANDLED;
}

INIT static int enable(paddr_t base_told, bool may_use_x2apic)
{
    uint64_t base = rdmsr(MSR_APIC_BASE);
    uint64_t address = base & APIC_BASE_ADDRESS;

    if (!(base & APIC_BASE_ENABLE)) { /* hardware's state after a reset has it on */
        if (base_told.value)
            address = base_told.value & APIC_BASE_ADDRESS;
        base = (base & ~(uint64_t)APIC_BASE_ADDRESS) | address | APIC_BASE_ENABLE;
        wrmsr(MSR_APIC_BASE, base);
    } else if (base_told.value && base_told.value != address) {
        log_warn("apic: the MADT has the local APIC at 0x%lx, its MSR at 0x%lx: the MSR knows", base_told.value,
                 address);
    }
    boot_address = address;
    if (cpu_has(CPU_X2APIC) && (may_use_x2apic || (base & APIC_BASE_X2APIC))) {
        wrmsr(MSR_APIC_BASE, base | APIC_BASE_X2APIC);
        is_x2apic = true;
        return 0;
    }
    registers = device_map(paddr(address), PAGE_SIZE, MAP_WRITE | MAP_UNCACHED);
    return registers ? 0 : -ENOMEM;
}

static unsigned last_lvt_entry(void)
{
    return lapic_read(LAPIC_VERSION) >> 16 & 0xff;
}

/* A sensor that raises the firmware's system management interrupt stays its own, on all CPUs, though INIT masks it on
 * the others. */
INIT static void keep_thermal_entry(void)
{
    uint32_t entry = last_lvt_entry() >= 5 ? lapic_read(LAPIC_LVT_THERMAL) : LAPIC_LVT_MASKED;

    thermal_entry = (entry & LAPIC_LVT_DELIVERY) == LAPIC_LVT_SMI ? entry : LAPIC_LVT_MASKED;
}

static void mask_all(void)
{
    unsigned last = last_lvt_entry();

    lapic_write(LAPIC_LVT_TIMER, LAPIC_LVT_MASKED);
    lapic_write(LAPIC_LVT_LINT0, LAPIC_LVT_MASKED); /* the 8259s, in virtual wire mode */
    lapic_write(LAPIC_LVT_LINT1, LAPIC_LVT_MASKED);
    lapic_write(LAPIC_LVT_ERROR, LAPIC_LVT_MASKED);
    if (last >= 4)
        lapic_write(LAPIC_LVT_PERF, LAPIC_LVT_MASKED);
    if (last >= 5)
        lapic_write(LAPIC_LVT_THERMAL, thermal_entry);
    if (last >= 6)
        lapic_write(LAPIC_LVT_CMCI, LAPIC_LVT_MASKED);
}

/* Interrupts of the firmware's that it never ended would hold up all of lower priority. */
static void end_leftovers(void)
{
    for (unsigned i = 0; i < 256; i++) {
        bool is_any = false;

        for (unsigned vector = 0; vector < 256 && !is_any; vector += 32)
            is_any = lapic_read(LAPIC_ISR + vector / 32 * 0x10) != 0;
        if (!is_any)
            return;
        end_of_interrupt();
    }
}

/* Everything masked but what is the firmware's, interrupts of any priority let through. */
static void reset_registers(void)
{
    lapic_write(LAPIC_SPURIOUS, LAPIC_SPURIOUS_ENABLE | VECTOR_SPURIOUS);
    lapic_write(LAPIC_TPR, 0);
    mask_all();
    end_leftovers();
    (void)read_errors();
    lapic_write(LAPIC_LVT_ERROR, VECTOR_ERROR);
}

/* Off and x2APIC mode have xAPIC mode between them (SDM 3A 11.12.5). */
int lapic_init_cpu(void)
{
    uint64_t base = (rdmsr(MSR_APIC_BASE) & ~(uint64_t)APIC_BASE_ADDRESS) | boot_address | APIC_BASE_ENABLE;

    if (!is_present || (!is_x2apic && (base & APIC_BASE_X2APIC)))
        return -ENODEV;
    wrmsr(MSR_APIC_BASE, base);
    if (is_x2apic)
        wrmsr(MSR_APIC_BASE, base | APIC_BASE_X2APIC);
    reset_registers();
    return 0;
}

INIT static int claim_vectors(void)
{
    uint8_t vector;
    int error = irq_request_local(VECTOR_SPURIOUS, IRQ_NO_END | IRQ_EVERY_CPU, handle_spurious, NULL, "spurious",
                                  &vector, &spurious_irq);

    if (!error)
        error = irq_request_local(VECTOR_ERROR, IRQ_EVERY_CPU, handle_error, NULL, "APIC errors", &vector, &error_irq);
    return error;
}

INIT void lapic_set_nmi_pin(unsigned pin)
{
    lapic_write(pin == 0 ? LAPIC_LVT_LINT0 : LAPIC_LVT_LINT1, LAPIC_LVT_NMI);
}

INIT int lapic_init(paddr_t base, bool may_use_x2apic)
{
    int error;

    if (!cpu_has(CPU_APIC) || !cpu_has(CPU_MSR))
        return -ENODEV;
    error = enable(base, may_use_x2apic);
    if (!error)
        error = claim_vectors();
    if (error)
        return error;
    keep_thermal_entry();
    reset_registers();
    is_present = true;
    controller.name = is_x2apic ? "local APIC (x2APIC)" : "local APIC (xAPIC)";
    irq_controller_set(&controller);
    log_info("apic: %s, id %u, version 0x%x", controller.name, lapic_id(), lapic_read(LAPIC_VERSION) & 0xff);
    return 0;
}
