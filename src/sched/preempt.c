/* Giving the CPU away where code could be interrupted anywhere. */
#include <cpu/preempt.h>

/* Nobody asks before there are threads. */
void preempt_reschedule_(void)
{
}
