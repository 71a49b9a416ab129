set(boot_parsers boot/boot_info_check.c boot/memory_map.c boot/report.c boot/text.c)

unit_test(memory_map SOURCES test_memory_map.c support/boot_notes.c KERNEL ${boot_parsers})
unit_test(command_line SOURCES test_command_line.c support/boot_notes.c
  KERNEL boot/command_line.c boot/command_line_options.c boot/report.c)
unit_test(multiboot2 SOURCES test_multiboot2.c support/boot_notes.c
  KERNEL boot/multiboot2.c boot/multiboot2_framebuffer.c boot/multiboot2_memory.c ${boot_parsers})
unit_test(pvh SOURCES test_pvh.c support/boot_notes.c KERNEL boot/pvh.c ${boot_parsers})
