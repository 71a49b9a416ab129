/* src/sched/hand_over.h: a CPU goes from who wakes another thread straight to that one, by a key; and beside that the
 * longer ways, which have to forget the hand-over (wait.c, schedule.c, arrive.c, affinity.c, slice.c, spread.c,
 * run_queue.c; T1 to T5 of thread_internal.h). Two CPUs, and three threads that announce waits, sleep, are woken by
 * anybody at any moment and more than once, are preempted, moved and stolen, change their policy and end. One of them
 * runs on and on instead.
 *
 * A thread runs on one CPU at most, where it may be, and is in one queue at most. Who is woken runs again: it is not
 * left off every queue, nor behind somebody who never waits. Who is handed over sleeps, where it is handed, with the
 * weight of who runs, and nobody else waits there, then or when it begins to run.
 *
 * The functions are the source's. What is done under a run queue's lock is one step, so there are neither locks nor
 * store buffers here: run_queue_hand_over.pml and sleep_wake.pml have what is looked at without the lock, and the order
 * of two. The code takes hand-overs only while threads are not spread over CPUs, the model always, which is more. Left
 * out besides: virtual time (which fair thread goes first is anybody's choice; nobody is owed anything), the
 * FPU, yields, which are as preemptions, and balance_move, which moves as steal_move does. It starts where two threads
 * have woken each other before. */
#define CPUS    2
#define THREADS 3
#define NOBODY  THREADS

/* Policies: a fair thread of one weight, of another, and a FIFO thread, which goes before both. */
#define LIGHT 1
#define HEAVY 2
#define FIFO  3

#define HAND_NOBODY             0
#define HAND_TAKES_NOBODY       255
#define HAND_KEY(queue, thread) ((queue) * 4 + policy[thread])

#define BIT(n) (1 << (n))

mtype = {OUT, QUEUED, RUNNING}
mtype = {STAYS, WAITS}
mtype = {EFFECT_NONE, EFFECT_TIMER, EFFECT_PREEMPT}

/* [q] of the queue of `at` */
mtype entity[THREADS] = OUT;
byte at[THREADS]; /* thread->cpu */
byte hand_key[THREADS] = HAND_NOBODY;
byte policy[THREADS] = LIGHT;
byte affinity[THREADS] = 3; /* bit n: CPU n */
bool is_announced[THREADS]; /* waiting.state is THREAD_HAS_BEGUN_WAIT; looked at without the lock, too */
bool moves[THREADS];        /* leaves is THREAD_MOVES */

/* [q] */
byte running[CPUS] = NOBODY; /* the idle thread runs */
byte handed[CPUS] = NOBODY;
byte takes_key[CPUS] = HAND_TAKES_NOBODY;
byte queued[CPUS]; /* bit n: thread n is in the queue of its class */

/* [c] The CPU is to look whom to run; its slice's timer is set. */
bool is_requested[CPUS];
bool is_timed[CPUS];

/* [o] */
bool is_waiting[THREADS]; /* between thread_wait_begin and the end of the wait */
byte waits_left[THREADS];
bool is_over[THREADS];

/* Of the proof. */
byte nr_on_stack[THREADS];
byte nr_owners[THREADS]; /* T4: while it is in transit */
bool can_change = true;

#define IS_FAIR(thread)        (policy[thread] != FIFO)
#define HAS_WAITING(queue)     (queued[queue] != 0 || handed[queue] != NOBODY)
#define RUNS_FAIR(queue)       (running[queue] != NOBODY && IS_FAIR(running[queue]))
#define RUNS_FIFO(queue)       (running[queue] != NOBODY && !IS_FAIR(running[queue]))
#define IS_QUEUED(queue, n)    ((queued[queue] & BIT(n)) != 0)
#define MAY_RUN(thread, queue) ((affinity[thread] & BIT(queue)) != 0)

/* ---- hand_over.h and run_queue.c ---- */

inline hand_forget(thread)
{
    hand_key[thread] = HAND_NOBODY
}

inline hand_note_leaving(queue, thread)
{
    if
    :: IS_FAIR(thread) -> hand_key[thread] = HAND_KEY(queue, thread)
    :: else -> hand_forget(thread)
    fi
}

inline insert(queue, thread)
{
    assert(entity[thread] == OUT && at[thread] == queue);
    hand_forget(thread);
    entity[thread] = QUEUED;
    queued[queue] = queued[queue] | BIT(thread)
}

inline run_queue_settle(queue)
{
    takes_key[queue] = HAND_TAKES_NOBODY;
    if
    :: handed[queue] != NOBODY ->
        entity[handed[queue]] = OUT;
        insert(queue, handed[queue]);
        handed[queue] = NOBODY
    :: else
    fi
}

inline effect_of(queue, thread)
{
    if
    :: running[queue] == NOBODY -> effect = EFFECT_PREEMPT
    :: RUNS_FIFO(queue) -> effect = EFFECT_NONE
    :: RUNS_FAIR(queue) && !IS_FAIR(thread) -> effect = EFFECT_PREEMPT
    :: RUNS_FAIR(queue) && IS_FAIR(thread) -> effect = EFFECT_PREEMPT
    :: RUNS_FAIR(queue) && IS_FAIR(thread) -> effect = (had_waiting -> EFFECT_NONE : EFFECT_TIMER)
    fi
}

inline run_queue_add(queue, thread)
{
    had_waiting = HAS_WAITING(queue);
    run_queue_settle(queue);
    insert(queue, thread);
    effect_of(queue, thread);
    had_waiting = false
}

inline run_queue_remove(queue, thread)
{
    run_queue_settle(queue);
    assert(entity[thread] == QUEUED && IS_QUEUED(queue, thread));
    queued[queue] = queued[queue] & ~BIT(thread);
    entity[thread] = OUT
}

/* Leaves in `next` one who is queued, and nobody goes before. */
#define IS_FIFO_QUEUED(n) (IS_QUEUED(cpu, n) && !IS_FAIR(n))
#define HAS_FIFO          (IS_FIFO_QUEUED(0) || IS_FIFO_QUEUED(1) || IS_FIFO_QUEUED(2))
#define IS_NEXT(n)        (IS_QUEUED(cpu, n) && (!IS_FAIR(n) || !HAS_FIFO))
inline choose()
{
    if
    :: IS_NEXT(0) -> next = 0
    :: IS_NEXT(1) -> next = 1
    :: IS_NEXT(2) -> next = 2
    :: queued[cpu] == 0 -> next = NOBODY
    fi
}

inline start()
{
    running[cpu] = next;
    if
    :: next != NOBODY ->
        queued[cpu] = queued[cpu] & ~BIT(next);
        entity[next] = RUNNING
    :: else
    fi
}

inline run_queue_next(departure)
{
    run_queue_settle(cpu);
    if
    :: running[cpu] == NOBODY
    :: running[cpu] != NOBODY && departure == WAITS ->
        entity[running[cpu]] = OUT;
        hand_note_leaving(cpu, running[cpu])
    :: running[cpu] != NOBODY && departure != WAITS ->
        entity[running[cpu]] = QUEUED;
        queued[cpu] = queued[cpu] | BIT(running[cpu])
    fi;
    choose();
    start()
}

inline run_queue_hand_over()
{
    next = handed[cpu];
    assert(queued[cpu] == 0 && entity[next] == QUEUED);
    takes_key[cpu] = hand_key[next];
    hand_key[previous] = takes_key[cpu];
    entity[previous] = OUT;
    handed[cpu] = NOBODY;
    hand_forget(next);
    start()
}

inline run_queue_try_hand_over(thread)
{
    if
    :: hand_key[thread] != takes_key[cpu]
    :: else ->
        assert(entity[thread] == OUT && at[thread] == cpu && is_announced[thread]);
        assert(!HAS_WAITING(cpu) && policy[thread] == policy[running[cpu]] && MAY_RUN(thread, cpu));
        takes_key[cpu] = HAND_TAKES_NOBODY;
        handed[cpu] = thread;
        entity[thread] = QUEUED
    fi
}

inline run_queue_expect_slice_end()
{
    if
    :: RUNS_FAIR(cpu) && !HAS_WAITING(cpu) && is_timed[cpu] -> takes_key[cpu] = HAND_KEY(cpu, running[cpu])
    :: else
    fi
}

/* Of any CPU's queue, by who reads run times or balances. */
inline run_queue_account(queue)
{
    if
    :: running[queue] != NOBODY -> run_queue_settle(queue)
    :: else
    fi
}

/* ---- wait.c and arrive.c ---- */

/* cpu_queue_unlock_and_tell */
inline tell(queue)
{
    if
    :: effect == EFFECT_PREEMPT || (effect == EFFECT_TIMER && queue != cpu) -> is_requested[queue] = true
    :: effect == EFFECT_TIMER && queue == cpu -> is_timed[cpu] = true
    :: effect == EFFECT_NONE
    fi;
    effect = EFFECT_NONE
}

/* T4: from here on this CPU puts it into a queue. */
inline own(thread)
{
    assert(entity[thread] == OUT && nr_owners[thread] == 0);
    nr_owners[thread]++;
    mine = thread
}

/* It was found waiting. Where the lock is taken, too, `woken` is still to be woken. */
inline thread_wake(thread)
{
    woken = thread;
    if
    :: true
    :: true -> run_queue_try_hand_over(thread); /* thread_try_hand_over_irq_off */
        if
        :: handed[cpu] == thread -> is_announced[thread] = false; woken = NOBODY
        :: else
        fi
    fi
}

inline rouse()
{
    if
    :: MAY_RUN(woken, at[woken]) -> run_queue_add(at[woken], woken); tell(at[woken])
    :: hand_forget(woken); own(woken) /* goes to another CPU */
    fi
}

inline thread_wake_long()
{
    atomic {
        if
        :: is_announced[woken] ->
            is_announced[woken] = false;
            if
            :: entity[woken] == OUT -> rouse()
            :: else
            fi
        :: else
        fi;
        woken = NOBODY
    }
}

/* One round of its loop, under the lock of the queue where the thread is. */
inline thread_arrive()
{
    atomic {
        if
        :: MAY_RUN(mine, at[mine]) ->
            nr_owners[mine]--;
            run_queue_add(at[mine], mine);
            tell(at[mine]);
            mine = NOBODY
        :: MAY_RUN(mine, 1 - at[mine]) -> at[mine] = 1 - at[mine]
        fi
    }
}

/* ---- schedule.c and spread.c ---- */

#define IS_STEALABLE(n) (IS_QUEUED(1 - cpu, n) && MAY_RUN(n, cpu))
inline spread_steal()
{
    run_queue_settle(1 - cpu);
    if
    :: IS_STEALABLE(0) -> next = 0
    :: IS_STEALABLE(1) -> next = 1
    :: IS_STEALABLE(2) -> next = 2
    :: else
    fi;
    if
    :: next != NOBODY ->
        run_queue_remove(1 - cpu, next);
        at[next] = cpu;
        run_queue_add(cpu, next);
        effect = EFFECT_NONE;
        run_queue_next(STAYS)
    :: else
    fi
}

inline choose_next(departure)
{
    run_queue_next(departure);
    if
    :: next == NOBODY -> spread_steal()
    :: true /* the other CPU's lock is taken, or somebody is next */
    fi
}

inline thread_switch()
{
    if
    :: previous == next
    :: else ->
        if
        :: previous != NOBODY -> nr_on_stack[previous]--
        :: else
        fi;
        if
        :: next != NOBODY ->
            assert(nr_on_stack[next] == 0 && nr_owners[next] == 0 && MAY_RUN(next, cpu));
            nr_on_stack[next]++
        :: else
        fi
    fi
}

/* It is in transit, and woken for nothing where it has announced a wait. */
inline thread_begin_transit(thread)
{
    is_announced[thread] = false;
    moves[thread] = false;
    own(thread)
}

inline switch_specially(departure)
{
    if
    :: departure == WAITS && handed[cpu] != NOBODY -> run_queue_hand_over()
    :: else -> choose_next(WAITS)
    fi;
    hand_forget(previous);
    if
    :: departure != WAITS && moves[previous] -> thread_begin_transit(previous)
    :: else -> moves[previous] = false
    fi
}

inline switch_plainly(departure)
{
    if
    :: departure == WAITS && handed[cpu] != NOBODY -> run_queue_hand_over()
    :: else -> choose_next(departure)
    fi
}

/* One step: the queue's lock is held all along. The timer is set after it was given back, which nobody sees. */
inline schedule_locked(departure)
{
    is_requested[cpu] = false;
    previous = running[cpu];
    if
    :: previous != NOBODY && (moves[previous] || is_over[previous]) -> switch_specially(departure)
    :: else -> switch_plainly(departure)
    fi;
    thread_switch();
    if
    :: takes_key[cpu] == HAND_TAKES_NOBODY -> run_queue_expect_slice_end()
    :: else
    fi;
    if
    :: HAS_WAITING(cpu) && RUNS_FAIR(cpu) -> is_timed[cpu] = true
    :: else
    fi;
    previous = 0;
    next = 0
}

/* ---- affinity.c, priority.c, slice.c ---- */

/* Away from where it is. */
inline thread_set_affinity(thread)
{
    affinity[thread] = BIT(1 - at[thread]);
    hand_forget(thread);
    if
    :: entity[thread] == RUNNING -> moves[thread] = true; is_requested[at[thread]] = true
    :: entity[thread] == QUEUED ->
        run_queue_remove(at[thread], thread);
        thread_begin_transit(thread)
    :: entity[thread] == OUT
    fi
}

inline run_queue_set_policy(thread, to)
{
    if
    :: entity[thread] != OUT -> run_queue_settle(at[thread])
    :: else
    fi;
    had_waiting = (queued[at[thread]] != 0);
    policy[thread] = to;
    hand_forget(thread);
    if
    :: entity[thread] == QUEUED -> effect_of(at[thread], thread)
    :: entity[thread] == RUNNING && RUNS_FAIR(at[thread]) && had_waiting -> effect = EFFECT_TIMER
    :: else
    fi;
    had_waiting = false;
    tell(at[thread])
}

inline slice_over()
{
    run_queue_account(cpu);
    is_timed[cpu] = false;
    if
    :: RUNS_FAIR(cpu) && queued[cpu] != 0 -> is_requested[cpu] = true
    :: else -> assert(!RUNS_FAIR(cpu) || !HAS_WAITING(cpu))
    fi
}

/* ---- */

#define SELF running[cpu]

/* thread_wake has looked whether it waits; who posts a semaphore has not, and relies on the key. */
#define CAN_WAKE(thread) (is_announced[thread] || hand_key[thread] == takes_key[cpu])

/* The thread that runs. */
inline thread_goes_on()
{
    if
    :: waits_left[SELF] > 0 && !is_waiting[SELF] -> /* thread_wait_begin */
        waits_left[SELF]--;
        is_waiting[SELF] = true;
        is_announced[SELF] = true
    :: is_waiting[SELF] -> /* thread_wait_irq_off */
        is_waiting[SELF] = false;
        if
        :: is_announced[SELF] -> schedule_locked(WAITS)
        :: else /* woken meanwhile: T3 */
        fi
    :: waits_left[SELF] == 0 && !is_waiting[SELF] && SELF != 0 -> /* schedule_for_ever */
        is_over[SELF] = true;
        moves[SELF] = false;
        schedule_locked(WAITS)
    fi
}

#define CAN_GO_ON \
    (SELF != NOBODY && (waits_left[SELF] > 0 || is_waiting[SELF] || SELF != 0))

/* With interrupts on, one of what may come next. Leaves in `woken` whom thread_wake has found waiting. */
inline anything()
{
    if
    :: CAN_GO_ON -> thread_goes_on()
    :: is_requested[cpu] -> schedule_locked(STAYS) /* sched_interrupt_exit */
    :: is_timed[cpu] -> slice_over()
    :: takes_key[1 - cpu] != HAND_TAKES_NOBODY -> run_queue_account(1 - cpu)
    :: can_change -> can_change = false; run_queue_set_policy(1, HEAVY)
    :: can_change -> can_change = false; run_queue_set_policy(2, FIFO)
    :: can_change -> can_change = false; thread_set_affinity(0)
    :: can_change -> can_change = false; thread_set_affinity(1)
    :: CAN_WAKE(0) -> thread_wake(0)
    :: CAN_WAKE(1) -> thread_wake(1)
    :: CAN_WAKE(2) -> thread_wake(2)
    fi
}

proctype processor(byte cpu)
{
    byte woken = NOBODY, mine = NOBODY, previous, next;
    bool had_waiting;
    mtype effect = EFFECT_NONE;

end:
    do
    :: atomic { anything() };
        do /* interrupts off */
        :: woken != NOBODY -> thread_wake_long()
        :: mine != NOBODY -> thread_arrive()
        :: else -> break
        od
    od
}

init
{
    atomic {
        entity[0] = RUNNING;
        running[0] = 0;
        nr_on_stack[0] = 1;
        is_timed[0] = true;
        is_announced[1] = true; /* it sleeps, and has a key */
        hand_key[1] = HAND_KEY(0, 1);
        takes_key[0] = HAND_KEY(0, 0);
        is_announced[2] = true; /* sleeps on the other CPU */
        at[2] = 1;
        waits_left[0] = 1;
        waits_left[1] = 1;
        run processor(0);
        run processor(1)
    };
    timeout -> /* nothing more can happen */
    assert(is_over[1] && is_over[2])
}
