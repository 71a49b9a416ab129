/* What follows a fatal report. Private to the report. */
#pragma once

#include <base/compiler.h>

/* Halts, resets or leaves QEMU, as keel.panic= says; halts where that fails. */
NORETURN void panic_act(void);

/* "fatal, halts". */
const char *panic_action_words(void);
