unit_test(cpu_list SOURCES test_cpu_list.c KERNEL src/smp/cpu_list.c drivers/acpi/madt.c)
unit_test(cpu_topology SOURCES test_cpu_topology.c KERNEL src/smp/topology.c)
unit_test(cpu_mask SOURCES test_cpu_mask.c)
unit_test(start_page SOURCES test_start_page.c KERNEL src/smp/start_page.c)
