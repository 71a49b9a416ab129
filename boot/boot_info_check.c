#include <base/errno.h>
#include <boot/boot_info.h>
#include <boot/memory_map.h>
#include <boot/report.h>
#include <lib/string.h>

/* A module outside usable memory would be read from who knows what. */
static INIT void check_modules(struct boot_info *info)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < info->nr_modules; i++) {
        const struct boot_module *module = &info->modules[i];

        if (!memory_map_is_usable(info, module->base, module->length_bytes)) {
            boot_note("module %u (%#llx bytes at %#llx) does not lie in usable memory: left out", i,
                      (unsigned long long)module->length_bytes, (unsigned long long)module->base.value);
            continue;
        }
        if (kept != i)
            info->modules[kept] = *module;
        kept++;
    }
    memset(&info->modules[kept], 0, (info->nr_modules - kept) * sizeof(info->modules[0]));
    info->nr_modules = kept;
}

/* Drawing over memory that is going to be handed out would corrupt it. */
static INIT void check_framebuffer(struct boot_info *info)
{
    struct framebuffer_info *framebuffer = &info->framebuffer;

    if (framebuffer->kind == FRAMEBUFFER_NONE ||
        !memory_map_touches_usable(info, framebuffer->base, (uint64_t)framebuffer->pitch_bytes * framebuffer->height))
        return;
    boot_note("framebuffer at %#llx lies in usable memory: left out", (unsigned long long)framebuffer->base.value);
    *framebuffer = (struct framebuffer_info){.kind = FRAMEBUFFER_NONE};
}

INIT int boot_info_check(struct boot_info *info)
{
    if (info->nr_memory == 0)
        return boot_error(-ENOENT, "the loader gave no memory map");
    if (memory_map_usable_bytes(info) == 0)
        return boot_error(-ENOMEM, "the memory map has no usable memory");
    check_modules(info);
    check_framebuffer(info);
    return 0;
}
