#include <debug/bench.h>
#include <sync/spinlock.h>

static struct spinlock lock = SPINLOCK_INITIALIZER("bench");

KERNEL_BENCH(spinlock_irqsave, 10000)
{
    bench_start();
    while (iterations-- > 0) {
        uint64_t flags = spinlock_lock_irqsave(&lock);

        spinlock_unlock_irqrestore(&lock, flags);
    }
    bench_stop();
}
