/* What the report asks of modules above it: they register, because debug may not name them. Without a hook the report
 * says less, and says that. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

/* What an address is, as far as the class of a fault depends on it. */
enum address_kind {
    ADDRESS_UNKNOWN, /* nobody to ask yet */
    ADDRESS_NULL_PAGE,
    ADDRESS_NON_CANONICAL,
    ADDRESS_USER,
    ADDRESS_TEXT,
    ADDRESS_RODATA,
    ADDRESS_DATA, /* .data, .bss, per-CPU */
    ADDRESS_INIT, /* given back, or about to be */
    ADDRESS_HEAP, /* slab objects and large kmallocs */
    ADDRESS_PHYSMAP,
    ADDRESS_VMALLOC,
    ADDRESS_DEVICE,
    ADDRESS_STACK,
    ADDRESS_STACK_GUARD_BELOW,
    ADDRESS_STACK_GUARD_ABOVE,
    ADDRESS_PAGE_ARRAY,
    ADDRESS_UNMAPPED, /* in no area at all */
};

#define ADDRESS_TEXT_MAX 160

struct address_description {
    enum address_kind kind;
    char area[64];               /* "heap", ".rodata", "stack 'boot'", "guard page below stack 'boot'" */
    char text[ADDRESS_TEXT_MAX]; /* all there is to say, for the reader */
};

/* All of them: any context, no lock, no allocation. */
struct report_hooks {
    void (*describe_address)(uint64_t address, struct address_description *description);
    /* What a value that was used as a pointer tells, as the class of the fault: "use after free" for poison; NULL for
     * nothing. */
    const char *(*describe_poison)(uint64_t value);
};

/* hooks must stay valid. Context: init. */
void report_set_hooks(const struct report_hooks *hooks);

/* Who knows the running thread: writes "boot" or its number and name, "12 'work'". Context: init. */
void report_set_thread_format(void (*format)(char *buffer, size_t size));

/* Who knows all threads: writes what each that sleeps waits for and what each has taken, a line at a time without a
 * newline. In a fatal report, with the other CPUs stopped: any context, no lock, no allocation, and what it reads may
 * be damaged. Context: init. */
void report_set_threads(void (*describe)(void (*write)(const char *line)));

/* The same, with answers where nobody has registered. Context: any. */
void report_describe_address(uint64_t address, struct address_description *description);
const char *report_describe_poison(uint64_t value);
void report_format_thread(char *buffer, size_t size);
void report_describe_threads(void (*write)(const char *line));

#define REPORT_THREAD_MAX 40 /* bytes that report_format_thread may write */
