/* mm/tlb_idle.c: CPU 0 and 1 each take a page away and wait for nobody who is halted idle; CPU 2 halts, wakes and uses
 * the pages where it finds them, and is interrupted by an NMI that uses them too, at any of its steps. Nobody uses a
 * translation whose frame is somebody else's, and every CPU that is asked answers.
 *
 * A walk may cache a translation at any moment while the entry is there, halted or not, and what is cached stays until
 * it is flushed. Orders 1 to 3 are the header's. Left out: the mailboxes (tlb_shootdown.pml; here a bit for each asker),
 * tables, for which nobody is passed over, and CPU 0's and 1's own TLBs. */
#define CPUS      3
#define LOCATIONS 5

#define ENTRY(asker) (asker)     /* page table entry of CPU 0's and 1's page: 1 there, 0 gone */
#define STATE        2           /* tlb_idle_state of CPU 2 */
#define ASKED(asker) (3 + (asker)) /* the asker's bit in CPU 2's mailbox, with its interrupt */

#define BUSY       0
#define IDLE       1
#define IDLE_STALE 2
#define WAKING     3

#define SLEEPER 2
#define ROUNDS  2

#include "x86_tso.pml"

bool is_cached[2]; /* translation of a page in CPU 2's TLB */
bool is_free[2];   /* the frame is somebody else's */

/* tlb_mark_idle, and asking where that does not do. */
proctype asker(byte cpu)
{
    byte old;

    store(cpu, ENTRY(cpu), 0);
    fence(cpu); /* tlb_mark_begin: order 1 */
    old = LOAD(cpu, STATE);
    if
    :: old == IDLE ->
        atomic {
            fence(cpu);
            old = memory[STATE];
            if
            :: old == IDLE -> memory[STATE] = IDLE_STALE
            :: else
            fi
        }
    :: else
    fi;
    if
    :: old == IDLE || old == IDLE_STALE
    :: else ->
        atomic {
            fence(cpu);
            memory[ASKED(cpu)] = 1
        };
        LOAD(cpu, ASKED(cpu)) == 0
    fi;
    is_free[cpu] = true
}

inline use_pages()
{
    atomic { assert(!is_free[0] || !is_cached[0]); assert(!is_free[1] || !is_cached[1]) }
}

inline flush_everything()
{
    is_cached[0] = false;
    is_cached[1] = false
}

/* tlb_wake */
inline wake()
{
    if
    :: LOAD(SLEEPER, STATE) != BUSY ->
        atomic {
            fence(SLEEPER);
            old = memory[STATE];
            memory[STATE] = WAKING
        };
        if
        :: old == IDLE_STALE || old == WAKING -> flush_everything()
        :: else
        fi;
        store(SLEEPER, STATE, BUSY);
        old = 0
    :: else
    fi
}

/* The handler of the interrupt by which it is asked. */
inline answer()
{
    if
    :: memory[ASKED(0)] -> is_cached[0] = false; atomic { fence(SLEEPER); memory[ASKED(0)] = 0 }
    :: else
    fi;
    if
    :: memory[ASKED(1)] -> is_cached[1] = false; atomic { fence(SLEEPER); memory[ASKED(1)] = 0 }
    :: else
    fi
}

/* Halts and wakes, for what asks it or for something else, and uses what it sees. */
proctype sleeper() provided (!is_interrupted[SLEEPER])
{
    byte old, round;

    do
    :: round == ROUNDS -> break
    :: else ->
        use_pages();
        store(SLEEPER, STATE, IDLE);
        wake();
        use_pages();
        answer();
        round++
    od;
    round = 0;
end:
    do
    :: memory[ASKED(0)] || memory[ASKED(1)] -> answer(); use_pages()
    od
}

proctype nmi()
{
    byte old;

    is_interrupted[SLEEPER] = true;
    wake();
    use_pages();
    is_interrupted[SLEEPER] = false
}

/* CPU 2's walks: between any two instructions. */
proctype walker()
{
end:
    do
    :: atomic { LOAD(SLEEPER, ENTRY(0)) == 1 && !is_cached[0] -> is_cached[0] = true }
    :: atomic { LOAD(SLEEPER, ENTRY(1)) == 1 && !is_cached[1] -> is_cached[1] = true }
    od
}

init
{
    atomic {
        memory[ENTRY(0)] = 1;
        memory[ENTRY(1)] = 1;
        run store_buffer_drain(0);
        run store_buffer_drain(1);
        run store_buffer_drain(2);
        run asker(0);
        run asker(1);
        run sleeper();
        run nmi();
        run walker()
    };
    timeout ->
    assert(is_free[0] && is_free[1])
}
