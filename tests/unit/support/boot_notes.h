/* Collects what the boot parsers note, so that a test can require that each oddity was said. */
#pragma once

#include <stdbool.h>

/* Forgets what was noted and collects from here on. */
void boot_notes_start(void);

unsigned boot_notes_count(void);

/* Some line holds this text. */
bool boot_notes_have(const char *text);
