/* reboot, exit [CODE] */
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

COMMAND(reboot, .name = "reboot", .arguments = "", .summary = "reset the machine", .run = run_reboot,
        .details = "Tries the keyboard controller, the chipset's reset register and a triple fault, in this order.");

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
