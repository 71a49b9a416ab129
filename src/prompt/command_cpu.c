/* cpu: what this CPU is, what it can do, and which protections are on. */
#include "style.h"

#include <base/errno.h>
#include <cpu/cache.h>
#include <cpu/features.h>
#include <cpu/fpu.h>
#include <cpu/registers.h>
#include <cpu/tsc.h>
#include <debug/command.h>
#include <debug/console.h>
#include <lib/string.h>

#define LINE_WIDTH 78u
#define KIB        1024u

static void print_identity(const struct cpu_identity *identity)
{
    console_printf("Vendor: %s\n", identity->vendor);
    console_printf("Brand: %s\n", identity->brand[0] ? identity->brand : "not told");
    console_printf("Family %u, model %u, stepping %u\n", identity->family, identity->model, identity->stepping);
    console_printf("Addresses: %u bits physical, %u bits virtual\n", identity->physical_bits, identity->virtual_bits);
}

static void print_features(void)
{
    enum cpu_feature feature;
    const char *name;
    size_t column = strlen("Features:");

    console_printf("Features:");
    for (unsigned n = 0; (name = cpu_feature_name(n, &feature)) != NULL; n++) {
        if (!cpu_has(feature))
            continue;
        if (column + 1 + strlen(name) > LINE_WIDTH) {
            console_printf("\n  ");
            column = 2;
        }
        console_printf(" %s", name);
        column += 1 + strlen(name);
    }
    console_printf("\n");
}

static void print_caches(void)
{
    static const char *const kinds[] = {
        [CACHE_DATA] = "data", [CACHE_INSTRUCTION] = "instructions", [CACHE_UNIFIED] = "unified"};
    struct cpu_cache cache;
    unsigned n = 0;

    for (; cpu_cache(n, &cache) == 0; n++) {
        const char *kind = cache.kind <= CACHE_UNIFIED ? kinds[cache.kind] : "of a kind this kernel does not know";

        console_printf("Cache: level %u, %s, %lu KiB, lines of %u bytes, ", cache.level, kind, cache.size_bytes / KIB,
                       cache.line_bytes);
        if (cache.is_fully_associative)
            console_printf("fully associative\n");
        else
            console_printf("%u ways\n", cache.ways);
    }
    if (n == 0)
        console_printf("Caches: not told\n");
}

static void print_clock(void)
{
    uint64_t hz = tsc_frequency_hz();

    console_printf("Time stamp counter: %lu.%03lu MHz, %s, %s\n", hz / 1000000, hz / 1000 % 1000,
                   tsc_source_name(tsc_frequency_source()),
                   cpu_has(CPU_INVARIANT_TSC) ? "invariant" : "not said to be invariant");
}

static void print_protection(const char *name, bool is_on, bool is_supported)
{
    console_printf(" %s %s", name, is_on ? "on" : is_supported ? "OFF" : "missing");
}

/* From the registers that decide, not from what boot meant to do. */
static void print_protections(void)
{
    uint64_t cr4 = read_cr4();

    console_printf("Protection:");
    print_protection("NX", rdmsr(MSR_EFER) & EFER_NXE, cpu_has(CPU_NX));
    print_protection(" WP", read_cr0() & CR0_WP, true);
    print_protection(" SMEP", cr4 & CR4_SMEP, cpu_has(CPU_SMEP));
    print_protection(" SMAP", cr4 & CR4_SMAP, cpu_has(CPU_SMAP));
    print_protection(" UMIP", cr4 & CR4_UMIP, cpu_has(CPU_UMIP));
    console_printf("\n");
}

static void print_vector_registers(void)
{
    console_printf("vector registers: %s, %zu bytes a thread, parts 0x%lx\n", fpu_method(), fpu_area_bytes(),
                   (unsigned long)fpu_state_mask());
}

static int run_cpu(int argc, char **argv)
{
    (void)argv;
    if (argc > 1)
        return -E2BIG;
    print_identity(cpu_identity());
    print_features();
    print_caches();
    print_clock();
    print_protections();
    print_vector_registers();
    return 0;
}

COMMAND(cpu, .name = "cpu", .arguments = "", .summary = "what this CPU is, can do, and which protections are on",
        .run = run_cpu,
        .details = "A protection is on, OFF (the CPU has it, this kernel does not use it) or missing in the CPU.");
