/* The register layer over plain memory: each access touches its register and nothing beside it, blocks nest, and a
 * flexible array is as long as the device says. */
#include "support/unit.h"

#include <string.h>

#include <dev/register.h>
#include <hw/hpet.h>
#include <hw/ioapic.h>
#include <hw/lapic.h>
#include <hw/pci.h>
#include <hw/virtio_pci.h>

static _Alignas(4096) uint8_t memory[4096];

/* The little-endian value of n bytes there. */
static uint64_t value_at(size_t offset, unsigned n)
{
    uint64_t value = 0;

    while (n-- > 0)
        value = value << 8 | memory[offset + n];
    return value;
}

/* That the bytes there hold the value, and all others 0x5a. */
static void expect_written(size_t offset, unsigned n, uint64_t value)
{
    assert_int_equal(value_at(offset, n), value);
    for (size_t i = 0; i < sizeof(memory); i++)
        if (i < offset || i >= offset + n)
            assert_int_equal(memory[i], 0x5a);
    memset(memory, 0x5a, sizeof(memory));
}

static void each_width_alone(void **state)
{
    struct {
        reg8 a, b;
        reg16 c;
        reg32 d;
        reg64 e;
    } *block = (void *)memory;

    memset(memory, 0x5a, sizeof(memory));
    register_write(&block->b, 0x12), expect_written(1, 1, 0x12);
    register_write(&block->c, 0x1234), expect_written(2, 2, 0x1234);
    register_write(&block->d, 0x12345678), expect_written(4, 4, 0x12345678);
    register_write(&block->e, 0x123456789abcdef0), expect_written(8, 8, 0x123456789abcdef0);
    for (unsigned i = 0; i < 16; i++)
        memory[i] = (uint8_t)i;
    assert_int_equal(register_read(&block->a), 0x00);
    assert_int_equal(register_read(&block->c), 0x0302);
    assert_int_equal(register_read(&block->d), 0x07060504);
    assert_int_equal(register_read(&block->e), 0x0f0e0d0c0b0a0908);
    assert_int_equal(sizeof(register_read(&block->a)), 1);
    assert_int_equal(sizeof(register_read(&block->c)), 2);
    assert_int_equal(sizeof(register_read(&block->d)), 4);
    assert_int_equal(sizeof(register_read(&block->e)), 8);
}

static void arrays_end_where_the_device_says(void **state)
{
    struct hpet_registers *hpet = (void *)memory;
    struct lapic_register *lapic = (void *)memory;

    memset(memory, 0x5a, sizeof(memory));
    register_write(&hpet->comparators[0].config, 1), expect_written(0x100, 4, 1);
    register_write(&hpet->comparators[23].value, 2), expect_written(0x3e8, 4, 2);
    register_write(&hpet->configuration, 3), expect_written(0x10, 4, 3);
    memory[0xf0] = 9;
    assert_int_equal(register_read(&hpet->counter) & 0xff, 9);
    memset(memory, 0x5a, sizeof(memory));
    register_write(&lapic[LAPIC_EOI / sizeof(*lapic)].value, 4), expect_written(0xb0, 4, 4);
    register_write(&((struct ioapic_registers *)memory)->window, 5), expect_written(0x10, 4, 5);
}

/* A PCI function of virtio in configuration space: what all functions have, what devices have, what capabilities have.
 */
static void blocks_nest(void **state)
{
    struct pci_device_header *device = (void *)memory;
    struct virtio_pci_notify_capability *notify = (void *)(memory + 0x40);

    memset(memory, 0x5a, sizeof(memory));
    register_write(&device->header.command, PCI_COMMAND_MASTER), expect_written(PCI_COMMAND, 2, PCI_COMMAND_MASTER);
    register_write(&device->bars[5], 0xfebd0000), expect_written(PCI_BAR0 + 20, 4, 0xfebd0000);
    register_write(&device->interrupt_line, 11), expect_written(PCI_INTERRUPT_LINE, 1, 11);
    memcpy(memory, "\xf4\x1a\x42\x10", 4);
    memory[PCI_CAPABILITIES] = 0x40;
    memcpy(memory + 0x40, "\x09\x50\x14\x02\x04\x00\x00\x00\x00\x30\x00\x00\x00\x10\x00\x00\x04\x00\x00\x00", 20);
    assert_int_equal(register_read(&device->header.vendor_id), VIRTIO_PCI_VENDOR);
    assert_int_equal(register_read(&device->header.device_id), VIRTIO_PCI_MODERN_FIRST + 2);
    assert_int_equal(register_read(&device->capabilities), 0x40);
    assert_int_equal(register_read(&notify->capability.header.id), PCI_CAPABILITY_VENDOR);
    assert_int_equal(register_read(&notify->capability.header.next), 0x50);
    assert_int_equal(register_read(&notify->capability.type), VIRTIO_PCI_CAP_NOTIFY);
    assert_int_equal(register_read(&notify->capability.bar), 4);
    assert_int_equal(register_read(&notify->capability.offset), 0x3000);
    assert_int_equal(register_read(&notify->capability.bytes), 0x1000);
    assert_int_equal(register_read(&notify->multiplier), 4);
}

static void bridges_and_virtio(void **state)
{
    struct pci_bridge_header *bridge = (void *)memory;
    struct virtio_pci_common *common = (void *)memory;

    memset(memory, 0x5a, sizeof(memory));
    register_write(&bridge->secondary_bus, 1), expect_written(PCI_SECONDARY_BUS, 1, 1);
    register_write(&bridge->prefetch_limit_upper, 2), expect_written(PCI_BRIDGE_PREFETCH_LIMIT_UPPER, 4, 2);
    register_write(&bridge->io_limit_upper, 3), expect_written(PCI_BRIDGE_IO_LIMIT_UPPER, 2, 3);
    register_write(&common->status, 4), expect_written(20, 1, 4);
    register_write(&common->queue_enable, 1), expect_written(28, 2, 1);
    register_write(&common->queue_device_area[1], 6), expect_written(52, 4, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_width_alone),
        cmocka_unit_test(arrays_end_where_the_device_says),
        cmocka_unit_test(blocks_nest),
        cmocka_unit_test(bridges_and_virtio),
    };

    return cmocka_run_group_tests_name("dev/register", tests, NULL, NULL);
}
