/* Every vector there is, sent by the interrupt controller to this CPU: what nobody owns must be told by its number, and
 * ended, whatever it is. */
#include <base/errno.h>
#include <cpu/trap_frame.h>
#include <debug/console.h>
#include <debug/exception_names.h>
#include <irq/chip.h>
#include <irq/irq.h>
#include <time/clock.h>
#include <trap/trap.h>

#include "fault.h"

#define FIRST_LEGAL 16          /* SDM 3A 11.5.2: an APIC takes none below */
#define PATIENCE_NS NS_PER_S    /* of an emulator whose host is busy */
#define A_WHILE_NS  (NS_PER_MS) /* for those that need not come */

/* How often its owner, or nobody, has had it. */
static uint64_t count_taken(unsigned vector)
{
    uint64_t count = trap_unclaimed_count(vector);
    struct irq_statistics statistics;

    for (unsigned n = 0; irq_statistics(n, &statistics); n++)
        if (statistics.vector == vector)
            count += statistics.handled + statistics.unclaimed;
    return count;
}

static bool does_come(unsigned vector, uint64_t before)
{
    uint64_t begin = clock_now_ns(), patience_ns = vector < FIRST_LEGAL ? A_WHILE_NS : PATIENCE_NS;

    while (count_taken(vector) == before)
        if (clock_now_ns() - begin > patience_ns)
            return false;
    return true;
}

static void print_taken(unsigned vector)
{
    char owner[IRQ_NAME_MAX];

    if (irq_vector_name(vector, owner))
        console_printf("vector %u: taken by %s\n", vector, owner);
    else if (vector < NR_EXCEPTIONS)
        console_printf("vector %u: taken, nobody's, no exception: %s\n", vector, exception_mnemonic(vector));
    else
        console_printf("vector %u: taken, nobody's\n", vector);
}

/* -EIO where one was neither refused nor taken, or is in service still. QEMU 7.2 refuses none, and never delivers 0. */
FAULT(every_vector, 41, "all 256 vectors sent to oneself: each is named")
{
    int result = 0;

    if (!irq_controller())
        return -ENODEV;
    for (unsigned vector = 0; vector < NR_VECTORS; vector++) {
        uint64_t before = count_taken(vector);

        if (irq_controller()->send_to_self(vector) != 0) {
            console_printf("vector %u: refused by the interrupt controller\n", vector);
        } else if (does_come(vector, before)) {
            print_taken(vector);
        } else {
            console_printf("vector %u: neither refused nor taken\n", vector);
            result = vector < FIRST_LEGAL ? result : -EIO;
        }
        if (irq_controller()->is_in_service(vector))
            result = -EIO;
    }
    return result;
}
