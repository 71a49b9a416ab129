/* Other CPUs: each reaches each, all at once, and none keeps a translation that was taken away. */
#include <base/errno.h>
#include <cpu/exception_table.h>
#include <cpu/features.h>
#include <cpu/interrupts.h>
#include <cpu/percpu.h>
#include <cpu/preempt.h>
#include <cpu/registers.h>
#include <debug/test.h>
#include <irq/irq.h>
#include <lib/string.h>
#include <mm/kmalloc.h>
#include <mm/page_alloc.h>
#include <mm/paging.h>
#include <mm/physmap.h>
#include <mm/stack.h>
#include <mm/tlb.h>
#include <mm/tlb_idle.h>
#include <mm/vmalloc.h>
#include <sched/thread.h>
#include <sched/watch.h>
#include <smp/cpu.h>
#include <smp/ipi.h>
#include <time/clock.h>

#define STORM_CALLS      30u
#define IDLE_PATIENCE_NS (100 * NS_PER_MS)

static PER_CPU uint64_t counter; /* [c] in interrupts and with interrupts off */
static PER_CPU uint64_t mark;

static void count_here(void *argument)
{
    (void)argument;
    this_cpu_write(counter, this_cpu_read(counter) + 1);
}

static void clear_counters(void)
{
    for (uint32_t cpu = 0; cpu < smp_nr_online(); cpu++)
        *percpu_of(cpu, counter) = 0;
}

/* What a called function finds: its CPU, in an interrupt but for the caller's own. */
struct found {
    uint32_t cpu;
    bool is_interrupt, are_irqs_on;
};

static void look(void *argument)
{
    struct found *found = argument;

    found->cpu = this_cpu_read(percpu.cpu_number);
    found->is_interrupt = this_cpu_read(percpu.interrupt_depth) > 0;
    found->are_irqs_on = irqs_are_enabled();
}

KERNEL_TEST(smp_call_reaches, "smp/a_call_runs_on_the_cpu_it_names")
{
    for (uint32_t cpu = 0; cpu < smp_nr_online(); cpu++) {
        struct found found = {.cpu = UINT32_MAX};

        smp_call_one(cpu, look, &found);
        EXPECT_EQ(found.cpu, cpu);
        EXPECT(!found.are_irqs_on);
        EXPECT(found.is_interrupt || smp_nr_online() == 1 || cpu == 0);
    }
}

KERNEL_TEST(smp_call_mask, "smp/a_call_runs_once_on_each_cpu_of_the_set_and_on_no_other")
{
    struct cpu_mask odd = {0};
    uint32_t nr_online = smp_nr_online();

    for (uint32_t cpu = 1; cpu < CPU_MAX; cpu += 2)
        cpu_mask_set(&odd, cpu); /* those that are not online are passed over */
    clear_counters();
    smp_call(&odd, count_here, NULL);
    for (uint32_t cpu = 0; cpu < nr_online; cpu++)
        EXPECT_EQ(*percpu_of(cpu, counter), cpu % 2);
    smp_call_all(count_here, NULL);
    for (uint32_t cpu = 0; cpu < nr_online; cpu++)
        EXPECT_EQ(*percpu_of(cpu, counter), 1 + cpu % 2);
}

KERNEL_TEST(smp_call_counts, "smp/calls_are_counted_where_they_are_taken")
{
    uint32_t last = smp_nr_online() - 1;
    uint64_t before = ipi_count(last, IPI_CALL);

    smp_call_one(last, count_here, NULL);
    EXPECT_EQ(ipi_count(last, IPI_CALL), before + (last > 0));
}

/* A thread on each CPU, all of which run at once. */
struct crew {
    void (*work)(uint32_t cpu);
    uint32_t nr_here; /* [a] */
    uint32_t nr_wrong_cpu;
};

static int run_member(void *argument)
{
    struct crew *crew = argument;

    __atomic_fetch_add(&crew->nr_here, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&crew->nr_here, __ATOMIC_SEQ_CST) < smp_nr_online()) {
        cpu_relax(); /* where CPUs take turns (thread=single, -icount) this one's is over */
        thread_yield();
    }
    crew->work(this_cpu_read(percpu.cpu_number));
    return (int)this_cpu_read(percpu.cpu_number);
}

static void run_on_each(void (*work)(uint32_t cpu))
{
    uint32_t nr_online = smp_nr_online(), nr_made = 0;
    struct thread **members = kmalloc(nr_online * sizeof(struct thread *), ALLOC_NORMAL);
    struct crew crew = {.work = work};
    int cpu_found, error = members ? 0 : -ENOMEM;

    for (; !error && nr_made < nr_online; nr_made++) {
        struct cpu_mask only = {0};

        cpu_mask_set(&only, nr_made);
        error = thread_create(&members[nr_made], &(struct thread_options){.name = "crew", .affinity = &only},
                              run_member, &crew);
        if (error)
            break;
    }
    EXPECT_EQ(error, 0);
    if (error)
        __atomic_fetch_add(&crew.nr_here, nr_online, __ATOMIC_SEQ_CST);
    for (uint32_t cpu = 0; cpu < nr_made; cpu++) {
        EXPECT_EQ(thread_join(members[cpu], &cpu_found), 0);
        EXPECT_EQ(cpu_found, (int)cpu);
    }
    kfree(members);
}

static void call_each(uint32_t cpu)
{
    (void)cpu;
    for (uint32_t to = 0; to < smp_nr_online(); to++)
        smp_call_one(to, count_here, NULL);
}

KERNEL_TEST(smp_each_to_each, "smp/each_cpu_calls_each")
{
    clear_counters();
    run_on_each(call_each);
    for (uint32_t cpu = 0; cpu < smp_nr_online(); cpu++)
        EXPECT_EQ(*percpu_of(cpu, counter), smp_nr_online());
}

/* Fewer where there are many: the work is calls times CPUs squared. */
static uint32_t nr_storm_calls(void)
{
    return smp_nr_online() > 8 ? STORM_CALLS / 15 : STORM_CALLS;
}

static void storm(uint32_t cpu)
{
    for (uint32_t i = 0; i < nr_storm_calls(); i++) {
        smp_call_all(count_here, NULL);
        ipi_reschedule((cpu + i) % smp_nr_online());
    }
}

KERNEL_TEST(smp_storm, "smp/storms_from_all_cpus_lose_nothing")
{
    clear_counters();
    run_on_each(storm);
    for (uint32_t cpu = 0; cpu < smp_nr_online(); cpu++)
        EXPECT_EQ(*percpu_of(cpu, counter), (uint64_t)smp_nr_online() * nr_storm_calls());
}

/* Every CPU has read the page, so that each has its translation. */
struct glance {
    const uint64_t *address;
    uint32_t nr_read, nr_faulted, nr_other; /* [a] */
};

static void read_page(void *argument)
{
    struct glance *glance = argument;
    uint64_t value;

    if (read_safely(&value, glance->address, sizeof(value)) != 0)
        __atomic_fetch_add(&glance->nr_faulted, 1, __ATOMIC_RELAXED);
    else if (value == 0x1234)
        __atomic_fetch_add(&glance->nr_read, 1, __ATOMIC_RELAXED);
    else
        __atomic_fetch_add(&glance->nr_other, 1, __ATOMIC_RELAXED);
}

static struct glance glance_at(const uint64_t *address)
{
    struct glance glance = {.address = address};

    smp_call_all(read_page, &glance);
    return glance;
}

KERNEL_TEST(smp_shootdown, "smp/a_page_unmapped_is_unmapped_on_every_cpu")
{
    for (unsigned round = 0; round < 10; round++) {
        uint64_t *page = vmalloc(PAGE_SIZE, ALLOC_NORMAL);

        EXPECT(page);
        if (!page)
            return;
        *page = 0x1234;
        EXPECT_EQ(glance_at(page).nr_read, smp_nr_online());
        vfree(page);
        EXPECT_EQ(glance_at(page).nr_faulted, smp_nr_online());
    }
}

static bool becomes_idle(uint32_t cpu)
{
    uint64_t deadline = clock_now_ns() + IDLE_PATIENCE_NS;
    struct sched_progress progress;

    do {
        thread_yield();
        sched_get_progress(cpu, &progress);
    } while (!progress.is_quiet && clock_now_ns() < deadline);
    return progress.is_quiet;
}

/* The CPU's idle flushes, where it was not interrupted for it; 0 where it was: it was not idle at that moment. */
static void unmap_behind_its_back(uint32_t cpu, uint64_t *nr_idle_flushes)
{
    uint64_t nr_interrupts = ipi_count(cpu, IPI_TLB), nr_flushes = tlb_nr_idle_flushes(cpu);
    uint64_t *page = vmalloc(PAGE_SIZE, ALLOC_NORMAL);

    EXPECT(page);
    if (!page)
        return;
    *page = 0x1234;
    EXPECT_EQ(glance_at(page).nr_read, smp_nr_online());
    (void)becomes_idle(cpu);
    vfree(page);
    EXPECT_EQ(glance_at(page).nr_faulted, smp_nr_online());
    if (ipi_count(cpu, IPI_TLB) == nr_interrupts)
        *nr_idle_flushes = tlb_nr_idle_flushes(cpu) - nr_flushes;
}

KERNEL_TEST(smp_idle_flush, "smp/an_idle_cpu_is_not_interrupted_and_forgets_when_it_wakes")
{
    uint32_t last = smp_nr_online() - 1;
    uint64_t *neighbour = vmalloc(PAGE_SIZE, ALLOC_NORMAL); /* the tables stay */
    uint64_t nr_flushes = 0;

    for (unsigned round = 0; last > 0 && nr_flushes == 0 && round < 100; round++)
        unmap_behind_its_back(last, &nr_flushes);
    EXPECT(nr_flushes > 0 || last == 0);
    vfree(neighbour);
}

/* Remapped without a moment in which nothing is there: who still reads the old frame has an old translation. */
KERNEL_TEST(smp_shootdown_remap, "smp/a_page_remapped_shows_the_new_frame_on_every_cpu")
{
    uint64_t *first = vmalloc(PAGE_SIZE, ALLOC_NORMAL), *second;
    struct mapping mapping;

    EXPECT(first);
    if (!first)
        return;
    *first = 0x1234;
    EXPECT_EQ(glance_at(first).nr_read, smp_nr_online());
    EXPECT_EQ(paging_lookup(vaddr_of(first), &mapping), 0);
    second = phys_to_virt(mapping.physical);
    EXPECT_EQ(paging_protect(vaddr_of(first), PAGE_SIZE, MAP_READ), 0);
    *second = 0x1234; /* through the physmap it can still be written */
    EXPECT_EQ(glance_at(first).nr_read, smp_nr_online());
    EXPECT_EQ(paging_protect(vaddr_of(first), PAGE_SIZE, MAP_WRITE), 0);
    vfree(first);
}

static void map_and_unmap(uint32_t cpu)
{
    for (unsigned i = 0; i < (smp_nr_online() > 8 ? 2u : 20u); i++) {
        uint64_t *pages = vmalloc((1 + i % 40) * PAGE_SIZE, ALLOC_NORMAL); /* more than 32 are one flush of all */

        if (!pages)
            continue;
        *pages = cpu;
        vfree(pages);
    }
}

KERNEL_TEST(smp_shootdown_storm, "smp/all_cpus_unmap_at_once")
{
    run_on_each(map_and_unmap);
}

static void flush_irqs_off(uint32_t cpu)
{
    uint64_t flags = irq_save();

    (void)cpu;
    for (unsigned i = 0; i < (smp_nr_online() > 8 ? 2u : 20u); i++)
        tlb_flush_all();
    irq_restore(flags);
}

KERNEL_TEST(smp_flush_irqs_off, "smp/flushes_with_interrupts_off_wait_for_each_other")
{
    run_on_each(flush_irqs_off);
}

static void write_mark(void *argument)
{
    (void)argument;
    this_cpu_write(mark, 0x5eed0000 + this_cpu_read(percpu.cpu_number));
}

KERNEL_TEST(smp_percpu, "smp/areas_and_canaries_are_each_cpus_own")
{
    smp_call_all(write_mark, NULL);
    for (uint32_t cpu = 0; cpu < smp_nr_online(); cpu++) {
        const struct percpu *area = percpu_of(cpu, percpu);

        EXPECT_EQ(*percpu_of(cpu, mark), 0x5eed0000 + cpu);
        EXPECT_EQ(area->self, area);
        EXPECT_EQ(area->cpu_number, cpu);
        EXPECT(area->stack_canary != 0 && (area->stack_canary & 0xff) == 0);
        for (uint32_t other = 0; other < cpu; other++)
            EXPECT(percpu_of(other, percpu)->stack_canary != area->stack_canary);
    }
}

#define MSR_MTRR_DEFAULT_TYPE 0x2ff /* SDM 3A 11.11.2.1: with the flag that switches all of them on */
#define MSR_MTRR_64K          0x250 /* table 11-9: the first 512 KiB */

struct memory_types {
    uint64_t default_type, low;
};

static void read_memory_types(void *argument)
{
    struct memory_types *types = argument;

    types->default_type = rdmsr(MSR_MTRR_DEFAULT_TYPE);
    types->low = rdmsr(MSR_MTRR_64K);
}

KERNEL_TEST(smp_memory_types, "smp/memory_type_ranges_are_the_same_on_every_cpu")
{
    struct memory_types expected = {0}, found;

    if (!cpu_has(CPU_MTRR) || smp_nr_online() == 1)
        return;
    smp_call_one(0, read_memory_types, &expected);
    for (uint32_t cpu = 1; cpu < smp_nr_online(); cpu++) {
        smp_call_one(cpu, read_memory_types, &found);
        EXPECT_EQ(found.default_type, expected.default_type);
        EXPECT_EQ(found.low, expected.low);
    }
}

KERNEL_TEST(smp_ids, "smp/apic_ids_and_places_are_each_cpus_own")
{
    for (uint32_t cpu = 0; cpu < smp_nr_online(); cpu++) {
        struct cpu_place place = smp_place(cpu);

        EXPECT(smp_is_online(cpu));
        for (uint32_t other = 0; other < cpu; other++) {
            struct cpu_place its = smp_place(other);

            EXPECT(smp_apic_id(other) != smp_apic_id(cpu));
            EXPECT(place.package != its.package || place.core != its.core || place.thread != its.thread);
        }
    }
    EXPECT(!smp_is_online(smp_nr_online()) && !smp_is_online(CPU_MAX));
}
