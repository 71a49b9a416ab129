/* src/sched/wait.c: a thread that announces a wait, looks at what it waits for and goes to sleep, on CPU 0; who makes
 * that true and wakes it, on CPU 1; and, on CPU 2, a deadline's timer that wakes it for nothing. Steps W1 to W3 and K1
 * to K3 are the source's. No wake-up is lost: a waiter that sleeps for ever is a state without an end. A thread is put
 * into the run queue only while it sleeps, and once.
 *
 * Left out: which run queue it is (run_queue_hand_over.pml), and preemption between the steps, which changes nothing:
 * the thread stays in the queue. */
#define CPUS      3
#define LOCATIONS 3

#define CONDITION  0 /* how many rounds have been made true */
#define WAIT_STATE 1
#define LOCK       2 /* of the run queue */

#define AWAKE 0
#define WAITS 1

#define ROUNDS 2

#include "x86_tso.pml"

/* [LOCK] struct sched_entity's state: RUNNING stands for QUEUED too. */
mtype = {RUNNING, OUT}
mtype entity = RUNNING;

inline queue_lock()
{
    atomic {
        fence(cpu);
        memory[LOCK] == 0;
        memory[LOCK] = 1
    }
}

inline queue_unlock()
{
    atomic {
        fence(cpu);
        memory[LOCK] = 0
    }
}

/* thread_wait_irq_off */
inline sleep_until_woken()
{
    queue_lock();
    if
    :: LOAD(cpu, WAIT_STATE) == WAITS ->
        entity = OUT;
        queue_unlock();
        entity == RUNNING
    :: else -> queue_unlock()
    fi
}

proctype waiter(byte cpu)
{
    byte round = 1;

    do
    :: round > ROUNDS -> break
    :: else ->
        atomic {
            fence(cpu); /* the exchange in thread_wait_begin: W1 and W2 */
            memory[WAIT_STATE] = WAITS
        };
        if
        :: LOAD(cpu, CONDITION) >= round -> /* W3 */
            round++;
            store(cpu, WAIT_STATE, AWAKE) /* thread_wait_end */
        :: else -> sleep_until_woken()
        fi
    od
}

/* Its locked subtraction is K2. */
inline thread_wake_irq_off()
{
    queue_lock();
    if
    :: LOAD(cpu, WAIT_STATE) == AWAKE /* K3 */
    :: else ->
        store(cpu, WAIT_STATE, AWAKE);
        if
        :: entity == OUT -> run_queue_add()
        :: else
        fi
    fi;
    queue_unlock()
}

inline thread_wake()
{
    fence(cpu); /* K2 */
    if
    :: LOAD(cpu, WAIT_STATE) == AWAKE /* K3 */
    :: else -> thread_wake_irq_off()
    fi
}

inline run_queue_add()
{
    atomic {
        assert(entity == OUT);
        entity = RUNNING
    }
}

proctype waker(byte cpu)
{
    byte round = 1;

    do
    :: round > ROUNDS -> break
    :: else ->
        store(cpu, CONDITION, round); /* K1 */
        if
        :: thread_wake()
        :: thread_wake_irq_off()
        fi;
        round++
    od
}

proctype timer(byte cpu)
{
    thread_wake();
    thread_wake()
}

init
{
    atomic {
        run store_buffer_drain(0);
        run store_buffer_drain(1);
        run store_buffer_drain(2);
        run waiter(0);
        run waker(1);
        run timer(2)
    };
    atomic {
        ALL_ENDED;
        assert(entity == RUNNING)
    }
}
