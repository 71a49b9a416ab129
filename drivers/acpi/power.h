/* Power-off and reset through ACPI. */
#pragma once

#include <base/types.h>

/* Reads \_S5, maps the registers and registers with cpu/reset.h. Context: init, once, after the tables. */
void acpi_power_init(void);

/* The values of \_S5; false where it is not known. Context: any. */
bool acpi_sleep_types(uint8_t *type_a, uint8_t *type_b);
