#include <cpu/exception_table.h>

#include <base/errno.h>

uint64_t exception_fixup_find(uint64_t rip)
{
    /* A handful of entries, looked at only after a fault: no need to sort. */
    for (const struct exception_fixup *fixup = __table_exceptions_start; fixup < __table_exceptions_end; fixup++)
        if (fixup->fault_rip == rip)
            return fixup->resume_rip;
    return 0;
}

/* Byte by byte: an object at the end of the last mapped page is read as far as it goes. */
int read_safely(void *to, const void *from, size_t length)
{
    uint8_t *out = to;
    const uint8_t *in = from;

    for (size_t i = 0; i < length; i++) {
        int error = -EFAULT;
        uint8_t byte = 0;

        __asm__ volatile("1: movb (%2), %0\n"
                         "   xorl %1, %1\n"
                         "2:\n" EXCEPTION_TABLE_ENTRY("1b", "2b")
                         : "+q"(byte), "+r"(error)
                         : "r"(in + i)
                         : "memory");
        if (error)
            return error;
        out[i] = byte;
    }
    return 0;
}
