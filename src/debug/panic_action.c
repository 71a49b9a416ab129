#include "panic_action.h"

#include <cpu/reset.h>
#include <debug/panic.h>

static enum panic_action panic_action = PANIC_HALT; /* [I] */

void panic_set_action(enum panic_action action)
{
    panic_action = action;
}

const char *panic_action_words(void)
{
    static const char *const words[] = {
        [PANIC_HALT] = "fatal, halts", [PANIC_REBOOT] = "fatal, reboots", [PANIC_EXIT] = "fatal, leaves QEMU"};

    return words[panic_action];
}

void panic_act(void)
{
    if (panic_action == PANIC_REBOOT)
        machine_reset();
    if (panic_action == PANIC_EXIT)
        machine_exit(MACHINE_EXIT_FAILURE);
    machine_halt();
}
