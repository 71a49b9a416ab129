#include <debug/idle.h>

void idle_run(void)
{
    for (const struct idle_work *work = __table_idle_works_start; work < __table_idle_works_end; work++)
        work->run();
}
