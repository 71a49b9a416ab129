#include <cpu/reset.h>

#include <base/errno.h>
#include <cpu/io.h>

#define I8042_STATUS       0x64
#define I8042_INPUT_FULL   0x02 /* the controller has not taken the last byte yet */
#define I8042_PULSE_RESET  0xfe
#define PIIX_RESET_CONTROL 0xcf9 /* Intel ICH9 datasheet 13.7.5 */
#define RESET_HARD         0x02
#define RESET_NOW          0x04
#define QEMU_DEBUG_EXIT    0xf4
#define WAIT_READS         10000 /* a port read takes about a microsecond */

struct PACKED descriptor_table {
    uint16_t limit;
    uint64_t base;
};

static void (*registered_reset)(void) READ_ONLY_AFTER_INIT;
static int (*registered_power_off)(void) READ_ONLY_AFTER_INIT;

void machine_set_reset(void (*reset)(void))
{
    registered_reset = reset;
}

void machine_set_power_off(int (*power_off)(void))
{
    registered_power_off = power_off;
}

int machine_power_off(void)
{
    return registered_power_off ? registered_power_off() : -ENODEV;
}

void machine_halt(void)
{
    for (;;)
        __asm__ volatile("cli; hlt" : : : "memory");
}

static void wait_a_little(void)
{
    for (int i = 0; i < WAIT_READS; i++)
        (void)in8(0x80);
}

void machine_reset(void)
{
    static const struct descriptor_table empty = {0, 0};

    __asm__ volatile("cli");
    if (registered_reset)
        registered_reset();
    for (int i = 0; i < WAIT_READS && (in8(I8042_STATUS) & I8042_INPUT_FULL); i++)
        ;
    out8(I8042_STATUS, I8042_PULSE_RESET);
    wait_a_little();
    out8(PIIX_RESET_CONTROL, RESET_HARD);
    out8(PIIX_RESET_CONTROL, RESET_HARD | RESET_NOW);
    wait_a_little();
    /* With no IDT an exception cannot be delivered, nor the double fault for it. */
    __asm__ volatile("lidt %0; ud2" : : "m"(empty));
    machine_halt();
}

void machine_exit(uint8_t value)
{
    out8(QEMU_DEBUG_EXIT, value);
}
