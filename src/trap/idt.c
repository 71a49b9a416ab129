#include "idt.h"

#include <base/assert.h>
#include <base/compiler.h>
#include <cpu/gdt.h>
#include <cpu/trap_frame.h>

/* SDM 3A figure 6-8. */
struct idt_gate {
    uint16_t offset_low;
    uint16_t selector;
    uint8_t ist;
    uint8_t type;
    uint16_t offset_middle;
    uint32_t offset_high;
    uint32_t reserved;
};
static_assert(sizeof(struct idt_gate) == 16, "SDM 3A figure 6-8");

struct PACKED idt_pointer {
    uint16_t limit;
    uint64_t base;
};
static_assert(sizeof(struct idt_pointer) == 10, "SDM 3A figure 2-6");

#define GATE_PRESENT_INTERRUPT 0x8e /* present, DPL 0, 64-bit interrupt gate: interrupts off on entry */
#define GATE_DPL_USER          0x60
#define TRAP_STUB_BYTES        16

extern const char trap_stubs[NR_VECTORS * TRAP_STUB_BYTES];

static struct idt_gate idt[NR_VECTORS] ALIGNED(16) READ_ONLY_AFTER_INIT;

static void gate_set(unsigned vector)
{
    uint64_t target = (uint64_t)(uintptr_t)&trap_stubs[vector * TRAP_STUB_BYTES];

    idt[vector] = (struct idt_gate){
        .offset_low = (uint16_t)target,
        /* the boot trampoline's GDT has kernel code there, too */
        .selector = SELECTOR_KERNEL_CODE,
        .type = GATE_PRESENT_INTERRUPT,
        .offset_middle = (uint16_t)(target >> 16),
        .offset_high = (uint32_t)(target >> 32),
    };
}

void idt_load(void)
{
    struct idt_pointer pointer = {.limit = sizeof(idt) - 1, .base = (uint64_t)(uintptr_t)idt};

    __asm__ volatile("lidt %0" : : "m"(pointer));
}

void idt_init(void)
{
    for (unsigned vector = 0; vector < NR_VECTORS; vector++)
        gate_set(vector);
    idt[VECTOR_BREAKPOINT].type |= GATE_DPL_USER; /* int3 is for everybody */
    idt_load();
}

void idt_set_ist(unsigned vector, unsigned ist)
{
    ASSERT(vector < NR_VECTORS && ist <= 7);
    idt[vector].ist = (uint8_t)ist;
}
