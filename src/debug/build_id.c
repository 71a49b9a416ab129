#include <debug/build_id.h>

#include <boot/image.h>
#include <hw/elf_note.h>
#include <lib/format.h>
#include <lib/string.h>

#define ID_BYTES_MAX ((BUILD_ID_TEXT_MAX - 1) / 2)

void build_id_text(char text[BUILD_ID_TEXT_MAX])
{
    const struct elf_note *note = (const void *)__build_id_start;
    size_t available = (size_t)(__build_id_end - __build_id_start);
    const uint8_t *id = (const uint8_t *)(note + 1) + ELF_NOTE_GNU_NAME_BYTES;

    strlcpy(text, "none", BUILD_ID_TEXT_MAX);
    if (available < sizeof(*note) + ELF_NOTE_GNU_NAME_BYTES || note->type != ELF_NOTE_GNU_BUILD_ID ||
        note->name_bytes != ELF_NOTE_GNU_NAME_BYTES || note->descriptor_bytes > ID_BYTES_MAX ||
        note->descriptor_bytes > available - sizeof(*note) - ELF_NOTE_GNU_NAME_BYTES)
        return;
    for (uint32_t i = 0; i < note->descriptor_bytes; i++)
        snprintf(text + 2 * i, 3, "%02x", id[i]);
}
