/* What the register layer must not compile: register.cmake gives each line and the compiler's words for it. */
#include <dev/register.h>

struct block {
    reg16 control;
    const reg32 status;
};

void misuse(struct block *block, uint32_t *out);

void misuse(struct block *block, uint32_t *out)
{
    *out = register_read(&block->status) + register_read(&block->control);
    register_write(&block->control, 1);
    MISUSE;
}
