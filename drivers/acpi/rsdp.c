/* The root pointer: where all tables begin. */
#include <base/errno.h>
#include <hw/rsdp.h>
#include <lib/string.h>
#include <mm/kmalloc.h>

#include "table.h"

#define EBDA_SEGMENT_AT 0x40eu /* the BIOS data area's word with the extended area's real mode segment */
#define EBDA_BYTES      1024u
#define ROM_BASE        0xe0000u
#define ROM_BYTES       0x20000u
#define RSDP_ALIGNMENT  16u
#define RSDP_REVISION_2 2

int acpi_rsdp_decode(const void *bytes, size_t size, struct acpi_roots *roots)
{
    struct rsdp rsdp = {0};

    if (size < sizeof(rsdp.v1))
        return -EBADMSG;
    memcpy(&rsdp, bytes, size < sizeof(rsdp) ? size : sizeof(rsdp));
    if (memcmp(rsdp.v1.signature, RSDP_SIGNATURE, RSDP_SIGNATURE_SIZE) != 0)
        return -ENOENT;
    if (acpi_sum(&rsdp.v1, sizeof(rsdp.v1)) != 0)
        return -EBADMSG;
    bool has_xsdt = rsdp.v1.revision >= RSDP_REVISION_2 && size >= sizeof(rsdp) && rsdp.length >= sizeof(rsdp) &&
                    rsdp.length <= size && acpi_sum(bytes, rsdp.length) == 0;
    *roots = (struct acpi_roots){.xsdt = has_xsdt ? rsdp.xsdt : 0, .rsdt = rsdp.v1.rsdt};
    return 0;
}

static int search_range(const struct physical_memory *memory, uint64_t base, uint32_t size, uint8_t *buffer,
                        struct acpi_roots *roots)
{
    if (!memory->read(memory, paddr(base), buffer, size))
        return -ENOENT;
    for (uint32_t at = 0; at + sizeof(struct rsdp_v1) <= size; at += RSDP_ALIGNMENT)
        if (acpi_rsdp_decode(buffer + at, size - at, roots) == 0)
            return 0;
    return -ENOENT;
}

int acpi_rsdp_search(const struct physical_memory *memory, struct acpi_roots *roots)
{
    uint8_t *buffer = kmalloc(ROM_BYTES, ALLOC_NORMAL);
    uint16_t segment = 0;
    int error = -ENOENT;

    if (!buffer)
        return -ENOMEM;
    if (memory->read(memory, paddr(EBDA_SEGMENT_AT), &segment, sizeof(segment)) && segment != 0)
        error = search_range(memory, (uint64_t)segment << 4, EBDA_BYTES, buffer, roots);
    if (error)
        error = search_range(memory, ROM_BASE, ROM_BYTES, buffer, roots);
    kfree(buffer);
    return error;
}
