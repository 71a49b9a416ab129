/* src/sched, invariants T1 to T5 of thread_internal.h: one thread that runs, is preempted, sleeps, is woken, stolen,
 * pushed and moved, over the run queues of two CPUs. It is in one queue at most, runs on one CPU at most, and who
 * switches to it finds its registers as they were saved by who switched away from it last. Nobody waits for ever for a
 * lock.
 *
 * The CPUs' other threads are nothing here: a CPU without our thread is idle. Left out: what is
 * waited for, and that no wake-up is lost (sleep_wake.pml). */
#define CPUS      4
#define LOCATIONS 4

#define LOCK(queue) (queue) /* of the run queues of CPU 0 and 1 */
#define CPU_OF      2       /* thread->cpu */
#define SAVED       3       /* what thread_switch stored last: the number of the switch */

#define SWITCHES 3

#include "x86_tso.pml"

/* Of the thread, each under the lock of the queue it is at. */
mtype = {RUNNING, QUEUED, OUT}
mtype entity = RUNNING;
bool is_awake = true;

/* Of the proof. */
byte nr_on_stack = 1; /* CPUs */
byte nr_saved;
byte nr_owners; /* of the thread in transit */

inline lock(queue)
{
    atomic {
        fence(cpu);
        memory[LOCK(queue)] == 0;
        memory[LOCK(queue)] = 1
    }
}

inline unlock(queue)
{
    atomic {
        fence(cpu);
        memory[LOCK(queue)] = 0
    }
}

/* T1. Leaves the queue in `at`. */
inline thread_queue_lock()
{
    do
    :: at = LOAD(cpu, CPU_OF);
        lock(at);
        if
        :: LOAD(cpu, CPU_OF) == at -> break
        :: else -> unlock(at)
        fi
    od
}

/* T2: who comes next holds the lock that the switch was made under. Registers are saved by plain stores. */
inline switch_away()
{
    atomic {
        nr_saved++;
        store(cpu, SAVED, nr_saved)
    };
    nr_on_stack--; /* on the other thread's stack */
    unlock(cpu)
}

inline switch_to()
{
    entity = RUNNING;
    atomic {
        assert(LOAD(cpu, SAVED) == nr_saved);
        assert(nr_on_stack == 0);
        nr_on_stack++
    };
    unlock(cpu)
}

/* T3 and T4: who finds it OUT is its owner; it goes to the queue of a CPU of its own choice. */
inline thread_wake()
{
    thread_queue_lock();
    if
    :: is_awake -> unlock(at)
    :: else ->
        is_awake = true;
        if
        :: entity == OUT -> unlock(at); thread_arrive()
        :: else -> unlock(at)
        fi
    fi
}

inline thread_arrive()
{
    atomic {
        nr_owners++;
        assert(nr_owners == 1)
    };
    if
    :: to = 0
    :: to = 1
    fi;
    do
    :: thread_queue_lock();
        if
        :: at == to -> break
        :: else ->
            store(cpu, CPU_OF, to);
            unlock(at)
        fi
    od;
    atomic {
        assert(entity == OUT);
        entity = QUEUED;
        nr_owners--
    };
    unlock(at)
}

/* thread_set_affinity, of who wants a CPU that it may not use any more. */
inline thread_move()
{
    thread_queue_lock();
    if
    :: entity == QUEUED ->
        entity = OUT;
        is_awake = true; /* thread_begin_transit */
        unlock(at);
        thread_arrive()
    :: else -> unlock(at)
    fi
}

/* T5. */
inline steal(victim)
{
    lock(cpu);
    atomic {
        compare_exchange(cpu, LOCK(victim), expected, 1, is_locked);
        expected = 0
    };
    if
    :: is_locked ->
        if
        :: LOAD(cpu, CPU_OF) == victim && entity == QUEUED -> store(cpu, CPU_OF, me)
        :: else
        fi;
        unlock(victim)
    :: else
    fi;
    unlock(cpu)
}

/* T5: to the other CPU, both locks waited for. */
inline push(to)
{
    lock(0);
    lock(1);
    if
    :: LOAD(cpu, CPU_OF) == cpu && entity == QUEUED -> store(cpu, CPU_OF, to)
    :: else
    fi;
    unlock(1);
    unlock(0)
}

/* The thread, where it runs here, announces a wait, is preempted, or sleeps; the CPU, where it is queued here, switches to it. */
inline schedule()
{
    lock(cpu);
    if
    :: LOAD(cpu, CPU_OF) == cpu && entity == RUNNING && nr_saved < SWITCHES ->
        if
        :: is_awake -> is_awake = false; unlock(cpu) /* announces a wait */
        :: entity = QUEUED; switch_away()
        :: !is_awake -> entity = OUT; switch_away()
        fi
    :: LOAD(cpu, CPU_OF) == cpu && entity == QUEUED -> switch_to()
    :: else -> unlock(cpu)
    fi
}

proctype processor(byte cpu)
{
    byte expected;
    byte me = cpu, other = 1 - cpu;
    bool is_locked;

end:
    do
    :: LOAD(cpu, CPU_OF) == cpu && (entity == QUEUED || (entity == RUNNING && nr_saved < SWITCHES)) ->
        schedule()
    :: entity == QUEUED && LOAD(cpu, CPU_OF) != cpu -> steal(other)
    :: entity == QUEUED && LOAD(cpu, CPU_OF) == cpu -> push(other)
    od
}

/* On further CPUs: both wake the thread whenever it sleeps, and one moves it once. */
proctype waker(byte cpu; bool may_move)
{
    byte at, to;

end:
    do
    :: !is_awake -> thread_wake()
    :: may_move && entity == QUEUED -> may_move = false; thread_move()
    od
}

init
{
    atomic {
        run store_buffer_drain(0);
        run store_buffer_drain(1);
        run store_buffer_drain(2);
        run store_buffer_drain(3);
        run processor(0);
        run processor(1);
        run waker(2, false);
        run waker(3, true)
    };
    timeout -> /* nothing more can happen */
    assert(entity == RUNNING && nr_saved == SWITCHES && nr_on_stack == 1)
}
