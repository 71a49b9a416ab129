/* src/smp/shootdown.c, mailbox.c and answers.c: two CPUs that each take a page away and have all others forget it, at the same time,
 * and a third that only uses the pages, and joins meanwhile or stops on its way. When a CPU goes on, nobody has the
 * translation of its page any more, but who was left out: the frame may be somebody else's. Nobody waits for ever, though
 * both wait with interrupts off for an answer of the other.
 *
 * A CPU's walk may cache a translation at any moment while the entry is there, and what is cached stays until it is
 * flushed. Left out: ranges and whole flushes (one page each), sets of more than one word. */
#define CPUS      3
#define LOCATIONS 8

#define ENTRY(asker)   (asker)     /* page table entry of CPU 0's and 1's page: 1 there, 0 gone */
#define ASKERS(cpu)    (2 + (cpu)) /* mailbox.askers of a CPU: bit 0 and 1 */
#define PENDING(asker) (5 + (asker))

#define STATE          7           /* of CPU 2: */

#define JOINING  0
#define ONLINE   1
#define LEFT_OUT 2

#define NR_PENDING 2 /* the other CPUs */

#include "x86_tso.pml"

bool is_cached[CPUS * 2];  /* translation of page p in the TLB of CPU c, at c * 2 + p */
bool is_raised[CPUS];      /* the interrupt is on its way */
bool is_free[2];           /* the frame is somebody else's */

#define IS_LEFT_OUT(cpu) ((cpu) == 2 && memory[STATE] == LEFT_OUT)

#define TLB(cpu, page) is_cached[(cpu) * 2 + (page)]

/* mailbox_drop, and the interrupt where the word was empty. */
inline ask(other)
{
    atomic {
        fence(cpu);
        was_empty = (memory[ASKERS(other)] == 0);
        memory[ASKERS(other)] = memory[ASKERS(other)] | (1 << cpu)
    };
    if
    :: was_empty -> is_raised[other] = true
    :: else
    fi
}

/* mailbox_run: takes the word, flushes for each, counts down. */
inline run_asked()
{
    atomic {
        fence(cpu);
        askers = memory[ASKERS(cpu)];
        memory[ASKERS(cpu)] = 0
    };
    if
    :: (askers & 1) -> TLB(cpu, 0) = false; count_down(0)
    :: else
    fi;
    if
    :: (askers & 2) -> TLB(cpu, 1) = false; count_down(1)
    :: else
    fi;
    askers = 0
}

inline count_down(asker)
{
    atomic {
        fence(cpu);
        memory[PENDING(asker)] = memory[PENDING(asker)] - 1
    }
}

/* smp_give_up: whoever has no patience any more. */
inline give_up()
{
    compare_exchange(cpu, STATE, expected, LEFT_OUT, is_swapped);
    expected = JOINING
}

/* mailbox_take_back, once: the bit says whether. */
inline take_back()
{
    atomic {
        fence(cpu);
        memory[ASKERS(2)] = memory[ASKERS(2)] & (3 - (1 << cpu))
    };
    fetch_add(cpu, PENDING(cpu), -1)
}

/* Takes its page away, interrupts off; then serves others as they ask, interrupts on. */
proctype asker(byte cpu)
{
    byte askers;
    byte expected = JOINING;
    bool was_empty, is_swapped;

    store(cpu, ENTRY(cpu), 0);
    TLB(cpu, cpu) = false; /* its own, by INVLPG */
    store(cpu, PENDING(cpu), NR_PENDING);
    ask(1 - cpu);
    ask(2);
    do
    :: LOAD(cpu, PENDING(cpu)) == 0 -> break
    :: memory[ASKERS(cpu)] != 0 -> run_asked()
    :: memory[STATE] == JOINING -> give_up()
    :: memory[STATE] == LEFT_OUT && (memory[ASKERS(2)] & (1 << cpu)) -> take_back()
    od;
    atomic {
        is_free[cpu] = true;
        assert(!TLB(0, cpu) && !TLB(1, cpu) && (!TLB(2, cpu) || IS_LEFT_OUT(2)))
    };
end:
    do
    :: is_raised[cpu] -> is_raised[cpu] = false; run_asked()
    od
}

/* The CPU that asks nobody. Until it is online it does nothing for an interrupt, and may stop at any step. */
proctype joiner(byte cpu)
{
    byte askers;
    byte expected = JOINING;
    bool is_swapped;

    do
    :: is_raised[cpu] -> is_raised[cpu] = false
    :: break
    :: goto stopped
    od;
    atomic { TLB(cpu, 0) = false; TLB(cpu, 1) = false };
    compare_exchange(cpu, STATE, expected, ONLINE, is_swapped);
    if
    :: is_swapped
    :: else -> goto stopped
    fi;
    run_asked(); /* answers_begin */
end:
    do
    :: is_raised[cpu] -> is_raised[cpu] = false; run_asked()
    od;
stopped:
end_stopped:
    false
}

/* Any CPU's walks, for what it runs or guesses to run: between any two instructions. */
proctype walker(byte cpu)
{

end:
    do
    :: atomic { LOAD(cpu, ENTRY(0)) == 1 && !TLB(cpu, 0) -> TLB(cpu, 0) = true; assert(!is_free[0] || IS_LEFT_OUT(cpu)) }
    :: atomic { LOAD(cpu, ENTRY(1)) == 1 && !TLB(cpu, 1) -> TLB(cpu, 1) = true; assert(!is_free[1] || IS_LEFT_OUT(cpu)) }
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
        run joiner(2);
        run walker(0);
        run walker(1);
        run walker(2)
    };
    timeout ->
    assert(is_free[0] && is_free[1])
}
