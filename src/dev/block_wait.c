/* Requests as calls that wait: an interrupt completes the request, or the work that takes the device away. */
#include <base/align.h>
#include <base/assert.h>
#include <base/errno.h>
#include <cpu/interrupts.h>
#include <cpu/percpu.h>
#include <dev/work.h>
#include <mm/page_array.h>
#include <mm/paging.h>
#include <sched/sched.h>
#include <sched/thread.h>
#include <smp/ipi.h>

#include "block_internal.h"

#define BATCH_SEGMENTS    32u          /* on the stack: 128 KiB from memory that is scattered page by page */
#define SEGMENT_BYTES_MAX (1ull << 30) /* whole pages of any size, and it fits 32 bits */

/* Who waits for one request. A disk answers soon: so the first step is to halt as the running thread, until the first
 * interrupt, which as a rule is the answer; only then the thread sleeps.
 *
 * `state` goes from AWAKE to HALTED and back, or to SLEEPING, by the waiter, and from any of them to DONE, once, by who
 * completes: what it was then says whom to wake, and how. All in exchanges, so that neither misses the other. */
struct block_waiter {
    uint32_t state;        /* [a] */
    struct thread *thread; /* [I] the waiter; while SLEEPING referenced, until it was woken */
};

enum { WAITER_AWAKE, WAITER_DONE, WAITER_SLEEPING, WAITER_HALTED /* on CPU state - WAITER_HALTED */ };

/* The waiter may return as soon as it is DONE, and waiter and request with it. */
static void note_done(struct block_request *request)
{
    struct block_waiter *waiter = request->context;
    struct thread *thread = waiter->thread;
    uint32_t before = __atomic_exchange_n(&waiter->state, WAITER_DONE, __ATOMIC_ACQ_REL);

    if (LIKELY(before == WAITER_HALTED + this_cpu_read(percpu.cpu_number)) || before == WAITER_AWAKE)
        return; /* this interrupt has ended the halt */
    if (before == WAITER_SLEEPING) {
        (void)thread_wake(thread);
        thread_put(thread);
        return;
    }
    ipi_reschedule(before - WAITER_HALTED);
}

static bool is_done(const void *context)
{
    /* Pairs with the exchange in note_done: the result is seen with it. */
    return __atomic_load_n(&((const struct block_waiter *)context)->state, __ATOMIC_ACQUIRE) == WAITER_DONE;
}

static void poll_once(struct block_device *disk)
{
    disk->operations->poll(disk);
    if (thread_current())
        thread_yield();
    else
        work_run();
}

void block_wait_until(struct block_device *device, bool (*is_done_now)(const void *context), const void *context)
{
    struct block_device *disk = device->whole ? device->whole : device;

    ASSERT(irqs_are_enabled());
    while (!is_done_now(context)) {
        if (disk->operations->poll)
            poll_once(disk);
        else
            work_wait(is_done_now, context);
    }
}

/* False when it is done. */
static bool change_state(struct block_waiter *waiter, uint32_t from, uint32_t to)
{
    return __atomic_compare_exchange_n(&waiter->state, &from, to, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

static void halt_once(struct block_waiter *waiter)
{
    uint32_t halted;

    irq_disable();
    halted = WAITER_HALTED + this_cpu_read(percpu.cpu_number);
    if (change_state(waiter, WAITER_AWAKE, halted)) {
        (void)sched_halt_here();
        (void)change_state(waiter, halted, WAITER_AWAKE);
    }
    irq_enable();
}

static NOINLINE void sleep_until_done(struct block_device *device, struct block_waiter *waiter)
{
    (void)thread_get(waiter->thread);
    if (!change_state(waiter, WAITER_AWAKE, WAITER_SLEEPING)) {
        thread_put(waiter->thread);
        return;
    }
    for (;;) {
        thread_wait_begin(WAIT_BLOCK, device);
        if (is_done(waiter))
            break;
        (void)thread_wait_until(UINT64_MAX);
    }
    thread_wait_end();
}

static void wait_for(struct block_device *device, struct block_waiter *waiter)
{
    struct block_device *disk = device->whole ? device->whole : device;

    if (UNLIKELY(!waiter->thread || disk->operations->poll)) {
        block_wait_until(device, is_done, waiter);
        return;
    }
    assert_may_sleep();
    halt_once(waiter);
    if (UNLIKELY(!is_done(waiter)))
        sleep_until_done(device, waiter);
}

static NO_CANARY int execute(struct block_device *device, struct block_request *request,
                             void (*submit)(struct block_device *device, struct block_request *request))
{
    struct block_waiter waiter = {.thread = thread_current()};

    request->complete = note_done;
    request->context = &waiter;
    submit(device, request);
    if (!is_done(&waiter))
        wait_for(device, &waiter);
    return request->result;
}

int block_execute(struct block_device *device, struct block_request *request)
{
    return execute(device, request, block_submit);
}

int block_execute_unchecked(struct block_device *device, struct block_request *request)
{
    return execute(device, request, device->operations->submit);
}

/* Most memory is RAM in the physmap: its addresses are known without a walk through the page tables. */
static bool gather_physmap(vaddr_t memory, uint64_t length_bytes, struct block_segment *segment)
{
    const void *pointer = vaddr_to_pointer(memory);

    if (length_bytes > SEGMENT_BYTES_MAX || !physmap_holds(pointer, length_bytes))
        return false;
    *segment = (struct block_segment){physmap_to_phys(pointer), (uint32_t)length_bytes};
    return true;
}

/* The physical memory behind length_bytes at memory, as far as BATCH_SEGMENTS go. Returns the bytes, or an error. */
static int64_t gather(vaddr_t memory, uint64_t length_bytes, struct block_segment *segments, unsigned *nr_segments)
{
    uint64_t done = 0;

    *nr_segments = 0;
    while (done < length_bytes) {
        struct block_segment *last = *nr_segments ? &segments[*nr_segments - 1] : NULL;
        vaddr_t at = vaddr_add(memory, done);
        struct mapping mapping;
        uint64_t offset, length;
        paddr_t base;

        if (paging_lookup(at, &mapping) < 0)
            return -EFAULT;
        offset = at.value - mapping.base.value;
        length = mapping.page_size.bytes - offset;
        if (length > length_bytes - done)
            length = length_bytes - done;
        base = paddr_add(mapping.physical, offset);
        if (last && last->base.value + last->length_bytes == base.value &&
            last->length_bytes + length <= SEGMENT_BYTES_MAX)
            last->length_bytes += (uint32_t)length;
        else if (*nr_segments < BATCH_SEGMENTS)
            segments[(*nr_segments)++] = (struct block_segment){base, (uint32_t)length};
        else
            break;
        done += length;
    }
    return (int64_t)done;
}

/* Cuts the batch to whole sectors. */
static uint64_t cut_to_sectors(struct block_segment *segments, unsigned *nr_segments, uint64_t length_bytes,
                               uint32_t sector_bytes)
{
    uint64_t excess = length_bytes & (sector_bytes - 1);

    length_bytes -= excess;
    while (excess != 0) {
        struct block_segment *last = &segments[*nr_segments - 1];
        uint32_t step = excess < last->length_bytes ? (uint32_t)excess : last->length_bytes;

        excess -= step;
        last->length_bytes -= step;
        if (last->length_bytes == 0)
            --*nr_segments;
    }
    return length_bytes;
}

/* Memory that is not all in the physmap: in as many requests as its pieces take. */
static NOINLINE int transfer_pieces(struct block_device *device, enum block_operation operation, uint64_t sector,
                                    vaddr_t memory, size_t length_bytes)
{
    uint32_t sector_bytes = device->limits.logical_block_bytes;
    struct block_segment segments[BATCH_SEGMENTS];

    while (length_bytes != 0) {
        struct block_request request = {.operation = operation, .sector = sector, .segments = segments};
        int64_t batch = gather(memory, length_bytes, segments, &request.nr_segments);
        int error;

        if (batch < 0)
            return (int)batch;
        batch = (int64_t)cut_to_sectors(segments, &request.nr_segments, (uint64_t)batch, sector_bytes);
        error = block_execute(device, &request);
        if (error < 0)
            return error;
        sector += (uint64_t)batch >> log2_floor(sector_bytes);
        memory = vaddr_add(memory, (uint64_t)batch);
        length_bytes -= (size_t)batch;
    }
    return 0;
}

static NO_CANARY int transfer(struct block_device *device, enum block_operation operation, uint64_t sector,
                              vaddr_t memory, size_t length_bytes)
{
    struct block_request request;
    struct block_segment segment;

    if (length_bytes == 0 || (length_bytes & (device->limits.logical_block_bytes - 1)) != 0)
        return -EINVAL;
    if (UNLIKELY(!gather_physmap(memory, length_bytes, &segment)))
        return transfer_pieces(device, operation, sector, memory, length_bytes);
    /* Field by field: nobody reads the others of a read or write before they are written. */
    request.operation = operation;
    request.flags = 0;
    request.sector = sector;
    request.segments = &segment;
    request.nr_segments = 1;
    return block_execute(device, &request);
}

int block_read(struct block_device *device, uint64_t sector, void *to, size_t length_bytes)
{
    return transfer(device, BLOCK_READ, sector, vaddr_of(to), length_bytes);
}

int block_write(struct block_device *device, uint64_t sector, const void *from, size_t length_bytes)
{
    return transfer(device, BLOCK_WRITE, sector, vaddr_of(from), length_bytes);
}

int block_set_write_back(struct block_device *device, bool write_back)
{
    struct block_device *disk = device->whole ? device->whole : device;

    if (!disk->operations->set_write_back)
        return -ENOTSUP;
    return __atomic_load_n(&disk->is_gone, __ATOMIC_ACQUIRE) ? -ENODEV
                                                             : disk->operations->set_write_back(disk, write_back);
}

int block_flush(struct block_device *device)
{
    struct block_request request = {.operation = BLOCK_FLUSH};

    return block_execute(device, &request);
}

int block_discard(struct block_device *device, uint64_t sector, uint64_t nr_sectors)
{
    struct block_request request = {.operation = BLOCK_DISCARD, .sector = sector, .nr_sectors = nr_sectors};

    return block_execute(device, &request);
}

int block_write_zeroes(struct block_device *device, uint64_t sector, uint64_t nr_sectors)
{
    struct block_request request = {.operation = BLOCK_WRITE_ZEROES, .sector = sector, .nr_sectors = nr_sectors};

    return block_execute(device, &request);
}
