/* The command `heap_designs`: the slab heap and TLSF on the same traces. Under -icount shift=0 a tick is an
 * instruction; what the trace itself costs is measured with an allocator that does nothing, and taken off.
 * docs/allocator-designs.md has the figures and what follows from them. */
#include <base/address.h>
#include <base/align.h>
#include <cpu/tsc.h>
#include <debug/command.h>
#include <debug/console.h>
#include <mm/heap_design.h>
#include <mm/kmalloc.h>

#define SLOTS 1024
#define STEPS 20000

struct trace {
    const char *name;
    size_t (*size)(uint64_t random); /* of the next object */
    unsigned slots;                  /* objects alive at once, at most */
};

static size_t size_one(uint64_t random)
{
    (void)random;
    return 64;
}

static size_t size_power_of_two(uint64_t random)
{
    return (size_t)16 << random % 9;
}

/* Every magnitude from 8 bytes to 4 KiB alike. */
static size_t size_any(uint64_t random)
{
    size_t limit = (size_t)16 << random % 9;

    return limit / 2 + (random >> 8) % (limit / 2) + 1;
}

/* What kernels allocate most: names, list nodes, small structures; now and then a buffer. */
static size_t size_small(uint64_t random)
{
    return random % 64 == 0 ? 1024 + (random >> 8) % 1024 : 16 + (random >> 8) % 200;
}

static size_t size_large(uint64_t random)
{
    return 4097 + (random >> 8) % KIB(60);
}

static const struct trace traces[] = {
    {"one size, freed at once", size_one, 1},
    {"one size, 1024 alive", size_one, SLOTS},
    {"small, 1024 alive", size_small, SLOTS},
    {"any to 4 KiB, 1024 alive", size_any, SLOTS},
    {"powers of two to 4 KiB", size_power_of_two, SLOTS},
    {"4 KiB to 64 KiB, 64 alive", size_large, 64},
};

static uint64_t nothing[2];

static void *alloc_nothing(size_t size, unsigned flags)
{
    (void)size, (void)flags;
    return nothing;
}

static void free_nothing(void *object)
{
    (void)object;
}

static uint64_t settle_nothing(void)
{
    return 0;
}

static const struct heap_design no_design = {"none", alloc_nothing, free_nothing, settle_nothing, settle_nothing};

static void *objects[SLOTS];
static size_t sizes[SLOTS];
static uint64_t live_bytes, random_state;

static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static void drop(const struct heap_design *design, size_t slot)
{
    design->free(objects[slot]);
    live_bytes -= objects[slot] ? sizes[slot] : 0;
    objects[slot] = NULL;
}

struct figures {
    uint64_t ticks;      /* of all steps */
    uint64_t overhead;   /* percent of the requested bytes, with all slots full */
    uint64_t fragmented; /* bytes held for each byte asked for, in percent, after nine of ten were freed */
};

static uint64_t held_percent(const struct heap_design *design, uint64_t pages_before)
{
    return live_bytes ? (design->pages() - pages_before) * PAGE_SIZE * 100 / live_bytes : 0;
}

static struct figures run(const struct heap_design *design, const struct trace *trace)
{
    struct figures figures;
    uint64_t pages, start;

    design->settle();
    pages = design->pages();
    random_state = 0x2545f4914f6cdd1d;
    live_bytes = 0;
    start = tsc_since_entry();
    for (unsigned step = 0; step < STEPS; step++) {
        uint64_t random = next_random();
        size_t slot = (random >> 40) % trace->slots;

        drop(design, slot);
        sizes[slot] = trace->size(random);
        objects[slot] = design->alloc(sizes[slot], ALLOC_NORMAL);
        live_bytes += objects[slot] ? sizes[slot] : 0;
    }
    figures.ticks = tsc_since_entry() - start;
    figures.overhead = held_percent(design, pages);
    for (size_t slot = 0; slot < trace->slots; slot++) {
        if (slot % 10 != 0)
            drop(design, slot);
    }
    design->settle();
    figures.fragmented = held_percent(design, pages);
    for (size_t slot = 0; slot < trace->slots; slot++)
        drop(design, slot);
    design->settle();
    return figures;
}

static int command(int argc, char **argv)
{
    static const struct heap_design *const designs[] = {&heap_design_slab, &heap_design_tlsf};

    (void)argc, (void)argv;
    console_printf("%-28s %-6s %12s %10s %12s\n", "trace", "design", "ticks a pair", "held", "held at 1/10");
    for (size_t i = 0; i < ARRAY_SIZE(traces); i++) {
        uint64_t idle = run(&no_design, &traces[i]).ticks;

        for (size_t j = 0; j < ARRAY_SIZE(designs); j++) {
            struct figures figures = run(designs[j], &traces[i]);

            console_printf("%-28s %-6s %12lu %9lu%% %11lu%%\n", traces[i].name, designs[j]->name,
                           (figures.ticks - idle) / STEPS, figures.overhead, figures.fragmented);
        }
    }
    return 0;
}

COMMAND(heap_designs, .name = "heap_designs", .arguments = "",
        .summary = "compare two designs of heap on the same traces", .run = command);
