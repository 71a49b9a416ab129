#include <debug/idle.h>

#include <base/assert.h>
#include <cpu/preempt.h>
#include <debug/console.h>

/* Log lines that an NMI or another CPU left for whoever could write next. */
IDLE_WORK(console, console_flush);

void idle_run(void)
{
    uint32_t depth = preempt_depth();

    for (const struct idle_work *work = __table_idle_works_start; work < __table_idle_works_end; work++) {
        work->run();
        ASSERT(preempt_depth() == depth); /* else the CPU never leaves its idle thread again */
    }
}
