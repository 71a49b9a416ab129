/* Reports of broken heap objects: the words. */
#include "heap_fault.h"

#include <debug/log.h>
#include <debug/panic.h>
#include <debug/symbols.h>
#include <lib/format.h>
#include <lib/string.h>
#include <mm/heap_report.h>

void heap_format_site(char *buffer, size_t size, uint32_t site)
{
    uint64_t address = (uint64_t)(uintptr_t)code_site_address(site);
    struct symbol_location location;

    if (!address)
        snprintf(buffer, size, "unknown");
    else if (symbol_lookup(address - 1, &location) == 0) /* a return address: the byte before it is still the call */
        snprintf(buffer, size, "%s+0x%lx", location.function, (unsigned long)location.offset + 1);
    else
        snprintf(buffer, size, "0x%lx", (unsigned long)address);
}

static void log_trace(const char *what, const uint32_t *trace)
{
    char site[SYMBOL_NAME_MAX + 24];

    for (unsigned i = 0; trace && i < HEAP_FAULT_TRACE_DEPTH && trace[i]; i++) {
        heap_format_site(site, sizeof(site), trace[i]);
        log_error("heap: %s %s %s", what, i ? "called from" : "at", site);
    }
}

/* Appends to text of this size, cutting what does not fit. */
PRINTF(3, 4) static void append(char *text, size_t size, const char *format, ...)
{
    size_t used = strlen(text);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text + used, size - used, format, arguments);
    va_end(arguments);
}

static void append_site(char *text, size_t size, const char *what, uint32_t site)
{
    char name[SYMBOL_NAME_MAX + 24];

    if (!site)
        return;
    heap_format_site(name, sizeof(name), site);
    append(text, size, ", %s at %s", what, name);
}

void heap_fault_format(char *text, size_t size, const struct heap_fault *fault)
{
    text[0] = '\0';
    append(text, size, "%s", fault->class_words);
    if (fault->nr_bytes && strcmp(fault->class_words, HEAP_REDZONE_OVERWRITTEN) == 0)
        append(text, size, " (overflow of %lu byte%s)", (unsigned long)fault->nr_bytes,
               fault->nr_bytes == 1 ? "" : "s");
    if (fault->detail)
        append(text, size, " (%s)", fault->detail);
    append(text, size, ": object %p", fault->object);
    if (fault->cache_name)
        append(text, size, " of '%s', %lu bytes, offset %lu", fault->cache_name, (unsigned long)fault->size,
               (unsigned long)fault->offset);
    if (fault->found != fault->expected)
        append(text, size, ", found 0x%lx", (unsigned long)fault->found);
    if (fault->found != fault->expected &&
        fault->expected <= UINT8_MAX) /* longer ones may be encoded: nothing to read */
        append(text, size, ", expected 0x%lx", (unsigned long)fault->expected);
    append_site(text, size, "allocated", fault->allocated_at);
    append_site(text, size, "freed", fault->freed_at);
    append_site(text, size, fault->freed_at ? "freed again" : "free attempted", fault->freed_again_at);
}

void heap_fault_report(const struct heap_fault *fault)
{
    char text[HEAP_FAULT_TEXT_MAX];

    heap_fault_format(text, sizeof(text), fault);
    log_trace("allocated", fault->allocated_trace);
    log_trace("freed", fault->freed_trace);
    panic("%s", text);
}
