/* What must hold for every boot information a parser accepts. */
#pragma once

#include <boot/boot_info.h>

/* Ends the fuzzer with a finding where something does not hold. */
void check_boot_info(const struct boot_info *info);
