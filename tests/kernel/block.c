/* The block layer in the kernel: a disk in memory that completes by interrupt, over memory of every kind. */
#include <base/errno.h>
#include <debug/test.h>
#include <irq/chip.h>
#include <irq/irq.h>
#include <lib/string.h>
#include <mm/kmalloc.h>
#include <mm/vmalloc.h>

#include "ram_disk.h"

#define SECTORS 512u
#define SIZE    (SECTORS * 512u)

static struct ram_disk disk;
static struct msi_message message;
static struct irq *irq;

static enum irq_result complete_all(void *context)
{
    (void)context;
    ram_disk_run(&disk);
    return IRQ_HANDLED;
}

static void fire(struct ram_disk *kicked)
{
    (void)kicked;
    (void)irq_raise(irq);
}

/* False when memory differs from what the disk has from the sector on. */
static bool reads_same(uint8_t *memory, uint64_t sector, size_t length)
{
    memset(memory, 0xaa, length);
    return block_read(&disk.device, sector, memory, length) == 0 &&
           memcmp(memory, disk.bytes + sector * 512, length) == 0;
}

/* Waiting halts: a completion that does not wake it hangs the test. */
KERNEL_TEST(block_interrupt, "block/requests_complete_by_interrupt_into_memory_of_any_kind")
{
    uint8_t on_stack[512], *scattered = vmalloc(SIZE, ALLOC_NORMAL), *bytes = kmalloc(SIZE, ALLOC_ZERO),
                           *contiguous = kmalloc(SIZE, ALLOC_NORMAL);
    bool are_same = true;
    int error;

    if (!irq_controller() || !scattered || !bytes || !contiguous ||
        irq_request_msi(complete_all, NULL, "test disk", &message, &irq) != 0) {
        kfree(contiguous);
        kfree(bytes);
        vfree(scattered);
        EXPECT(!irq_controller());
        return;
    }
    ram_disk_init(&disk, "test", bytes, SECTORS, 512);
    ram_disk_use_interrupt(&disk, fire);
    disk.device.limits.max_segments = 4;
    disk.device.limits.max_segment_bytes = 3000;
    error = block_device_register(&disk.device);
    for (unsigned i = 512; i < SIZE; i++)
        bytes[i] = (uint8_t)(i / 512 * 7 + i);
    if (error == 0) {
        are_same &= reads_same(on_stack, 9, sizeof(on_stack));
        are_same &= reads_same(scattered, 0, SIZE);
        for (unsigned i = 0; i < 200; i++)
            are_same &= reads_same(scattered + 11 * i, i, 512 * (1 + i % 40));
        are_same &= reads_same(contiguous, 0, SIZE);
        for (unsigned i = 0; i < 50; i++)
            are_same &= reads_same(contiguous + 13 * i, i, 512 * (1 + i % 40));
        memset(scattered, 0x5a, 8192);
        error = block_write(&disk.device, 17, scattered, 8192);
        are_same &= memcmp(bytes + 17 * 512, scattered, 8192) == 0;
        disk.fail_at = disk.nr_completed + 2;
        disk.fail_with = -EIO;
        are_same &= block_read(&disk.device, 0, scattered, 65536) == -EIO;
        block_device_unregister(&disk.device);
    }
    irq_release(irq);
    kfree(contiguous);
    kfree(bytes);
    vfree(scattered);
    EXPECT_EQ(error, 0);
    EXPECT(are_same);
    EXPECT_EQ(disk.nr_submitted, disk.nr_completed);
    EXPECT_EQ(disk.nr_bad, 0);
    EXPECT_EQ(disk.nr_released, 1);
}
