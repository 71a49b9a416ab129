/* This machine's tables. */
#include <acpi/fadt.h>
#include <acpi/pci.h>
#include <acpi/tables.h>
#include <base/errno.h>
#include <boot/boot_info.h>
#include <boot/command_line.h>
#include <cpu/features.h>
#include <debug/log.h>
#include <lib/string.h>
#include <mm/paging.h>
#include <mm/vmalloc.h>

#include "aml_pci.h"
#include "power.h"
#include "table.h"

static struct acpi_table_set tables; /* [I] */
static struct acpi_fixed fixed;      /* [I] */
static bool has_fixed;               /* [I] */
static struct aml_namespace names;   /* [I] */

static bool read_physical(const struct physical_memory *memory, paddr_t address, void *to, size_t size)
{
    uint64_t end = 1ull << cpu_identity()->physical_bits;

    (void)memory;
    if (size > end || address.value > end - size)
        return false;
    void *from = device_map(address, size, MAP_READ);
    if (!from)
        return false;
    memcpy(to, from, size);
    device_unmap(from);
    return true;
}

static const struct physical_memory physical_memory = {read_physical};

/* What the loader copied of the root pointer, else where it says that it is, else where a BIOS has it. */
INIT static int find_roots(const struct boot_info *info, struct acpi_roots *roots)
{
    uint8_t rsdp[sizeof(info->rsdp_copy)];
    size_t sizes[] = {sizeof(rsdp), 20};

    if (info->rsdp_copy_length != 0 && acpi_rsdp_decode(info->rsdp_copy, info->rsdp_copy_length, roots) == 0)
        return 0;
    for (unsigned i = 0; i < ARRAY_SIZE(sizes) && info->rsdp.value != 0; i++)
        if (read_physical(&physical_memory, info->rsdp, rsdp, sizes[i]) && acpi_rsdp_decode(rsdp, sizes[i], roots) == 0)
            return 0;
    return info->firmware == FIRMWARE_UEFI ? -ENOENT : acpi_rsdp_search(&physical_memory, roots);
}

INIT static bool is_turned_off(const struct boot_info *info)
{
    char value[8];

    int length = command_line_get(info->command_line, "acpi", value, sizeof(value));

    if (length >= 0 && strcmp(value, "off") == 0)
        return true;
    if (length != -ENOENT)
        log_warn("acpi=: value not known, ignored");
    return false;
}

INIT static void read_definition_block(const struct acpi_header *block)
{
    const uint8_t *aml = (const uint8_t *)(block + 1);
    int unread = aml_namespace_add(&names, aml, block->length - (uint32_t)sizeof(*block));

    if (unread < 0)
        log_warn("acpi: there is no memory for all names of definition blocks");
    else if (unread > 0)
        log_debug("acpi: in %u places the rest of a block could not be read", (unsigned)unread);
}

/* The DSDT's names come before those of the SSDTs, which add to it. */
INIT static void read_definition_blocks(void)
{
    const struct acpi_header *block = acpi_find_table(ACPI_DSDT, 0);

    aml_namespace_init(&names);
    if (block)
        read_definition_block(block);
    for (unsigned n = 0; (block = acpi_find_table(ACPI_SSDT, n)); n++)
        read_definition_block(block);
    aml_namespace_finish(&names);
}

bool acpi_pci_next_root(struct acpi_pci_root *root)
{
    return aml_pci_next_root(&names, root);
}

const struct aml_node *acpi_pci_function(const struct aml_node *bus, unsigned slot, unsigned function)
{
    return aml_pci_function(&names, bus, slot, function);
}

int acpi_pci_route(const struct aml_node *bus, unsigned slot, unsigned pin, struct acpi_pci_route *route)
{
    return aml_pci_route(&names, bus, slot, pin, route);
}

INIT void acpi_init(const struct boot_info *info)
{
    struct acpi_roots roots;

    if (is_turned_off(info)) {
        log_info("acpi: turned off on the command line");
        return;
    }
    if (find_roots(info, &roots) < 0 || acpi_tables_load(&tables, &physical_memory, &roots) < 0) {
        log_warn("acpi: this machine has no tables that can be used");
        return;
    }
    const struct acpi_header *fadt = acpi_find_table(ACPI_FADT, 0);
    has_fixed = fadt && acpi_fadt_decode(fadt, &fixed) == 0;
    unsigned count = 0;
    for (const struct acpi_table *table = tables.first; table; table = table->next)
        count++;
    log_info("acpi: %u tables%s", count, has_fixed ? "" : ", the fixed table not among them");
    read_definition_blocks();
    acpi_power_init();
}

const struct acpi_header *acpi_find_table(const char *signature, unsigned n)
{
    return acpi_tables_find(&tables, signature, n);
}

const struct acpi_header *acpi_table(unsigned n, paddr_t *physical)
{
    for (const struct acpi_table *table = tables.first; table; table = table->next)
        if (n-- == 0) {
            *physical = table->physical;
            return &table->header;
        }
    return NULL;
}

const struct acpi_fixed *acpi_fixed(void)
{
    return has_fixed ? &fixed : NULL;
}

int acpi_hpet_info(struct acpi_hpet_info *info)
{
    const struct acpi_hpet_table *hpet = (const struct acpi_hpet_table *)acpi_find_table(ACPI_HPET, 0);

    if (!hpet)
        return -ENOENT;
    if (hpet->header.length < sizeof(*hpet) || hpet->base.space != ACPI_SPACE_MEMORY || hpet->base.address == 0)
        return -EBADMSG;
    *info = (struct acpi_hpet_info){paddr(hpet->base.address), hpet->number, hpet->min_tick};
    return 0;
}
