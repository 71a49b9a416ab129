/* Exceptions that have nothing to do with page tables. */
#include <base/errno.h>
#include <cpu/interrupts.h>
#include <cpu/tsc.h>
#include <debug/console.h>
#include <debug/idle.h>
#include <debug/panic.h>
#include <trap/counters.h>
#include <trap/trap.h>

#include "fault.h"

#define SECOND_NS ((uint64_t)1000000000)

FAULT(non_canonical, 15, "non-canonical address, with the register")
{
    return (int)fault_read(opaque_pointer((void *)0x4141414141414140));
}

static NOINLINE void fault_invalid_opcode(void)
{
    __asm__ volatile("ud2");
}

FAULT(invalid_opcode, 16, "invalid opcode")
{
    fault_invalid_opcode();
    return 0;
}

static bool panic_in_exception(struct trap_frame *frame)
{
    (void)frame;
    panic("provoked in an exception");
}

FAULT(in_exception, 16, "a panic of an exception's handler, whose context is that exception")
{
    int error = trap_set_exception_handler(VECTOR_INVALID_OPCODE, panic_in_exception);

    if (!error)
        fault_invalid_opcode();
    return error;
}

static NOINLINE void fault_warn(void)
{
    warn("provoked, answer %lu", opaque(42));
}

FAULT(warning, 16, "a warning, after which the kernel goes on")
{
    fault_warn();
    return 0;
}

static NOINLINE uint64_t fault_divide(uint64_t dividend, uint64_t divisor)
{
    return dividend / divisor;
}

FAULT(divide_by_zero, 17, "division by zero")
{
    return (int)fault_divide(opaque(1), opaque(0));
}

/* Waits until the count changes; the event has been reported by then. */
static int wait_for_event(const char *monitor_command, uint64_t (*count)(void))
{
    uint64_t before = count(), deadline = tsc_now_ns() + 30 * SECOND_NS;

    console_printf("waiting for `%s` from QEMU's monitor\n", monitor_command);
    while (count() == before) {
        idle_run();
        if (tsc_now_ns() > deadline)
            return -ETIMEDOUT;
        cpu_relax();
    }
    return 0;
}

FAULT(nmi, 18, "NMI: all CPUs' stacks, and goes on")
{
    return wait_for_event("nmi", trap_nmi_count);
}

FAULT(machine_check, 19, "fatal machine check, with the owner of the page")
{
    return wait_for_event("mce 0 3 0xbe00000000000134 0x5 0x1234000 0x8c", trap_machine_check_count);
}

FAULT(machine_check_corrected, 20, "corrected machine check, logged within a second")
{
    return wait_for_event("mce 0 3 0x9c00000000000134 0 0x1234000 0x8c", trap_machine_check_count);
}
