/* The PCI scan, BARs, capabilities and the assignment of addresses, on a model of configuration space. */
#include "support/unit.h"

#include <stdlib.h>
#include <string.h>

#include <base/align.h>
#include <hw/pci.h>
#include <mm/kmalloc.h>

#include "../../drivers/pci/names.h"
#include "support/pci_model.h"
#include "support/plain_heap.h"

static struct pci_tree tree;
static struct pci_bus *root;

static int setup(void **state)
{
    pci_model_reset(PCI_EXPRESS_CONFIG_BYTES);
    return 0;
}

static int teardown(void **state)
{
    pci_tree_free(&tree);
    assert_int_equal(plain_heap_in_use(), 0);
    return 0;
}

static int scan(void)
{
    int found = pci_scan(&tree, &pci_model_access, 0, 0, 255, &root);

    root->windows[PCI_SPACE_IO] = (struct pci_window){0xc000, 0x10000};
    root->windows[PCI_SPACE_MEMORY] = (struct pci_window){0xc0000000, 0xe0000000};
    root->windows[PCI_SPACE_PREFETCH] = (struct pci_window){0x100000000, 0x1000000000};
    return found;
}

static struct pci_device *device_of(const struct pci_model_function *function)
{
    for (struct pci_device *device = tree.first; device; device = device->next)
        if (device->id == pci_model_get32(function, PCI_VENDOR_ID) >> 16)
            return device;
    fail_msg("not found");
    return NULL;
}

static void finds_functions(void **state)
{
    struct pci_model_function *multi = pci_model_add(NULL, 3, 0, false);

    multi->config[PCI_HEADER_TYPE] |= PCI_HEADER_MULTIFUNCTION;
    pci_model_add(NULL, 3, 7, false);
    pci_model_add(NULL, 4, 0, false);
    pci_model_add(NULL, 4, 1, false); /* of a device that says it has one function */
    pci_model_add(NULL, 31, 0, false);
    assert_int_equal(scan(), 4);
    assert_string_equal(device_of(multi)->device.name, "00:03.0");
    assert_string_equal(tree.first->next->device.name, "00:03.7");
    assert_string_equal(tree.last->device.name, "00:1f.0");
}

static void numbers_bridges(void **state)
{
    struct pci_model_function *a = pci_model_add(NULL, 1, 0, true), *b = pci_model_add(a, 0, 0, true);
    struct pci_model_function *c = pci_model_add(b, 0, 0, true), *d = pci_model_add(NULL, 2, 0, true);
    struct pci_model_function *deep = pci_model_add(c, 5, 0, false), *last = pci_model_add(d, 0, 0, false);

    assert_int_equal(scan(), 6);
    assert_int_equal(a->config[PCI_SECONDARY_BUS], 1);
    assert_int_equal(a->config[PCI_SUBORDINATE_BUS], 3);
    assert_int_equal(b->config[PCI_PRIMARY_BUS], 1);
    assert_int_equal(c->config[PCI_SECONDARY_BUS], 3);
    assert_int_equal(d->config[PCI_SECONDARY_BUS], 4);
    assert_int_equal(d->config[PCI_SUBORDINATE_BUS], 4);
    assert_int_equal(device_of(deep)->bus, 3);
    assert_int_equal(device_of(last)->bus, 4);
    assert_ptr_equal(device_of(deep)->device.parent, &device_of(c)->device);
}

static void keeps_the_firmwares_numbers(void **state)
{
    struct pci_model_function *a = pci_model_add(NULL, 1, 0, true), *b = pci_model_add(NULL, 2, 0, true);

    memcpy(a->config + PCI_PRIMARY_BUS, "\x00\x10\x1f", 3);
    memcpy(b->config + PCI_PRIMARY_BUS, "\x00\x18\x18", 3); /* inside the other's: not possible */
    pci_model_add(a, 0, 0, false);
    pci_model_add(b, 0, 0, false);
    assert_int_equal(scan(), 4);
    assert_int_equal(a->config[PCI_SECONDARY_BUS], 0x10);
    assert_int_equal(b->config[PCI_SECONDARY_BUS], 0x20);
}

static void a_chain_of_bridges_ends(void **state)
{
    struct pci_model_function *bridge = NULL;

    for (int i = 0; i < 290; i++)
        bridge = pci_model_add(bridge, 0, 0, true);
    assert_int_equal(scan(), 256); /* the bridge on bus 255 has no number left */
}

static void sizes_bars(void **state)
{
    struct pci_model_function *f = pci_model_add(NULL, 1, 0, false), *end = pci_model_add(NULL, 2, 0, false);
    const uint32_t base = 0xc1000000;

    pci_model_bar(f, 0, 0x20, PCI_BAR_IO);
    pci_model_bar(f, 1, 0x1000, 0);
    memcpy(f->config + PCI_BAR0 + 4, &base, 4);
    pci_model_bar(f, 2, GIB(16), PCI_BAR_TYPE_64 | PCI_BAR_PREFETCHABLE);
    pci_model_bar(f, 4, 16, PCI_BAR_TYPE_64);
    pci_model_set16(f, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_IO);
    pci_model_bar(end, 5, 0x1000, PCI_BAR_TYPE_64); /* no room for its upper half */
    pci_model_bar(end, 0, 0x1000, 0);
    end->writable[PCI_BAR0 + 2] = 0x55; /* no power of two */
    scan();
    const struct pci_bar *bars = device_of(f)->bars;
    assert_true(bars[0].is_io && bars[0].length == 0x20);
    assert_true(bars[1].length == 0x1000 && bars[1].base.value == base && !bars[1].is_64bit);
    assert_true(bars[2].length == GIB(16) && bars[2].is_64bit && bars[2].is_prefetchable);
    assert_int_equal(bars[3].length, 0);
    assert_true(bars[4].length == 16 && bars[4].is_64bit && !bars[4].is_prefetchable);
    assert_int_equal(pci_read16(device_of(f), PCI_COMMAND), PCI_COMMAND_MEMORY | PCI_COMMAND_IO);
    assert_int_equal(pci_model_get32(f, PCI_BAR0 + 4), base);
    assert_int_equal(device_of(end)->bars[5].length, 0);
    assert_int_equal(device_of(end)->bars[0].length, 0);
}

static void check_disjoint(void)
{
    for (const struct pci_device *a = tree.first; a; a = a->next)
        for (const struct pci_device *b = a; b; b = b->next)
            for (unsigned i = 0; i < PCI_NR_BARS; i++)
                for (unsigned j = a == b ? i + 1 : 0; j < PCI_NR_BARS; j++) {
                    const struct pci_bar *x = &a->bars[i], *y = &b->bars[j];

                    if (x->base.value != 0 && y->base.value != 0 && x->is_io == y->is_io)
                        assert_true(x->base.value + x->length <= y->base.value ||
                                    y->base.value + y->length <= x->base.value);
                }
}

/* Every BAR lies in the windows of each bridge before it, as the bridge's own registers say. */
static void check_reachable(const struct pci_device *device)
{
    for (unsigned i = 0; i < PCI_NR_BARS; i++) {
        const struct pci_bar *bar = &device->bars[i];

        for (struct pci_bus *bus = device->on; bar->base.value != 0 && bus->parent; bus = bus->parent) {
            unsigned inside = 0;

            pci_read_windows(bus);
            for (unsigned space = 0; space < PCI_NR_SPACES; space++)
                inside += (space == PCI_SPACE_IO) == bar->is_io && bar->base.value >= bus->windows[space].base &&
                          bar->base.value + bar->length <= bus->windows[space].end;
            assert_int_equal(inside, 1);
        }
    }
}

static void assigns_addresses(void **state)
{
    struct pci_model_function *bridge = NULL, *f = pci_model_add(NULL, 9, 0, false);

    pci_model_bar(f, 0, GIB(16), PCI_BAR_TYPE_64);
    pci_model_bar(f, 2, 0x1000, 0);
    const uint32_t taken = 0xdffff000;
    memcpy(f->config + PCI_BAR0 + 8, &taken, 4); /* the firmware's, where ours would go */
    for (uint8_t depth = 0; depth < 3; depth++) {
        bridge = pci_model_add(bridge, 1, 0, true);
        for (uint8_t slot = 2; slot < 5; slot++) {
            f = pci_model_add(bridge, slot, 0, false);
            pci_model_bar(f, 0, 0x20u << slot, PCI_BAR_IO);
            pci_model_bar(f, 1, 0x1000u << 2 * slot, 0);
            pci_model_bar(f, 2, MIB(4) << slot, PCI_BAR_TYPE_64 | PCI_BAR_PREFETCHABLE);
            pci_model_bar(f, 4, 16, 0);
        }
    }
    assert_int_equal(scan(), 13);
    assert_int_equal(pci_assign(&tree, NULL), 0);
    check_disjoint();
    for (const struct pci_device *device = tree.first; device; device = device->next) {
        for (unsigned i = 0; i < PCI_NR_BARS; i++)
            if (device->bars[i].length != 0) {
                assert_int_not_equal(device->bars[i].base.value, 0);
                assert_true(is_aligned(device->bars[i].base.value, device->bars[i].length));
            }
        check_reachable(device);
    }
    assert_int_equal(device_of(f)->bars[2].base.value >> 32 != 0, true);
}

static void what_does_not_fit_is_refused(void **state)
{
    struct pci_model_function *f = pci_model_add(NULL, 1, 0, false), *bridge = pci_model_add(NULL, 2, 0, true);
    struct pci_model_function *behind = pci_model_add(bridge, 0, 0, false);

    pci_model_bar(f, 0, MIB(512), 0);
    pci_model_bar(f, 1, 0x1000, 0);
    pci_model_bar(behind, 0, MIB(1), 0);
    scan();
    assert_int_equal(pci_assign(&tree, NULL), 2); /* the first takes all there is */
    assert_int_equal(device_of(f)->bars[0].base.value, 0xc0000000);
    assert_true(device_of(f)->bars[1].is_refused && device_of(behind)->bars[0].is_refused);
}

static void a_prefetchable_bar_lies_with_the_others_where_it_has_to(void **state)
{
    struct pci_model_function *port = pci_model_add(NULL, 1, 0, true), *f = pci_model_add(port, 0, 0, false);

    memcpy(port->config + PCI_BRIDGE_MEMORY_BASE, "\x00\xc0\x10\xc0", 4); /* the firmware's: 2 MiB of each */
    memcpy(port->config + PCI_BRIDGE_PREFETCH_BASE, "\x01\x00\x11\x00\x01\x00\x00\x00\x01\x00\x00\x00", 12);
    pci_model_bar(f, 0, MIB(2), PCI_BAR_TYPE_64 | PCI_BAR_PREFETCHABLE);
    pci_model_bar(f, 2, MIB(1), PCI_BAR_TYPE_64 | PCI_BAR_PREFETCHABLE);
    pci_model_bar(f, 4, MIB(1), 0);
    assert_int_equal(scan(), 2);
    assert_int_equal(pci_assign(&tree, NULL), 0);
    assert_true(device_of(f)->bars[0].base.value == GIB(4));
    assert_true(device_of(f)->bars[2].base.value < GIB(4));
    check_reachable(device_of(f));
    check_disjoint();
}

static void what_the_bridge_does_not_pass_on_is_moved(void **state)
{
    struct pci_model_function *port = pci_model_add(NULL, 1, 0, true), *f = pci_model_add(port, 0, 0, false);
    struct pci_model_function *odd = pci_model_add(NULL, 2, 0, true), *behind = pci_model_add(odd, 0, 0, false);
    const uint32_t inside = 0xc0000000, across = 0xc0000000, outside = 0xd0000000;

    memcpy(port->config + PCI_BRIDGE_MEMORY_BASE, "\x00\xc0\x10\xc0", 4); /* 2 MiB */
    pci_model_bar(f, 0, MIB(1), 0);
    memcpy(f->config + PCI_BAR0, &inside, 4);
    pci_model_bar(f, 1, MIB(4), 0);
    memcpy(f->config + PCI_BAR0 + 4, &across, 4);
    pci_model_bar(f, 2, 0x1000, 0);
    memcpy(f->config + PCI_BAR0 + 8, &outside, 4);
    odd->config[PCI_REVISION + 1] = 1; /* passes on all that is left */
    pci_model_bar(behind, 0, 0x1000, 0);
    memcpy(behind->config + PCI_BAR0, &outside, 4);
    assert_int_equal(scan(), 4);
    pci_check_addresses(&tree);
    assert_true(device_of(f)->bars[0].base.value == inside);
    assert_true(device_of(f)->bars[1].base.value == 0 && device_of(f)->bars[2].base.value == 0);
    assert_true(device_of(behind)->bars[0].base.value == outside);
}

static void a_bar_that_does_not_take_its_address(void **state)
{
    struct pci_model_function *f = pci_model_add(NULL, 1, 0, false);

    pci_model_bar(f, 0, 0x1000, 0);
    scan();
    memset(f->writable + PCI_BAR0, 0, 4);
    assert_int_equal(pci_assign(&tree, NULL), 1);
    assert_int_equal(device_of(f)->bars[0].base.value, 0);
}

/* Of a bridge: a port of this type, with a slot if it is hot-plug capable. */
static void make_port(struct pci_model_function *f, unsigned type, bool is_hotplug)
{
    const uint32_t slot = is_hotplug ? PCI_SLOT_IS_HOTPLUG : 0;

    pci_model_set16(f, PCI_STATUS, PCI_STATUS_CAPABILITIES);
    f->config[PCI_CAPABILITIES] = 0x40;
    f->config[0x40] = PCI_CAPABILITY_EXPRESS;
    pci_model_set16(f, 0x40 + PCI_EXPRESS_CAPABILITIES,
                    (uint16_t)(type << 4 | (is_hotplug ? PCI_EXPRESS_HAS_SLOT : 0)));
    memcpy(f->config + 0x40 + PCI_EXPRESS_SLOT_CAPABILITIES, &slot, 4);
}

#define UPSTREAM_PORT 5u

/* A root port with a switch with two empty slots. */
static struct pci_model_function *add_switch(struct pci_model_function *downstream[2])
{
    struct pci_model_function *port = pci_model_add(NULL, 1, 0, true), *up = pci_model_add(port, 0, 0, true);

    make_port(port, PCI_EXPRESS_ROOT_PORT, true);
    make_port(up, UPSTREAM_PORT, false);
    for (uint8_t i = 0; i < 2; i++) {
        downstream[i] = pci_model_add(up, i, 0, true);
        make_port(downstream[i], PCI_EXPRESS_DOWNSTREAM_PORT, true);
    }
    return port;
}

static void what_is_plugged_in_is_found_and_given_addresses(void **state)
{
    struct pci_model_function *down[2], *port = add_switch(down), *f;
    struct pci_bus *slot;

    assert_int_equal(scan(), 4);
    assert_int_equal(pci_assign(&tree, NULL), 0);
    assert_int_equal(pci_hotplug_port(device_of(down[0])), 0x40);
    slot = device_of(down[1])->behind;
    assert_non_null(slot);
    assert_int_equal(slot->windows[PCI_SPACE_MEMORY].end - slot->windows[PCI_SPACE_MEMORY].base, MIB(2));
    f = pci_model_add(down[1], 0, 0, false);
    pci_model_bar(f, 0, MIB(1), 0);
    pci_model_bar(f, 2, MIB(2), PCI_BAR_TYPE_64 | PCI_BAR_PREFETCHABLE);
    assert_int_equal(pci_scan_bus(&tree, slot), 1);
    assert_int_equal(pci_assign(&tree, slot), 0);
    check_reachable(device_of(f));
    assert_int_not_equal(device_of(f)->bars[0].base.value, 0);
    assert_ptr_equal(pci_tree_last_behind(&tree, device_of(port)->behind), device_of(f));
    assert_null(pci_tree_last_behind(&tree, device_of(down[0])->behind));
}

static void a_slots_window_is_moved_for_something_large(void **state)
{
    struct pci_model_function *port = pci_model_add(NULL, 1, 0, true), *other = pci_model_add(NULL, 2, 0, false), *f;
    struct pci_bus *slot;

    make_port(port, PCI_EXPRESS_ROOT_PORT, true);
    memcpy(port->config + PCI_BRIDGE_MEMORY_BASE, "\x00\xc0\x10\xc0", 4); /* the firmware's: 2 MiB */
    pci_model_bar(other, 0, MIB(1), 0);
    assert_int_equal(scan(), 2);
    assert_int_equal(pci_assign(&tree, NULL), 0);
    slot = device_of(port)->behind;
    f = pci_model_add(port, 0, 0, false);
    pci_model_bar(f, 0, MIB(64), 0);
    pci_model_bar(f, 1, MIB(1), 0);
    assert_int_equal(pci_scan_bus(&tree, slot), 1);
    assert_int_equal(pci_assign(&tree, slot), 0);
    check_reachable(device_of(f));
    check_disjoint();
}

static void what_is_too_large_for_every_window_leaves_the_slots_as_it_was(void **state)
{
    struct pci_model_function *port = pci_model_add(NULL, 1, 0, true), *f;

    make_port(port, PCI_EXPRESS_ROOT_PORT, true);
    memcpy(port->config + PCI_BRIDGE_MEMORY_BASE, "\x00\xc0\x10\xc0", 4);
    assert_int_equal(scan(), 1);
    assert_int_equal(pci_assign(&tree, NULL), 0);
    f = pci_model_add(port, 0, 0, false);
    pci_model_bar(f, 0, GIB(1), 0);
    pci_model_bar(f, 1, MIB(1), 0);
    assert_int_equal(pci_scan_bus(&tree, device_of(port)->behind), 1);
    assert_int_equal(pci_assign(&tree, device_of(port)->behind), 1);
    assert_int_equal(device_of(f)->bars[0].base.value, 0);
    check_reachable(device_of(f));
    assert_int_not_equal(device_of(f)->bars[1].base.value, 0);
}

static void a_switch_is_taken_out_and_plugged_in_again(void **state)
{
    struct pci_model_function *down[2], *port = add_switch(down);
    struct pci_bus *slot;

    assert_int_equal(scan(), 4);
    slot = device_of(port)->behind;
    for (int n = 0; n < 3; n++) {
        struct pci_device *last;
        unsigned nr = 0;

        while ((last = pci_tree_last_behind(&tree, slot)) != NULL) {
            pci_tree_remove(&tree, last);
            pci_bus_free(last->behind);
            kfree(last);
            nr++;
        }
        assert_int_equal(nr, 3);
        assert_ptr_equal(tree.last_bus, slot);
        assert_ptr_equal(tree.last, tree.first);
        assert_int_equal(pci_scan_bus(&tree, slot), 3);
        assert_int_equal(pci_assign(&tree, slot), 0);
        assert_int_equal(device_of(down[1])->on->number, 2);
        assert_int_equal(device_of(down[1])->behind->number, 4);
    }
}

static void add_capability(struct pci_model_function *f, uint8_t at, uint8_t id, uint8_t next)
{
    f->config[at] = id;
    f->config[at + 1] = next;
}

static void walks_capabilities(void **state)
{
    struct pci_model_function *f = pci_model_add(NULL, 1, 0, false);

    f->config[PCI_CAPABILITIES] = 0x43; /* the low bits are not part of it */
    add_capability(f, 0x40, PCI_CAPABILITY_VENDOR, 0x50);
    add_capability(f, 0x50, PCI_CAPABILITY_VENDOR, 0xfc);
    add_capability(f, 0xfc, PCI_CAPABILITY_MSIX, 0x00);
    scan();
    const struct pci_device *device = device_of(f);
    assert_int_equal(pci_find_capability(device, PCI_CAPABILITY_MSIX, 0), 0); /* the status register says: no list */
    pci_model_set16(f, PCI_STATUS, PCI_STATUS_CAPABILITIES);
    assert_int_equal(pci_find_capability(device, PCI_CAPABILITY_VENDOR, 0), 0x40);
    assert_int_equal(pci_find_capability(device, PCI_CAPABILITY_MSIX, 0), 0xfc);
    assert_int_equal(pci_find_capability(device, PCI_CAPABILITY_MSI, 0), 0);
    add_capability(f, 0xfc, PCI_CAPABILITY_MSIX, 0x40); /* a circle */
    assert_int_equal(pci_find_capability(device, PCI_CAPABILITY_MSI, 0), 0);
    add_capability(f, 0x50, PCI_CAPABILITY_VENDOR, 0x20); /* into the header */
    assert_int_equal(pci_find_capability(device, PCI_CAPABILITY_MSIX, 0), 0);
    f->is_gone = true;
    assert_int_equal(pci_find_capability(device, PCI_CAPABILITY_VENDOR, 0), 0);
}

static void all_of_one_id_are_found_in_turn(void **state)
{
    struct pci_model_function *f = pci_model_add(NULL, 1, 0, false);

    pci_model_set16(f, PCI_STATUS, PCI_STATUS_CAPABILITIES);
    f->config[PCI_CAPABILITIES] = 0x40;
    add_capability(f, 0x40, PCI_CAPABILITY_VENDOR, 0x50);
    add_capability(f, 0x50, PCI_CAPABILITY_MSIX, 0x60);
    add_capability(f, 0x60, PCI_CAPABILITY_VENDOR, 0x00);
    scan();
    const struct pci_device *device = device_of(f);
    unsigned first = pci_find_capability(device, PCI_CAPABILITY_VENDOR, 0);
    unsigned second = pci_find_capability(device, PCI_CAPABILITY_VENDOR, device->on ? f->config[first + 1] : 0);
    assert_int_equal(second, 0x60);
}

static void walks_extended_capabilities(void **state)
{
    struct pci_model_function *f = pci_model_add(NULL, 1, 0, false);
    const uint32_t first = 0x14810001, second = 0x10010018; /* 1 at 0x100, 0x18 at 0x148, and back */

    memcpy(f->config + 0x100, &first, 4);
    memcpy(f->config + 0x148, &second, 4);
    scan();
    assert_int_equal(pci_find_extended_capability(device_of(f), 0x18, 0), 0x148);
    assert_int_equal(pci_find_extended_capability(device_of(f), 0x19, 0), 0);
    pci_tree_free(&tree);
    pci_model_reset(PCI_CONFIG_BYTES);
    f = pci_model_add(NULL, 1, 0, false);
    scan();
    assert_int_equal(pci_find_extended_capability(device_of(f), 0x18, 0), 0); /* no such space */
    assert_int_equal(pci_read32(device_of(f), 0x100), UINT32_MAX);
    assert_int_equal(pci_read32(device_of(f), 0xfe), UINT32_MAX);
}

static void functions_have_names(void **state)
{
    assert_string_equal(pci_class_name(0x010802), "NVMe");
    assert_string_equal(pci_class_name(0x018000), "mass storage");
    assert_string_equal(pci_class_name(0x00ff00), "unclassified");
    assert_string_equal(pci_class_name(0xfe0000), "other");
    assert_string_equal(pci_vendor_name(0x8086), "Intel");
    assert_null(pci_vendor_name(0x8087));
    assert_string_equal(pci_device_words(0x1af4, 0x1044), "virtio entropy");
    assert_null(pci_device_words(0x8086, 0x1044));
    for (uint32_t class_code = 0; class_code < 0x1000000; class_code += 0x100)
        assert_non_null(pci_class_name(class_code));
}

static void out_of_memory_ends_the_scan(void **state)
{
    for (long n = 0; n < 5; n++) {
        struct pci_model_function *bridge;

        pci_model_reset(PCI_CONFIG_BYTES);
        bridge = pci_model_add(NULL, 1, 0, true);
        pci_model_add(bridge, 0, 0, false);
        plain_heap_fail_after(n);
        int found = pci_scan(&tree, &pci_model_access, 0, 0, 255, &root);
        assert_int_equal(found, n < 2 || n == 3 ? -12 : n == 2 ? 1 : 2);
        pci_tree_free(&tree);
    }
    plain_heap_fail_after(-1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(finds_functions),
        TEST(numbers_bridges),
        TEST(keeps_the_firmwares_numbers),
        TEST(a_chain_of_bridges_ends),
        TEST(sizes_bars),
        TEST(assigns_addresses),
        TEST(what_does_not_fit_is_refused),
        TEST(a_prefetchable_bar_lies_with_the_others_where_it_has_to),
        TEST(what_the_bridge_does_not_pass_on_is_moved),
        TEST(a_bar_that_does_not_take_its_address),
        TEST(what_is_plugged_in_is_found_and_given_addresses),
        TEST(a_slots_window_is_moved_for_something_large),
        TEST(what_is_too_large_for_every_window_leaves_the_slots_as_it_was),
        TEST(a_switch_is_taken_out_and_plugged_in_again),
        TEST(walks_capabilities),
        TEST(all_of_one_id_are_found_in_turn),
        TEST(walks_extended_capabilities),
        TEST(functions_have_names),
        TEST(out_of_memory_ends_the_scan),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
