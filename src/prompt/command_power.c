/* reboot, poweroff, exit [CODE] */
#include <base/errno.h>
#include <cpu/reset.h>
#include <debug/command.h>
#include <debug/console.h>
#include <debug/test.h>
#include <lib/parse.h>

static int run_reboot(int argc, char **argv)
{
    (void)argv;
    if (argc > 1)
        return -E2BIG;
    console_printf("Rebooting.\n");
    console_flush();
    machine_reset();
}

static const char reboot_details[] =
    "Tries ACPI's reset register, the keyboard controller, the chipset's reset register and a triple fault, in this\n"
    "order.";

COMMAND(reboot, .name = "reboot", .arguments = "", .summary = "reset the machine", .run = run_reboot,
        .details = reboot_details);

static int run_poweroff(int argc, char **argv)
{
    (void)argv;
    if (argc > 1)
        return -E2BIG;
    console_printf("Powering off.\n");
    console_flush();
    if (machine_power_off() == -ENODEV)
        console_printf("error: poweroff: this machine does not say how (no ACPI, or no \\_S5): turn it off by hand\n");
    else
        console_printf("error: poweroff: the machine did as ACPI says and is still on: turn it off by hand\n");
    return COMMAND_FAILED;
}

COMMAND(poweroff, .name = "poweroff", .arguments = "", .summary = "turn the machine off", .run = run_poweroff,
        .details = "As ACPI's \\_S5 says. Where that cannot be this says so, and the prompt goes on.");

static int run_exit(int argc, char **argv)
{
    uint64_t value = test_failures() == 0 ? MACHINE_EXIT_SUCCESS : MACHINE_EXIT_FAILURE;

    if (argc > 2)
        return -E2BIG;
    if (argc == 2) {
        int error = parse_u64(argv[1], &value);

        if (error < 0)
            return error;
        if (value > UINT8_MAX)
            return -ERANGE;
    }
    console_flush();
    machine_exit((uint8_t)value);
    console_printf("error: exit: there is no isa-debug-exit device at port 0xf4: not inside QEMU, or without -device "
                   "isa-debug-exit,iobase=0xf4,iosize=4\n");
    return COMMAND_FAILED;
}

static const char exit_details[] =
    "QEMU's exit code is VALUE * 2 + 1, VALUE from 0 to 255. Without VALUE it is 33 (0x10), or 35 (0x11) when a\n"
    "test has failed since boot. Where QEMU has no such device this says so, and the prompt goes on.";

COMMAND(exit, .name = "exit", .arguments = "[VALUE]", .summary = "leave QEMU through its isa-debug-exit device",
        .run = run_exit, .details = exit_details);
