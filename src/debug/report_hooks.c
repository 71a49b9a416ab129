#include <debug/report_hooks.h>

#include <debug/known_stacks.h>
#include <lib/format.h>
#include <lib/list.h>
#include <lib/string.h>

#define PAGE_BYTES 4096

static const struct report_hooks *hooks;                          /* [a] */
static void (*format_thread)(char *buffer, size_t size);          /* [a] */
static void (*describe_threads)(void (*write)(const char *line)); /* [a] */

void report_set_hooks(const struct report_hooks *new_hooks)
{
    __atomic_store_n(&hooks, new_hooks, __ATOMIC_RELEASE);
}

static const struct report_hooks *get_hooks(void)
{
    return __atomic_load_n(&hooks, __ATOMIC_ACQUIRE);
}

/* What can be told without asking anybody. */
static void describe_without_hook(uint64_t address, struct address_description *description)
{
    struct known_stack stack;

    if (address < PAGE_BYTES) {
        description->kind = ADDRESS_NULL_PAGE;
        strlcpy(description->area, "the NULL page", sizeof(description->area));
        strlcpy(description->text, "the NULL page, never mapped", sizeof(description->text));
    } else if (known_stack_find(address, &stack)) {
        description->kind = ADDRESS_STACK;
        stack_format(stack.name, stack.owner, description->area, sizeof(description->area));
        snprintf(description->text, sizeof(description->text), "%s +0x%lx", description->area,
                 (unsigned long)(address - stack.low));
    } else {
        description->kind = ADDRESS_UNKNOWN;
        strlcpy(description->area, "an unknown area", sizeof(description->area));
        strlcpy(description->text, "unknown: memory is not set up yet", sizeof(description->text));
    }
}

void report_describe_address(uint64_t address, struct address_description *description)
{
    const struct report_hooks *registered = get_hooks();

    memset(description, 0, sizeof(*description));
    if (registered && registered->describe_address)
        registered->describe_address(address, description);
    else
        describe_without_hook(address, description);
}

const char *report_describe_poison(uint64_t value)
{
    const struct report_hooks *registered = get_hooks();
    uint64_t list_poison = (uint64_t)(uintptr_t)LIST_POISON_NEXT & ~(uint64_t)0xfff;

    if ((value & ~(uint64_t)0xfff) == list_poison)
        return "use of a removed list node's link";
    return registered && registered->describe_poison ? registered->describe_poison(value) : NULL;
}

void report_set_thread_format(void (*format)(char *buffer, size_t size))
{
    __atomic_store_n(&format_thread, format, __ATOMIC_RELEASE); /* pairs with the acquire below */
}

void report_format_thread(char *buffer, size_t size)
{
    void (*format)(char *, size_t) = __atomic_load_n(&format_thread, __ATOMIC_ACQUIRE);

    if (format)
        format(buffer, size);
    else
        strlcpy(buffer, "boot", size);
}

void report_set_threads(void (*describe)(void (*write)(const char *line)))
{
    __atomic_store_n(&describe_threads, describe, __ATOMIC_RELEASE); /* pairs with the acquire below */
}

void report_describe_threads(void (*write)(const char *line))
{
    void (*describe)(void (*)(const char *)) = __atomic_load_n(&describe_threads, __ATOMIC_ACQUIRE);

    if (describe)
        describe(write);
    else
        write("none yet");
}
