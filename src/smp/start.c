/* Starting the other CPUs: all at once, each by INIT and start-up interrupts (SDM 3A 9.4.4), so that many take hardly
 * longer than one. Theory of the states: internal.h.
 *
 *  1. A CPU runs on nothing but the trampoline's page until it has claimed its start there; that the boot CPU can take
 *     back, and then the CPU halts in that page, which is never given to anybody else.
 *  2. What a CPU has claimed stays its own unless it said that it failed.
 *  3. Every wait of the boot CPU's is bounded, and halts. */
#include "internal.h"

#include <acpi/tables.h>
#include <base/errno.h>
#include <cpu/features.h>
#include <cpu/percpu.h>
#include <cpu/registers.h>
#include <debug/log.h>
#include <irq/chip.h>
#include <lib/error_name.h>
#include <lib/string.h>
#include <mm/kmalloc.h>
#include <mm/page_alloc.h>
#include <mm/physmap.h>
#include <mm/start_tables.h>
#include <mm/vmalloc.h>
#include <time/clock.h>
#include <time/timer.h>

#include "answers.h"
#include "cpu_list.h"
#include "start_page.h"
#include "trampoline.h"

#define INIT_NS     (10 * NS_PER_MS)  /* SDM 3A 9.4.4.1: from INIT to the first start-up interrupt */
#define STARTUP_NS  (200 * NS_PER_US) /* ... and from that to the second */
#define LOOK_NS     (200 * NS_PER_US) /* how often it is looked whether CPUs have answered, at first */
#define LOOK_MAX_NS (10 * NS_PER_MS)
#define PATIENCE_NS (5 * NS_PER_S) /* without any CPU's progress: an emulator's host may be busy */

/* How many join at a time. Joining takes locks, and on an emulator whose host has fewer CPUs than the machine hundreds
 * that spin keep the one that holds a lock, or is next for it, from running: 255 at once took from 0.02 to 25 s. */
#define JOIN_AT_ONCE 4u

#define CODE64 0x00af9b000000ffff /* SDM 3A 3.4.5; accessed, so that the CPU has nothing to write */
#define DATA   0x00cf93000000ffff
#define CODE32 0x00cf9b000000ffff

#define SELECTOR_CODE64 0x08 /* as in cpu/gdt.h */
#define SELECTOR_CODE32 0x18

const struct smp_cpu_steps *smp_steps; /* [I] before another CPU runs */
uint64_t ap_kernel_cr3;                /* [I] before another CPU runs */

/* What there is while CPUs start. */
struct starting {
    struct cpu_list list;
    struct page *page;
    struct ap_parameters *parameters; /* in it */
    struct start_tables tables;
    uint32_t nr_cpus; /* prepared, the boot CPU included */
};

/* Without them a CPU cannot use the kernel's page tables, which it needs before it can say anything. */
INIT static uint32_t features_of_page_tables(void)
{
    uint32_t used = 1u << (CPU_LONG_MODE & 31) | 1u << (CPU_NX & 31) | 1u << (CPU_PDPE1GB & 31);

    static_assert(CPU_LONG_MODE >> 5 == CPU_WORD_81_EDX && CPU_NX >> 5 == CPU_WORD_81_EDX &&
                      CPU_PDPE1GB >> 5 == CPU_WORD_81_EDX,
                  "what a CPU compares first is one word");
    return cpu_identity()->words[CPU_WORD_81_EDX] & used;
}

INIT static void fill_page(struct starting *starting)
{
    char *page = page_to_address(starting->page);
    uint32_t address = (uint32_t)pfn_to_paddr(page_to_pfn(starting->page)).value;
    size_t code_bytes = (size_t)(ap_trampoline_end - ap_trampoline_start);
    struct ap_parameters *parameters = (struct ap_parameters *)(page + code_bytes);

    static_assert(sizeof(struct ap_parameters) + 1024 <= PAGE_SIZE, "the code has as much room");
    ASSERT(code_bytes + sizeof(*parameters) <= PAGE_SIZE);
    memset(page, 0, PAGE_SIZE);
    memcpy(page, ap_trampoline_start, code_bytes);
    *parameters = (struct ap_parameters){
        .gdt = {0, CODE64, DATA, CODE32},
        .entry = (uintptr_t)ap_entry,
        .gdt_pointer = {sizeof(parameters->gdt) - 1,
                        address + (uint32_t)code_bytes + (uint32_t)offsetof(struct ap_parameters, gdt)},
        .protected_mode = {address + (uint32_t)(ap_trampoline_protected - ap_trampoline_start), SELECTOR_CODE32},
        .long_mode = {address + (uint32_t)(ap_trampoline_long - ap_trampoline_start), SELECTOR_CODE64},
        .cr3 = (uint32_t)starting->tables.root.value,
        .features = features_of_page_tables(),
        .nr_cpus = starting->nr_cpus,
    };
    memcpy(parameters->apic_ids, starting->list.apic_ids, starting->nr_cpus * sizeof(uint32_t));
    for (uint32_t cpu = 1; cpu < starting->nr_cpus; cpu++)
        parameters->states[cpu] = START_ALLOWED;
    starting->parameters = parameters;
    ap_kernel_cr3 = read_cr3();
}

INIT static int open_page(struct starting *starting)
{
    int error = start_page_alloc(&starting->page);

    if (error)
        return error;
    error = start_tables_build(&starting->tables, pfn_to_paddr(page_to_pfn(starting->page)));
    if (error) {
        page_free(starting->page, 0);
        return error;
    }
    fill_page(starting);
    return 0;
}

/* The tables by number, the boot CPU in them; they stay. */
INIT static int alloc_tables(const struct cpu_list *list)
{
    struct cpu **cpus = kmalloc(list->nr_cpus * sizeof(struct cpu *), ALLOC_ZERO);
    uintptr_t *gs_bases = kmalloc(list->nr_cpus * sizeof(uintptr_t), ALLOC_ZERO);

    ap_slots = kmalloc(list->nr_cpus * sizeof(*ap_slots), ALLOC_ZERO);
    if (!cpus || !gs_bases || !ap_slots) {
        kfree(cpus);
        kfree(gs_bases);
        kfree(ap_slots);
        return -ENOMEM;
    }
    cpus[0] = smp_cpus[0];
    gs_bases[0] = percpu_gs_base(0);
    smp_cpus = cpus;
    smp_gs_bases = gs_bases;
    percpu_set_areas(gs_bases);
    return 0;
}

INIT static int prepare_one(struct starting *starting, uint32_t number)
{
    int error;

    smp_cpus[number] = kmalloc(sizeof(struct cpu), ALLOC_ZERO);
    if (!smp_cpus[number])
        return -ENOMEM;
    smp_cpus[number]->apic_id = starting->list.apic_ids[number];
    error = cpu_prepare(number);
    if (error) {
        kfree(smp_cpus[number]);
        smp_cpus[number] = NULL;
    }
    return error;
}

/* As many as there is memory for. */
INIT static void prepare_all(struct starting *starting)
{
    for (starting->nr_cpus = 1; starting->nr_cpus < starting->list.nr_cpus; starting->nr_cpus++) {
        int error = prepare_one(starting, starting->nr_cpus);

        if (error) {
            log_warn("smp: %u CPUs left out: %s", starting->list.nr_cpus - starting->nr_cpus, error_name(error));
            return;
        }
    }
}

INIT static void send_to_all(const struct starting *starting, enum irq_ipi_kind kind, uint8_t argument)
{
    for (uint32_t cpu = 1; cpu < starting->nr_cpus; cpu++)
        if (__atomic_load_n(&starting->parameters->states[cpu], __ATOMIC_RELAXED) == START_ALLOWED)
            irq_ipi_send(smp_cpus[cpu]->apic_id, kind, argument);
}

INIT static void wake_all(const struct starting *starting)
{
    uint8_t page = (uint8_t)page_to_pfn(starting->page).number;

    send_to_all(starting, IRQ_IPI_INIT, 0);
    sleep_ns(INIT_NS);
    send_to_all(starting, IRQ_IPI_STARTUP, page);
    sleep_ns(STARTUP_NS);
    send_to_all(starting, IRQ_IPI_STARTUP, page);
}

static uint32_t state_of(uint32_t number)
{
    return __atomic_load_n(&smp_cpus[number]->state, __ATOMIC_ACQUIRE); /* pairs with the releases of ap.c */
}

INIT static bool is_unfit(const struct ap_parameters *parameters, uint32_t number)
{
    return __atomic_load_n(&parameters->states[number], __ATOMIC_ACQUIRE) == START_UNFIT; /* pairs with its exchange */
}

/* Waits until none of the CPUs from `first` to before `end` is in a state up to `last`, or nothing has changed for too
 * long. parameters: of those that start, or NULL; who is unfit goes nowhere. */
INIT static void wait_beyond(const struct ap_parameters *parameters, uint32_t first, uint32_t end, enum cpu_state last)
{
    uint64_t since = clock_now_ns(), sum_before = 0, pause = LOOK_NS;

    for (;;) {
        uint64_t sum = 0;
        uint32_t nr_waiting = 0;

        for (uint32_t cpu = first; cpu < end; cpu++) {
            sum += state_of(cpu);
            nr_waiting += state_of(cpu) <= last && !(parameters && is_unfit(parameters, cpu));
        }
        if (nr_waiting == 0)
            return;
        if (sum != sum_before)
            since = clock_now_ns();
        else if (clock_now_ns() - since > PATIENCE_NS)
            return;
        sum_before = sum;
        sleep_ns(pause);
        pause = pause < LOOK_MAX_NS / 2 ? pause * 2 : LOOK_MAX_NS;
    }
}

INIT static bool forbid_start(struct starting *starting, uint32_t number)
{
    uint8_t allowed = START_ALLOWED;

    return __atomic_compare_exchange_n(&starting->parameters->states[number], &allowed, START_FORBIDDEN, false,
                                       __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/* Should it go on after all, it halts. */
INIT static void take_out(uint32_t number)
{
    uint32_t expected = CPU_EXPECTED;

    (void)__atomic_compare_exchange_n(&smp_cpus[number]->state, &expected, CPU_LEFT_OUT, false, __ATOMIC_ACQ_REL,
                                      __ATOMIC_RELAXED);
}

INIT static void say_lacking(uint32_t apic_id, uint32_t lacking)
{
    const uint32_t words[CPU_NR_WORDS] = {[CPU_WORD_81_EDX] = lacking}, none[CPU_NR_WORDS] = {0};
    enum cpu_feature feature;
    unsigned cursor = 0;

    while (cpu_features_extra(words, none, &cursor, &feature))
        log_warn("smp: the CPU with APIC id %u has no %s, CPU 0 has", apic_id, cpu_feature_word(feature));
}

INIT static void say_left_out(uint32_t apic_id, int error)
{
    log_warn("smp: the CPU with APIC id %u cannot take part: %s", apic_id, error_name(error));
    irq_ipi_send(apic_id, IRQ_IPI_INIT, 0); /* back to waiting */
}

/* Decides what becomes of one that is not READY; true when it left nothing behind that it may still use. */
INIT static bool leave_out(struct starting *starting, uint32_t number)
{
    uint32_t apic_id = smp_cpus[number]->apic_id;

    if (forbid_start(starting, number)) {
        log_warn("smp: the CPU with APIC id %u does not answer: left out", apic_id);
        irq_ipi_send(apic_id, IRQ_IPI_INIT, 0); /* back to waiting; should it start after all, it halts at once */
        return true;
    }
    if (is_unfit(starting->parameters, number)) {
        say_lacking(apic_id, starting->parameters->lacking[number]);
        say_left_out(apic_id, -ENODEV);
        return true;
    }
    if (state_of(number) == CPU_FAILED) {
        say_left_out(apic_id, smp_cpus[number]->error);
        return true;
    }
    take_out(number);
    log_error("smp: the CPU with APIC id %u stopped on its way: left out, its memory stays", apic_id);
    return false;
}

/* Numbers without gaps for those that are READY; the others are left out. Returns how many CPUs there are. */
INIT static uint32_t settle(struct starting *starting, bool *is_clean)
{
    uint32_t next = 1;

    *is_clean = true;
    for (uint32_t number = 1; number < starting->nr_cpus; number++) {
        if (state_of(number) == CPU_READY)
            continue;
        *is_clean = false;
        if (leave_out(starting, number)) {
            cpu_unprepare(number);
            kfree(smp_cpus[number]);
        }
        smp_cpus[number] = NULL;
    }
    for (uint32_t number = 1; number < starting->nr_cpus; number++)
        if (smp_cpus[number])
            cpu_renumber(number, next++);
    return next;
}

/* What is to be done with final numbers; fewer CPUs where that fails. */
INIT static uint32_t give_numbers(uint32_t nr_cpus)
{
    for (uint32_t cpu = 1; cpu < nr_cpus; cpu++) {
        int error = smp_steps->number(cpu);

        if (error) {
            log_warn("smp: %u CPUs left out: %s", nr_cpus - cpu, error_name(error));
            return cpu;
        }
    }
    return nr_cpus;
}

/* Online before they know it: they take interrupts already. */
INIT static void join_some(uint32_t first, uint32_t end)
{
    for (uint32_t cpu = first; cpu < end; cpu++) {
        smp_set_online(cpu, true);
        __atomic_store_n(&smp_cpus[cpu]->state, CPU_JOINING, __ATOMIC_RELEASE); /* pairs with the acquire in ap.c */
        irq_ipi_send(smp_cpus[cpu]->apic_id, IRQ_IPI_VECTOR, VECTOR_RESCHEDULE);
    }
    wait_beyond(NULL, first, end, CPU_JOINING);
    for (uint32_t cpu = first; cpu < end; cpu++)
        (void)!smp_give_up(cpu);
}

INIT static void let_join(uint32_t nr_cpus)
{
    percpu_set_nr_cpus(nr_cpus);
    for (uint32_t first = 1; first < nr_cpus; first += JOIN_AT_ONCE) {
        uint32_t end = first + JOIN_AT_ONCE;

        join_some(first, end < nr_cpus ? end : nr_cpus);
    }
}

INIT static void start_all(struct starting *starting)
{
    uint64_t begin = clock_now_ns(), page = pfn_to_paddr(page_to_pfn(starting->page)).value;
    uint32_t nr_cpus;
    bool is_clean;

    wake_all(starting);
    wait_beyond(starting->parameters, 1, starting->nr_cpus, CPU_BEGUN);
    mtrr_say_corrected();
    nr_cpus = settle(starting, &is_clean);
    if (is_clean) { /* nobody comes late */
        start_tables_free(&starting->tables);
        page_free(starting->page, 0);
    }
    let_join(give_numbers(nr_cpus));
    log_info("smp: %u CPUs online, started in %lu ms from the page at 0x%lx", smp_nr_online(),
             (clock_now_ns() - begin) / NS_PER_MS, page);
}

INIT static void say_list(const struct cpu_list *list)
{
    if (list->nr_invalid > 0)
        log_warn("smp: %u CPUs of the firmware's table have an APIC id that cannot be", list->nr_invalid);
    if (list->nr_more > 0)
        log_info("smp: %u more CPUs are not used", list->nr_more);
}

/* Ids that this mode of the APIC cannot name. */
INIT static void drop_unreachable(struct cpu_list *list)
{
    uint32_t kept = 1;

    for (uint32_t i = 1; i < list->nr_cpus; i++) {
        if (irq_controller()->can_send_to(list->apic_ids[i]))
            list->apic_ids[kept++] = list->apic_ids[i];
        else
            log_warn("smp: the CPU with APIC id %u cannot be reached without x2APIC: left out", list->apic_ids[i]);
    }
    list->nr_cpus = kept;
}

INIT static void start_others(struct starting *starting)
{
    int error = alloc_tables(&starting->list);

    if (!error)
        prepare_all(starting);
    if (!error && starting->nr_cpus > 1)
        error = open_page(starting);
    if (error) {
        log_warn("smp: one CPU is used: no memory %s: %s", starting->nr_cpus > 1 ? "below 1 MiB to start in" : "",
                 error_name(error));
        while (starting->nr_cpus-- > 1) {
            cpu_unprepare(starting->nr_cpus);
            kfree(smp_cpus[starting->nr_cpus]);
        }
        return;
    }
    if (starting->nr_cpus > 1)
        start_all(starting);
}

INIT void smp_init_boot_cpu(void)
{
    const struct irq_controller *controller = irq_controller();
    int error;

    answers_begin(); /* it may call itself, alone too */
    if (!controller)
        return;
    error = ipi_init();
    ASSERT(error == 0); /* nobody else is given these vectors */
    call_init();
    where_init();
    smp_cpus[0]->apic_id = controller->own_id();
    smp_cpus[0]->place = topology_read(smp_cpus[0]->apic_id);
}

INIT void smp_init(const struct smp_cpu_steps *steps, uint32_t most)
{
    struct starting *starting;

    smp_steps = steps;
    if (!irq_controller())
        return;
    starting = kmalloc(sizeof(*starting), ALLOC_ZERO);
    if (!starting) {
        log_warn("smp: one CPU is used: %s", error_name(-ENOMEM));
        return;
    }
    cpu_list_read(&starting->list, acpi_find_table(ACPI_MADT, 0), smp_cpus[0]->apic_id, most);
    say_list(&starting->list);
    drop_unreachable(&starting->list);
    if (starting->list.nr_cpus > 1) {
        shootdown_init(); /* alone there is nobody to tell */
        mtrr_note_boot_cpu();
        start_others(starting);
    }
    kfree(starting);
}
