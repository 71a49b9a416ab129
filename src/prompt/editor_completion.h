/* The Tab key. */
#pragma once

#include "editor.h"

/* Completes the word before the cursor as far as all matches agree, with a blank behind a single match; pressed again
 * where nothing was left to agree on, lists the matches. Context: thread. */
void editor_complete(struct editor *editor);
