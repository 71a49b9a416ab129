/* One I/O APIC as a chip of irq. */
#pragma once

#include <base/address.h>
#include <base/compiler.h>
#include <base/types.h>

/* Maps it, masks every input and registers it. Returns 0; -ENODEV when nothing, or nothing like one, answers there;
 * -EEXIST, -ENOMEM. Context: init. */
MUST_CHECK int ioapic_add(paddr_t base, uint32_t gsi_base);
