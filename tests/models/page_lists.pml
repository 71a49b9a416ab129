/* mm/page_alloc.c: the list of the CPUs' lists of pages. The first CPU adds its own alone and then reads the list, as
 * page_alloc_cached does, while two others add theirs (page_alloc_cpu_init). What is read is complete, and nothing is
 * lost. Left out: the pages, which only their CPU moves, with interrupts off. */
#define CPUS      3
#define LOCATIONS (2 + 2 * CPUS + 2)

#define ALL_CPU_PAGES 0 /* CPU number + 1 for a pointer, 0 for NULL */
#define LIST_ZONE     1
#define TOP(p)        (2 * (p))     /* of the list p points to; 1 when it may be read */
#define NEXT(p)       (2 * (p) + 1)

#define MINE (cpu + 1)

#include "x86_tso.pml"

#define ALL_OTHERS_ENDED (_nr_pr == 2 + CPUS && buffers[1].count == 0 && buffers[2].count == 0)

inline page_alloc_cpu_init()
{
    if
    :: LOAD(cpu, ALL_CPU_PAGES) == 0 ->
        assert(memory[LIST_ZONE] == 0); /* chosen once */
        store(cpu, LIST_ZONE, 1)
    :: else
    fi;
    store(cpu, TOP(MINE), 1);
    next = LOAD(cpu, ALL_CPU_PAGES);
    store(cpu, NEXT(MINE), next);
    do
    :: compare_exchange(cpu, ALL_CPU_PAGES, next, MINE, is_added);
        if
        :: is_added -> break
        :: else -> store(cpu, NEXT(MINE), next)
        fi
    od
}

proctype adder(byte cpu)
{
    byte next;
    bool is_added;

    page_alloc_cpu_init()
}

inline read_list()
{
    nr_read = 0;
    list = LOAD(cpu, ALL_CPU_PAGES);
    do
    :: list == 0 -> break
    :: else ->
        assert(LOAD(cpu, TOP(list)) == 1);
        nr_read++;
        list = LOAD(cpu, NEXT(list))
    od
}

proctype first_cpu()
{
    byte cpu, next, list, nr_read;
    bool is_added;

    page_alloc_cpu_init();
    run adder(1);
    run adder(2);
    read_list();
    assert(nr_read >= 1);
    ALL_OTHERS_ENDED;
    assert(memory[LIST_ZONE] == 1);
    read_list();
    assert(nr_read == CPUS)
}

init {
    atomic {
        run store_buffer_drain(0); run store_buffer_drain(1); run store_buffer_drain(2);
        run first_cpu()
    }
}
