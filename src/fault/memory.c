/* Accesses that page tables forbid. */
#include <base/errno.h>
#include <mm/kmalloc.h>
#include <mm/vmalloc.h>

#include "fault.h"

#define CODE_RET 0xc3

static const uint64_t read_only_words[2] = {CODE_RET, 1};
static uint64_t data_words[2] = {CODE_RET, 1};

FAULT(null_read, 1, "NULL pointer read")
{
    return (int)fault_read(opaque_pointer((void *)8));
}

FAULT(null_write, 2, "NULL pointer write")
{
    fault_write(opaque_pointer((void *)16), 1);
    return 0;
}

FAULT(null_jump, 3, "NULL pointer jump")
{
    fault_call(opaque_pointer(NULL));
    return 0;
}

FAULT(write_rodata, 4, "write to read-only .rodata")
{
    fault_write(opaque_pointer(&read_only_words[1]), 2);
    return 0;
}

FAULT(write_text, 5, "write to read-only .text")
{
    fault_write(opaque_pointer((const void *)(uintptr_t)fault_read), 2);
    return 0;
}

FAULT(execute_data, 6, "execute of non-executable .data")
{
    fault_call(opaque_pointer(data_words));
    return 0;
}

FAULT(execute_stack, 7, "execute of non-executable stack")
{
    uint64_t code[2] = {CODE_RET, 1};

    fault_call(opaque_pointer(code));
    return 0;
}

FAULT(execute_heap, 8, "execute of non-executable heap")
{
    uint64_t *code = kmalloc(64, ALLOC_NORMAL);

    if (!code)
        return -ENOMEM;
    code[0] = CODE_RET;
    fault_call(opaque_pointer(code));
    kfree(code);
    return 0;
}

FAULT(execute_vmalloc, 9, "execute of non-executable vmalloc")
{
    uint64_t *code = vmalloc(64, ALLOC_NORMAL);

    if (!code)
        return -ENOMEM;
    code[0] = CODE_RET;
    fault_call(opaque_pointer(code));
    vfree(code);
    return 0;
}

FAULT(execute_rodata, 10, "execute of non-executable .rodata")
{
    fault_call(opaque_pointer(read_only_words));
    return 0;
}
