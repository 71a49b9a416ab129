/* The ranks of docs/locking.md as data: a lock is taken only while those of lower rank are held. tests/style/locking.py
 * compares the two. */
#pragma once

#include <base/types.h>

/* A name's rank, from 1 on; 0 for a class that has none. Context: any. */
uint32_t lockdep_rank(const char *class_name);
