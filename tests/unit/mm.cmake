unit_test(boot_alloc SOURCES test_boot_alloc.c KERNEL mm/boot_alloc.c)
unit_test(buddy SOURCES test_buddy.c support/host_memory.c KERNEL mm/buddy.c mm/page_array.c mm/audit_report.c)
unit_test(page_alloc SOURCES test_page_alloc.c support/host_memory.c
          KERNEL mm/page_alloc.c mm/fail_inject.c mm/buddy.c mm/page_array.c mm/audit_report.c)
unit_test(page_table SOURCES test_page_table.c support/host_memory.c
          KERNEL mm/page_table.c mm/page_walk.c mm/fail_inject.c mm/page_alloc.c mm/buddy.c mm/page_array.c mm/audit_report.c)
unit_test(tlb SOURCES test_tlb.c)
unit_test(paging SOURCES test_paging.c support/host_memory.c
          KERNEL mm/paging.c mm/page_table.c mm/page_walk.c mm/fail_inject.c mm/page_alloc.c mm/buddy.c mm/page_array.c mm/audit_report.c)
unit_test(ram SOURCES test_ram.c KERNEL mm/ram.c)
