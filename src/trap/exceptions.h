#pragma once

#include <base/types.h>
#include <cpu/trap_frame.h>

/* Deals with the exceptions after which kernel code goes on: breakpoint and debug. Returns false for all others. */
bool exception_resume(struct trap_frame *frame);
