/* The running kernel's own symbol table: what the linker script puts between __symbols_start and __symbols_end. Empty
 * in the first of the two links, whose image is never run. */
#include <debug/symbols.h>

#include <base/errno.h>
#include <debug/symbol_table.h>

extern const uint8_t __symbols_start[], __symbols_end[];

/* Opened anew each time: it costs a few loads, and no context has to be first. */
static int open_own_table(struct symbol_table *table)
{
    return symbol_table_open(table, __symbols_start, (size_t)(__symbols_end - __symbols_start));
}

int symbol_lookup(uint64_t address, struct symbol_location *location)
{
    struct symbol_table table;

    if (open_own_table(&table) != 0 || symbol_table_lookup(&table, address, location) != 0)
        return -ENOENT;
    return 0;
}

int symbol_find(const char *name, uint64_t *address)
{
    struct symbol_table table;

    if (open_own_table(&table) != 0 || symbol_table_find(&table, name, address) != 0)
        return -ENOENT;
    return 0;
}

int symbol_name(unsigned n, char name[SYMBOL_NAME_MAX])
{
    struct symbol_table table;

    if (open_own_table(&table) != 0 || symbol_table_name(&table, n, name) != 0)
        return -ENOENT;
    return 0;
}
