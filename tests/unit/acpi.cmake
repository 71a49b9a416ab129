unit_test(acpi_tables SOURCES test_acpi_tables.c support/acpi_builder.c support/plain_heap.c
  KERNEL drivers/acpi/table.c drivers/acpi/table_set.c drivers/acpi/rsdp.c drivers/acpi/fadt.c)
unit_test(acpi_decode SOURCES test_acpi_decode.c KERNEL drivers/acpi/table.c drivers/acpi/madt.c drivers/acpi/fadt.c)
unit_test(aml SOURCES test_aml.c support/plain_heap.c
  KERNEL drivers/acpi/aml.c drivers/acpi/aml_term.c drivers/acpi/aml_sleep.c)
