/* Reading the boot information of a Multiboot2 loader. */
#pragma once

#include <boot/boot_info.h>

/* Fills *out from the boot information at info, of which `available` bytes can be read, at any alignment. Any bytes are
 * survived: a tag that makes no sense is left out, with a note (boot/report.h) saying which and where; one whose size
 * leads nowhere ends the reading. The first tag of a kind counts, modules excepted.
 *
 * Returns 0, -EBADMSG where the information does not fit in `available`, -ENOENT without a memory map, -ENOMEM without
 * usable memory; *out is of no use then. Context: init. */
MUST_CHECK int multiboot2_parse(const void *info, size_t available, struct boot_info *out);
