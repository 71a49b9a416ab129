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
  EXPECT "FINDING: a text is read beyond its end")
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

set(virtqueue drivers/virtio/virtqueue.c drivers/virtio/split.c drivers/virtio/packed.c boot/report.c)
foreach(format IN ITEMS split packed)
  fuzz_test(virtqueue_${format} MAX_LENGTH 512 HARNESS fuzz_virtqueue_${format}.c virtqueue_device.c KERNEL ${virtqueue})
  fuzz_plant(virtqueue_${format} id SOURCE drivers/virtio/virtqueue.c
    FROM "if (id >= queue->config.size)" TO "if (id > queue->config.size + 1u)"
    EXPECT "use-after-poison|not in flight|free list")
  fuzz_plant(virtqueue_${format} twice SOURCE drivers/virtio/virtqueue.c
    FROM "if (chain->token == NULL)" TO "if (chain->nr_descriptors == 0)"
    EXPECT "not in flight")
  fuzz_plant(virtqueue_${format} length SOURCE drivers/virtio/virtqueue.c
    FROM "chain->writable_bytes && !queue->config.is_legacy)"
    TO "chain->writable_bytes && queue->config.is_legacy)"
    EXPECT "not checked but cut")
  fuzz_plant(virtqueue_${format} table_lost SOURCE drivers/virtio/virtqueue.c
    FROM "queue->free_table = table;" TO "(void)table;"
    EXPECT "tables, not")
  fuzz_plant(virtqueue_${format} not_anew SOURCE drivers/virtio/virtqueue.c
    FROM "memset(ring, 0, layout.ring_bytes);" TO ""
    EXPECT "an honest device is accused|started anew|a wish is not heard|a completion is not seen")
endforeach()
fuzz_plant(virtqueue_split accused SOURCE drivers/virtio/split.c
  FROM "> queue->nr_in_flight)" TO ">= queue->nr_in_flight)"
  EXPECT "an honest device is accused")
fuzz_plant(virtqueue_split table SOURCE drivers/virtio/split.c
  FROM "last = queue->chains[last].next;" TO "last = ((struct virtq_desc *)queue->descriptors)[last].next;"
  EXPECT "use-after-poison|SEGV|free list")
fuzz_plant(virtqueue_split index SOURCE drivers/virtio/split.c
  FROM "> queue->nr_in_flight)" TO "> queue->config.size)"
  EXPECT "a lying index was believed")
fuzz_plant(virtqueue_packed slots SOURCE drivers/virtio/packed.c
  FROM "uint16_t nr = queue->chains[id].nr_descriptors;"
  TO "uint16_t nr = slot_at(queue, queue->next_used)->flags & VIRTQ_DESC_NEXT ? 2 : 1;"
  EXPECT "descriptors in a ring of")

fuzz_test(acpi_tables MAX_LENGTH 2048 HARNESS fuzz_acpi_tables.c fuzz_log.c ../unit/support/plain_heap.c
  KERNEL drivers/acpi/table.c drivers/acpi/table_set.c drivers/acpi/rsdp.c drivers/acpi/fadt.c drivers/acpi/madt.c
         boot/report.c)
fuzz_plant(acpi_tables length SOURCE drivers/acpi/table_set.c
  FROM "if (header.length < sizeof(header) || header.length > ACPI_TABLE_BYTES_MAX)"
  TO "if (header.length > ACPI_TABLE_BYTES_MAX)"
  EXPECT "heap-buffer-overflow|integer overflow|SEGV")
fuzz_plant(acpi_tables entry SOURCE drivers/acpi/madt.c
  FROM "if (header.length < sizeof(header) || header.length > madt->length - *cursor)"
  TO "if (header.length < sizeof(header))"
  EXPECT "heap-buffer-overflow|the walk left the table")
fuzz_plant(acpi_tables checksum SOURCE drivers/acpi/table_set.c
  FROM "else if (acpi_sum(&table->header, header.length) != 0)" TO "else if (header.length == 0)"
  EXPECT "wrong checksum was kept")

fuzz_test(aml MAX_LENGTH 512 HARNESS fuzz_aml.c ../unit/support/plain_heap.c
  KERNEL drivers/acpi/aml.c drivers/acpi/aml_term.c drivers/acpi/aml_sleep.c boot/report.c)
fuzz_plant(aml length SOURCE drivers/acpi/aml_term.c
  FROM "if (length < reader->at - start || length > reader->end - start)" TO "if (length < reader->at - start)"
  EXPECT "buffer-overflow|an object outside the block")
fuzz_plant(aml depth SOURCE drivers/acpi/aml.c
  FROM "if (walk->nr_blocks == AML_DEPTH_MAX) {" TO "if (walk->nr_blocks == AML_DEPTH_MAX + 1) {"
  EXPECT "out of bounds|buffer-overflow")
fuzz_plant(aml path SOURCE drivers/acpi/aml.c
  FROM "path->depth - name.nr_parents + name.nr_segments > AML_DEPTH_MAX)" TO "false)"
  EXPECT "a path of|out of bounds|buffer-overflow|not a valid value|SEGV")

fuzz_test(aml_names MAX_LENGTH 512 HARNESS fuzz_aml_names.c ../unit/support/plain_heap.c
  KERNEL drivers/acpi/aml.c drivers/acpi/aml_term.c drivers/acpi/aml_sleep.c drivers/acpi/aml_namespace.c
         drivers/acpi/aml_value.c drivers/acpi/aml_pci.c drivers/acpi/resource.c src/lib/rbtree.c boot/report.c)
fuzz_plant(aml_names endless SOURCE drivers/acpi/aml_value.c
  FROM "if (reading->terms_left == 0 || reading->nested == NESTED_MAX)" TO "if (reading->terms_left == 0 && reading->nested == NESTED_MAX)"
  EXPECT "stack-overflow|libFuzzer: timeout" HANG_SECONDS 5)
fuzz_plant(aml_names package SOURCE drivers/acpi/aml_value.c
  FROM "if (op == AML_PACKAGE ? !aml_take(&inside, 1) : !aml_skip_terms(&inside, 1))"
  TO "if (op == AML_PACKAGE ? inside.at++ > UINT32_MAX - 1 : !aml_skip_terms(&inside, 1))"
  EXPECT "a value outside the block|buffer-overflow|SEGV|underflow")
fuzz_plant(aml_names descriptor SOURCE drivers/acpi/resource.c
  FROM "if (size > left - head)" TO "if (size > left + 64)"
  EXPECT "buffer-overflow|the walk goes from")
fuzz_plant(aml_names wrap SOURCE drivers/acpi/resource.c
  FROM "return length != 0 && base <= UINT64_MAX - length;" TO "return length != 0;"
  EXPECT "a range that wraps")
fuzz_plant(aml_names bus SOURCE drivers/acpi/aml_pci.c
  FROM "resource.base + resource.length <= UINT8_MAX + 1u)" TO "resource.base <= UINT8_MAX)"
  EXPECT "buses [0-9]+ to [0-9]+")

fuzz_test(pci_capabilities MAX_LENGTH 1024 HARNESS fuzz_pci_capabilities.c fuzz_log.c
  KERNEL drivers/pci/capability.c drivers/pci/config.c boot/report.c)
fuzz_plant(pci_capabilities circle SOURCE drivers/pci/capability.c
  FROM "steps < (PCI_CONFIG_BYTES - PCI_CAPABILITY_FIRST) / ENTRY_BYTES" TO "steps < UINT32_MAX"
  EXPECT "libFuzzer: timeout" HANG_SECONDS 5)
fuzz_plant(pci_capabilities space SOURCE drivers/pci/config.c
  FROM "if (offset > bus->config_bytes - bytes)" TO "if (offset > bus->config_bytes + 4096)"
  EXPECT "outside the space")

fuzz_test(partition MAX_LENGTH 32768 HARNESS fuzz_partition.c
  KERNEL src/dev/partition.c src/dev/partition_gpt.c src/dev/partition_mbr.c src/lib/crc32.c boot/report.c)
fuzz_plant(partition range SOURCE src/dev/partition.c
  FROM "partition->nr_sectors > disk->nr_sectors - partition->first_sector)" TO "partition->nr_sectors > disk->nr_sectors)"
  EXPECT "a partition beyond the disk")
fuzz_plant(partition overlap SOURCE src/dev/partition.c
  FROM "before->first_sector + before->nr_sectors <= partition->first_sector" TO "before->first_sector <= partition->first_sector"
  EXPECT "partitions overlap")
fuzz_plant(partition array SOURCE src/dev/partition_gpt.c
  FROM "|| nr_sectors > disk->nr_sectors - first)" TO ")"
  EXPECT "read beyond the disk|heap-buffer-overflow")
fuzz_plant(partition header SOURCE src/dev/partition_gpt.c
  FROM "header->header_size <= sector_bytes;" TO "header->header_size <= 16 * sector_bytes;"
  EXPECT "heap-buffer-overflow")
fuzz_plant(partition loop SOURCE src/dev/partition_mbr.c
  FROM "n < CHAIN_MAX; n++" TO "n < CHAIN_MAX * 1024; n++"
  EXPECT "reads without end")
