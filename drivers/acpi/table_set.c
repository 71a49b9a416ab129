/* Following the firmware's pointers to its tables and keeping checked copies. Nothing the firmware writes is read
 * twice: a table is copied whole, and the copy is checked. */
#include <acpi/fadt.h>
#include <base/errno.h>
#include <debug/log.h>
#include <lib/string.h>
#include <mm/kmalloc.h>

#include "table.h"

static bool has_signature(const struct acpi_header *header, const char *signature)
{
    return memcmp(header->signature, signature, ACPI_SIGNATURE_SIZE) == 0;
}

static int refuse(uint64_t address, const struct acpi_header *header, const char *why)
{
    char text[ACPI_SIGNATURE_SIZE + 1];

    acpi_signature_text(header->signature, text);
    log_warn("acpi: table %s at 0x%lx left out: %s", text, address, why);
    return -EBADMSG;
}

/* Reads and checks the table there. *copy is the caller's to free. */
static int copy_table(const struct physical_memory *memory, uint64_t address, struct acpi_table **copy)
{
    struct acpi_header header;

    if (address == 0 || !memory->read(memory, paddr(address), &header, sizeof(header))) {
        log_warn("acpi: there is no memory for a table at 0x%lx", address);
        return -EFAULT;
    }
    if (header.length < sizeof(header) || header.length > ACPI_TABLE_BYTES_MAX)
        return refuse(address, &header, "its length is wrong");
    struct acpi_table *table = kmalloc(offsetof(struct acpi_table, header) + header.length, ALLOC_NORMAL);
    if (!table)
        return -ENOMEM;
    table->next = NULL;
    table->physical = paddr(address);
    int error = 0;
    if (!memory->read(memory, paddr(address), &table->header, header.length))
        error = refuse(address, &header, "not all of it is memory");
    else if (table->header.length != header.length)
        error = refuse(address, &header, "it changes while it is read");
    else if (acpi_sum(&table->header, header.length) != 0)
        error = refuse(address, &header, "its checksum is wrong");
    if (error)
        kfree(table);
    else
        *copy = table;
    return error;
}

static bool is_in(const struct acpi_table_set *set, uint64_t address)
{
    for (const struct acpi_table *table = set->first; table; table = table->next)
        if (table->physical.value == address)
            return true;
    return false;
}

static void add(struct acpi_table_set *set, const struct physical_memory *memory, uint64_t address)
{
    struct acpi_table *table = NULL;

    if (is_in(set, address) || copy_table(memory, address, &table) < 0)
        return;
    if (set->last)
        set->last->next = table;
    else
        set->first = table;
    set->last = table;
}

static int load_root(const struct physical_memory *memory, uint64_t address, const char *signature,
                     struct acpi_table **root)
{
    struct acpi_table *table = NULL;
    int error = address == 0 ? -ENOENT : copy_table(memory, address, &table);

    if (error == 0 && !has_signature(&table->header, signature)) {
        error = refuse(address, &table->header, "it is not the list of tables it should be");
        kfree(table);
    }
    if (error == 0)
        *root = table;
    return error;
}

static void add_listed(struct acpi_table_set *set, const struct physical_memory *memory, const struct acpi_table *root,
                       unsigned bytes_per_entry)
{
    unsigned nr_entries = (root->header.length - (unsigned)sizeof(root->header)) / bytes_per_entry;

    if (nr_entries > ACPI_TABLES_MAX) {
        log_warn("acpi: the firmware lists %u tables: only the first %u are looked at", nr_entries, ACPI_TABLES_MAX);
        nr_entries = ACPI_TABLES_MAX;
    }
    for (unsigned i = 0; i < nr_entries; i++) {
        uint64_t address = 0;

        memcpy(&address, (const char *)(&root->header + 1) + i * bytes_per_entry, bytes_per_entry);
        if (address != 0)
            add(set, memory, address);
    }
}

int acpi_tables_load(struct acpi_table_set *set, const struct physical_memory *memory, const struct acpi_roots *roots)
{
    unsigned bytes_per_entry = sizeof(uint64_t);
    struct acpi_table *root = NULL;
    struct acpi_fixed fixed;

    *set = (struct acpi_table_set){0};
    if (load_root(memory, roots->xsdt, ACPI_XSDT, &root) < 0) {
        bytes_per_entry = sizeof(uint32_t);
        if (load_root(memory, roots->rsdt, ACPI_RSDT, &root) < 0)
            return -ENOENT;
    }
    add_listed(set, memory, root, bytes_per_entry);
    kfree(root);
    const struct acpi_header *fadt = acpi_tables_find(set, ACPI_FADT, 0);
    if (fadt && acpi_fadt_decode(fadt, &fixed) == 0 && fixed.dsdt.value != 0)
        add(set, memory, fixed.dsdt.value);
    return 0;
}

void acpi_tables_free(struct acpi_table_set *set)
{
    while (set->first) {
        struct acpi_table *table = set->first;

        set->first = table->next;
        kfree(table);
    }
    set->last = NULL;
}

const struct acpi_header *acpi_tables_find(const struct acpi_table_set *set, const char *signature, unsigned n)
{
    for (const struct acpi_table *table = set->first; table; table = table->next)
        if (has_signature(&table->header, signature) && n-- == 0)
            return &table->header;
    return NULL;
}
