/* ELF notes (System V gABI, chapter 5, "Note Section"): this header, the name padded to four bytes, the descriptor. */
#pragma once

#include <base/assert.h>
#include <base/types.h>

struct elf_note {
    uint32_t name_bytes;
    uint32_t descriptor_bytes;
    uint32_t type;
};

static_assert(sizeof(struct elf_note) == 12, "System V gABI, chapter 5");

#define ELF_NOTE_GNU_NAME_BYTES 4 /* "GNU" */
#define ELF_NOTE_GNU_BUILD_ID   3
