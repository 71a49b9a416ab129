/* Words for what the processor reports: vectors, error codes, flags. Pure C. */
#pragma once

#include <base/types.h>

/* "#PF" and "page fault"; "#15" and "reserved" where SDM 3A table 6-1 has none. vector is below 32. */
const char *exception_mnemonic(uint64_t vector);
const char *exception_name(uint64_t vector);
bool exception_has_error_code(uint64_t vector);

/* Every bit of an error code by name, then the sense in words: "P=0 W=1 ...: write to a page that is not present". */
void format_error_code(char *buffer, size_t size, uint64_t vector, uint64_t error_code);

/* The set bits by name: "ZF IF", "PE WP PG", "NXE LMA". */
void format_rflags(char *buffer, size_t size, uint64_t rflags);
void format_cr0(char *buffer, size_t size, uint64_t cr0);
void format_cr4(char *buffer, size_t size, uint64_t cr4);
void format_efer(char *buffer, size_t size, uint64_t efer);
