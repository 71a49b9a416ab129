/* Addresses for the BARs that the firmware left without one.
 *
 * First the demand of each bus is added up, from the last bus found to the first, so that a bridge's is known when its
 * own bus is added up. Then, from the first bus to the last, each item (a BAR, or a closed window of a bridge) gets the
 * highest free addresses of its bus's window, the items with the greatest alignment first: so they fit without gaps
 * into what was added up. What has an address already keeps it.
 *
 * A port behind a switch, with a slot that something may be plugged into later, wants a window for it now: when that
 * comes, the windows on the way down have their sizes. Where it would take much of what there is, it is left out. (The
 * port of a root can be given one later.) */
#include <base/align.h>
#include <debug/log.h>
#include <hw/pci.h>

#include "pci_internal.h"

static const uint64_t granules[PCI_NR_SPACES] = {
    [PCI_SPACE_IO] = KIB(4), [PCI_SPACE_MEMORY] = MIB(1), [PCI_SPACE_PREFETCH] = MIB(1)};

#define SLOT_BYTES MIB(2) /* of memory, and of prefetchable memory, for what may be plugged in */

static bool is_open(struct pci_window window)
{
    return window.end > window.base;
}

/* Whether 64-bit prefetchable BARs of this bus have a way of their own. */
static bool has_prefetch_way(const struct pci_bus *bus)
{
    for (; bus->parent; bus = bus->parent)
        if ((pci_read16(bus->bridge, PCI_BRIDGE_PREFETCH_BASE) & 0xf) != PCI_BRIDGE_WIDE)
            return false;
    return is_open(bus->windows[PCI_SPACE_PREFETCH]);
}

static enum pci_space space_of(const struct pci_device *device, const struct pci_bar *bar)
{
    if (bar->is_io)
        return PCI_SPACE_IO;
    /* On a root bus nothing is prefetched: there any 64-bit BAR may lie high, and those that are large must. */
    bool may_lie_high = bar->is_prefetchable || (!device->on->parent && bar->length >= GIB(1));
    return bar->is_64bit && may_lie_high && has_prefetch_way(device->on) ? PCI_SPACE_PREFETCH : PCI_SPACE_MEMORY;
}

static bool needs_address(const struct pci_bar *bar)
{
    return bar->length != 0 && bar->base.value == 0 && !bar->is_refused;
}

static uint64_t bar_alignment(const struct pci_bar *bar)
{
    return bar->is_io || bar->length >= PAGE_SIZE ? bar->length : PAGE_SIZE; /* no two devices in one page */
}

static void add_demand(struct pci_demand *demand, uint64_t bytes, uint64_t alignment)
{
    uint64_t rounded = align_up(bytes, alignment);

    if (rounded < bytes || demand->bytes + rounded < rounded) { /* more than there are addresses: fails when assigned */
        demand->bytes = UINT64_MAX / 2;
        return;
    }
    demand->bytes += rounded;
    if (alignment > demand->alignment)
        demand->alignment = alignment;
}

static void add_up_bus(const struct pci_tree *tree, struct pci_bus *bus)
{
    for (const struct pci_device *device = tree->first; device; device = device->next)
        for (unsigned i = 0; device->on == bus && i < PCI_NR_BARS; i++)
            if (needs_address(&device->bars[i]))
                add_demand(&bus->demand[space_of(device, &device->bars[i])], device->bars[i].length,
                           bar_alignment(&device->bars[i]));
    for (struct pci_bus *child = tree->first_bus; child; child = child->next)
        for (unsigned space = 0; child->parent == bus && space < PCI_NR_SPACES; space++)
            if (child->demand[space].bytes != 0 && !is_open(child->windows[space]))
                add_demand(&bus->demand[space], child->demand[space].bytes, child->demand[space].alignment);
}

/* For what may be plugged in. */
static void reserve(struct pci_bus *bus)
{
    if (!bus->bridge || !bus->parent->bridge || !pci_hotplug_port(bus->bridge))
        return;
    for (unsigned space = PCI_SPACE_MEMORY; space < PCI_NR_SPACES; space++) {
        bool may_lie_there = space != PCI_SPACE_PREFETCH || has_prefetch_way(bus);

        if (may_lie_there && !is_open(bus->windows[space]) && bus->demand[space].bytes < SLOT_BYTES)
            bus->demand[space].bytes = SLOT_BYTES;
    }
}

/* Buses are listed parents first: adding up wants them the other way round. */
static void add_up(const struct pci_tree *tree, bool with_reserve)
{
    for (struct pci_bus *bus = tree->first_bus; bus; bus = bus->next)
        for (unsigned space = 0; space < PCI_NR_SPACES; space++)
            bus->demand[space] = (struct pci_demand){0};
    for (struct pci_bus *done = NULL; done != tree->first_bus;) {
        struct pci_bus *bus = tree->first_bus;

        while (bus->next != done)
            bus = bus->next;
        add_up_bus(tree, bus);
        if (with_reserve)
            reserve(bus);
        for (unsigned space = 0; bus->bridge && space < PCI_NR_SPACES; space++)
            if (bus->demand[space].bytes != 0) {
                bus->demand[space].bytes = align_up(bus->demand[space].bytes, granules[space]);
                if (bus->demand[space].alignment < granules[space])
                    bus->demand[space].alignment = granules[space];
            }
        done = bus;
    }
}

/* What is wanted takes less than half of each window that it comes out of. */
static bool has_room_to_spare(const struct pci_tree *tree)
{
    for (const struct pci_bus *bus = tree->first_bus; bus; bus = bus->next)
        for (unsigned space = 0; space < PCI_NR_SPACES; space++)
            if (is_open(bus->windows[space]) &&
                bus->demand[space].bytes > (bus->windows[space].end - bus->windows[space].base) / 2)
                return false;
    return true;
}

static bool overlaps(struct pci_window a, struct pci_window b)
{
    return is_open(b) && a.base < b.end && b.base < a.end;
}

/* What is on either bus has addresses that what is on the other cannot have: root buses share the machine's. */
static bool are_one_space(const struct pci_bus *a, const struct pci_bus *b)
{
    return a == b || (a && !a->parent && !b->parent);
}

/* Something on the bus that has addresses in this range: sets *taken and returns true. */
static bool find_taken(const struct pci_tree *tree, const struct pci_bus *bus, enum pci_space space,
                       struct pci_window range, struct pci_window *taken)
{
    for (const struct pci_device *device = tree->first; device; device = device->next)
        for (unsigned i = 0; are_one_space(device->on, bus) && i < PCI_NR_BARS; i++) {
            const struct pci_bar *bar = &device->bars[i];

            *taken = (struct pci_window){bar->base.value, bar->base.value + bar->length};
            if (bar->base.value != 0 && bar->is_io == (space == PCI_SPACE_IO) && overlaps(range, *taken))
                return true;
        }
    for (const struct pci_bus *child = tree->first_bus; child; child = child->next)
        for (unsigned i = 0; are_one_space(child->parent, bus) && i < PCI_NR_SPACES; i++) {
            *taken = child->windows[i];
            if ((i == PCI_SPACE_IO) == (space == PCI_SPACE_IO) && overlaps(range, *taken))
                return true;
        }
    return false;
}

/* The highest free place of a bus's window; 0 when there is none. Each step goes below something that is taken. */
static uint64_t find_place(const struct pci_tree *tree, const struct pci_bus *bus, enum pci_space space, uint64_t bytes,
                           uint64_t alignment)
{
    struct pci_window window = bus->windows[space], taken;
    uint64_t end = window.end;

    while (end > window.base && end - window.base >= bytes) {
        uint64_t base = align_down(end - bytes, alignment);

        if (base < window.base || base == 0)
            return 0;
        if (!find_taken(tree, bus, space, (struct pci_window){base, base + bytes}, &taken))
            return base;
        end = taken.base;
    }
    return 0;
}

/* An item without an address: the window of a bridge (bus set) or a BAR. */
struct item {
    struct pci_device *device;
    struct pci_bus *bus;
    unsigned index; /* of the BAR, or the enum pci_space */
    uint64_t bytes, alignment;
    enum pci_space space;
};

static void consider(struct item *best, struct item item)
{
    if (item.bytes != 0 && (best->bytes == 0 || item.alignment > best->alignment))
        *best = item;
}

/* Of what is on this bus without an address the item with the greatest alignment; bytes 0: there is none. */
static struct item next_item(const struct pci_tree *tree, const struct pci_bus *bus)
{
    struct item best = {0};

    for (struct pci_bus *child = tree->first_bus; child; child = child->next)
        for (unsigned i = 0; child->parent == bus && i < PCI_NR_SPACES; i++)
            if (!is_open(child->windows[i]))
                consider(&best, (struct item){child->bridge, child, i, child->demand[i].bytes,
                                              child->demand[i].alignment, (enum pci_space)i});
    for (struct pci_device *device = tree->first; device; device = device->next)
        for (unsigned i = 0; device->on == bus && i < PCI_NR_BARS; i++) {
            const struct pci_bar *bar = &device->bars[i];

            if (needs_address(bar))
                consider(&best, (struct item){device, NULL, i, bar->length, bar_alignment(bar), space_of(device, bar)});
        }
    return best;
}

static bool place(const struct pci_tree *tree, const struct pci_bus *bus, const struct item *item)
{
    static const char *const names[] = {"I/O", "memory", "prefetchable"};
    uint64_t base = find_place(tree, bus, item->space, item->bytes, item->alignment);

    if (item->bus && base != 0) {
        pci_write_window(item->bus, item->space, (struct pci_window){base, base + item->bytes});
        return true;
    }
    if (item->bus) {
        item->bus->demand[item->space].bytes = 0;
        return true; /* what is behind it will say so */
    }
    if (base == 0 && item->space == PCI_SPACE_PREFETCH) /* it may lie anywhere */
        base = find_place(tree, bus, PCI_SPACE_MEMORY, item->bytes, item->alignment);
    if (base != 0 && pci_write_bar(item->device, item->index, base))
        return true;
    item->device->bars[item->index].is_refused = true;
    log_warn("pci: %s: no %s addresses for BAR %u of 0x%lx bytes", item->device->device.name, names[item->space],
             item->index, item->bytes);
    return false;
}

/* A slot's window that is too small for what was plugged in is given up for a larger one, where there is one: nothing
 * in it has an address yet. */
static void widen(const struct pci_tree *tree, struct pci_bus *plugged)
{
    for (unsigned space = 0; space < PCI_NR_SPACES; space++) {
        const struct pci_demand *demand = &plugged->demand[space];
        struct pci_window before = plugged->windows[space];

        if (!is_open(before) || demand->bytes <= before.end - before.base)
            continue;
        plugged->windows[space] = (struct pci_window){0, 0};
        if (find_place(tree, plugged->parent, (enum pci_space)space, demand->bytes, demand->alignment) == 0)
            plugged->windows[space] = before;
    }
}

unsigned pci_assign(struct pci_tree *tree, struct pci_bus *plugged)
{
    unsigned nr_refused = 0;

    if (plugged) {
        add_up(tree, false);
        widen(tree, plugged);
    }
    add_up(tree, true);
    if (!has_room_to_spare(tree))
        add_up(tree, false);
    for (const struct pci_bus *bus = tree->first_bus; bus; bus = bus->next)
        for (struct item item = next_item(tree, bus); item.bytes != 0; item = next_item(tree, bus))
            nr_refused += !place(tree, bus, &item);
    return nr_refused;
}
