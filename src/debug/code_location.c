#include <debug/backtrace.h>

#include <debug/symbols.h>
#include <lib/format.h>
#include <lib/string.h>

extern const char __text_start[], __text_end[], __init_text_start[], __init_text_end[];

static bool is_between(uint64_t address, const char *start, const char *end)
{
    return address >= (uint64_t)(uintptr_t)start && address < (uint64_t)(uintptr_t)end;
}

bool address_is_kernel_text(uint64_t address)
{
    return is_between(address, __text_start, __text_end) || is_between(address, __init_text_start, __init_text_end);
}

void format_code_location(char *buffer, size_t size, uint64_t address, bool is_return_address)
{
    uint64_t looked_up = address - (is_return_address ? 1 : 0);
    struct symbol_location location;
    int length;

    if (!address_is_kernel_text(looked_up)) {
        snprintf(buffer, size, "0x%016lx not in kernel code", address);
        return;
    }
    if (symbol_lookup(looked_up, &location)) {
        snprintf(buffer, size, "0x%016lx no symbol", address);
        return;
    }
    length = snprintf(buffer, size, "0x%016lx %s+0x%lx", address, location.function,
                      location.offset + (is_return_address ? 1 : 0));
    if (location.line && length > 0 && (size_t)length < size)
        snprintf(buffer + length, size - (size_t)length, " (%s:%u)", location.file, location.line);
}
