/* Where the running code is, as one instruction: no call, no register. Context: any. */
#pragma once

/* The address behind the instruction that loads it, a const void *. */
#define CODE_ADDRESS()                                              \
    ({                                                              \
        const void *code_address_;                                  \
        __asm__ volatile("movq $1f, %0\n1:" : "=r"(code_address_)); \
        code_address_;                                              \
    })

/* Stores the address behind this very store into variable, a const void *. */
#define STORE_CODE_ADDRESS(variable) __asm__ volatile("movq $1f, %0\n1:" : "=m"(variable))
