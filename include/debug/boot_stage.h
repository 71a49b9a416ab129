/* How far boot has come, where it can still be read from a machine that hangs: the number goes to the POST code port,
 * and the name to the log, whose last line is then the last thing on screen and serial. main.c announces each stage as
 * it is reached; `boot` prints them with their times. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

/* In order. The 32-bit trampoline's own codes lie below BOOT_STAGE_POST_BASE. */
enum boot_stage {
    BOOT_STAGE_ENTRY,   /* 64-bit C runs in the higher half */
    BOOT_STAGE_TRAPS,   /* GDT, TSS and IDT: a fault is reported */
    BOOT_STAGE_CONSOLE, /* the first console */
    BOOT_STAGE_INFO,    /* boot_info() holds */
    BOOT_STAGE_CPU,     /* features found and turned on, clock usable */
    BOOT_STAGE_MEMORY,  /* page allocator, own page tables */
    BOOT_STAGE_HEAP,    /* kmalloc, vmalloc */
    BOOT_STAGE_SCREEN,  /* framebuffer console */
    BOOT_STAGE_SEALED,  /* init memory given back, read-only data sealed */
    BOOT_STAGE_PROMPT,  /* commands are run */
    BOOT_STAGES,
};

#define BOOT_STAGE_POST_PORT \
    0x80                          /* where firmware writes its own POST codes; debug cards and some chipsets show it \
                                   */
#define BOOT_STAGE_POST_BASE 0xb0 /* stage n is code 0xb0 + n */

struct boot_stage_record {
    bool is_reached;
    uint64_t tsc;     /* raw; order holds even before the clock is calibrated */
    uint64_t time_ns; /* since boot, as the log's own time stamps */
};

/* Announces that boot has reached this stage. Context: init. */
void boot_stage(enum boot_stage stage);

const char *boot_stage_name(enum boot_stage stage);

/* What was recorded of this stage. Context: any. */
struct boot_stage_record boot_stage_record(enum boot_stage stage);
