/* What the readers of single Multiboot2 tags share. Private to boot/. */
#pragma once

#include <boot/boot_info.h>
#include <boot/memory_map.h>

/* One tag, header included: all of its size bytes can be read, and size is at least what the table in multiboot2.c asks
 * for its type. offset is where it lies in the boot information, for messages. */
struct multiboot2_tag_bytes {
    const uint8_t *bytes;
    uint32_t size;
    uint32_t offset;
};

struct multiboot2_reader {
    struct boot_info *out;
    struct memory_map map;
    bool has_memory_map;
    bool boot_services_run;                     /* ExitBootServices has not been called */
    struct multiboot2_tag_bytes efi_memory_map; /* bytes is NULL when not told */
};

void multiboot2_read_memory_map(struct multiboot2_reader *reader, const struct multiboot2_tag_bytes *tag);
void multiboot2_read_framebuffer(struct multiboot2_reader *reader, const struct multiboot2_tag_bytes *tag);

/* Lays the EFI memory map over the other one, once all tags have been seen: where the firmware has something other than
 * free memory that wins. It is the only source of usable memory where there is no memory map tag. */
void multiboot2_use_efi_memory_map(struct multiboot2_reader *reader);
