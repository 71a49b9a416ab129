/* The host is position independent: this shadows include/cpu/code_address.h in unit tests and fuzzers. */
#pragma once

#define CODE_ADDRESS() __builtin_return_address(0)

#define STORE_CODE_ADDRESS(variable) ((variable) = __builtin_return_address(0))
