/* Work done while the prompt waits for a key: short calls that may come at any rate, so each one looks first whether
 * there is anything to do. Until threads exist (docs/architecture.md) this is the kernel's only idle loop. */
#pragma once

#include <base/compiler.h>

struct idle_work {
    const char *name;
    void (*run)(void); /* thread context, interrupts on; ends within about a millisecond */
};

#define IDLE_WORK(identifier, function) \
    TABLE_ENTRY(idle_works) static const struct idle_work idle_work_##identifier = {#identifier, function}

TABLE_DECLARE(const struct idle_work, idle_works);

/* Does each registered piece of work once. Context: thread. */
void idle_run(void);
