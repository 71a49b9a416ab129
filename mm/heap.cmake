kernel_module(heap SOURCES
  fail_inject.c
  heap_describe.c
  heap_design_slab.c
  heap_fault.c
  heap_trace.c
  kmalloc.c
  kmalloc_large.c
  slab.c
  slab_audit.c
  slab_cache.c
  slab_check.c
  slab_list.c
  slab_magazine.c
  slab_scrub.c)
