/* System requests: Alt+SysRq+letter on a keyboard, BREAK and a letter on a serial line. They work while the prompt does
 * not: an input's handler asks, and the request runs on the way out of that interrupt, with every lock of the interrupt
 * layer let go and interrupts on as the interrupted code had them. Where input is polled, the prompt runs them while it
 * waits. Any module from debug upwards adds its own. docs/system-requests.md. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

struct sysrq {
    char letter;         /* 'a' to 'z' */
    bool is_urgent;      /* runs at once, also while another request does, or hangs */
    const char *summary; /* what it does, one line */
    void (*run)(void);   /* context: any but NMI; the interrupted code may hold any lock */
};

#define SYSRQ(identifier, ...) TABLE_ENTRY(sysrqs) static const struct sysrq sysrq_##identifier = {__VA_ARGS__}

TABLE_DECLARE(const struct sysrq, sysrqs);

/* Asks for the request with this letter; one that does not exist has the others shown. Asked for again before it ran it
 * runs once. Context: any. */
void sysrq_ask(char letter);

extern uint32_t sysrq_asked; /* [a] a bit for each letter; for sysrq_is_asked */

/* A hint: whoever runs them looks again. */
static ALWAYS_INLINE bool sysrq_is_asked(void)
{
    return __atomic_load_n(&sysrq_asked, __ATOMIC_RELAXED) != 0;
}

/* Runs what has been asked for. While one runs here or on another CPU the rest is left to that run, urgent ones aside,
 * so that requests never pile up on a stack. Context: any but NMI, no spinlock of the caller's held. */
void sysrq_run_asked(void);
