/* Where the running code is, as one instruction: no call, no register. Context: any. */
#pragma once

/* Stores the address behind this very store into variable, a const void *. */
#define STORE_CODE_ADDRESS(variable) __asm__ volatile("movq $1f, %0\n1:" : "=m"(variable))
