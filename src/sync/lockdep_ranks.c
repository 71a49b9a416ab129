#include <sync/lockdep_ranks.h>

#include <base/compiler.h>
#include <lib/string.h>

static const struct {
    uint32_t rank;
    const char *class_name;
} ranks[] = {
    {4, "device model"},
    {5, "block devices"},
    {6, "irq table"},
    {7, "irq line"},
    {8, "list of entropy devices"},
    {8, "PCI slots"},
    {8, "list of virtqueues"},
    {9, "entropy device"},
    {9, "block device queue"},
    {9, "block device configuration"},
    {10, "vmalloc areas"},
    {20, "slab caches"},
    {25, "quarantine"},
    {30, "slab cache"},
    {30, "TLSF heap"},
    {40, "kernel page tables"},
    {50, "zone LOW"},
    {50, "zone DMA32"},
    {50, "zone NORMAL"},
    {60, "block load"},
    {60, "random pool"},
    {60, "time"},
    {60, "TSC comparison"},
    {60, "work"},
    {60, "serial input"},
    {60, "virtio interrupts"},
    {60, "typed input"},
    {60, "ps2 keyboard"},
    {60, "thread stacks"},
    {60, "threads"},
    {70, "irq mask"},
    {80, "ioapic"},
    {80, "PCI configuration ports"},
    {83, "waiting for anything"},
    {84, "priority inheritance"},
    {85, "thread"},
    {88, "timer queue"},
    {89, "shared event source"},
    {90, "run queue"},
};

uint32_t lockdep_rank(const char *class_name)
{
    for (size_t i = 0; i < ARRAY_SIZE(ranks); i++)
        if (strcmp(ranks[i].class_name, class_name) == 0)
            return ranks[i].rank;
    return 0;
}
