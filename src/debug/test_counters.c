/* What this layer adds to the things a test must leave as it found them, and how they are made exact. */
#include <debug/test.h>
#include <debug/ubsan.h>

TEST_COUNTER(ubsan_findings, "undefined behaviour findings", NULL, ubsan_count);
