/* Forgetting translations on every CPU, by a thread that is moved to another CPU wherever it may be preempted. */
#include "support/unit.h"

#include <string.h>

#include <cpu/preempt.h>
#include <cpu/registers.h>

static void model_invlpg(vaddr_t address);
static uint64_t model_read_cr4(void);
static void model_write_cr4(uint64_t value);
#define invlpg    model_invlpg
#define read_cr4  model_read_cr4
#define write_cr4 model_write_cr4
#include "../../mm/tlb.c"

#define CPUS  3u
#define PAGES 40u

static uint32_t nr_forgotten[CPUS][PAGES];

static void maybe_move(void)
{
    if (preempt_depth() == 0)
        percpu.cpu_number = (percpu.cpu_number + 1) % CPUS;
}

static void forget(uint32_t cpu, vaddr_t address)
{
    if (address.value / PAGE_SIZE < PAGES)
        nr_forgotten[cpu][address.value / PAGE_SIZE]++;
}

static void forget_all(uint32_t cpu)
{
    for (unsigned i = 0; i < PAGES; i++)
        nr_forgotten[cpu][i]++;
}

static void model_invlpg(vaddr_t address)
{
    forget(percpu.cpu_number, address);
    maybe_move();
}

static uint64_t model_read_cr4(void)
{
    return CR4_PGE;
}

static void model_write_cr4(uint64_t value)
{
    if (value & CR4_PGE)
        forget_all(percpu.cpu_number);
}

static void model_flush_others(vaddr_t base, uint64_t length, bool has_tables)
{
    maybe_move();
    for (uint32_t cpu = 0; cpu < CPUS; cpu++)
        if (cpu != percpu.cpu_number)
            forget_all(cpu);
}

static void assert_forgotten(unsigned pages)
{
    for (uint32_t cpu = 0; cpu < CPUS; cpu++) {
        for (unsigned i = 0; i < pages; i++)
            assert_int_not_equal(nr_forgotten[cpu][i], 0);
    }
    assert_int_equal(preempt_depth(), 0);
    memset(nr_forgotten, 0, sizeof(nr_forgotten));
}

static void test_every_cpu_forgets(void **state)
{
    tlb_set_others(model_flush_others);
    for (unsigned pages = 1; pages <= PAGES; pages++) {
        tlb_flush_range(vaddr(0), pages * PAGE_SIZE);
        assert_forgotten(pages);
        tlb_flush_tables(vaddr(0), pages * PAGE_SIZE);
        assert_forgotten(pages);
    }
    tlb_flush_all();
    assert_forgotten(PAGES);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_cpu_forgets)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
