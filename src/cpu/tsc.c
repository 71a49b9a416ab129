/* The frequency comes from CPUID leaf 0x15 or 0x16 (SDM 2A), from a hypervisor's timing leaf, or from one short look at
 * the PIT's channel 2, whose output can be polled without an interrupt (Intel 8254 data sheet, mode 0). */
#include <cpu/tsc.h>

#include <base/compiler.h>
#include <cpu/features.h>
#include <cpu/interrupts.h>
#include <cpu/io.h>
#include <cpu/registers.h>

#define NS_PER_SECOND 1000000000ull
#define ASSUMED_HZ    1000000000ull

#define HYPERVISOR_LEAF_BASE   0x40000000u
#define HYPERVISOR_LEAF_TIMING 0x40000010u

#define PIT_HZ             1193182u
#define PIT_CHANNEL_2      0x42
#define PIT_COMMAND        0x43
#define PIT_CHANNEL2_MODE0 0xb0 /* channel 2, low then high byte, mode 0, binary */
#define PORT_B             0x61 /* gate and output of channel 2 */
#define PORT_B_GATE2       0x01
#define PORT_B_SPEAKER     0x02
#define PORT_B_OUT2        0x20
#define PIT_COUNT          1193u /* 1 ms */
#define PIT_POLLS_MIN      16u   /* fewer: the output was not counting */
#define PIT_POLLS_MAX      1000000u
#define PIT_TRIES          40u
#define PIT_DOUBT_MAX      50u /* one part in so many */

static READ_ONLY_AFTER_INIT uint64_t entry, hz;
static READ_ONLY_AFTER_INIT enum tsc_source source;
/* Exact enough for 2^32 ns without a division, in 128-bit arithmetic for ever. */
READ_ONLY_AFTER_INIT struct tsc_scale tsc_scale_;

INIT static uint64_t hz_from_cpuid(void)
{
    const struct cpu_identity *id = cpu_identity();

    if (id->max_leaf >= 0x15) {
        struct cpuid_result ratio = cpuid(0x15, 0);
        if (ratio.eax && ratio.ebx && ratio.ecx)
            return (uint64_t)ratio.ecx * ratio.ebx / ratio.eax;
    }
    if (id->max_leaf >= 0x16 && cpu_has(CPU_INVARIANT_TSC))
        return (uint64_t)(cpuid(0x16, 0).eax & 0xffff) * 1000000;
    return 0;
}

INIT static uint64_t hz_from_hypervisor(void)
{
    if (!cpu_has(CPU_HYPERVISOR) || cpuid(HYPERVISOR_LEAF_BASE, 0).eax < HYPERVISOR_LEAF_TIMING)
        return 0;
    return (uint64_t)cpuid(HYPERVISOR_LEAF_TIMING, 0).eax * 1000;
}

/* How long the PIT took for PIT_COUNT, and how much of it is doubt. An emulator may be held up anywhere, so all that is
 * known of a port access is that it lies between the TSC readings before and after it: the count is set off between the
 * first two, and it ends between the reading before the last poll that saw it run and the one after the poll that did
 * not. */
struct pit_measurement {
    uint64_t ticks, doubt;
};

INIT static bool measure_against_pit(struct pit_measurement *measurement)
{
    uint64_t before, begin, now, before_poll, before_last_poll;
    unsigned polls = 0;
    bool is_done;

    out8(PIT_COMMAND, PIT_CHANNEL2_MODE0);
    out8(PIT_CHANNEL_2, PIT_COUNT & 0xff);
    before = rdtsc();
    out8(PIT_CHANNEL_2, PIT_COUNT >> 8);
    begin = before_poll = now = rdtsc();
    do {
        before_last_poll = before_poll;
        before_poll = now;
        is_done = in8(PORT_B) & PORT_B_OUT2;
        now = rdtsc();
    } while (!is_done && ++polls < PIT_POLLS_MAX);
    measurement->ticks = now - before;
    measurement->doubt = (begin - before) + (now - before_last_poll);
    return is_done && polls >= PIT_POLLS_MIN;
}

/* The least doubtful of a few measurements; mostly the first is good enough. */
INIT static uint64_t hz_from_pit(void)
{
    struct pit_measurement best = {0, UINT64_MAX}, measurement;
    uint64_t flags = irq_save();
    uint8_t port_b = in8(PORT_B);

    out8(PORT_B, (uint8_t)((port_b & ~PORT_B_SPEAKER) | PORT_B_GATE2));
    for (unsigned i = 0; i < PIT_TRIES && best.doubt > best.ticks / PIT_DOUBT_MAX; i++)
        if (measure_against_pit(&measurement) && measurement.doubt < best.doubt)
            best = measurement;
    out8(PORT_B, port_b);
    irq_restore(flags);
    if (best.doubt == UINT64_MAX)
        return 0; /* there is no PIT */
    return (best.ticks - best.doubt / 2) * PIT_HZ / PIT_COUNT;
}

INIT static uint64_t find_frequency(void)
{
    source = TSC_CPUID;
    hz = hz_from_cpuid();
    if (hz)
        return hz;
    source = TSC_HYPERVISOR;
    hz = hz_from_hypervisor();
    if (hz)
        return hz;
    source = TSC_PIT;
    hz = hz_from_pit();
    if (hz)
        return hz;
    source = TSC_ASSUMED;
    return ASSUMED_HZ;
}

INIT void tsc_init(uint64_t entry_tsc)
{
    hz = find_frequency();
    entry = entry_tsc;
    tsc_scale_ = (struct tsc_scale){.base_ticks = entry_tsc, .multiplier = (NS_PER_SECOND << 32) / hz};
}

/* An NMI in between logs one line with a wrong time. */
void tsc_correct_frequency(uint64_t better_hz)
{
    uint64_t ticks = rdtsc();

    hz = better_hz;
    tsc_scale_ = (struct tsc_scale){
        .base_ticks = ticks,
        .base_ns = tsc_now_ns(),
        .multiplier = (NS_PER_SECOND << 32) / hz,
    };
}

uint64_t tsc_frequency_hz(void)
{
    return hz;
}

enum tsc_source tsc_frequency_source(void)
{
    return source;
}

const char *tsc_source_name(enum tsc_source which)
{
    static const char *const names[] = {[TSC_ASSUMED] = "assumed",
                                        [TSC_CPUID] = "told by CPUID",
                                        [TSC_HYPERVISOR] = "told by the hypervisor",
                                        [TSC_PIT] = "measured against the PIT"};

    return names[which];
}

uint64_t tsc_since_entry(void)
{
    return rdtsc() - entry;
}

uint64_t tsc_now_ns(void)
{
    return tsc_now_ns_inline();
}
