/* src/debug/log_ring.c: a ring of two records, written by two CPUs, or by one and an interrupt above it, and read by a
 * third; R1 to R4 of log_ring.h. A record has two words, which hold its number. The writers store them in any order,
 * since they are relaxed; the reader's order is then no matter. Left out: log_ring_force, for which the other CPUs are
 * stopped. */
#define CPUS      2 /* those that store */
#define SIZE      2
#define WRITES    4 /* at most */
#define LOCATIONS (1 + 3 * SIZE)

#define NEXT        0
#define STATE(s)    (1 + 3 * ((s) % SIZE))
#define FIRST(s)    (STATE(s) + 1)
#define SECOND(s)   (STATE(s) + 2)
#define WRITING(s)  (2 * (s) + 1)
#define COMPLETE(s) (2 * (s) + 2)
#define BEFORE(s)   ((s) < SIZE -> 0 : COMPLETE((s) - SIZE))

#include "x86_tso.pml"

/* Of the proof, not of the kernel. */
byte nr_dropped;
bool is_owned[SIZE];

inline log_ring_write()
{
    sequence = LOAD(cpu, NEXT);
    do
    :: atomic {
            LOAD(cpu, STATE(sequence)) == BEFORE(sequence);
            taken = sequence
        };
        atomic {
            compare_exchange(cpu, NEXT, sequence, taken + 1, is_taken);
            taken = 0;
            if
            :: is_taken -> take_slot(); break
            :: else -> count_try()
            fi
        }
    :: LOAD(cpu, STATE(sequence)) != BEFORE(sequence) ->
        atomic {
            if
            :: LOAD(cpu, NEXT) == sequence -> nr_dropped++; break
            :: else -> sequence = LOAD(cpu, NEXT); count_try()
            fi
        }
    od;
    nr_tries = 0;
    if
    :: is_taken -> store_record()
    :: else
    fi;
    atomic { sequence = 0; is_taken = false }
}

/* R3: every further try means that another write took a number. */
inline count_try()
{
    nr_tries++;
    assert(nr_tries < WRITES)
}

inline take_slot()
{
    assert(!is_owned[sequence % SIZE]); /* R1 */
    is_owned[sequence % SIZE] = true
}

inline store_record()
{
    store(cpu, STATE(sequence), WRITING(sequence));
    if
    :: store(cpu, FIRST(sequence), sequence + 1); store(cpu, SECOND(sequence), sequence + 1)
    :: store(cpu, SECOND(sequence), sequence + 1); store(cpu, FIRST(sequence), sequence + 1)
    fi;
    atomic {
        is_owned[sequence % SIZE] = false;
        store(cpu, STATE(sequence), COMPLETE(sequence))
    }
}

proctype writer(byte cpu; byte nr_writes) provided (!is_interrupted[cpu])
{
    byte sequence, taken, nr_tries;
    bool is_taken;

    do
    :: nr_writes > 0 -> nr_writes--; log_ring_write()
    :: else -> break
    od
}

/* Comes at any time, or after everything else, and runs to its end before the CPU goes on. */
proctype interrupt(byte cpu)
{
    byte sequence, taken, nr_tries;
    bool is_taken;

    is_interrupted[cpu] = true;
    log_ring_write();
    is_interrupted[cpu] = false
}

/* The oldest record lies beyond the number asked for. */
inline report_overwritten()
{
    assert(memory[NEXT] > SIZE && memory[NEXT] - SIZE > sequence)
}

/* This CPU stores nothing: what it loads is memory. */
proctype reader()
{
    byte sequence, state, first, second;

    atomic {
        select (sequence : 0 .. WRITES - 1);
        state = memory[STATE(sequence)];
        if
        :: state < COMPLETE(sequence) -> goto done
        :: state > COMPLETE(sequence) -> goto overwritten
        :: state == COMPLETE(sequence)
        fi
    };
    first = memory[FIRST(sequence)];
    second = memory[SECOND(sequence)];
    atomic {
        if
        :: memory[STATE(sequence)] != state -> goto overwritten
        :: else -> assert(first == sequence + 1 && second == sequence + 1); goto done /* R4 */
        fi
    };
overwritten:
    report_overwritten();
done:
    skip
}

init {
    byte nr_writes;

    atomic {
        run store_buffer_drain(0); run store_buffer_drain(1);
        if
        :: run writer(0, 1); run writer(1, 2); run reader(); nr_writes = 3
        :: run writer(0, 2); run interrupt(0); run reader(); nr_writes = 3
        :: run writer(0, 2); run interrupt(0); run writer(1, 1); nr_writes = 4
        fi
    };
    ALL_ENDED;
    /* R2 */
    assert(memory[NEXT] + nr_dropped == nr_writes);
    assert(memory[STATE(memory[NEXT] - 1)] == COMPLETE(memory[NEXT] - 1));
    assert(memory[NEXT] < 2 || memory[STATE(memory[NEXT] - 2)] == COMPLETE(memory[NEXT] - 2))
}
