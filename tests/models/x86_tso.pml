/* Memory as x86 CPUs share it (SDM 3A 8.2.2; "x86-TSO"). A CPU's stores wait in its store buffer, first in, first out,
 * and each reaches memory at any later time. A load sees the CPU's own newest waiting store to the place, else memory. A
 * locked instruction and a fence wait until the buffer is empty. Contexts of one CPU (a thread and an interrupt above
 * it) share its buffer.
 *
 * A model defines CPUS and LOCATIONS, includes this, and runs one store_buffer_drain a CPU before its other processes.
 * STORE_BUFFER bounds nothing: that it is never full is asserted. The lines of a process are the CPU's steps in the
 * order of the machine code; an order that only the compiler could break (a release or acquire that costs no
 * instruction) is the order of the lines, and a mutant exchanges two of them.
 *
 * Each model says at its top what it leaves out. Its mutants are in tests/models/CMakeLists.txt. */
#define STORE_BUFFER 8

typedef store_buffer {
    byte count;
    byte location[STORE_BUFFER];
    byte value[STORE_BUFFER]
}

byte memory[LOCATIONS];
store_buffer buffers[CPUS];
bool is_interrupted[CPUS]; /* the context underneath does not run */

#define IS_WAITING(cpu, n, where) (buffers[cpu].count > n && buffers[cpu].location[n] == (where))
#define LOAD(cpu, where) \
    (IS_WAITING(cpu, 7, where) -> buffers[cpu].value[7] : \
    (IS_WAITING(cpu, 6, where) -> buffers[cpu].value[6] : \
    (IS_WAITING(cpu, 5, where) -> buffers[cpu].value[5] : \
    (IS_WAITING(cpu, 4, where) -> buffers[cpu].value[4] : \
    (IS_WAITING(cpu, 3, where) -> buffers[cpu].value[3] : \
    (IS_WAITING(cpu, 2, where) -> buffers[cpu].value[2] : \
    (IS_WAITING(cpu, 1, where) -> buffers[cpu].value[1] : \
    (IS_WAITING(cpu, 0, where) -> buffers[cpu].value[0] : memory[where]))))))))

inline store(cpu, where, what)
{
    d_step {
        assert(buffers[cpu].count < STORE_BUFFER);
        buffers[cpu].location[buffers[cpu].count] = where;
        buffers[cpu].value[buffers[cpu].count] = what;
        buffers[cpu].count++
    }
}

inline fence(cpu)
{
    buffers[cpu].count == 0
}

inline fetch_add(cpu, where, addend)
{
    d_step {
        buffers[cpu].count == 0 ->
        memory[where] = memory[where] + addend
    }
}

/* is_swapped: a variable; expected: one that gets the value found, as in C. */
inline compare_exchange(cpu, where, expected, desired, is_swapped)
{
    d_step {
        buffers[cpu].count == 0 ->
        is_swapped = (memory[where] == expected);
        expected = memory[where];
        if
        :: is_swapped -> memory[where] = desired
        :: else
        fi
    }
}

proctype store_buffer_drain(byte cpu)
{
    byte i;
end:
    do
    :: d_step {
            buffers[cpu].count > 0 ->
            memory[buffers[cpu].location[0]] = buffers[cpu].value[0];
            buffers[cpu].count--;
            i = 0;
            do
            :: i < buffers[cpu].count ->
                buffers[cpu].location[i] = buffers[cpu].location[i + 1];
                buffers[cpu].value[i] = buffers[cpu].value[i + 1];
                i++
            :: else -> break
            od;
            buffers[cpu].location[i] = 0; /* equal states look equal */
            buffers[cpu].value[i] = 0;
            i = 0
        }
    od
}

/* Every context has ended and every store has arrived. Those that started later end first. */
#define ALL_ENDED (_nr_pr == 1 + CPUS && buffers[0].count == 0 && buffers[1].count == 0 && buffers[CPUS - 1].count == 0)
