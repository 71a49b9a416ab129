#include <base/errno.h>
#include <boot/memory_map.h>
#include <boot/pvh.h>
#include <boot/report.h>
#include <hw/pvh.h>
#include <lib/string.h>

#include "text.h"

/* Copies a terminated string at address as far as it fits and can be read. Says so where that is not all of it. */
static INIT void read_text(const struct physical_memory *memory, uint64_t address, char *to, size_t size,
                           const char *what)
{
    size_t length = 0;
    bool is_whole = false;

    while (length < size && !is_whole && memory->read(memory, paddr(address + length), to + length, 1))
        is_whole = to[length++] == '\0';
    if (!is_whole)
        boot_note("pvh: %s at %#llx has no end within %zu readable bytes: cut", what, (unsigned long long)address,
                  length);
    boot_copy_text(to, size, to, length);
}

/* True, with *element filled, where element index of the table can be read. */
static INIT bool read_element(const struct physical_memory *memory, uint64_t table, uint32_t index, void *element,
                              size_t size)
{
    uint64_t address;

    return !__builtin_add_overflow(table, (uint64_t)index * size, &address) &&
           memory->read(memory, paddr(address), element, size);
}

static INIT void read_memory_map(const struct physical_memory *memory, const struct pvh_start_info *wire,
                                 struct boot_info *out)
{
    struct memory_map map;
    struct pvh_memory_entry entry;

    if (wire->nr_memory_entries > MEMORY_MAP_ENTRIES_MAX) {
        boot_note("pvh: memory map at %#llx has %u entries: left out", (unsigned long long)wire->memory_map,
                  wire->nr_memory_entries);
        return;
    }
    memory_map_start(&map, out->memory, BOOT_MEMORY_MAX);
    for (uint32_t i = 0; i < wire->nr_memory_entries; i++) {
        if (!read_element(memory, wire->memory_map, i, &entry, sizeof(entry))) {
            boot_note("pvh: memory map at %#llx cannot be read from entry %u of %u on",
                      (unsigned long long)wire->memory_map, i, wire->nr_memory_entries);
            break;
        }
        memory_map_add(&map, entry.base, entry.size, memory_kind_of(entry.type));
    }
    out->nr_memory = memory_map_finish(&map);
}

static INIT void read_module(const struct physical_memory *memory, const struct pvh_module *wire, uint32_t index,
                             struct boot_info *out)
{
    struct boot_module *module = &out->modules[out->nr_modules];

    if (wire->size == 0 || wire->base > UINT64_MAX - wire->size) {
        boot_note("pvh: module %u (%#llx bytes at %#llx) makes no sense: left out", index,
                  (unsigned long long)wire->size, (unsigned long long)wire->base);
        return;
    }
    module->base = paddr(wire->base);
    module->length_bytes = wire->size;
    if (wire->command_line != 0)
        read_text(memory, wire->command_line, module->command_line, sizeof(module->command_line),
                  "command line of a module");
    out->nr_modules++;
}

static INIT void read_modules(const struct physical_memory *memory, const struct pvh_start_info *wire,
                              struct boot_info *out)
{
    struct pvh_module module;

    for (uint32_t i = 0; i < wire->nr_modules; i++) {
        if (out->nr_modules == BOOT_MODULES_MAX) {
            boot_note("pvh: %u modules, of which those from %u on are left out", wire->nr_modules, i);
            return;
        }
        if (!read_element(memory, wire->modules, i, &module, sizeof(module))) {
            boot_note("pvh: module list at %#llx cannot be read from entry %u of %u on",
                      (unsigned long long)wire->modules, i, wire->nr_modules);
            return;
        }
        read_module(memory, &module, i, out);
    }
}

INIT int pvh_parse(const struct physical_memory *memory, paddr_t info, struct boot_info *out)
{
    struct pvh_start_info wire = {.magic = 0};
    size_t size = offsetof(struct pvh_start_info, memory_map);

    if (!memory->read(memory, info, &wire, size))
        return boot_error(-EBADMSG, "pvh: start information at %#llx cannot be read", (unsigned long long)info.value);
    if (wire.magic != PVH_START_MAGIC)
        return boot_error(-EINVAL, "pvh: start information at %#llx has magic %#x, not %#x",
                          (unsigned long long)info.value, wire.magic, PVH_START_MAGIC);
    if (wire.version >= 1) {
        size = sizeof(wire);
        if (!memory->read(memory, info, &wire, size))
            return boot_error(-EBADMSG, "pvh: start information at %#llx is cut off", (unsigned long long)info.value);
    }

    memset(out, 0, sizeof(*out));
    out->protocol = BOOT_PROTOCOL_PVH;
    out->firmware = FIRMWARE_UNKNOWN;
    out->loader_info_length = size;
    out->rsdp = paddr(wire.rsdp);
    if (wire.command_line != 0)
        read_text(memory, wire.command_line, out->command_line, sizeof(out->command_line), "command line");
    read_modules(memory, &wire, out);
    read_memory_map(memory, &wire, out);
    return boot_info_check(out);
}
