/* heap_init: the steps, in the order they need each other. */
#include <base/layout.h>
#include <mm/heap_audit.h>
#include <mm/init.h>
#include <mm/paging.h>

#include "kmalloc_init.h"
#include "quarantine.h"
#include "tlsf_internal.h"
#include "vm_area.h"

INIT int heap_init(void)
{
    int error = kmalloc_init();

    if (!error)
        error = vm_area_init(); /* areas are slab objects */
    if (!error)
        error = quarantine_init();
    if (!error)
        error = paging_set_guard(vaddr(VMALLOC_BASE)); /* nobody's, see vm_area.c */
    if (error)
        return error;
    tlsf_init(); /* holds nothing until a benchmark or test uses it */
    audit_register(&heap_audit);
    audit_register(&vmalloc_audit);
    return 0;
}
