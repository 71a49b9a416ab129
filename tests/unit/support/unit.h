/* What every unit test includes: cmocka with what it needs, and catching of the kernel's own last words. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* True when running the statement ends in assert_fail, panic or list_corrupted; unit_last_words then holds the message.
 */
extern jmp_buf *unit_catch;
extern char unit_last_words[512];

#define UNIT_ENDS_KERNEL(statement)   \
    ({                                \
        jmp_buf unit_jump_;           \
        volatile int unit_ended_ = 0; \
        unit_catch = &unit_jump_;     \
        if (setjmp(unit_jump_) == 0)  \
            statement;                \
        else                          \
            unit_ended_ = 1;          \
        unit_catch = NULL;            \
        unit_ended_;                  \
    })
