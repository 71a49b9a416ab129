#include "check_boot_info.h"

#include <string.h>

#include <base/align.h>
#include <base/layout.h>
#include <boot/memory_map.h>

#include "support.h"

static void check_text(const char *text, size_t size, const char *what)
{
    REQUIRE(strnlen(text, size) < size, "%s has no end", what);
    for (; *text != '\0'; text++)
        REQUIRE((unsigned char)*text >= ' ' && *text != 0x7f, "%s holds a control character", what);
}

static void check_memory(const struct boot_info *info)
{
    REQUIRE(info->nr_memory >= 1 && info->nr_memory <= BOOT_MEMORY_MAX, "%u ranges", info->nr_memory);
    REQUIRE(memory_map_usable_bytes(info) != 0, "accepted without usable memory");
    for (unsigned i = 0; i < info->nr_memory; i++) {
        const struct memory_range *range = &info->memory[i];
        uint64_t base = range->base.value, end = base + range->length_bytes;

        REQUIRE(end > base && end <= MEMORY_MAP_LIMIT, "range %u is empty or too high", i);
        REQUIRE(range->kind <= MEMORY_BAD, "range %u has no kind", i);
        if (range->kind == MEMORY_USABLE)
            REQUIRE(is_aligned(base, PAGE_SIZE) && is_aligned(end, PAGE_SIZE) && end <= PHYSMAP_SIZE,
                    "usable range %u is not whole pages", i);
        if (i > 0) {
            uint64_t before = range[-1].base.value + range[-1].length_bytes;

            REQUIRE(before <= base, "range %u overlaps the one before", i);
            REQUIRE(before < base || range[-1].kind != range->kind, "range %u is not merged", i);
        }
    }
}

static void check_modules(const struct boot_info *info)
{
    REQUIRE(info->nr_modules <= BOOT_MODULES_MAX, "%u modules", info->nr_modules);
    for (unsigned i = 0; i < info->nr_modules; i++) {
        const struct boot_module *module = &info->modules[i];

        check_text(module->command_line, sizeof(module->command_line), "a module's command line");
        REQUIRE(module->length_bytes != 0 && memory_map_is_usable(info, module->base, module->length_bytes),
                "module %u is not in usable memory", i);
    }
}

static void check_field(const struct framebuffer_info *framebuffer, uint8_t shift, uint8_t bits)
{
    REQUIRE(bits >= 1 && bits <= 8 && shift + bits <= framebuffer->bits_per_pixel, "colour field %u+%u", shift, bits);
}

static void check_framebuffer(const struct boot_info *info)
{
    const struct framebuffer_info *framebuffer = &info->framebuffer;
    uint64_t bytes = (uint64_t)framebuffer->pitch_bytes * framebuffer->height;

    if (framebuffer->kind == FRAMEBUFFER_NONE)
        return;
    REQUIRE(framebuffer->width != 0 && framebuffer->height != 0 && framebuffer->base.value != 0, "empty framebuffer");
    REQUIRE(framebuffer->pitch_bytes >= (uint64_t)framebuffer->width * ((framebuffer->bits_per_pixel + 7u) / 8),
            "framebuffer rows do not fit");
    REQUIRE(framebuffer->base.value + bytes <= MEMORY_MAP_LIMIT, "framebuffer is too high");
    REQUIRE(!memory_map_touches_usable(info, framebuffer->base, bytes), "framebuffer lies in usable memory");
    if (framebuffer->kind == FRAMEBUFFER_RGB) {
        check_field(framebuffer, framebuffer->red_shift, framebuffer->red_bits);
        check_field(framebuffer, framebuffer->green_shift, framebuffer->green_bits);
        check_field(framebuffer, framebuffer->blue_shift, framebuffer->blue_bits);
    }
}

void check_boot_info(const struct boot_info *info)
{
    check_text(info->command_line, sizeof(info->command_line), "the command line");
    check_text(info->loader_name, sizeof(info->loader_name), "the loader's name");
    REQUIRE(info->rsdp_copy_length == 0 || info->rsdp_copy_length == 20 || info->rsdp_copy_length == 36,
            "RSDP copy of %u bytes", info->rsdp_copy_length);
    check_memory(info);
    check_modules(info);
    check_framebuffer(info);
}
