/* Reading the start information of a PVH boot (qemu -kernel, Firecracker, Cloud Hypervisor, Xen). */
#pragma once

#include <boot/boot_info.h>
#include <boot/physical_memory.h>

/* Fills *out from the start information at `info`. Any bytes are survived: what makes no sense is left out, with a note
 * (boot/report.h) saying what and where.
 *
 * Returns 0, -EINVAL for a wrong magic, -EBADMSG where the information cannot be read, -ENOENT without a memory map,
 * -ENOMEM without usable memory; *out is of no use then. Context: init. */
MUST_CHECK int pvh_parse(const struct physical_memory *memory, paddr_t info, struct boot_info *out);
