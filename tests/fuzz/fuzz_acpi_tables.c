/* Any bytes as the physical memory with the root pointer, at its beginning, and all tables; every reader of a table on
 * every table. The mutator sets the checksums of what looks like a table, or nothing behind them would ever be reached.
 */
#include <string.h>

#include <acpi/fadt.h>
#include <acpi/madt.h>
#include <acpi/tables.h>
#include <hw/rsdp.h>

#include "../../drivers/acpi/table.h"
#include "../unit/support/plain_heap.h"
#include "support.h"

#define MEMORY_BASE 0xe0000u

struct fuzzed_memory {
    struct physical_memory memory;
    const uint8_t *bytes;
    size_t size;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

static bool read_fuzzed(const struct physical_memory *memory, paddr_t address, void *to, size_t size)
{
    const struct fuzzed_memory *fuzzed = (const struct fuzzed_memory *)memory;
    uint64_t offset = address.value - MEMORY_BASE;

    if (address.value < MEMORY_BASE || offset >= fuzzed->size || size > fuzzed->size - offset)
        return false;
    memcpy(to, fuzzed->bytes + offset, size);
    return true;
}

static void read_as_everything(const struct acpi_header *table)
{
    union acpi_madt_entry entry;
    struct acpi_mcfg_entry allocation;
    struct acpi_fixed fixed;
    unsigned steps = 0;

    REQUIRE(acpi_sum(table, table->length) == 0, "a table with a wrong checksum was kept");
    for (uint32_t at = 0; acpi_madt_next(table, &at, &entry); steps++)
        REQUIRE(at <= table->length && entry.header.length >= 2, "the walk left the table");
    REQUIRE(steps <= table->length / 2, "more entries than there is room for");
    (void)acpi_madt_lapic_base(table);
    (void)acpi_madt_flags(table);
    for (uint32_t at = 0; acpi_mcfg_next(table, &at, &allocation);)
        REQUIRE(allocation.first_bus <= allocation.last_bus, "an odd allocation");
    if (acpi_fadt_decode(table, &fixed) == 0) {
        REQUIRE(fixed.pm_timer.space == ACPI_SPACE_MEMORY || fixed.pm_timer.address <= 0x10000 - 4, "no port");
        REQUIRE(fixed.reset.space <= ACPI_SPACE_IO, "an address space that cannot be reached");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzzed_memory fuzzed = {{read_fuzzed}, data, size};
    struct acpi_table_set set = {0};
    struct acpi_roots roots;

    if (acpi_rsdp_decode(data, size, &roots) == 0 && acpi_tables_load(&set, &fuzzed.memory, &roots) == 0)
        for (const struct acpi_table *table = set.first; table; table = table->next)
            read_as_everything(&table->header);
    acpi_tables_free(&set);
    REQUIRE(plain_heap_in_use() == 0, "memory was lost");
    return 0;
}

static void set_checksum(uint8_t *bytes, size_t length, size_t at)
{
    uint8_t sum = 0;

    bytes[at] = 0;
    for (size_t i = 0; i < length; i++)
        sum = (uint8_t)(sum + bytes[i]);
    bytes[at] = (uint8_t)-sum;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    size = LLVMFuzzerMutate(data, size, max_size);
    if (seed % 16 == 0)
        return size;
    for (size_t at = 0; at + sizeof(struct rsdp) <= size; at += 16) {
        uint32_t length;

        memcpy(&length, data + at + 4, sizeof(length));
        if (memcmp(data + at, RSDP_SIGNATURE, RSDP_SIGNATURE_SIZE) == 0) {
            set_checksum(data + at, sizeof(struct rsdp_v1), offsetof(struct rsdp_v1, checksum));
            set_checksum(data + at, sizeof(struct rsdp), offsetof(struct rsdp, extended_checksum));
        } else if (data[at] >= 'A' && data[at] <= 'Z' && length > offsetof(struct acpi_header, checksum) &&
                   length <= size - at) {
            set_checksum(data + at, length, offsetof(struct acpi_header, checksum));
        }
    }
    return size;
}
