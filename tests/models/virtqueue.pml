/* drivers/virtio: a split ring of two descriptors between a driver on CPU 0 and a device on CPU 1: who owns a descriptor, and that
 * neither side sleeps on work. The driver adds REQUESTS chains of one descriptor, each with a buffer of its own content; its
 * completion side runs when an interrupt came, over and over as virtqueue.h says. The device sleeps until notified.
 *
 * The packed ring's wake-ups are the same protocol: the flags of the slot stand where the index stands here, the event word where
 * the event stands. Event indices are compared by their distance, as virtqueue_passes; indices are bytes and start at 253, so that
 * they wrap. Left out: chains of several descriptors and their tables, which are written before the index as the one is. */
#define CPUS      2
#define SIZE      2
#define REQUESTS  4
#define LOCATIONS (4 + 4 * SIZE)

#define AVAIL_INDEX 0
#define USED_EVENT  1 /* the driver's: interrupt me when you pass this */
#define USED_INDEX  2
#define AVAIL_EVENT 3 /* the device's: notify me when you pass this */
#define AVAIL(n)    (4 + (n) % SIZE)
#define USED(n)     (4 + SIZE + (n) % SIZE)
#define DESC(n)     (4 + 2 * SIZE + (n))
#define BUFFER(n)   (4 + 3 * SIZE + (n))

#define FIRST 253
#define DONE  128 /* what the device adds to a buffer's content */

/* virtqueue_passes, in bytes. */
#define PASSES(event, new, old) (((new - event - 1) & 255) < ((new - old) & 255))

#include "x86_tso.pml"

/* Of the proof. */
bool is_with_device[SIZE]; /* from add to reap */
byte nr_reaped;
bool has_interrupt, has_notification; /* lines that stay up until they are looked at */

#define DRIVER 0
#define DEVICE 1

inline notify()
{
    /* An access to a device's register waits for the stores before it. */
    atomic { fence(DRIVER); has_notification = true }
}

/* virtqueue_add, then virtqueue_must_notify. */
inline add()
{
    atomic {
        id = (is_free[0] -> 0 : 1);
        is_free[id] = false;
        assert(!is_with_device[id]);
        is_with_device[id] = true
    };
    store(DRIVER, BUFFER(id), nr_added + 1);
    store(DRIVER, DESC(id), nr_added + 1);
    store(DRIVER, AVAIL(next_avail), id);
    store(DRIVER, AVAIL_INDEX, (next_avail + 1) & 255);
    d_step { next_avail = (next_avail + 1) & 255; nr_added++; content[id] = nr_added };
    fence(DRIVER); /* must_notify */
    event = LOAD(DRIVER, AVAIL_EVENT);
    if
    :: PASSES(event, next_avail, ((next_avail - 1) & 255)) -> notify()
    :: else
    fi;
    d_step { id = 0; event = 0 }
}

/* virtqueue_reap: one, if there is one. */
inline reap()
{
    id = LOAD(DRIVER, USED(next_used));
    answer = LOAD(DRIVER, BUFFER(id));
    d_step {
        assert(is_with_device[id]);              /* V1: back once */
        assert(answer == content[id] + DONE);    /* with its own answer */
        is_with_device[id] = false;
        is_free[id] = true;
        nr_reaped++;
        next_used = (next_used + 1) & 255;
        id = 0; answer = 0
    }
}

inline handle()
{
    do
    :: limit = LOAD(DRIVER, USED_INDEX);
        do
        :: next_used != limit -> reap()
        :: else -> break
        od;
        /* virtqueue_enable_interrupts */
        store(DRIVER, USED_EVENT, next_used);
        fence(DRIVER); /* enable_interrupts */
        limit = LOAD(DRIVER, USED_INDEX);
        if
        :: limit == next_used -> break
        :: else
        fi
    od;
    limit = 0
}

/* Submission and completion alternate, as under the queue's lock; a full ring waits for an interrupt. */
proctype driver()
{
    byte id, event, next_avail = FIRST, next_used = FIRST, nr_added, answer, limit;
    byte content[SIZE];
    bool is_free[SIZE];

    is_free[0] = true; is_free[1] = true;
    do
    :: nr_added < REQUESTS && (is_free[0] || is_free[1]) -> add()
    :: has_interrupt -> has_interrupt = false; handle()
    :: nr_added == REQUESTS && nr_reaped == REQUESTS -> break
    od
}

inline take_and_return()
{
    head = LOAD(DEVICE, AVAIL(taken));
    value = LOAD(DEVICE, DESC(head));
    assert(is_with_device[head]);
    assert(LOAD(DEVICE, BUFFER(head)) == value); /* the descriptor and its buffer are of one request */
    store(DEVICE, BUFFER(head), value + DONE);
    store(DEVICE, USED(taken), head);
    store(DEVICE, USED_INDEX, (taken + 1) & 255);
    taken = (taken + 1) & 255;
    fence(DEVICE); /* must_interrupt */
    wish = LOAD(DEVICE, USED_EVENT);
    if
    :: PASSES(wish, taken, ((taken - 1) & 255)) -> atomic { fence(DEVICE); has_interrupt = true }
    :: else
    fi;
    d_step { head = 0; value = 0; wish = 0 }
}

proctype device()
{
    byte head, value, wish, shown, taken = FIRST;

end:
    do
    :: has_notification ->
        has_notification = false;
        do
        :: shown = LOAD(DEVICE, AVAIL_INDEX);
            assert(((shown - taken) & 255) <= SIZE);
            if
            :: shown != taken -> take_and_return()
            :: else ->
                /* goes to sleep */
                store(DEVICE, AVAIL_EVENT, taken);
                fence(DEVICE); /* sleep */
                shown = LOAD(DEVICE, AVAIL_INDEX);
                if
                :: shown == taken -> break
                :: else
                fi
            fi
        od;
        shown = 0
    od
}

init {
    atomic {
        memory[AVAIL_INDEX] = FIRST; memory[USED_INDEX] = FIRST;
        memory[USED_EVENT] = FIRST; memory[AVAIL_EVENT] = FIRST;
        run store_buffer_drain(0); run store_buffer_drain(1);
        run driver(); run device()
    };
    nr_reaped == REQUESTS;
    assert(!is_with_device[0] && !is_with_device[1])
}
