/* src/debug/report.c, report_fatal, claim_fatal_report, claim_notice and wait_for_notice: three CPUs fail or have
 * something to note at any time, and on one of them an interrupt that cannot be masked does so as well, wherever the
 * code underneath is. One CPU writes the last report, all others stop without a word, and there is a report in the end;
 * one CPU writes a notice at a time, and nobody waits for ever.
 *
 * Left out: that the last report stops other CPUs in the middle of a notice, and that a notice's owner that is stuck
 * without having failed is set aside. */
#define CPUS      3
#define LOCATIONS 2

#define FATAL_CPU  0
#define NOTICE_CPU 1
#define MINE       (cpu + 1)

#include "x86_tso.pml"

bool in_report[CPUS]; /* percpu.in_report: this CPU's contexts alone use it */

/* Of the proof, not of the kernel. */
bool is_stopped[CPUS];
byte nr_reports;
byte reporter;
byte noticer; /* the CPU in the middle of a notice */

inline write_report()
{
    atomic {
        assert(reporter == 0 || reporter == MINE);
        reporter = MINE
    };
    atomic {
        nr_reports++;
        is_stopped[cpu] = true
    }
}

/* And report_nested, which differs in what is written. */
inline report_fatal()
{
    compare_exchange(cpu, FATAL_CPU, expected, MINE, is_mine);
    if
    :: !is_mine && expected != MINE -> is_stopped[cpu] = true
    :: else -> in_report[cpu] = true; write_report()
    fi
}

inline wait_for_notice()
{
    if
    :: LOAD(cpu, NOTICE_CPU) != owner -> owner = 0
    :: LOAD(cpu, FATAL_CPU) != 0 && LOAD(cpu, FATAL_CPU) != MINE -> is_stopped[cpu] = true; owner = MINE
    fi
}

inline write_notice()
{
    atomic {
        assert(noticer == 0);
        noticer = MINE
    };
    noticer = 0;
    in_report[cpu] = false;
    compare_exchange(cpu, NOTICE_CPU, owner, 0, is_mine)
}

inline report_notice()
{
    owner = 0;
    if
    :: in_report[cpu]
    :: else ->
        do
        :: compare_exchange(cpu, NOTICE_CPU, owner, MINE, is_mine);
            if
            :: is_mine -> in_report[cpu] = true; owner = MINE; write_notice(); break
            :: !is_mine && owner == MINE -> break
            :: else ->
                if
                :: owner == 0
                :: else -> wait_for_notice()
                fi;
                if
                :: is_stopped[cpu] -> break
                :: else
                fi
            fi
        od
    fi
}

/* A notice, after which a CPU may fail all the same. */
inline come_to_grief()
{
    if
    :: report_notice()
    :: true
    fi;
    if
    :: is_stopped[cpu]
    :: else -> report_fatal()
    fi
}

proctype context(byte cpu)
{
    byte expected, owner;
    bool is_mine;

    { come_to_grief() } unless { is_interrupted[cpu] }
}

/* It does not return: the context underneath is gone, wherever it was. */
proctype interrupt(byte cpu)
{
    byte expected, owner;
    bool is_mine;

    if
    :: atomic { !is_stopped[cpu] -> is_interrupted[cpu] = true }; come_to_grief()
    :: is_stopped[cpu] /* it comes too late */
    fi
}

init {
    atomic {
        run store_buffer_drain(0); run store_buffer_drain(1); run store_buffer_drain(2);
        run context(0); run context(1); run context(2); run interrupt(0)
    };
    ALL_ENDED;
    assert(is_stopped[0] && is_stopped[1] && is_stopped[2]);
    assert(nr_reports > 0)
}
