set(heap_pages mm/page_alloc.c mm/buddy.c mm/page_array.c mm/audit_report.c)
set(heap_slab mm/slab.c mm/slab_cache.c mm/slab_list.c mm/slab_magazine.c mm/slab_check.c mm/slab_scrub.c mm/slab_audit.c
    mm/kmalloc.c mm/kmalloc_large.c mm/heap_fault.c mm/heap_describe.c mm/heap_design_slab.c mm/fail_inject.c)
set(heap_support support/host_memory.c support/heap_host.c)

unit_test(slab SOURCES test_slab.c ${heap_support} KERNEL ${heap_slab} ${heap_pages})
unit_test(slab_release SOURCES test_slab.c ${heap_support} KERNEL ${heap_slab} ${heap_pages} RELEASE)
unit_test(heap_interrupted SOURCES test_heap_interrupted.c ${heap_support} KERNEL ${heap_slab} ${heap_pages}
          DEFINITIONS UNIT_INTERRUPTS=1)
unit_test(quarantine SOURCES test_quarantine.c ${heap_support} KERNEL mm/quarantine.c ${heap_slab} ${heap_pages}
          DEFINITIONS UNIT_INTERRUPTS=1 CONFIG_KASAN=1)
unit_test(rbtree SOURCES test_rbtree.c KERNEL src/lib/rbtree.c)
unit_test(vmalloc SOURCES test_vmalloc.c ${heap_support}
          KERNEL mm/vmalloc.c mm/vm_area.c mm/stack.c src/debug/known_stacks.c src/lib/rbtree.c ${heap_slab} ${heap_pages})
unit_test(tlsf SOURCES test_tlsf.c ${heap_support} KERNEL mm/tlsf.c mm/tlsf_heap.c ${heap_slab} ${heap_pages})
