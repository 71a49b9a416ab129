#include "cpu_list.h"

#include <acpi/madt.h>

/* Destinations that mean every CPU (SDM 3A 11.6.2.1 and 11.12.9). */
#define XAPIC_BROADCAST  0xffu
#define X2APIC_BROADCAST 0xffffffffu

static bool is_listed(const struct cpu_list *list, uint32_t apic_id)
{
    for (uint32_t i = 0; i < list->nr_cpus; i++)
        if (list->apic_ids[i] == apic_id)
            return true;
    return false;
}

static void add(struct cpu_list *list, uint32_t apic_id, uint32_t flags, uint32_t broadcast, uint32_t most)
{
    if (!(flags & ACPI_MADT_CPU_ENABLED))
        list->nr_disabled++;
    else if (apic_id == broadcast)
        list->nr_invalid++;
    else if (apic_id == list->apic_ids[0])
        return;
    else if (is_listed(list, apic_id))
        list->nr_invalid++;
    else if (list->nr_cpus == most)
        list->nr_more++;
    else
        list->apic_ids[list->nr_cpus++] = apic_id;
}

INIT void cpu_list_read(struct cpu_list *list, const struct acpi_header *madt, uint32_t own_id, uint32_t most)
{
    union acpi_madt_entry entry;

    *list = (struct cpu_list){.nr_cpus = 1};
    list->apic_ids[0] = own_id;
    if (!madt)
        return;
    for (uint32_t at = 0; acpi_madt_next(madt, &at, &entry);) {
        if (entry.header.type == ACPI_MADT_LAPIC)
            add(list, entry.lapic.apic_id, entry.lapic.flags, XAPIC_BROADCAST, most);
        else if (entry.header.type == ACPI_MADT_X2APIC)
            add(list, entry.x2apic.apic_id, entry.x2apic.flags, X2APIC_BROADCAST, most);
    }
}
