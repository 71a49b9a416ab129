/* Nothing here may take an exception: its return would let the next NMI in, on the same stack. */
#include "nmi.h"

#include <cpu/io.h>
#include <cpu/registers.h>
#include <debug/report.h>
#include <smp/where.h>
#include <trap/counters.h>
#include <watchdog/watchdog.h>

/* NMI status and control register (Intel ICH9 datasheet 13.7.1). */
#define NMI_STATUS   0x61
#define STATUS_SERR  0x80
#define STATUS_IOCHK 0x40

static uint64_t nr_nmis; /* [a] */

uint64_t trap_nmi_count(void)
{
    return __atomic_load_n(&nr_nmis, __ATOMIC_RELAXED);
}

static const char *nmi_source(uint8_t status)
{
    if (status & STATUS_SERR)
        return "NMI: system error (SERR#) on the PCI bus";
    if (status & STATUS_IOCHK)
        return "NMI: I/O channel check";
    return "NMI: from outside (monitor, watchdog or button)";
}

void nmi_handle(struct trap_frame *frame)
{
    if (smp_answer_nmi(frame) || watchdog_answer_nmi(frame))
        return;
    report_notice(&(struct report){.frame = frame, .cr2 = read_cr2(), .class_words = nmi_source(in8(NMI_STATUS))});
    __atomic_add_fetch(&nr_nmis, 1, __ATOMIC_RELAXED);
}
