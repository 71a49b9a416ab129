#include <debug/bench.h>
#include <sync/spinlock.h>

static struct spinlock lock = SPINLOCK_INITIALIZER("bench");

KERNEL_BENCH(spinlock_irqsave, 10000)
{
    bench_start();
    for (uint64_t i = 0; i < iterations; i++) {
        uint64_t flags = spinlock_lock_irqsave(&lock);

        spinlock_unlock_irqrestore(&lock, flags);
    }
    bench_stop();
}
