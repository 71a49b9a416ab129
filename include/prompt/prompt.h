/* The kernel's own console prompt. */
#pragma once

#include <base/compiler.h>

#define PROMPT_TEXT "keel> " /* scripts wait for it */

/* Runs the commands of `keel.run=`, then reads and runs what is typed, for ever. Needs consoles; needs no memory
 * allocation, so it answers when memory has run out. Context: thread, once, at the end of the boot list. */
NORETURN void prompt_run(void);
