/* include/sync/spinlock.h, invariants 1 to 3: lock, try_lock and unlock on up to three CPUs. One CPU is inside at a time
 * and sees what the one before it stored; who drew a ticket is served in the tickets' order, before all who come later.
 *
 * Words are bytes; tickets and grants start at 254, so that they wrap. Left out: the list of held locks, which belongs
 * to one CPU. */
#define CPUS      3
#define LOCATIONS 4

#define USERS       0
#define NEXT_TICKET 1
#define GRANTS      2
#define DATA        3 /* what the lock protects */

#define FIRST_TICKET 254
#define BYTE(number) (((number) + 256) % 256)

#include "x86_tso.pml"

/* Of the proof, not of the kernel. */
byte nr_inside, nr_acquired, nr_waiting;
byte nr_users; /* that hold the lock or want it */
byte next_served = FIRST_TICKET;

inline spinlock_lock()
{
    atomic {
        fence(cpu); /* lock sub */
        was_free = (memory[USERS] == 0);
        memory[USERS] = BYTE(memory[USERS] - 1);
        note_user()
    };
    if
    :: was_free
    :: else -> spinlock_wait()
    fi
}

/* Invariants 1 and 2. */
inline note_user()
{
    nr_users++;
    assert(memory[USERS] == BYTE(0 - nr_users));
    assert(!was_free || nr_waiting == 0)
}

inline spinlock_wait()
{
    atomic {
        fetch_add(cpu, NEXT_TICKET, 1);
        ticket = BYTE(memory[NEXT_TICKET] - 1);
        nr_waiting++
    };
    atomic {
        BYTE(LOAD(cpu, GRANTS) - ticket) > 0 && BYTE(LOAD(cpu, GRANTS) - ticket) < 128;
        assert(ticket == next_served); /* 2 */
        next_served++;
        nr_waiting--;
        ticket = 0
    }
}

inline spinlock_try_lock()
{
    atomic {
        compare_exchange(cpu, USERS, users, 255, was_free);
        users = 0;
        if
        :: was_free -> note_user()
        :: else
        fi
    }
}

inline spinlock_unlock()
{
    atomic {
        fence(cpu); /* lock add */
        memory[USERS] = BYTE(memory[USERS] + 1);
        was_free = (memory[USERS] == 0);
        nr_users--
    };
    if
    :: was_free
    :: else -> /* spinlock_grant_ */
        grants = LOAD(cpu, GRANTS);
        atomic {
            store(cpu, GRANTS, BYTE(grants + 1));
            grants = 0
        }
    fi
}

inline enter()
{
    d_step {
        nr_inside++;
        assert(nr_inside == 1);
        nr_acquired++
    }
}

proctype context(byte cpu; byte rounds)
{
    byte ticket, users, grants, data;
    bool was_free;

    do
    :: rounds == 0 -> break
    :: rounds > 0 ->
        rounds--;
        if
        :: spinlock_lock()
        :: spinlock_try_lock();
            if
            :: was_free
            :: else -> goto done
            fi
        fi;
        enter();
        data = LOAD(cpu, DATA);
        store(cpu, DATA, data + 1);
        nr_inside--;
        spinlock_unlock();
done:
        atomic { data = 0; was_free = false }
    od
}

init {
    atomic {
        memory[NEXT_TICKET] = FIRST_TICKET;
        memory[GRANTS] = FIRST_TICKET;
        run store_buffer_drain(0); run store_buffer_drain(1); run store_buffer_drain(2);
        if
        :: run context(0, 2); run context(1, 2); run context(2, 1)
        :: run context(0, 2); run context(1, 3)
        fi
    };
    ALL_ENDED;
    assert(memory[DATA] == nr_acquired);
    assert(memory[USERS] == 0 && memory[GRANTS] == memory[NEXT_TICKET])
}
