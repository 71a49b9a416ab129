/* All commands of this kernel. */
#pragma once

#include "command_set.h"

/* Context: any. */
const struct command_set *registered_commands(void);

/* The name of the n-th command in the order of names, NULL past the last: what a command completes that takes one. */
const char *registered_command_name(unsigned n);
