/* Which CPUs the firmware says there are. Pure; host-tested. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>
#include <cpu/cpu_mask.h>
#include <hw/acpi.h>

struct cpu_list {
    uint32_t nr_cpus;
    uint32_t apic_ids[CPU_MAX]; /* the boot CPU's first, the others in the table's order */
    uint32_t nr_disabled;       /* entries that are not enabled: sockets left empty, CPUs that may come later */
    uint32_t nr_invalid;        /* entries that say what cannot be: an id that is a broadcast, or was there before */
    uint32_t nr_more;           /* enabled ones beyond `most` */
};

/* Reads the MADT (ACPI 6.5 5.2.12.2 and .12), LAPIC and x2APIC entries alike. own_id: the boot CPU's, which is in the
 * list whatever the table says. madt may be NULL. The list has `most` CPUs at most, 1 to CPU_MAX. */
void cpu_list_read(struct cpu_list *list, const struct acpi_header *madt, uint32_t own_id, uint32_t most);
