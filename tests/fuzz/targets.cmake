# The fuzzers, and for each the bugs it must find.

set(boot_parsers boot/boot_info_check.c boot/memory_map.c boot/report.c boot/text.c)

fuzz_test(multiboot2 MAX_LENGTH 8192 HARNESS fuzz_multiboot2.c check_boot_info.c
  KERNEL boot/multiboot2.c boot/multiboot2_framebuffer.c boot/multiboot2_memory.c ${boot_parsers})
fuzz_plant(multiboot2 tag_size SOURCE boot/multiboot2.c
  FROM "if (tag.size < sizeof(tag) || tag.size > total_size - offset) {" TO "if (tag.size < sizeof(tag)) {"
  EXPECT "(heap-buffer-overflow|SEGV)[^#]*#0 [^#]* in read_tags")
fuzz_plant(multiboot2 endless SOURCE boot/multiboot2.c
  FROM "if (tag.size < sizeof(tag) || tag.size > total_size - offset) {" TO "if (tag.size > total_size - offset) {"
  EXPECT "libFuzzer: timeout.* in read_tags" HANG_SECONDS 2)
fuzz_plant(multiboot2 entry_size SOURCE boot/multiboot2_memory.c
  FROM "if (entry_size < entry_size_min) {" TO "if (entry_size == entry_size_min + 1) {"
  EXPECT "division by zero|heap-buffer-overflow|SEGV")
fuzz_plant(multiboot2 pitch SOURCE boot/multiboot2_framebuffer.c
  FROM "wire->pitch >= wire->width * bytes_per_cell &&" TO "wire->pitch >= bytes_per_cell &&"
  EXPECT "framebuffer rows do not fit")

fuzz_test(pvh MAX_LENGTH 4096 HARNESS fuzz_pvh.c check_boot_info.c KERNEL boot/pvh.c ${boot_parsers})
fuzz_plant(pvh text SOURCE boot/pvh.c
  FROM "while (length < size && !is_whole &&" TO "while (!is_whole &&"
  EXPECT "buffer-overflow|out of bounds")
fuzz_plant(pvh modules SOURCE boot/pvh.c
  FROM "if (out->nr_modules == BOOT_MODULES_MAX) {" TO "if (out->nr_modules == UINT32_MAX) {"
  EXPECT "out of bounds|buffer-overflow")

fuzz_test(command_line MAX_LENGTH 128 HARNESS fuzz_command_line.c
  KERNEL boot/command_line.c boot/command_line_options.c boot/report.c)
fuzz_plant(command_line copy SOURCE boot/command_line.c
  FROM "to[length < size ? length : size - 1] = '\\0';" TO "to[length] = '\\0';"
  EXPECT "heap-buffer-overflow")
fuzz_plant(command_line escape SOURCE boot/command_line.c
  FROM "if (c == '\\\\' && reader->quote != '\\'' && is_escapable(*reader->at))"
  TO "if (c == '\\\\' && reader->quote != '\\'' && (is_escapable(*reader->at) || *reader->at == '\\0'))"
  EXPECT "heap-buffer-overflow|stepped out of the line")

fuzz_test(memory_map MAX_LENGTH 128 HARNESS fuzz_memory_map.c KERNEL boot/memory_map.c boot/report.c)
fuzz_plant(memory_map priority SOURCE boot/memory_map.c
  FROM "if (range->kind >= kind)" TO "if (range->kind == kind)"
  EXPECT "the model has")
fuzz_plant(memory_map room SOURCE boot/memory_map.c
  FROM "while (map->capacity - map->count < 2)" TO "while (map->capacity - map->count < 1)"
  EXPECT "buffer-overflow")
