set(block_sources src/dev/block.c src/dev/block_partition.c src/dev/block_split.c src/dev/block_submit.c
    src/dev/block_wait.c src/dev/work.c src/dev/work_wait.c src/irq/activity.c tests/unit/support/no_threads.c src/dev/partition.c src/dev/partition_gpt.c src/dev/partition_mbr.c src/lib/crc32.c
    src/lib/error_name.c)

unit_test(block SOURCES test_block.c ../kernel/ram_disk.c support/plain_heap.c KERNEL ${block_sources})
unit_test(partition SOURCES test_partition.c support/partition_builder.c support/plain_heap.c
          KERNEL src/dev/partition.c src/dev/partition_gpt.c src/dev/partition_mbr.c src/lib/crc32.c)
