/* boot: what firmware and loader told, and how long boot took. */
#include "style.h"

#include <base/errno.h>
#include <boot/boot_info.h>
#include <boot/memory_map.h>
#include <debug/boot_stage.h>
#include <debug/command.h>
#include <debug/console.h>

#define KIB 1024u

static void heading(const char *text)
{
    console_printf("%s%s%s\n", style(STYLE_HEADING), text, style(STYLE_NONE));
}

static void print_memory(const struct boot_info *info)
{
    heading("Memory map (sanitised)");
    for (unsigned i = 0; i < info->nr_memory; i++) {
        const struct memory_range *range = &info->memory[i];

        console_printf("  %016lx-%016lx %10lu KiB  %s\n", range->base.value,
                       range->base.value + range->length_bytes - 1, range->length_bytes / KIB,
                       memory_kind_name(range->kind));
    }
    console_printf("  usable: %lu KiB\n", memory_map_usable_bytes(info) / KIB);
}

static void print_modules(const struct boot_info *info)
{
    if (info->nr_modules == 0) {
        console_printf("Modules: none\n");
        return;
    }
    heading("Modules");
    for (unsigned i = 0; i < info->nr_modules; i++) {
        const struct boot_module *module = &info->modules[i];

        console_printf("  %016lx %10lu bytes  %s\n", module->base.value, module->length_bytes, module->command_line);
    }
}

static void print_framebuffer(const struct framebuffer_info *framebuffer)
{
    switch (framebuffer->kind) {
    case FRAMEBUFFER_NONE:
        console_printf("Framebuffer: none\n");
        break;
    case FRAMEBUFFER_RGB:
        console_printf("Framebuffer: %ux%u, %u bits per pixel, %u bytes per line, at 0x%lx\n", framebuffer->width,
                       framebuffer->height, framebuffer->bits_per_pixel, framebuffer->pitch_bytes,
                       framebuffer->base.value);
        break;
    case FRAMEBUFFER_VGA_TEXT:
        console_printf("Framebuffer: VGA text, %ux%u characters, at 0x%lx\n", framebuffer->width, framebuffer->height,
                       framebuffer->base.value);
        break;
    }
}

static void print_tables(const struct boot_info *info)
{
    if (info->rsdp.value)
        console_printf("RSDP: at 0x%lx\n", info->rsdp.value);
    else
        console_printf("RSDP: %s\n", info->rsdp_copy_length ? "a copy from the loader" : "not told");
    if (info->efi_system_table.value)
        console_printf("EFI system table: at 0x%lx\n", info->efi_system_table.value);
}

static void print_stages(void)
{
    heading("Stages (seconds since the kernel was entered)");
    for (unsigned stage = 0; stage < BOOT_STAGES; stage++) {
        struct boot_stage_record record = boot_stage_record((enum boot_stage)stage);

        if (record.is_reached)
            console_printf("  %lu.%06lu  %02x %s\n", record.time_ns / 1000000000, record.time_ns / 1000 % 1000000,
                           BOOT_STAGE_POST_BASE + stage, boot_stage_name((enum boot_stage)stage));
    }
}

static int run_boot(int argc, char **argv)
{
    const struct boot_info *info = boot_info();

    (void)argv;
    if (argc > 1)
        return -E2BIG;
    console_printf("Loader: %s, by %s, on %s\n", info->loader_name[0] ? info->loader_name : "not told",
                   boot_protocol_name(info->protocol), firmware_name(info->firmware));
    console_printf("Command line: %s\n", info->command_line);
    print_memory(info);
    print_modules(info);
    print_framebuffer(&info->framebuffer);
    print_tables(info);
    print_stages();
    return 0;
}

COMMAND(boot, .name = "boot", .arguments = "", .summary = "what firmware and loader told, and how long boot took",
        .run = run_boot);
