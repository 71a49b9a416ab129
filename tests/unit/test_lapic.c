/* The local APIC in xAPIC mode: interrupts sent, where a command is two registers (SDM 3A 11.6.1) and NMIs that send as
 * well come anywhere in between; and what is left as the firmware had it. The source is compiled as part of this file,
 * so that each of its accesses is the model's. */
#include "support/unit.h"

#include <string.h>

#include <cpu/percpu.h>
#include <cpu/registers.h>
#include <dev/register.h>
#include <hw/lapic.h>

static uint32_t model_read(size_t offset);
static void model_write(size_t offset, uint32_t value);

static uint64_t model_rdmsr(uint32_t msr);
static void model_wrmsr(uint32_t msr, uint64_t value);

#define rdmsr model_rdmsr
#define wrmsr model_wrmsr
#undef register_read
#undef register_write
#define register_read(r)         model_read((size_t)((const uint8_t *)(r) - (const uint8_t *)registers))
#define register_write(r, value) model_write((size_t)((const uint8_t *)(r) - (const uint8_t *)registers), value)
#include "../../drivers/apic/lapic.c"

#define SENT_MAX    8
#define READS_TO_GO 3 /* a command is under way for so many reads of its register */

static struct lapic_register page[PAGE_SIZE / sizeof(struct lapic_register)];
static uint32_t high, low, busy, others[PAGE_SIZE / sizeof(uint32_t)];
static uint64_t base_msr, mapped_at;
static bool has_x2apic;
static unsigned nr_accesses, nmi_at; /* at which access of the interrupted code an NMI comes; 0: at none */
static bool is_in_nmi;
static struct {
    uint32_t destination, value;
} sent[SENT_MAX];
static unsigned nr_sent;

bool cpu_has(enum cpu_feature feature)
{
    return feature != CPU_X2APIC || has_x2apic;
}

void *device_map(paddr_t address, size_t size, unsigned flags)
{
    mapped_at = address.value;
    return page;
}

static uint32_t *register_of_msr(uint32_t msr)
{
    assert_true(base_msr & APIC_BASE_X2APIC);
    assert_in_range(msr, MSR_X2APIC_BASE, MSR_X2APIC_BASE + 0xff);
    return &others[(msr - MSR_X2APIC_BASE) * 16 / sizeof(uint32_t)];
}

static uint64_t model_rdmsr(uint32_t msr)
{
    return msr == MSR_APIC_BASE ? base_msr : *register_of_msr(msr);
}

static void model_wrmsr(uint32_t msr, uint64_t value)
{
    if (msr == MSR_APIC_BASE)
        base_msr = value;
    else
        *register_of_msr(msr) = (uint32_t)value;
}

uint32_t irq_controller_id(uint32_t cpu)
{
    return cpu;
}

void irq_controller_set(const struct irq_controller *new_controller)
{
}

int irq_request_local(unsigned vector, unsigned flags, irq_handler handler, void *context, const char *name,
                      uint8_t *assigned, struct irq **irq)
{
    return 0;
}

/* An NMI that asks two CPUs where they are (smp/where.h). */
static void take_nmi(void)
{
    is_in_nmi = true;
    percpu.nmi_depth++;
    controller.send_ipi(7, IRQ_IPI_NMI, 0);
    controller.send_ipi(9, IRQ_IPI_NMI, 0);
    percpu.nmi_depth--;
    is_in_nmi = false;
}

static void count_access(void)
{
    if (!is_in_nmi && ++nr_accesses == nmi_at)
        take_nmi();
}

static uint32_t model_read(size_t offset)
{
    uint32_t value = 0;

    if (offset == LAPIC_ICR_HIGH)
        value = high;
    else if (offset == LAPIC_ICR) {
        busy -= busy > 0;
        value = low | (busy > 0 ? LAPIC_ICR_PENDING : 0);
    } else
        value = others[offset / sizeof(uint32_t)];
    count_access();
    return value;
}

static void model_write(size_t offset, uint32_t value)
{
    if (offset == LAPIC_ICR_HIGH)
        high = value;
    else if (offset == LAPIC_ICR) {
        assert_int_equal(busy, 0); /* what is under way might be lost (SDM 3A 11.6.1, delivery status) */
        assert_true(nr_sent < SENT_MAX);
        low = value;
        busy = READS_TO_GO;
        sent[nr_sent].destination = high >> LAPIC_ICR_HIGH_SHIFT;
        sent[nr_sent++].value = value;
    } else
        others[offset / sizeof(uint32_t)] = value;
    count_access();
}

static void start(unsigned when)
{
    registers = page;
    high = low = busy = nr_accesses = nr_sent = 0;
    nmi_at = when;
}

static unsigned nr_sent_to(uint32_t destination, uint32_t value)
{
    unsigned count = 0;

    for (unsigned i = 0; i < nr_sent; i++)
        count += sent[i].destination == destination && sent[i].value == value;
    return count;
}

static void a_command_goes_where_it_is_meant_to(void **state)
{
    start(0);
    controller.send_ipi(3, IRQ_IPI_VECTOR, 0xf2);
    controller.send_ipi(254, IRQ_IPI_INIT, 0);
    assert_int_equal(nr_sent, 2);
    assert_int_equal(nr_sent_to(3, LAPIC_ICR_ASSERT | 0xf2), 1);
    assert_int_equal(nr_sent_to(254, LAPIC_ICR_ASSERT | LAPIC_ICR_INIT), 1);
}

static void an_nmi_that_sends_leaves_a_command_as_it_was(void **state)
{
    unsigned when = 0, nr_nmis = 0;

    do {
        start(++when);
        controller.send_ipi(3, IRQ_IPI_VECTOR, 0xf2);
        nr_nmis += nr_sent == 3;
        assert_int_equal(nr_sent_to(3, LAPIC_ICR_ASSERT | 0xf2), 1);
        assert_int_equal(nr_sent_to(7, LAPIC_ICR_ASSERT | LAPIC_ICR_NMI), nr_sent == 3);
        assert_int_equal(nr_sent_to(9, LAPIC_ICR_ASSERT | LAPIC_ICR_NMI), nr_sent == 3);
    } while (nr_sent == 3);
    assert_true(nr_nmis >= 2);
}

static uint32_t *register_at(size_t offset)
{
    return &others[offset / sizeof(uint32_t)];
}

/* The boot CPU as the firmware leaves it, then another one as INIT does. */
static void expect_thermal(uint32_t firmware, uint32_t boot_cpu, uint32_t other_cpu)
{
    memset(others, 0, sizeof(others));
    *register_at(LAPIC_VERSION) = 5 << 16 | 0x14;
    *register_at(LAPIC_LVT_THERMAL) = firmware;
    start(0);
    assert_int_equal(lapic_init(paddr(0), true), 0);
    assert_int_equal(*register_at(LAPIC_LVT_THERMAL), boot_cpu);
    *register_at(LAPIC_LVT_THERMAL) = LAPIC_LVT_MASKED;
    assert_int_equal(lapic_init_cpu(), 0);
    assert_int_equal(*register_at(LAPIC_LVT_THERMAL), other_cpu);
}

static void the_firmwares_own_thermal_interrupt_stays(void **state)
{
    base_msr = 0xfee00000 | APIC_BASE_ENABLE;
    expect_thermal(0x200, 0x200, 0x200);
    expect_thermal(0xfa, LAPIC_LVT_MASKED, LAPIC_LVT_MASKED);
    expect_thermal(LAPIC_LVT_MASKED, LAPIC_LVT_MASKED, LAPIC_LVT_MASKED);
}

static void registers_are_where_they_are_mapped(void **state)
{
    for (unsigned is_enabled = 0; is_enabled < 2; is_enabled++) {
        base_msr = 0xfee00000 | (is_enabled ? APIC_BASE_ENABLE : 0);
        assert_int_equal(lapic_init(paddr(0xfec10000), true), 0);
        assert_true(base_msr & APIC_BASE_ENABLE);
        assert_int_equal(base_msr & APIC_BASE_ADDRESS, mapped_at);
    }
    base_msr = 0xfee00000;
    assert_int_equal(lapic_init(paddr(0), true), 0);
    assert_int_equal(base_msr, 0xfee00000 | APIC_BASE_ENABLE);
}

/* Off it is left where the firmware asks for that, but not turned off. */
static void expect_x2apic(uint64_t firmware, bool may_use_x2apic, bool expected)
{
    memset(others, 0, sizeof(others));
    start(0);
    is_x2apic = false;
    has_x2apic = true;
    base_msr = 0xfee00000 | APIC_BASE_ENABLE | firmware;
    assert_int_equal(lapic_init(paddr(0), may_use_x2apic), 0);
    assert_int_equal((base_msr & APIC_BASE_X2APIC) != 0, expected);
    assert_int_equal(is_x2apic, expected);
}

static void a_firmware_may_want_x2apic_left_off(void **state)
{
    expect_x2apic(0, false, false);
    expect_x2apic(APIC_BASE_X2APIC, false, true);
    expect_x2apic(0, true, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_goes_where_it_is_meant_to),
        cmocka_unit_test(an_nmi_that_sends_leaves_a_command_as_it_was),
        cmocka_unit_test(the_firmwares_own_thermal_interrupt_stays),
        cmocka_unit_test(registers_are_where_they_are_mapped),
        cmocka_unit_test(a_firmware_may_want_x2apic_left_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
