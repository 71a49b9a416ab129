/* The report of a bad access: its class, the object and where that was allocated and freed, in the name of the code
 * that has the bug. Compiled without the address sanitizer. No lock, no allocation. */
#include "kasan_shadow.h"

#include "heap_fault.h"
#include "kmalloc_large.h"
#include "slab_internal.h"

#include <cpu/registers.h>
#include <debug/report.h>
#include <debug/report_hooks.h>
#include <lib/format.h>
#include <lib/string.h>
#include <mm/page_array.h>

#define SHADOW_SHOWN 17

/* What the compiler leaves at the start of the redzone left of a frame's variables. */
struct stack_frame_note {
    uint64_t magic;
    const char *variables; /* "2 32 8 1 a 64 40 6 buffer": how many; offset, bytes, length of the name, the name */
    const void *function;
};
#define STACK_FRAME_MAGIC 0x41b58ab3u
#define STACK_FRAME_MAX   4096u /* bytes to look for it */

/* All that the shadow tells is taken at once: the report itself runs through functions that do not return, for which
 * the redzones of this stack are taken away. */
struct finding {
    uint64_t bad, start;
    size_t length;
    bool is_write;
    uint8_t reason;
    uint8_t shadow[SHADOW_SHOWN];        /* around bad's, which is in the middle */
    const struct stack_frame_note *note; /* NULL: no stack variable's redzone, or not found */
    struct heap_fault fault;             /* of a heap object; class_words NULL: of none */
};

/* In .bss: a report may run on any stack, and only one does. */
static char class_text[HEAP_FAULT_TEXT_MAX];
static char class_words[96];   /* [report] */
static struct finding finding; /* [report] */

/* Why the first bad byte is bad. A granule that is allowed in part is followed by the reason. */
static uint8_t reason_of(uint64_t bad)
{
    int8_t reason = shadow_read(shadow_of(bad));

    if (reason > 0)
        reason = shadow_read(shadow_of(bad) + 1);
    return (uint8_t)reason;
}

static const char *reason_words(uint8_t reason)
{
    switch (reason) {
    case KASAN_STACK_LEFT:
    case KASAN_STACK_MIDDLE:
    case KASAN_STACK_RIGHT:
        return "stack buffer overflow";
    case KASAN_STACK_SCOPE:
        return "use after scope";
    case KASAN_GLOBAL:
        return "global buffer overflow";
    case KASAN_LARGE_REDZONE:
    case KASAN_SLAB_REDZONE:
        return "heap buffer overflow";
    case KASAN_SLAB_FREE:
        return "use after free";
    case KASAN_VMALLOC:
        return "vmalloc buffer overflow";
    case KASAN_PAGE_FREE:
        return "use of a free page";
    default: /* the next object begins right behind one that fills its granules */
        return "buffer overflow";
    }
}

/* The slab object whose slot holds the address; one byte past the end of its bytes is its own too. */
static void describe_slab(const struct slab_cache *cache, uint64_t address)
{
    uint64_t base = (uint64_t)(uintptr_t)slab_base(cache, (const void *)(uintptr_t)address);
    uint64_t offset = (address - base) % cache->stride;

    if (address - base >= cache->objects_bytes)
        return;
    slab_describe_object(&finding.fault, class_words, cache, (const void *)(uintptr_t)(address - offset));
    finding.fault.offset = finding.start - (address - offset);
}

static void describe_large(struct page *page)
{
    if (!page)
        return;
    finding.fault = (struct heap_fault){
        .class_words = class_words,
        .cache_name = "large",
        .object = page_to_address(page),
        .size = large_size(page),
        .offset = finding.start - (uint64_t)(uintptr_t)page_to_address(page),
        .allocated_at = large_site(page),
    };
}

static void describe_heap(void)
{
    struct page *page = page_of_address((const void *)(uintptr_t)finding.bad);

    if (page && page->owner == PAGE_SLAB && page->cache)
        describe_slab(page->cache, finding.bad);
    else if (page && page->owner == PAGE_LARGE)
        describe_large(large_first_page(page));
}

static const struct stack_frame_note *find_frame_note(uint64_t bad)
{
    uint64_t at = bad & ~(uint64_t)(KASAN_GRANULE - 1);

    for (uint64_t limit = at - STACK_FRAME_MAX; at > limit; at -= KASAN_GRANULE) {
        const struct stack_frame_note *note = (const struct stack_frame_note *)(uintptr_t)at;

        if ((uint8_t)shadow_read(shadow_of(at)) == KASAN_STACK_LEFT && note->magic == STACK_FRAME_MAGIC)
            return note;
    }
    return NULL;
}

static uint64_t take_number(const char **text)
{
    uint64_t value = 0;

    while (**text >= '0' && **text <= '9')
        value = value * 10 + (uint64_t)(*(*text)++ - '0');
    if (**text == ' ')
        (*text)++;
    return value;
}

static void say_stack_variables(void)
{
    const char *text = finding.note->variables;
    uint64_t count = take_number(&text);
    for (uint64_t i = 0; i < count && *text; i++) {
        uint64_t offset = take_number(&text), size = take_number(&text), length = take_number(&text);
        uint64_t start = (uint64_t)(uintptr_t)finding.note + offset;

        report_line("kasan: variable '%.*s', %lu bytes, at 0x%lx: the access is at offset %ld", (int)length, text, size,
                    start, (int64_t)(finding.start - start));
        text += length + (text[length] == ' ');
    }
}

static void say_trace(const char *what, const uint32_t *trace)
{
    char site[96];

    for (unsigned i = 0; trace && i < HEAP_FAULT_TRACE_DEPTH && trace[i]; i++) {
        heap_format_site(site, sizeof(site), trace[i]);
        report_line("kasan: %s %s %s", what, i ? "called from" : "at", site);
    }
}

/* What lies before the redzone. */
static void say_global(void)
{
    struct address_description description = {0};
    uint64_t at = finding.bad - 1;

    while ((uint8_t)shadow_read(shadow_of(at)) == KASAN_GLOBAL)
        at -= KASAN_GRANULE;
    report_describe_address(at, &description);
    report_line("kasan: behind %s", description.text);
}

/* One line: the shadow of the bytes around, the bad byte's in brackets. */
static void say_shadow(void)
{
    char text[128] = "";
    size_t used = 0;

    for (unsigned i = 0; i < SHADOW_SHOWN; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, i == SHADOW_SHOWN / 2 ? "[%02x]" : " %02x ",
                                 finding.shadow[i]);
    report_line("kasan: shadow around it:%s", text);
}

static void details(const void *unused)
{
    struct address_description description = {0};

    (void)unused;
    report_describe_address(finding.bad, &description);
    report_line("kasan: %s of %zu byte%s at 0x%016lx; the first bad byte is 0x%016lx: %s",
                finding.is_write ? "write" : "read", finding.length, finding.length == 1 ? "" : "s", finding.start,
                finding.bad, description.text);
    say_trace("allocated", finding.fault.allocated_trace);
    say_trace("freed", finding.fault.freed_trace);
    if (finding.note)
        say_stack_variables();
    if (finding.reason == KASAN_GLOBAL)
        say_global();
    say_shadow();
}

/* frame is the hook's: its return address is in the code that has the bug. */
void kasan_report(uint64_t bad, uint64_t start, size_t length, bool is_write, void *const *frame)
{
    static bool is_claimed; /* [a] */
    struct trap_frame registers;
    struct report report = {.frame = &registers, .class_words = class_text, .details = details, .cr2 = read_cr2()};

    __asm__ volatile("cli"); /* stays on this CPU, and nothing else runs on it */
    this_cpu_write(kasan_is_reporting, 1);
    capture_registers(&registers);
    registers.rip = (uint64_t)(uintptr_t)frame[1];
    registers.rbp = (uint64_t)(uintptr_t)frame[0];
    registers.rsp = (uint64_t)(uintptr_t)(frame + 2);
    while (__atomic_exchange_n(&is_claimed, true, __ATOMIC_ACQUIRE)) /* the first one stops this CPU */
        __builtin_ia32_pause();
    finding =
        (struct finding){.bad = bad, .start = start, .length = length, .is_write = is_write, .reason = reason_of(bad)};
    for (unsigned i = 0; i < SHADOW_SHOWN; i++)
        finding.shadow[i] = (uint8_t)shadow_read(shadow_of(bad) + i - SHADOW_SHOWN / 2);
    if (finding.reason >= KASAN_STACK_LEFT && finding.reason <= KASAN_STACK_SCOPE)
        finding.note = find_frame_note(bad);
    snprintf(class_words, sizeof(class_words), "kasan: %s %s", reason_words(finding.reason),
             is_write ? "write" : "read");
    describe_heap();
    if (finding.fault.class_words)
        heap_fault_format(class_text, sizeof(class_text), &finding.fault);
    else
        strlcpy(class_text, class_words, sizeof(class_text));
    report_fatal(&report);
}
