/* Interrupts of virtio functions against a PCI layer that has few vectors, or none, and a device that refuses some. */
#include "support/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../drivers/virtio/pci.h"

#define VECTORS_MAX 16
#define QUEUES      4

static struct {
    /* The machine. */
    unsigned nr_vectors; /* the bus has; 0: no MSI-X */
    bool has_pin, refuses_all;
    unsigned accepts; /* vectors the device has room for */
    uint8_t isr;
    /* What was asked for. */
    bool is_requested, is_pin;
    unsigned nr_requests, nr_given, nr_wanted;
    struct pci_handler handlers[VECTORS_MAX];
    uint16_t config_vector, queue_vectors[QUEUES];
    unsigned nr_isr_reads;
} machine;

static struct virtio_pci device;
static unsigned queue_calls[QUEUES], config_calls;

/* ---- the layers below ---- */

void *kmalloc(size_t size, unsigned flags)
{
    return calloc(1, size);
}

void kfree(void *object)
{
    free(object);
}

uint8_t in8(uint16_t port)
{
    uint8_t isr = machine.isr;

    assert_int_equal(port, 0xc000 + VIRTIO_PCI_LEGACY_ISR);
    machine.isr = 0;
    machine.nr_isr_reads++;
    return isr;
}

int pci_interrupts_request(struct pci_device *pci, unsigned wanted, const struct pci_handler *handlers,
                           const char *name)
{
    assert_false(machine.is_requested);
    assert_true(wanted > 0 && wanted <= VECTORS_MAX);
    machine.nr_requests++;
    if (machine.nr_vectors == 0 && !machine.has_pin)
        return -ENODEV;
    machine.is_requested = true;
    machine.is_pin = machine.nr_vectors == 0;
    machine.nr_wanted = wanted;
    machine.nr_given = machine.is_pin ? 1 : wanted < machine.nr_vectors ? wanted : machine.nr_vectors;
    memcpy(machine.handlers, handlers, wanted * sizeof(*handlers));
    return (int)machine.nr_given;
}

int pci_interrupts_request_pin(struct pci_device *pci, irq_handler handler, void *context, const char *name)
{
    assert_false(machine.is_requested);
    machine.nr_requests++;
    if (!machine.has_pin)
        return -ENODEV;
    machine.is_requested = machine.is_pin = true;
    machine.nr_wanted = machine.nr_given = 1;
    machine.handlers[0] = (struct pci_handler){handler, context, IRQ_ANY_CPU};
    return 0;
}

void pci_interrupts_release(struct pci_device *pci)
{
    assert_true(machine.is_requested);
    machine.is_requested = false;
}

enum pci_interrupt_mode pci_interrupts_mode(const struct pci_device *pci)
{
    return machine.is_pin ? PCI_INTX : PCI_MSIX;
}

bool virtio_pci_legacy_set_vector(struct virtio_pci *virtio, uint32_t queue, uint16_t vector)
{
    bool is_accepted = vector == VIRTIO_PCI_NO_VECTOR || (vector < machine.accepts && !machine.refuses_all);
    uint16_t *at = queue == VIRTIO_PCI_CONFIG ? &machine.config_vector : &machine.queue_vectors[queue];

    assert_ptr_equal(virtio, &device);
    assert_true(queue == VIRTIO_PCI_CONFIG || queue < QUEUES);
    *at = is_accepted ? vector : VIRTIO_PCI_NO_VECTOR;
    return is_accepted;
}

bool virtio_pci_modern_set_vector(struct virtio_pci *virtio, uint32_t queue, uint16_t vector)
{
    fail();
    return false;
}

/* As the PCI layer shares: the last vector has the rest of the handlers. */
static enum irq_result fire(unsigned vector)
{
    enum irq_result result = IRQ_NOT_MINE;

    assert_true(machine.is_requested && vector < machine.nr_given);
    for (unsigned i = vector; i < machine.nr_wanted; i++) {
        if (machine.handlers[i].run(machine.handlers[i].context) == IRQ_HANDLED)
            result = IRQ_HANDLED;
        if (vector + 1 < machine.nr_given)
            break;
    }
    return result;
}

/* ---- the driver ---- */

static void queue_interrupt(void *context)
{
    (*(unsigned *)context)++;
}

static void config_changed(void *context)
{
    assert_ptr_equal(context, &config_calls);
    config_calls++;
}

static int request(bool with_config)
{
    void *contexts[QUEUES] = {&queue_calls[0], &queue_calls[1], &queue_calls[2], &queue_calls[3]};
    const struct virtio_interrupts wanted = {.nr_queues = QUEUES,
                                             .is_per_cpu = true,
                                             .queue = queue_interrupt,
                                             .contexts = contexts,
                                             .config_changed = with_config ? config_changed : NULL,
                                             .config_context = &config_calls};

    return virtio_pci_interrupts_request(&device.virtio, &wanted);
}

/* What one interrupt of this vector calls: a digit for each queue, then the configuration. */
static void expect_calls(unsigned vector, const char *calls)
{
    char got[QUEUES + 2] = "";

    memset(queue_calls, 0, sizeof(queue_calls));
    config_calls = 0;
    fire(vector);
    for (unsigned i = 0; i < QUEUES; i++)
        got[i] = (char)('0' + queue_calls[i]);
    got[QUEUES] = (char)('0' + config_calls);
    assert_string_equal(got, calls);
}

static int setup(void **state)
{
    memset(&machine, 0, sizeof(machine));
    memset(&device, 0, sizeof(device));
    machine.has_pin = true;
    machine.accepts = VECTORS_MAX;
    device.virtio.is_legacy = true;
    device.virtio.name = "00:03.0";
    device.port = 0xc000;
    return 0;
}

static int teardown(void **state)
{
    virtio_pci_interrupts_release(&device.virtio);
    assert_false(machine.is_requested || device.has_msix || device.interrupts);
    virtio_pci_interrupts_release(&device.virtio); /* nothing happens */
    return 0;
}

static void each_queue_has_its_own_vector(void **state)
{
    struct virtio_wiring wiring;

    machine.nr_vectors = 16;
    assert_int_equal(request(true), 0);
    assert_int_equal(machine.nr_given, 5);
    assert_int_equal(machine.config_vector, 0);
    assert_int_equal(machine.queue_vectors[3], 4);
    assert_int_equal(machine.handlers[0].cpu, IRQ_ANY_CPU); /* the configuration's */
    for (unsigned i = 0; i < QUEUES; i++)
        assert_int_equal(machine.handlers[1 + i].cpu, i);
    expect_calls(0, "00001");
    expect_calls(1, "10000");
    expect_calls(4, "00010");
    assert_int_equal(machine.nr_isr_reads, 0);
    virtio_pci_queue_wiring(&device.virtio, 3, &wiring);
    assert_int_equal(wiring.interrupt, VIRTIO_BY_MESSAGE);
    assert_int_equal(wiring.vector, 4);
    assert_int_equal(wiring.nr_interrupts, 1);
    assert_int_equal(request(true), -EBUSY);
}

static void without_a_configuration_handler_vector_0_is_queue_0(void **state)
{
    machine.nr_vectors = 16;
    assert_int_equal(request(false), 0);
    assert_int_equal(machine.config_vector, VIRTIO_PCI_NO_VECTOR);
    expect_calls(0, "10000");
    expect_calls(3, "00010");
}

static void the_last_vector_is_shared(void **state)
{
    machine.nr_vectors = 3;
    assert_int_equal(request(true), 0);
    assert_int_equal(machine.queue_vectors[0], 1);
    assert_int_equal(machine.queue_vectors[3], 2);
    expect_calls(0, "00001");
    expect_calls(1, "10000");
    expect_calls(2, "01110");
}

/* One vector cannot tell: what changed the configuration left its mark in the ISR register. */
static void one_vector_for_all(void **state)
{
    machine.nr_vectors = 1;
    assert_int_equal(request(true), 0);
    expect_calls(0, "11110");
    machine.isr = VIRTIO_PCI_ISR_CONFIG;
    expect_calls(0, "11111");
}

static void a_device_with_room_for_two(void **state)
{
    machine.nr_vectors = 16;
    machine.accepts = 2;
    assert_int_equal(request(true), 0);
    assert_int_equal(machine.nr_requests, 2);
    assert_int_equal(machine.nr_given, 2);
    expect_calls(0, "00001");
    expect_calls(1, "11110");
}

static void a_device_with_room_for_one(void **state)
{
    machine.nr_vectors = 16;
    machine.accepts = 1;
    assert_int_equal(request(true), 0);
    assert_int_equal(machine.nr_given, 1);
    machine.isr = VIRTIO_PCI_ISR_CONFIG | VIRTIO_PCI_ISR_QUEUE;
    expect_calls(0, "11111");
}

static void a_device_that_refuses_all_has_its_pin(void **state)
{
    struct virtio_wiring wiring;

    machine.nr_vectors = 16;
    machine.refuses_all = true;
    assert_int_equal(request(true), 0);
    assert_true(machine.is_pin && !device.has_msix);
    virtio_pci_queue_wiring(&device.virtio, 0, &wiring);
    assert_int_equal(wiring.interrupt, VIRTIO_BY_PIN);
}

/* The ISR register says whose interrupt it was, and for what; all ones is a device that has gone. */
static void the_pin_is_shared_with_other_devices(void **state)
{
    assert_int_equal(request(true), 0);
    assert_int_equal(fire(0), IRQ_NOT_MINE);
    machine.isr = 0xff;
    assert_int_equal(fire(0), IRQ_NOT_MINE);
    machine.isr = VIRTIO_PCI_ISR_QUEUE;
    expect_calls(0, "11110");
    machine.isr = VIRTIO_PCI_ISR_CONFIG;
    expect_calls(0, "00001");
    machine.isr = VIRTIO_PCI_ISR_QUEUE | VIRTIO_PCI_ISR_CONFIG;
    expect_calls(0, "11111");
}

static void no_interrupt_at_all(void **state)
{
    struct virtio_wiring wiring;

    machine.has_pin = false;
    assert_int_equal(request(true), -ENODEV);
    machine.nr_vectors = 16;
    machine.refuses_all = true;
    assert_int_equal(request(true), -ENODEV);
    virtio_pci_queue_wiring(&device.virtio, 0, &wiring);
    assert_int_equal(wiring.interrupt, VIRTIO_POLLED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_queue_has_its_own_vector, setup, teardown),
        cmocka_unit_test_setup_teardown(without_a_configuration_handler_vector_0_is_queue_0, setup, teardown),
        cmocka_unit_test_setup_teardown(the_last_vector_is_shared, setup, teardown),
        cmocka_unit_test_setup_teardown(one_vector_for_all, setup, teardown),
        cmocka_unit_test_setup_teardown(a_device_with_room_for_two, setup, teardown),
        cmocka_unit_test_setup_teardown(a_device_with_room_for_one, setup, teardown),
        cmocka_unit_test_setup_teardown(a_device_that_refuses_all_has_its_pin, setup, teardown),
        cmocka_unit_test_setup_teardown(the_pin_is_shared_with_other_devices, setup, teardown),
        cmocka_unit_test_setup_teardown(no_interrupt_at_all, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
