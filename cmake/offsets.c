/* Structure offsets and constants for assembly. Never linked: it is compiled to assembly text, and cmake/offsets.cmake
 * turns the marked strings into offsets.inc. */
#include <base/layout.h>
#include <cpu/percpu.h>

#define CONSTANT(name, value)         __asm__ volatile(".ascii \"@@" #name " %0\"" : : "i"((int64_t)(value)))
#define OFFSET(name, type, member)    CONSTANT(name, offsetof(type, member))
#define PERCPU_OFFSET(name, member)   CONSTANT(name, PERCPU_LINK_BASE + offsetof(struct percpu, member))

void offsets(void);
void offsets(void)
{
    CONSTANT(KERNEL_BASE_ADDRESS, KERNEL_BASE);
    CONSTANT(KERNEL_LINK_PHYSICAL_ADDRESS, KERNEL_LINK_PHYSICAL);
    CONSTANT(PHYSMAP_BASE_ADDRESS, PHYSMAP_BASE);
    CONSTANT(KERNEL_STACK_BYTES, KERNEL_STACK_SIZE);
    CONSTANT(PERCPU_LINK_BASE_ADDRESS, PERCPU_LINK_BASE);
    PERCPU_OFFSET(PERCPU_SELF, self);
    PERCPU_OFFSET(PERCPU_SCRATCH, scratch);
}
