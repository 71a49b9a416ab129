/* Names and source lines of the running kernel's own code, from a table made at build time (tools/symbols) and linked
 * into the image. No lock, no allocation, bounded time: all of it may be called in any context, NMI and the fault
 * report included. */
#pragma once

#include <base/compiler.h>
#include <base/types.h>

#define SYMBOL_NAME_MAX 64 /* longer names are cut */
#define SYMBOL_FILE_MAX 64 /* longer paths are cut */

/* The function or object an address lies in. The strings are in the struct itself. */
struct symbol_location {
    char function[SYMBOL_NAME_MAX]; /* "page_alloc"; an object's name for an address of data */
    uint64_t offset;                /* bytes from the symbol's start */
    uint64_t size;                  /* bytes the symbol has */
    char file[SYMBOL_FILE_MAX];     /* "mm/page_alloc.c", from the project's root; "" where it is not known */
    unsigned line;                  /* 0 where it is not known */
    bool is_function;
};

/* Looks up the function or object that holds address. The line of code is the one whose instruction starts at or before
 * address: for a return address ask for the byte before it, which is still the call. Code that was inlined is said to
 * be in the function it was inlined into, with the file and line of its own. Returns 0, or -ENOENT where no symbol
 * holds the address. */
MUST_CHECK int symbol_lookup(uint64_t address, struct symbol_location *location);

/* The address of the function or object with exactly this name; of several the lowest. Returns 0 or -ENOENT. Reads the
 * whole table: for the prompt, not for a hot path. */
MUST_CHECK int symbol_find(const char *name, uint64_t *address);

/* The name of the n-th symbol in address order, for completion. Returns 0, or -ENOENT past the last. */
MUST_CHECK int symbol_name(unsigned n, char name[SYMBOL_NAME_MAX]);
