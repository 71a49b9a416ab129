/* src/debug/report.c, report_fatal and claim_fatal_report: three CPUs fail at any time, and on one of them an interrupt
 * that cannot be masked fails above the first failure. One CPU writes the report, all others stop without a word, and
 * there is a report in the end. */
#define CPUS      3
#define LOCATIONS 1

#define FATAL_CPU 0
#define MINE      (cpu + 1)

#include "x86_tso.pml"

bool in_report[CPUS]; /* percpu.in_report: this CPU's contexts alone use it */

/* Of the proof, not of the kernel. */
bool is_stopped[CPUS];
byte nr_reports;
byte reporter;

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

inline report_fatal()
{
    if
    :: in_report[cpu] -> write_report() /* report_nested */
    :: else ->
        compare_exchange(cpu, FATAL_CPU, expected, MINE, is_mine);
        if
        :: !is_mine && expected != MINE -> is_stopped[cpu] = true
        :: else -> in_report[cpu] = true; write_report()
        fi
    fi
}

proctype context(byte cpu)
{
    byte expected;
    bool is_mine;

    { report_fatal() } unless { is_interrupted[cpu] }
}

/* It does not return: the context underneath is gone, wherever it was. */
proctype interrupt(byte cpu)
{
    byte expected;
    bool is_mine;

    if
    :: atomic { !is_stopped[cpu] -> is_interrupted[cpu] = true }; report_fatal()
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
