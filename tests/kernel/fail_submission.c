/* Every n-th allocation failing where something is asked for that is done later: interrupts are claimed, timers set,
 * work queued, requests submitted. Most of it allocates nothing, which is shown with the first allocation failing. */
#include <base/errno.h>
#include <cpu/cpu_mask.h>
#include <debug/test.h>
#include <dev/work.h>
#include <hw/partition.h>
#include <irq/chip.h>
#include <irq/deferred.h>
#include <irq/irq.h>
#include <lib/string.h>
#include <mm/fail_inject.h>
#include <mm/paging.h>
#include <smp/cpu.h>
#include <smp/ipi.h>
#include <time/clock.h>
#include <time/timer.h>

#include "fail_each.h"
#include "ram_disk.h"

/* ---- interrupts ---- */

static struct irq *irq;

static enum irq_result own_up(void *context)
{
    (void)context;
    return IRQ_HANDLED;
}

static int claim(void *context)
{
    struct msi_message message;

    (void)context;
    return irq_request_msi_to(smp_nr_online() - 1, own_up, NULL, "test", &message, &irq);
}

static void release(void *context)
{
    (void)context;
    irq_release(irq);
}

KERNEL_TEST(fail_irq, "fail_inject/claiming_an_interrupt")
{
    if (irq_controller() && irq_controller()->can_send_to(smp_apic_id(smp_nr_online() - 1)))
        fail_each(&(struct fail_steps){.take = claim, .give_back = release, .context = NULL}, 2);
}

/* ---- timers ---- */

#define TIMERS     8u
#define SOON_NS    NS_PER_MS
#define LATER_NS   (100 * NS_PER_S)
#define PATIENT_NS (20 * NS_PER_S) /* a hang detector */

static struct timer timers[TIMERS];
static uint32_t nr_fired; /* [a] */

static void note_fired(struct timer *timer)
{
    (void)timer;
    __atomic_fetch_add(&nr_fired, 1, __ATOMIC_RELAXED);
}

/* All set; half of them moved, a quarter cancelled. */
static void set_timers(void *argument)
{
    uint64_t now = clock_now_ns();

    (void)argument;
    for (unsigned i = 0; i < TIMERS; i++)
        timer_set(&timers[i], now + (i % 2 ? SOON_NS : LATER_NS));
    for (unsigned i = 0; i < TIMERS; i += 2)
        timer_set(&timers[i], now + 2 * SOON_NS);
    for (unsigned i = 0; i < TIMERS; i += 4)
        (void)timer_cancel(&timers[i]);
}

static bool have_fired(void)
{
    uint64_t end = clock_now_ns() + PATIENT_NS;

    while (__atomic_load_n(&nr_fired, __ATOMIC_RELAXED) != TIMERS - TIMERS / 4 && clock_now_ns() < end)
        sleep_ns(SOON_NS);
    return __atomic_load_n(&nr_fired, __ATOMIC_RELAXED) == TIMERS - TIMERS / 4;
}

KERNEL_TEST(fail_timers, "fail_inject/timers_of_every_cpu_allocate_nothing")
{
    for (uint32_t cpu = 0; cpu < smp_nr_online() && timer_will_interrupt(); cpu++) {
        bool has_allocated, have_all_fired;

        for (unsigned i = 0; i < TIMERS; i++)
            timer_init(&timers[i], note_fired);
        __atomic_store_n(&nr_fired, 0, __ATOMIC_RELAXED);
        fail_inject_arm(FAIL_ANY, 1);
        smp_call_one(cpu, set_timers, NULL);
        have_all_fired = have_fired();
        has_allocated = fail_inject_disarm();
        for (unsigned i = 0; i < TIMERS; i++)
            (void)timer_cancel(&timers[i]);
        EXPECT(have_all_fired && !has_allocated);
    }
}

/* ---- work ---- */

static uint32_t nr_run, nr_deferred; /* [a] */

static void note_run(struct work *work)
{
    (void)work;
    __atomic_fetch_add(&nr_run, 1, __ATOMIC_RELAXED);
}

static void note_deferred(struct deferred *deferred)
{
    (void)deferred;
    __atomic_fetch_add(&nr_deferred, 1, __ATOMIC_RELAXED);
}

static struct work pieces[3] = {{.run = note_run}, {.run = note_run}, {.run = note_run}};
static struct deferred deferred = DEFERRED_INITIALIZER(note_deferred);

static void queue_all(void *argument)
{
    (void)argument;
    for (unsigned i = 0; i < ARRAY_SIZE(pieces); i++)
        work_queue(&pieces[i]);
    deferred_queue(&deferred);
}

KERNEL_TEST(fail_work, "fail_inject/work_of_every_cpu_allocates_nothing")
{
    for (uint32_t cpu = 0; cpu < smp_nr_online(); cpu++) {
        bool has_allocated;

        nr_run = nr_deferred = 0;
        fail_inject_arm(FAIL_ANY, 1);
        smp_call_one(cpu, queue_all, NULL);
        deferred_flush(&deferred);
        work_run();
        has_allocated = fail_inject_disarm();
        EXPECT_EQ(__atomic_load_n(&nr_run, __ATOMIC_RELAXED), ARRAY_SIZE(pieces));
        EXPECT_EQ(__atomic_load_n(&nr_deferred, __ATOMIC_RELAXED), 1);
        EXPECT(!has_allocated);
    }
}

/* ---- disks ---- */

#define SECTORS         24u
#define SECTOR_BYTES    512u
#define PIECES          4u
#define PIECE_BYTES     (2 * SECTOR_BYTES)
#define REQUEST_SECTORS (PIECES * PIECE_BYTES / SECTOR_BYTES)

struct submission {
    struct ram_disk disk;
    struct block_request request;
    struct block_segment segments[PIECES];
    unsigned nr_completed, nr_partitions;
    uint8_t bytes[SECTORS * SECTOR_BYTES], memory[REQUEST_SECTORS * SECTOR_BYTES] ALIGNED(PIECE_BYTES);
};

static struct submission submission; /* of the image: reads find its pages one by one */

/* Two partitions, one of them extended, and a chain of two logical ones in that. */
static void write_partitions(uint8_t *bytes)
{
    struct mbr *mbr = (struct mbr *)bytes, *first = (struct mbr *)(bytes + 8 * SECTOR_BYTES);
    struct mbr *second = (struct mbr *)(bytes + 16 * SECTOR_BYTES);

    mbr->entries[0] = (struct mbr_entry){.type = 0x83, .first_sector = 1, .nr_sectors = 7};
    mbr->entries[1] = (struct mbr_entry){.type = MBR_TYPE_EXTENDED_LBA, .first_sector = 8, .nr_sectors = 16};
    first->entries[0] = (struct mbr_entry){.type = 0x83, .first_sector = 1, .nr_sectors = 7};
    first->entries[1] = (struct mbr_entry){.type = MBR_TYPE_EXTENDED_LBA, .first_sector = 8, .nr_sectors = 8};
    second->entries[0] = (struct mbr_entry){.type = 0x83, .first_sector = 1, .nr_sectors = 7};
    mbr->signature = first->signature = second->signature = MBR_SIGNATURE;
}

static int add_disk(void *context)
{
    struct submission *s = context;

    s->disk.nr_submitted = s->disk.nr_completed = 0;
    return block_device_register(&s->disk.device);
}

static void remove_disk(void *context)
{
    static const char *const names[] = {"test1", "test5", "test6"};
    struct submission *s = context;

    s->nr_partitions = 0;
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        struct block_device *device = block_device_get(names[i]);

        if (device)
            block_device_put(device);
        s->nr_partitions += device != NULL;
    }
    block_device_unregister(&s->disk.device);
}

static void note_completed(struct block_request *request)
{
    struct submission *s = request->context;

    s->nr_completed++;
}

/* More pieces than the disk takes at once, longer than it takes, completed in the wrong order. */
static int submit_parts(void *context)
{
    struct submission *s = context;

    s->nr_completed = s->disk.nr_submitted = s->disk.nr_completed = 0;
    memset(s->bytes, 0, sizeof(s->bytes));
    memset(s->memory, 0x5a, sizeof(s->memory));
    s->request = (struct block_request){.operation = BLOCK_WRITE,
                                        .segments = s->segments,
                                        .nr_segments = PIECES,
                                        .complete = note_completed,
                                        .context = s,
                                        .result = 1};
    block_submit(&s->disk.device, &s->request);
    ram_disk_run_reversed(&s->disk);
    if (s->nr_completed != 1 || s->disk.nr_submitted != s->disk.nr_completed || s->disk.nr_bad != 0)
        return -EIO;
    return s->request.result;
}

static int read_back(void *context)
{
    struct submission *s = context;

    memset(s->memory, 0, sizeof(s->memory));
    return block_read(&s->disk.device, 0, s->memory, sizeof(s->memory));
}

static void expect_same(void *context)
{
    struct submission *s = context;

    if (memcmp(s->bytes, s->memory, sizeof(s->memory)) != 0)
        test_fail(__FILE_NAME__, __LINE__, "a request that says it is done is not done");
}

static void lay_out(struct submission *s)
{
    for (unsigned i = 0; i < PIECES; i++) {
        struct mapping mapping;
        vaddr_t at = vaddr_of(&s->memory[(size_t)i * PIECE_BYTES]);

        EXPECT_EQ(paging_lookup(at, &mapping), 0);
        EXPECT(mapping.base.value + mapping.page_size.bytes - at.value >= PIECE_BYTES);
        s->segments[i] =
            (struct block_segment){paddr_add(mapping.physical, at.value - mapping.base.value), PIECE_BYTES};
    }
}

KERNEL_TEST(fail_register, "fail_inject/a_disk_with_partitions_is_registered")
{
    struct submission *s = &submission;

    *s = (struct submission){0};
    write_partitions(s->bytes);
    ram_disk_init(&s->disk, "test", s->bytes, SECTORS, SECTOR_BYTES);
    fail_each(&(struct fail_steps){.take = add_disk, .give_back = remove_disk, .context = s}, 4);
    EXPECT_EQ(s->nr_partitions, 3); /* the last time nothing failed */
}

KERNEL_TEST(fail_parts, "fail_inject/requests_larger_than_the_disk_takes_are_submitted")
{
    struct submission *s = &submission;

    *s = (struct submission){0};
    ram_disk_init(&s->disk, "test", s->bytes, SECTORS, SECTOR_BYTES);
    s->disk.device.limits.max_segments = 2;
    s->disk.device.limits.max_segment_bytes = 1000;
    lay_out(s);
    EXPECT_EQ(add_disk(s), 0);
    fail_each(&(struct fail_steps){.take = submit_parts, .give_back = expect_same, .context = s}, 1 + PIECES);
    fail_each(&(struct fail_steps){.take = read_back, .give_back = expect_same, .context = s}, 1 + PIECES);
    block_device_unregister(&s->disk.device);
}
