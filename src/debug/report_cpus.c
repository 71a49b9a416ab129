#include <debug/report_cpus.h>

static const struct report_cpus *the_cpus; /* [a] */

void report_set_cpus(const struct report_cpus *cpus)
{
    __atomic_store_n(&the_cpus, cpus, __ATOMIC_RELEASE); /* pairs with the acquire below */
}

const struct report_cpus *report_cpus(void)
{
    return __atomic_load_n(&the_cpus, __ATOMIC_ACQUIRE);
}
