/* Where a modern virtio function says its registers are: found, passed over, refused; never outside a BAR, whatever the
 * capabilities say, and nothing stays mapped. */
#include "support/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <debug/log.h>
#include <hw/pci.h>
#include <mm/vmalloc.h>

#include "../../drivers/pci/pci_internal.h"
#include "../../drivers/virtio/pci.h"
#include "support/random.h"

#define MEMORY_BAR   4u
#define MEMORY_BYTES 0x4000u
#define PORT_BAR     2u
#define PORT         0xc000u
#define PORT_BYTES   0x20u
#define FIRST        0x40u
#define STEP         0x14u

static uint8_t config[256];
static uint8_t *memory; /* the memory BAR */
static struct pci_device function;
static struct virtio_pci device;
static unsigned nr_mapped, nr_capabilities, nr_rings;
static uint16_t rung_port, rung_value;

/* ---- the layers below ---- */

void log_write(enum log_level level, const char *format, ...)
{
}

void *kmalloc(size_t size, unsigned flags)
{
    return size ? calloc(1, size) : NULL;
}

void kfree(void *object)
{
    free(object);
}

uint8_t pci_read8(const struct pci_device *pci, unsigned offset)
{
    return offset < sizeof(config) ? config[offset] : 0xff;
}

uint16_t pci_read16(const struct pci_device *pci, unsigned offset)
{
    return (uint16_t)(pci_read8(pci, offset) | pci_read8(pci, offset + 1) << 8);
}

uint32_t pci_read32(const struct pci_device *pci, unsigned offset)
{
    return pci_read16(pci, offset) | (uint32_t)pci_read16(pci, offset + 2) << 16;
}

void *pci_map_bar(struct pci_device *pci, unsigned bar, uint64_t offset, uint64_t length)
{
    assert_int_equal(bar, MEMORY_BAR); /* the only one in memory */
    assert_true(length > 0 && offset <= MEMORY_BYTES && length <= MEMORY_BYTES - offset);
    nr_mapped++;
    return memory + offset;
}

void device_unmap(void *address)
{
    assert_true(nr_mapped-- > 0);
}

void out16(uint16_t port, uint16_t value)
{
    rung_port = port;
    rung_value = value;
    nr_rings++;
}

bool virtio_pci_wait_for_reset(struct virtio_device *virtio)
{
    return false;
}

void virtio_pci_cut_off(struct virtio_device *virtio)
{
}

int virtio_pci_interrupts_request(struct virtio_device *virtio, const struct virtio_interrupts *wanted)
{
    return -ENODEV;
}

void virtio_pci_interrupts_release(struct virtio_device *virtio)
{
}

void virtio_pci_queue_wiring(struct virtio_device *virtio, uint16_t index, struct virtio_wiring *wiring)
{
}

/* ---- the function ---- */

static void add(uint8_t type, uint8_t bar, uint32_t offset, uint32_t length, uint32_t multiplier)
{
    unsigned at = FIRST + nr_capabilities * STEP;
    uint8_t capability[STEP] = {PCI_CAPABILITY_VENDOR, 0, STEP, type, bar};

    memcpy(capability + VIRTIO_PCI_CAP_OFFSET, &offset, 4);
    memcpy(capability + VIRTIO_PCI_CAP_BYTES, &length, 4);
    memcpy(capability + VIRTIO_PCI_CAP_MULTIPLIER, &multiplier, 4);
    memcpy(config + at, capability, STEP);
    if (nr_capabilities++ > 0)
        config[at - STEP + VIRTIO_PCI_CAP_NEXT] = (uint8_t)at;
    else
        config[PCI_CAPABILITIES] = (uint8_t)at;
}

static struct virtio_pci_common *common(void)
{
    return (struct virtio_pci_common *)memory;
}

/* A register that only the device writes. */
static void device_sets(const reg16 *r, uint16_t value)
{
    ((reg16 *)r)->value_ = value;
}

static int setup(void **state)
{
    memset(config, 0, sizeof(config));
    memset(&device, 0, sizeof(device));
    memset(&function, 0, sizeof(function));
    config[PCI_STATUS] = PCI_STATUS_CAPABILITIES;
    nr_capabilities = nr_rings = 0;
    memory = calloc(1, MEMORY_BYTES);
    function.bars[MEMORY_BAR] = (struct pci_bar){.base = {0xfe000000}, .length = MEMORY_BYTES};
    function.bars[PORT_BAR] = (struct pci_bar){.base = {PORT}, .length = PORT_BYTES, .is_io = true};
    device.pci = &function;
    device.virtio.name = "00:03.0";
    device_sets(&common()->nr_queues, 2);
    return 0;
}

static int teardown(void **state)
{
    virtio_pci_unmap(&device);
    free(memory);
    assert_int_equal(nr_mapped, 0);
    return 0;
}

/* All but the notifications. */
static void add_others(void)
{
    add(VIRTIO_PCI_CAP_COMMON, MEMORY_BAR, 0, sizeof(struct virtio_pci_common), 0);
    add(VIRTIO_PCI_CAP_ISR, MEMORY_BAR, 0x1000, 4, 0);
    add(VIRTIO_PCI_CAP_DEVICE, MEMORY_BAR, 0x2000, 8, 0);
}

static int enable(uint16_t queue)
{
    const struct virtio_queue_place place = {.size = 8};

    return virtio_pci_modern.queue_enable(&device.virtio, queue, &place);
}

static void ring(uint16_t queue)
{
    virtio_pci_modern.notify(&device.virtio, queue);
}

static uint16_t word_at(unsigned offset)
{
    uint16_t word;

    memcpy(&word, memory + offset, sizeof(word));
    return word;
}

/* ---- tests ---- */

static void registers_are_where_the_capabilities_say(void **state)
{
    uint32_t value;

    add_others();
    add(VIRTIO_PCI_CAP_NOTIFY, MEMORY_BAR, 0x3000, 0x1000, 4);
    assert_int_equal(virtio_pci_map_modern(&device), 0);
    assert_int_equal(device.nr_queues, 2);
    device_sets(&common()->queue_notify_offset, 3);
    assert_int_equal(enable(1), 0);
    assert_int_equal(common()->queue_enable.value_, 1);
    ring(1);
    assert_int_equal(word_at(0x3000 + 3 * 4), 1);
    memcpy(memory + 0x2004, &(uint32_t){0x12345678}, 4);
    assert_true(virtio_pci_modern.read_config(&device.virtio, 4, &value, 4));
    assert_int_equal(value, 0x12345678);
    assert_false(virtio_pci_modern.read_config(&device.virtio, 5, &value, 4));
    assert_false(virtio_pci_modern.read_config(&device.virtio, UINT32_MAX, &value, 4));
    assert_int_equal(virtio_pci_modern.queue_size(&device.virtio, 2), 0);
}

static void bells_may_be_ports_alone(void **state)
{
    add(VIRTIO_PCI_CAP_NOTIFY, PORT_BAR, 0x10, 8, 2);
    add_others();
    assert_int_equal(virtio_pci_map_modern(&device), 0);
    device_sets(&common()->queue_notify_offset, 3);
    assert_int_equal(enable(1), 0);
    ring(1);
    assert_int_equal(nr_rings, 1);
    assert_int_equal(rung_port, PORT + 0x10 + 3 * 2);
    assert_int_equal(rung_value, 1);
    device_sets(&common()->queue_notify_offset, 4);
    assert_int_equal(enable(0), -EIO);
}

static void the_first_bells_are_preferred(void **state)
{
    add(VIRTIO_PCI_CAP_NOTIFY, PORT_BAR, 0x18, 16, 0); /* not all inside */
    add(VIRTIO_PCI_CAP_NOTIFY, PORT_BAR, 0x11, 4, 0);  /* not aligned */
    add(VIRTIO_PCI_CAP_NOTIFY, PORT_BAR, 4, 4, 0);
    add(VIRTIO_PCI_CAP_NOTIFY, MEMORY_BAR, 0x3000, 0x1000, 4);
    add_others();
    assert_int_equal(virtio_pci_map_modern(&device), 0);
    assert_int_equal(enable(0), 0);
    ring(0);
    assert_int_equal(rung_port, PORT + 4);
}

static void ports_without_an_address_are_none(void **state)
{
    function.bars[PORT_BAR].base.value = 0;
    add(VIRTIO_PCI_CAP_NOTIFY, PORT_BAR, 4, 4, 0);
    add_others();
    assert_int_equal(virtio_pci_map_modern(&device), -EIO);
    function.bars[PORT_BAR].base.value = 0xfff0; /* it ends beyond the last port */
    assert_int_equal(virtio_pci_map_modern(&device), -EIO);
}

static void what_lies_outside_is_passed_over(void **state)
{
    const struct {
        uint8_t bar;
        uint32_t offset, length;
    } bad[] = {{6, 0, 0x38},
               {255, 0, 0x38},
               {0, 0, 0x38},
               {PORT_BAR, 0, 0x38},
               {MEMORY_BAR, 0x3fd0, 0x38},
               {MEMORY_BAR, 0xfffffff0, 0x38},
               {MEMORY_BAR, 0, 0x37},
               {MEMORY_BAR, 2, 0x38},
               {MEMORY_BAR, 0, UINT32_MAX}};

    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        teardown(state);
        setup(state);
        add(VIRTIO_PCI_CAP_COMMON, bad[i].bar, bad[i].offset, bad[i].length, 0);
        add(VIRTIO_PCI_CAP_ISR, MEMORY_BAR, 0x1000, 1, 0);
        add(VIRTIO_PCI_CAP_NOTIFY, MEMORY_BAR, 0x3000, 2, 0);
        assert_int_equal(virtio_pci_map_modern(&device), -EIO);
        assert_int_equal(nr_mapped, 0);
        add(VIRTIO_PCI_CAP_COMMON, MEMORY_BAR, 0, 0x38, 0);
        assert_int_equal(virtio_pci_map_modern(&device), 0);
    }
}

static void without_common_registers_it_is_not_modern(void **state)
{
    assert_int_equal(virtio_pci_map_modern(&device), -ENODEV);
    add(VIRTIO_PCI_CAP_NOTIFY, MEMORY_BAR, 0x3000, 2, 0);
    assert_int_equal(virtio_pci_map_modern(&device), -ENODEV);
}

static void without_queues_it_is_none(void **state)
{
    add_others();
    add(VIRTIO_PCI_CAP_NOTIFY, MEMORY_BAR, 0x3000, 2, 0);
    device_sets(&common()->nr_queues, 0);
    assert_int_equal(virtio_pci_map_modern(&device), -EIO);
    assert_int_equal(nr_mapped, 0);
}

static void a_bell_outside_its_block(void **state)
{
    add_others();
    add(VIRTIO_PCI_CAP_NOTIFY, MEMORY_BAR, 0x3000, 0x1000, UINT32_MAX);
    assert_int_equal(virtio_pci_map_modern(&device), 0);
    device_sets(&common()->queue_notify_offset, UINT16_MAX);
    assert_int_equal(enable(0), -EIO);
    device_sets(&common()->queue_notify_offset, 0);
    assert_int_equal(enable(0), 0);
    assert_int_equal(common()->queue_enable.value_, 1);
}

static void a_list_that_loops_ends(void **state)
{
    add_others();
    config[FIRST + 2 * STEP + VIRTIO_PCI_CAP_NEXT] = FIRST;
    assert_int_equal(virtio_pci_map_modern(&device), -EIO);
    config[FIRST + VIRTIO_PCI_CAP_NEXT] = FIRST;
    assert_int_equal(virtio_pci_map_modern(&device), -EIO);
}

/* Any configuration space: what is mapped lies inside (pci_map_bar, the sanitizer), and is unmapped. */
static void any_configuration_space(void **state)
{
    uint64_t random = 1;
    unsigned nr_good = 0;

    for (unsigned i = 0; i < 20000; i++) {
        teardown(state);
        setup(state);
        add_others();
        add(VIRTIO_PCI_CAP_NOTIFY, i % 2 ? MEMORY_BAR : PORT_BAR, 0x10, 0x10, 4);
        for (unsigned n = random_below(&random, 12); n > 0; n--)
            config[FIRST + random_below(&random, sizeof(config) - FIRST)] = (uint8_t)random_next(&random);
        device_sets(&common()->queue_notify_offset, (uint16_t)random_next(&random));
        if (virtio_pci_map_modern(&device) != 0)
            continue;
        nr_good++;
        if (device.nr_queues > 0 && enable(0) == 0)
            ring(0);
    }
    assert_true(nr_good > 100 && nr_good < 19900);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(registers_are_where_the_capabilities_say, setup, teardown),
        cmocka_unit_test_setup_teardown(bells_may_be_ports_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(the_first_bells_are_preferred, setup, teardown),
        cmocka_unit_test_setup_teardown(ports_without_an_address_are_none, setup, teardown),
        cmocka_unit_test_setup_teardown(what_lies_outside_is_passed_over, setup, teardown),
        cmocka_unit_test_setup_teardown(without_common_registers_it_is_not_modern, setup, teardown),
        cmocka_unit_test_setup_teardown(without_queues_it_is_none, setup, teardown),
        cmocka_unit_test_setup_teardown(a_bell_outside_its_block, setup, teardown),
        cmocka_unit_test_setup_teardown(a_list_that_loops_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(any_configuration_space, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
