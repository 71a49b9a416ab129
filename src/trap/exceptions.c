#include "exceptions.h"

#include <debug/backtrace.h>
#include <debug/log.h>

#define RFLAGS_TF (1u << 8)

static uint64_t read_dr6(void)
{
    uint64_t value;

    __asm__ volatile("mov %%dr6, %0" : "=r"(value));
    return value;
}

/* Its reserved bits read as ones (SDM 3B 17.2.3). */
static void clear_dr6(void)
{
    __asm__ volatile("mov %0, %%dr6" : : "r"((uint64_t)0xffff0ff0));
}

/* RIP is behind the int3: going on needs nothing. */
static void resume_breakpoint(const struct trap_frame *frame)
{
    char where[160];

    format_code_location(where, sizeof(where), frame->rip - 1, false);
    log_warn("trap: int3 at %s, going on", where);
}

/* Nobody debugs the kernel from inside: a stray single step or hardware breakpoint is told once and turned off. */
static void resume_debug(struct trap_frame *frame)
{
    char where[160];

    format_code_location(where, sizeof(where), frame->rip, false);
    log_warn("trap: debug exception at %s, dr6 0x%lx, going on", where, read_dr6());
    clear_dr6();
    frame->rflags &= ~(uint64_t)RFLAGS_TF;
}

bool exception_resume(struct trap_frame *frame)
{
    switch (frame->vector) {
    case VECTOR_BREAKPOINT:
        resume_breakpoint(frame);
        return true;
    case VECTOR_DEBUG:
        resume_debug(frame);
        return true;
    default:
        return false;
    }
}
