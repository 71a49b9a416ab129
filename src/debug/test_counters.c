/* What this layer adds to the things a test must leave as it found them. */
#include <debug/test.h>
#include <debug/ubsan.h>

TEST_COUNTER(ubsan_findings, "undefined behaviour findings", NULL, ubsan_count);
