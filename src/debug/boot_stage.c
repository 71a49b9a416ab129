#include <debug/boot_stage.h>

#include <base/assert.h>
#include <cpu/io.h>
#include <cpu/registers.h>
#include <cpu/tsc.h>
#include <debug/log.h>

static const char *const names[] = {
    [BOOT_STAGE_ENTRY] = "kernel entered",
    [BOOT_STAGE_TRAPS] = "faults are reported",
    [BOOT_STAGE_CONSOLE] = "console",
    [BOOT_STAGE_INFO] = "boot information read",
    [BOOT_STAGE_CPU] = "CPU and clock",
    [BOOT_STAGE_MEMORY] = "page allocator and page tables",
    [BOOT_STAGE_HEAP] = "kernel heap",
    [BOOT_STAGE_SCREEN] = "screen",
    [BOOT_STAGE_SEALED] = "init memory freed, read-only data sealed",
    [BOOT_STAGE_PROMPT] = "prompt",
};

static_assert(ARRAY_SIZE(names) == BOOT_STAGES, "each stage has a name");
static_assert(BOOT_STAGE_POST_BASE + BOOT_STAGES <= 0x100, "a POST code is a byte");

static struct boot_stage_record records[BOOT_STAGES]; /* [a] is_reached; boot_stage writes, on the boot thread only */

void boot_stage(enum boot_stage stage)
{
    /* The port first: it needs nothing that could hang. */
    out8(BOOT_STAGE_POST_PORT, (uint8_t)(BOOT_STAGE_POST_BASE + stage));
    records[stage].tsc = rdtsc();
    __atomic_store_n(&records[stage].is_reached, true, __ATOMIC_RELEASE); /* pairs with boot_stage_record */
    log_info("boot: stage %u of %u: %s", (unsigned)stage + 1, (unsigned)BOOT_STAGES, names[stage]);
}

const char *boot_stage_name(enum boot_stage stage)
{
    return names[stage];
}

struct boot_stage_record boot_stage_record(enum boot_stage stage)
{
    const struct boot_stage_record *from = &records[stage];
    bool is_reached =
        __atomic_load_n(&from->is_reached, __ATOMIC_ACQUIRE); /* pairs with boot_stage: tsc comes with it */
    struct boot_stage_record record = {.is_reached = is_reached, .tsc = is_reached ? from->tsc : 0};
    uint64_t entry_tsc = rdtsc() - tsc_since_entry();
    uint64_t mhz = tsc_frequency_hz() / 1000000;

    /* Only now, because the first stages come before the clock's frequency is known. */
    if (record.is_reached && mhz > 0)
        record.time_ns = (record.tsc - entry_tsc) * 1000 / mhz;
    return record;
}
