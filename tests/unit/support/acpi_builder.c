#include "acpi_builder.h"

#include <string.h>

#include <base/align.h>
#include <hw/rsdp.h>

static bool read_built(const struct physical_memory *memory, paddr_t address, void *to, size_t size)
{
    const struct acpi_builder *builder = (const struct acpi_builder *)memory;
    uint64_t offset = address.value - ACPI_BUILDER_BASE;

    if (address.value < ACPI_BUILDER_BASE || offset > ACPI_BUILDER_SIZE || size > ACPI_BUILDER_SIZE - offset)
        return false;
    memcpy(to, builder->bytes + offset, size);
    return true;
}

void acpi_builder_init(struct acpi_builder *builder)
{
    memset(builder, 0, sizeof(*builder));
    builder->memory.read = read_built;
    builder->at = ACPI_BUILDER_BASE;
}

void *acpi_builder_at(struct acpi_builder *builder, uint64_t address)
{
    return builder->bytes + (address - ACPI_BUILDER_BASE);
}

static uint8_t complement(const void *bytes, size_t length)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < length; i++)
        sum = (uint8_t)(sum + ((const uint8_t *)bytes)[i]);
    return (uint8_t)-sum;
}

void acpi_builder_sum(struct acpi_builder *builder, uint64_t address)
{
    struct acpi_header *header = acpi_builder_at(builder, address);

    header->checksum = 0;
    header->checksum = complement(header, header->length);
}

uint64_t acpi_builder_table(struct acpi_builder *builder, const char *signature, const void *body, size_t length)
{
    uint64_t address = builder->at;
    struct acpi_header *header = acpi_builder_at(builder, address);

    memcpy(header->signature, signature, ACPI_SIGNATURE_SIZE);
    header->length = (uint32_t)(sizeof(*header) + length);
    header->revision = 3;
    if (length != 0)
        memcpy(header + 1, body, length);
    acpi_builder_sum(builder, address);
    builder->at = align_up(address + header->length, 16);
    return address;
}

uint64_t acpi_builder_xsdt(struct acpi_builder *builder, const uint64_t *tables, unsigned count)
{
    return acpi_builder_table(builder, ACPI_XSDT, tables, count * sizeof(*tables));
}

uint64_t acpi_builder_rsdt(struct acpi_builder *builder, const uint64_t *tables, unsigned count)
{
    uint32_t narrow[64];

    for (unsigned i = 0; i < count; i++)
        narrow[i] = (uint32_t)tables[i];
    return acpi_builder_table(builder, ACPI_RSDT, narrow, count * sizeof(*narrow));
}

uint64_t acpi_builder_rsdp(struct acpi_builder *builder, uint64_t rsdt, uint64_t xsdt)
{
    uint64_t address = builder->at;
    struct rsdp *rsdp = acpi_builder_at(builder, address);

    memcpy(rsdp->v1.signature, RSDP_SIGNATURE, RSDP_SIGNATURE_SIZE);
    rsdp->v1.rsdt = (uint32_t)rsdt;
    rsdp->v1.revision = xsdt != 0 ? 2 : 0;
    rsdp->v1.checksum = complement(&rsdp->v1, sizeof(rsdp->v1));
    builder->at += sizeof(rsdp->v1);
    if (xsdt != 0) {
        rsdp->length = sizeof(*rsdp);
        rsdp->xsdt = xsdt;
        rsdp->extended_checksum = complement(rsdp, sizeof(*rsdp));
        builder->at = address + sizeof(*rsdp);
    }
    builder->at = align_up(builder->at, 16);
    return address;
}
