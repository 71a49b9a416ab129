/* pages ADDR: walks the page tables to an address, level by level, and says what the address is and whose its frame is.
 */
#include "kernel_tables.h"

#include <base/errno.h>
#include <cpu/registers.h>
#include <debug/command.h>
#include <debug/console.h>
#include <debug/symbols.h>
#include <lib/format.h>
#include <lib/parse.h>
#include <lib/string.h>
#include <mm/describe.h>
#include <mm/page_array.h>

static const char *level_name(unsigned level)
{
    static const char *const names[] = {"", "PT", "PD", "PDPT", "PML4"};

    return names[level];
}

/* "present writable no-execute accessed". */
static void format_bits(uint64_t entry, unsigned level, char *buffer, size_t size)
{
    static const struct {
        uint64_t bit;
        const char *name;
    } bits[] = {
        {PTE_WRITE, "writable"},      {PTE_USER, "user"},         {PTE_PWT, "write-through"},
        {PTE_PCD, "cache-disabled"},  {PTE_ACCESSED, "accessed"}, {PTE_DIRTY, "dirty"},
        {PTE_GLOBAL, "global"},       {PTE_SOFT_GUARD, "guard"},  {PTE_SOFT_COW, "copy-on-write"},
        {PTE_SOFT_RESERVED, "taken"}, {PTE_NX, "no-execute"},
    };
    int length = snprintf(buffer, size, "%s", entry & PTE_PRESENT ? "present" : "not present");

    if ((entry & PTE_PRESENT) && (entry & PTE_LARGE) && level > 1)
        length += snprintf(buffer + length, size - (size_t)length, " large");
    for (unsigned i = 0; i < ARRAY_SIZE(bits); i++)
        if (entry & bits[i].bit)
            length += snprintf(buffer + length, size - (size_t)length, " %s", bits[i].name);
}

static void print_walk(const struct page_table_step *steps, unsigned n)
{
    char bits[160];

    console_printf("CR3: 0x%lx\n", read_cr3());
    for (unsigned i = 0; i < n; i++) {
        format_bits(steps[i].entry, steps[i].level, bits, sizeof(bits));
        console_printf("%-4s table 0x%lx entry %3u: 0x%016lx -> 0x%lx %s\n", level_name(steps[i].level),
                       steps[i].table.value, steps[i].index, steps[i].entry, steps[i].entry & PTE_ADDRESS, bits);
    }
}

static const char *type_name(unsigned flags)
{
    if (flags & MAP_UNCACHED)
        return "uncached";
    return flags & MAP_WRITE_COMBINE ? "write-combining" : "write-back";
}

static void print_mapping(vaddr_t address, const struct mapping *mapping)
{
    uint64_t offset = address.value - mapping->base.value;

    console_printf("mapped: 0x%lx -> physical 0x%lx, %lu KiB page, r%c%c, %s%s\n", address.value,
                   mapping->physical.value + offset, mapping->page_size.bytes >> 10,
                   mapping->flags & MAP_WRITE ? 'w' : '-', mapping->flags & MAP_EXECUTE ? 'x' : '-',
                   mapping->flags & MAP_USER ? "user" : "kernel", mapping->flags & MAP_GLOBAL ? ", global" : "");
    console_printf("memory type: %s\n", type_name(mapping->flags));
}

static void print_frame(paddr_t physical)
{
    pfn_t frame = paddr_to_pfn(physical);
    const struct page *page = page_of_pfn(frame);

    if (!page) {
        console_printf("frame: 0x%lx, no RAM\n", frame.number);
        return;
    }
    console_printf("frame: 0x%lx, owner %s, references %u", frame.number, page_owner_name(page->owner),
                   page->references);
    if (page->order == PAGE_ORDER_TAIL)
        console_printf(", inside a block\n");
    else if (page->order == PAGE_ORDER_CACHED)
        console_printf(", on a CPU's list\n");
    else
        console_printf(", begins a block of order %u\n", page->order);
}

/* A number, or the name of a function or object. */
static int parse_address(const char *text, uint64_t *address)
{
    if (parse_u64(text, address) == 0)
        return 0;
    int error = symbol_find(text, address);
    return error == -ENOENT ? command_error(error, "'%s' is no number, and no symbol is named so", text) : error;
}

static int pages(int argc, char **argv)
{
    struct page_table_step steps[PAGE_TABLE_LEVELS];
    struct mapping mapping;
    char words[256];
    uint64_t value;

    if (argc != 2)
        return command_error(-EINVAL, "which address? One number or name of a symbol");
    int error = parse_address(argv[1], &value);
    if (error)
        return error;
    vaddr_t address = vaddr(value);
    describe_address(address, words, sizeof(words));
    console_printf("address: 0x%lx: %s\n", value, words);
    if (!vaddr_is_canonical(address))
        return 0;
    print_walk(steps, page_tables_path(paddr(read_cr3() & PTE_ADDRESS), address, steps));
    error = paging_lookup(address, &mapping);
    if (error) {
        console_printf("mapped: no%s\n", error == -EFAULT ? ", a guard page" : "");
        return 0;
    }
    print_mapping(address, &mapping);
    print_frame(paddr_add(mapping.physical, value - mapping.base.value));
    return 0;
}

COMMAND(pages, .name = "pages", .arguments = "ADDR|SYMBOL",
        .summary = "walk the page tables to an address and explain it", .run = pages);
