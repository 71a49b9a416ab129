/* Bytes that a report shows: code, the log's last lines, the build id. */
#include "report_sections.h"

#include <base/compiler.h>
#include <boot/image.h>
#include <cpu/exception_table.h>
#include <debug/log.h>
#include <lib/format.h>
#include <lib/string.h>

#define CODE_BEFORE 16
#define CODE_AFTER  24
#define LOG_LINES   10

void report_code(const struct report_state *state)
{
    uint64_t rip = state->report->frame->rip;
    char text[(CODE_BEFORE + CODE_AFTER) * 3 + 8];
    size_t length = 0;

    for (uint64_t address = rip - CODE_BEFORE; address != rip + CODE_AFTER; address++) {
        const char *format = address == rip ? " <%02x>" : " %02x";
        uint8_t byte;

        if (read_safely(&byte, (const void *)(uintptr_t)address, 1))
            length += (size_t)snprintf(text + length, sizeof(text) - length, "%s", address == rip ? " <..>" : " ..");
        else
            length += (size_t)snprintf(text + length, sizeof(text) - length, format, byte);
    }
    report_line("code:%s", text);
}

void report_log(void)
{
    uint64_t next = log_next_sequence(), sequence = next > LOG_LINES ? next - LOG_LINES : 0;
    struct log_record record;

    report_line("log:");
    for (; sequence < next; sequence++) {
        uint64_t oldest;

        if (log_read(sequence, &record, &oldest) == 0)
            report_line(" [%lu.%06lu] %s", (unsigned long)(record.time_ns / 1000000000),
                        (unsigned long)(record.time_ns / 1000 % 1000000), record.text);
    }
}

/* ELF note (System V gABI, "Note Section"): sizes of name and descriptor, type, name "GNU", descriptor. */
struct elf_note {
    uint32_t name_bytes, descriptor_bytes, type;
    char name[4];
    uint8_t descriptor[];
};

#define NT_GNU_BUILD_ID    3
#define BUILD_ID_BYTES_MAX 32

void report_build_id(void)
{
    const struct elf_note *note = (const struct elf_note *)__build_id_start;
    size_t available = (size_t)(__build_id_end - __build_id_start);
    char text[2 * BUILD_ID_BYTES_MAX + 1] = "";

    if (available >= sizeof(*note) && note->type == NT_GNU_BUILD_ID && note->descriptor_bytes <= BUILD_ID_BYTES_MAX)
        for (uint32_t i = 0; i < note->descriptor_bytes; i++)
            snprintf(text + 2 * i, 3, "%02x", note->descriptor[i]);
    report_line("build id: %s", text[0] ? text : "none");
}
