/* The report of a data race: both accesses, each with its CPU, thread and callers. Compiled without the detector. */
#include "kcsan_internal.h"

#include <cpu/registers.h>
#include <debug/backtrace.h>
#include <debug/report.h>
#include <debug/report_hooks.h>
#include <debug/symbols.h>
#include <debug/test.h>
#include <lib/format.h>

#define PAIRS 256u /* of functions that have been reported */

static uint64_t pairs[PAIRS]; /* [a] hashes; 0: free. Full: what is new is not reported any more, nor counted */
static uint64_t nr_races;     /* [a] different ones */

uint64_t kcsan_races_(void)
{
    return __atomic_load_n(&nr_races, __ATOMIC_RELAXED);
}

TEST_COUNTER(races, "data races", NULL, kcsan_races_);

/* Where the function of a return address begins. */
static uint64_t function_of(uint64_t return_address)
{
    struct symbol_location location;

    return symbol_lookup(return_address - 1, &location) == 0 ? return_address - 1 - location.offset : return_address;
}

/* False where the two functions have been reported together before, or no more can be remembered. */
static bool is_new(uint64_t a, uint64_t b)
{
    uint64_t hash = (a < b ? a * 0x9e3779b97f4a7c15u + b : b * 0x9e3779b97f4a7c15u + a) | 1;

    for (unsigned i = 0; i < PAIRS; i++) {
        uint64_t *slot = &pairs[(hash / 2 + i) % PAIRS], expected = 0;

        /* Relaxed: nothing else is read on the strength of it. */
        if (__atomic_compare_exchange_n(slot, &expected, hash, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
            return true;
        if (expected == hash)
            return false;
    }
    return false;
}

struct race {
    const struct kcsan_party *mine, *other;
    uint64_t before, after;
};

static const char *kind_words(unsigned kind)
{
    static const char *const words[] = {"read", "write", "marked read", "marked write"};

    return words[kind & 3];
}

static void say_party(const char *which, const struct kcsan_party *party)
{
    char where[128];

    report_line("kcsan: %s: %s of %lu byte%s at 0x%016lx by CPU %u, thread %s, interrupt depth %u", which,
                kind_words(party->access.kind), party->access.size, party->access.size == 1 ? "" : "s",
                party->access.address, party->cpu, party->thread, party->interrupt_depth);
    for (unsigned i = 0; i < KCSAN_TRACE && party->trace[i]; i++) {
        format_code_location(where, sizeof(where), party->trace[i], true);
        report_line("kcsan: %s: %s", which, where);
    }
}

static void details(const void *argument)
{
    const struct race *race = argument;
    struct address_description description = {0};

    report_describe_address(race->mine->access.address, &description);
    report_line("kcsan: 0x%016lx is %s", race->mine->access.address, description.text);
    if (race->before != race->after)
        report_line("kcsan: the value changed from 0x%lx to 0x%lx", race->before, race->after);
    say_party("first", race->mine);
    if (race->other)
        say_party("second", race->other);
    else
        report_line("kcsan: second: not seen: assembly, code that is not instrumented, or a device");
}

static void format_place(char *text, size_t size, uint64_t return_address)
{
    struct symbol_location location;

    if (symbol_lookup(return_address - 1, &location) == 0)
        snprintf(text, size, "%s+0x%lx", location.function, (uint64_t)location.offset + 1);
    else
        snprintf(text, size, "0x%lx", return_address);
}

void kcsan_report(const struct kcsan_party *mine, const struct kcsan_party *other, uint64_t before, uint64_t after,
                  void *const *frame)
{
    const struct race race = {mine, other, before, after};
    char class_words[192], first[72], second[72] = "code that was not seen";
    struct trap_frame registers;
    struct report report = {
        .frame = &registers, .class_words = class_words, .details = details, .details_argument = &race};

    if (!is_new(function_of(mine->trace[0]), other ? function_of(other->trace[0]) : 0))
        return;
    __atomic_add_fetch(&nr_races, 1, __ATOMIC_RELAXED);
    capture_registers(&registers);
    registers.rip = mine->trace[0];
    registers.rbp = (uint64_t)(uintptr_t)frame[0];
    registers.rsp = (uint64_t)(uintptr_t)(frame + 2);
    format_place(first, sizeof(first), mine->trace[0]);
    if (other)
        format_place(second, sizeof(second), other->trace[0]);
    snprintf(class_words, sizeof(class_words), "data race: %s at %s, %s at %s", kind_words(mine->access.kind), first,
             other ? kind_words(other->access.kind) : "change", second);
    report.cr2 = read_cr2();
    report_notice(&report);
}
