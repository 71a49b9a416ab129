set(boot_parsers boot/boot_info_check.c boot/memory_map.c boot/report.c boot/text.c)

unit_test(memory_map SOURCES test_memory_map.c support/boot_notes.c KERNEL ${boot_parsers})
unit_test(command_line SOURCES test_command_line.c support/boot_notes.c
  KERNEL boot/command_line.c boot/command_line_options.c boot/report.c)
foreach(test IN ITEMS multiboot2 multiboot2_memory multiboot2_framebuffer)
  unit_test(${test} SOURCES test_${test}.c support/multiboot2_builder.c support/boot_notes.c
    KERNEL boot/multiboot2.c boot/multiboot2_framebuffer.c boot/multiboot2_memory.c ${boot_parsers}
    DEFINITIONS "DUMPS=\"${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/multiboot2\"")
endforeach()
unit_test(pvh SOURCES test_pvh.c support/boot_notes.c KERNEL boot/pvh.c ${boot_parsers}
  DEFINITIONS "DUMPS=\"${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/pvh\"")
