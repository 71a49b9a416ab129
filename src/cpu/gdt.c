/* Segments and the task state segment: long mode wants them, and uses little of them. */
#include <cpu/gdt.h>

#include <base/assert.h>
#include <base/compiler.h>
#include <cpu/percpu.h>
#include <cpu/registers.h>

/* SDM 3A figure 8-11. */
struct tss {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t io_bitmap_offset;
} PACKED;
static_assert(sizeof(struct tss) == 104, "SDM 3A 8.7");

struct descriptor_pointer {
    uint16_t limit;
    uint64_t base;
} PACKED;

/* Access bytes and flags (SDM 3A 3.4.5, 5.2.1). */
#define DESCRIPTOR_KERNEL_CODE 0x00af9b000000ffff
#define DESCRIPTOR_KERNEL_DATA 0x00cf93000000ffff
#define DESCRIPTOR_USER_CODE32 0x00cffb000000ffff
#define DESCRIPTOR_USER_DATA   0x00cff3000000ffff
#define DESCRIPTOR_USER_CODE   0x00affb000000ffff
#define DESCRIPTOR_TSS         0x0000890000000000 /* available 64-bit TSS, present */

#define GDT_ENTRIES (SELECTOR_TSS / 8 + 2)

/* [c] */
static PER_CPU struct tss tss ALIGNED(16);
static PER_CPU uint64_t gdt[GDT_ENTRIES] ALIGNED(16);

static void gdt_set_tss(uint64_t *table, const struct tss *segment)
{
    uint64_t base = (uint64_t)segment, limit = sizeof(*segment) - 1;

    table[SELECTOR_TSS / 8] = DESCRIPTOR_TSS | limit | (base & 0xffffff) << 16 | (base >> 24 & 0xff) << 56;
    table[SELECTOR_TSS / 8 + 1] = base >> 32;
}

/* The far return takes CS from the new table; a null selector in FS and GS is what user space starts with. Writing GS
 * clears its base, so the base is put back. */
static void load_segments(const struct descriptor_pointer *pointer)
{
    uint64_t gs_base = rdmsr(MSR_GS_BASE);

    __asm__ volatile("lgdt %0\n\t"
                     "pushq %1\n\t"
                     "leaq 1f(%%rip), %%rax\n\t"
                     "pushq %%rax\n\t"
                     "lretq\n"
                     "1:\n\t"
                     "movl %2, %%eax\n\t"
                     "movl %%eax, %%ds\n\t"
                     "movl %%eax, %%es\n\t"
                     "movl %%eax, %%ss\n\t"
                     "xorl %%eax, %%eax\n\t"
                     "movl %%eax, %%fs\n\t"
                     "movl %%eax, %%gs\n\t"
                     "movl %3, %%ecx\n\t"
                     "movl %4, %%eax\n\t"
                     "movl %5, %%edx\n\t"
                     "wrmsr"
                     :
                     : "m"(*pointer), "i"(SELECTOR_KERNEL_CODE), "i"(SELECTOR_KERNEL_DATA), "i"(MSR_GS_BASE),
                       "r"((uint32_t)gs_base), "r"((uint32_t)(gs_base >> 32))
                     : "rax", "rcx", "rdx", "memory");
    __asm__ volatile("ltr %w0" : : "r"(SELECTOR_TSS));
}

__attribute__((no_stack_protector)) void gdt_init(void)
{
    uint64_t *table = *this_cpu_pointer(gdt);
    struct tss *segment = this_cpu_pointer(tss);
    struct descriptor_pointer pointer = {sizeof(gdt) - 1, (uint64_t)table};

    table[0] = 0;
    table[SELECTOR_KERNEL_CODE / 8] = DESCRIPTOR_KERNEL_CODE;
    table[SELECTOR_KERNEL_DATA / 8] = DESCRIPTOR_KERNEL_DATA;
    table[SELECTOR_USER_CODE32 / 8] = DESCRIPTOR_USER_CODE32;
    table[SELECTOR_USER_DATA / 8] = DESCRIPTOR_USER_DATA;
    table[SELECTOR_USER_CODE / 8] = DESCRIPTOR_USER_CODE;
    segment->io_bitmap_offset = sizeof(*segment); /* no port is open to user mode */
    gdt_set_tss(table, segment);
    load_segments(&pointer);
}

void tss_set_ist(unsigned ist, void *top)
{
    ASSERT(ist > IST_NONE && ist < IST_COUNT);
    this_cpu_pointer(tss)->ist[ist - 1] = (uint64_t)top;
}

void tss_set_kernel_stack(void *top)
{
    this_cpu_pointer(tss)->rsp[0] = (uint64_t)top;
}
