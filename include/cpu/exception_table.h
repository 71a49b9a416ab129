/* Instructions that may fault, and where to go on when they do: safe reads now, user copies later.
 *
 *     __asm__ volatile("1: movb (%2), %0\n"
 *                      "   xorl %1, %1\n"
 *                      "2:\n" EXCEPTION_TABLE_ENTRY("1b", "2b") : ...);
 *
 * A #PF, #GP or #SS at the first address goes on at the second, with all registers as they were. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

struct exception_fixup {
    uint64_t fault_rip, resume_rip;
};

TABLE_DECLARE(const struct exception_fixup, exceptions);

#define EXCEPTION_TABLE_ENTRY(fault_label, resume_label) \
    ".pushsection .table.exceptions, \"aR\"\n"           \
    ".balign 8\n"                                        \
    ".quad " fault_label ", " resume_label "\n"          \
    ".popsection\n"

/* Where to go on after a fault at rip, or 0 where none is foreseen. Context: any. */
uint64_t exception_fixup_find(uint64_t rip);

/* Copies length bytes that may not be readable at all (bad pointers, unmapped pages). Returns 0, or -EFAULT with `to`
 * filled only in part. Must not be used on device registers. Context: any but NMI (the return from the fault would let
 * the next NMI in). */
MUST_CHECK int read_safely(void *to, const void *from, size_t length);
