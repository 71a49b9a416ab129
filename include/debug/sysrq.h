/* System requests: Alt+SysRq+letter on a keyboard, BREAK and a letter on a serial line. They work while the prompt does
 * not, because they run in the interrupt. Any module from debug upwards adds its own. */
#pragma once

#include <base/compiler.h>

struct sysrq {
    char letter;
    const char *summary; /* what it does, one line */
    void (*run)(void);   /* context: irq-off; the interrupted code may hold any lock */
};

#define SYSRQ(identifier, ...) TABLE_ENTRY(sysrqs) static const struct sysrq sysrq_##identifier = {__VA_ARGS__}

TABLE_DECLARE(const struct sysrq, sysrqs);

/* Runs the request with this letter, or logs which ones there are. Context: any but NMI. */
void sysrq_run(char letter);
