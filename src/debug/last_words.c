/* Stands in until the reports land. */
#include <base/assert.h>
#include <lib/list.h>
#include <sync/spinlock.h>

void assert_fail(const char *expression, const char *file, int line, const char *function)
{
    (void)expression, (void)file, (void)line, (void)function;
    for (;;)
        __asm__ volatile("cli; hlt");
}

void spinlock_recursion(const struct spinlock *lock, const void *first_taken_at, const void *taken_again_at)
{
    (void)lock, (void)first_taken_at, (void)taken_again_at;
    for (;;)
        __asm__ volatile("cli; hlt");
}

NORETURN void __stack_chk_fail(void);
void __stack_chk_fail(void)
{
    for (;;)
        __asm__ volatile("cli; hlt");
}
