/* src/debug/console.c: who drains the log to the consoles, C1 to C3. Three CPUs, or two and an interrupt on one of
 * them; each logs a record or writes prompt output. The lock's holder brings one console up to date.
 *
 * A number is taken in the ring at once and its record completed later (log_ring.pml has the ring). When all are done,
 * every record must have been shown, once and in order; who waits for ever is found as a state that cannot end. Left
 * out: a second console, and the panic (C4), which stops the other CPUs. */
#define CPUS      3
#define RECORDS   3
#define LOCATIONS (4 + RECORDS + 1)

#define LOCK_OWNER  0
#define NR_WAITING  1
#define DRAINED     2
#define POSITION    3         /* of the console */
#define COMPLETE(s) (4 + (s)) /* record s is; behind the last one stays 0 */

#define MINE (cpu + 1)

#include "x86_tso.pml"

/* Of the proof, not of the kernel. */
byte next; /* the ring's */
byte nr_shown;
bool is_held;

inline log_ring_write()
{
    atomic {
        fence(cpu);
        sequence = next;
        next++
    };
    atomic {
        store(cpu, COMPLETE(sequence), 1);
        sequence = 0
    }
}

inline try_lock()
{
    atomic {
        compare_exchange(cpu, LOCK_OWNER, expected, MINE, is_mine);
        expected = 0;
        if
        :: is_mine -> assert(!is_held); is_held = true
        :: else
        fi
    }
}

inline unlock()
{
    atomic {
        is_held = false;
        is_mine = false;
        store(cpu, LOCK_OWNER, 0)
    }
}

inline drain_one()
{
    atomic {
        if
        :: LOAD(cpu, COMPLETE(position)) == 0 -> break
        :: else
        fi
    };
    atomic {
        assert(position == nr_shown); /* each record once, in order */
        nr_shown++;
        position++;
        store(cpu, POSITION, position)
    }
}

/* The holder; at_least as in the source. */
inline drain(at_least)
{
    position = LOAD(cpu, POSITION);
    do
    :: position < at_least -> drain_one()
    :: position >= at_least ->
        atomic {
            if
            :: LOAD(cpu, NR_WAITING) > 0 -> break
            :: else
            fi
        };
        drain_one()
    od;
    atomic {
        store(cpu, DRAINED, position);
        position = 0
    }
}

inline console_flush()
{
    do
    :: atomic {
            fence(cpu); /* has_undrained */
            position = LOAD(cpu, DRAINED)
        };
        atomic {
            if
            :: LOAD(cpu, COMPLETE(position)) == 0 -> break
            :: else -> position = 0
            fi
        };
        atomic {
            if
            :: LOAD(cpu, NR_WAITING) > 0 -> break
            :: else
            fi
        };
        try_lock();
        if
        :: !is_mine -> break
        :: else
        fi;
        drain(0);
        unlock()
    od;
    position = 0
}

/* is_mine: false where this CPU is the owner (C3). A thread may have to make way for another, once. */
inline wait_lock()
{
    fetch_add(cpu, NR_WAITING, 1);
    do
    :: try_lock();
        if
        :: is_mine -> break
        :: else
        fi;
        if
        :: may_make_way ->
            may_make_way = false;
            fetch_add(cpu, NR_WAITING, -1);
            fetch_add(cpu, NR_WAITING, 1)
        :: true
        fi;
        if
        :: LOAD(cpu, LOCK_OWNER) == MINE -> break
        :: LOAD(cpu, LOCK_OWNER) == 0
        fi
    od;
    fetch_add(cpu, NR_WAITING, -1)
}

inline log_write()
{
    log_ring_write();
    console_flush()
}

inline console_write()
{
    wait_lock();
    if
    :: is_mine ->
        at_least = next;
        drain(at_least);
        at_least = 0;
        unlock();
        console_flush()
    :: else -> log_write()
    fi
}

proctype context(byte cpu) provided (!is_interrupted[cpu])
{
    byte sequence, expected, position, at_least;
    bool is_mine, may_make_way = true;

    if
    :: log_write()
    :: console_write()
    fi
}

/* Comes at any time, or after everything else, and runs to its end before the CPU goes on. */
proctype interrupt(byte cpu)
{
    byte sequence, expected, position, at_least;
    bool is_mine, may_make_way;

    is_interrupted[cpu] = true;
    if
    :: log_write()
    :: console_write()
    fi;
    is_interrupted[cpu] = false
}

init {
    atomic {
        run store_buffer_drain(0); run store_buffer_drain(1); run store_buffer_drain(2);
        run context(0); run context(1);
        if
        :: run context(2)
        :: run interrupt(0)
        fi
    };
    ALL_ENDED;
    assert(nr_shown == next);
    assert(memory[POSITION] == next && memory[DRAINED] == next);
    assert(memory[LOCK_OWNER] == 0 && memory[NR_WAITING] == 0)
}
