/* include/sync/rwlock.h, invariants 1 to 3: reading, writing and both try forms on up to three CPUs. A writer is alone
 * inside, readers see what the writer before them stored and nothing half, everybody goes in in the order of the numbers.
 *
 * Words are bytes; numbers start at 254, so that they wrap. Left out: the CPU that is noted as writer. */
#define CPUS      3
#define LOCATIONS 5

#define NEXT_NUMBER 0
#define READER_TURN 1
#define WRITER_TURN 2
#define FIRST       3 /* what the lock protects: two words that are equal */
#define SECOND      4

#define FIRST_NUMBER 254
#define BYTE(number) (((number) + 256) % 256)

#include "x86_tso.pml"

/* Of the proof, not of the kernel. */
byte nr_readers, nr_writers, nr_written;

inline draw()
{
    atomic {
        fetch_add(cpu, NEXT_NUMBER, 1);
        number = BYTE(memory[NEXT_NUMBER] - 1)
    }
}

inline try_draw(turn)
{
    number = LOAD(cpu, turn);
    expected = number;
    compare_exchange(cpu, NEXT_NUMBER, expected, BYTE(number + 1), is_inside);
    expected = 0
}

inline admit_next_reader()
{
    store(cpu, READER_TURN, BYTE(number + 1))
}

inline read_unlock()
{
    fetch_add(cpu, WRITER_TURN, 1) /* lock add */
}

inline write_unlock()
{
    number = LOAD(cpu, READER_TURN);
    admit_next_reader();
    fetch_add(cpu, WRITER_TURN, 1) /* lock add */
}

inline read_inside()
{
    atomic { nr_readers++; assert(nr_writers == 0) };
    seen = LOAD(cpu, FIRST);
    assert(LOAD(cpu, SECOND) == seen && seen == nr_written);
    atomic { nr_readers--; seen = 0 }
}

inline write_inside()
{
    atomic { nr_writers++; assert(nr_writers == 1 && nr_readers == 0) };
    seen = LOAD(cpu, FIRST);
    assert(seen == nr_written);
    store(cpu, FIRST, seen + 1);
    store(cpu, SECOND, seen + 1);
    atomic { nr_written++; nr_writers--; seen = 0 }
}

proctype context(byte cpu; byte rounds)
{
    byte number, expected, seen;
    bool is_inside;

    do
    :: rounds == 0 -> break
    :: rounds > 0 ->
        rounds--;
        if
        :: draw();
            LOAD(cpu, READER_TURN) == number;
            admit_next_reader();
            read_inside();
            read_unlock()
        :: draw();
            LOAD(cpu, WRITER_TURN) == number;
            write_inside();
            write_unlock()
        :: try_draw(READER_TURN);
            if
            :: is_inside -> admit_next_reader(); read_inside(); read_unlock()
            :: else
            fi
        :: try_draw(WRITER_TURN);
            if
            :: is_inside -> write_inside(); write_unlock()
            :: else
            fi
        fi;
        atomic { number = 0; is_inside = false }
    od
}

init {
    atomic {
        memory[NEXT_NUMBER] = FIRST_NUMBER;
        memory[READER_TURN] = FIRST_NUMBER;
        memory[WRITER_TURN] = FIRST_NUMBER;
        run store_buffer_drain(0); run store_buffer_drain(1); run store_buffer_drain(2);
        if
        :: run context(0, 2); run context(1, 1); run context(2, 1)
        :: run context(0, 2); run context(1, 2)
        fi
    };
    ALL_ENDED;
    assert(memory[FIRST] == nr_written);
    assert(memory[NEXT_NUMBER] == memory[READER_TURN] && memory[NEXT_NUMBER] == memory[WRITER_TURN])
}
