unit_test(acpi_tables SOURCES test_acpi_tables.c support/acpi_builder.c support/plain_heap.c
  KERNEL drivers/acpi/table.c drivers/acpi/table_set.c drivers/acpi/rsdp.c drivers/acpi/fadt.c)
unit_test(acpi_decode SOURCES test_acpi_decode.c KERNEL drivers/acpi/table.c drivers/acpi/madt.c drivers/acpi/fadt.c)
unit_test(aml SOURCES test_aml.c support/plain_heap.c
  KERNEL drivers/acpi/aml.c drivers/acpi/aml_term.c drivers/acpi/aml_sleep.c)
unit_test(aml_names SOURCES test_aml_names.c support/plain_heap.c
  KERNEL drivers/acpi/aml.c drivers/acpi/aml_term.c drivers/acpi/aml_sleep.c drivers/acpi/aml_namespace.c
         drivers/acpi/aml_value.c drivers/acpi/aml_pci.c drivers/acpi/resource.c src/lib/rbtree.c
  DEFINITIONS "DUMPS=\"${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/aml\"")
unit_test(acpi_resource SOURCES test_acpi_resource.c KERNEL drivers/acpi/resource.c)
