#include <irq/ipi.h>

#include <base/errno.h>
#include <cpu/percpu.h>
#include <irq/chip.h>

#define NR_IPI_VECTORS (IPI_LAST_VECTOR - IPI_FIRST_VECTOR + 1)

static struct {
    void (*function)(void); /* [a] */
    const char *name;       /* [I] once function is set */
} ipis[NR_IPI_VECTORS];

static PER_CPU uint64_t counts[NR_IPI_VECTORS]; /* [c] with interrupts off to change */

static bool is_ipi_vector(unsigned vector)
{
    return vector >= IPI_FIRST_VECTOR && vector <= IPI_LAST_VECTOR;
}

INIT int irq_ipi_claim(unsigned vector, void (*function)(void), const char *name)
{
    unsigned index = vector - IPI_FIRST_VECTOR;

    if (!is_ipi_vector(vector))
        return -EINVAL;
    if (ipis[index].function)
        return -EBUSY;
    ipis[index].name = name;
    __atomic_store_n(&ipis[index].function, function, __ATOMIC_RELEASE); /* pairs with the acquires below */
    return 0;
}

bool irq_ipi_run(unsigned vector)
{
    unsigned index = vector - IPI_FIRST_VECTOR;
    void (*function)(void) = is_ipi_vector(vector) ? __atomic_load_n(&ipis[index].function, __ATOMIC_ACQUIRE) : NULL;

    if (!function)
        return false;
    (*this_cpu_pointer(counts))[index]++;
    function();
    return true;
}

uint64_t irq_ipi_count(unsigned vector, uint32_t cpu)
{
    return is_ipi_vector(vector) ? READ_ONCE((*percpu_of(cpu, counts))[vector - IPI_FIRST_VECTOR]) : 0;
}

const char *irq_ipi_name(unsigned vector)
{
    if (!is_ipi_vector(vector) || !__atomic_load_n(&ipis[vector - IPI_FIRST_VECTOR].function, __ATOMIC_ACQUIRE))
        return NULL;
    return ipis[vector - IPI_FIRST_VECTOR].name;
}

void irq_ipi_send(uint32_t apic_id, enum irq_ipi_kind kind, uint8_t argument)
{
    const struct irq_controller *controller = irq_controller();

    if (controller)
        controller->send_ipi(apic_id, kind, argument);
}
