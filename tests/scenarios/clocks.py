"""Interrupts and time: how exactly the kernel sleeps on each event source, what interrupts an idle CPU, and which clock
and event sources a machine ends up with."""
import re

from harness import Machine, scenario

# Time is what the CPU executes, and what it sleeps takes no time: 10 s of an idle machine cost nothing.
COUNTING = ("-icount", "shift=0,sleep=off")
IDLE_SECONDS = 10
POLL_TIMER = r"^in \d+ us: 0x\w+ poll_by_timer\+0x0 "
HUNG_TIMER = r"^in (\d{8,9}) us: 0x\w+ look_for_hung\+0x0 "  # two minutes after a CPU got busy, which wakes the machine once
WATCHDOG_TIMER = r"^in \d+ us: 0x\w+ watch_by_timer\+0x0 "  # while the CPU is busy, with `timers`; taken back before it halts


def run_commands(run, machine, commands, options=""):
    """Boots on `machine`, under -icount, runs the commands and returns what came over the line."""
    line = f'keel.panic=exit {options} keel.run="{commands}; exit"'
    with run.boot(Machine(**machine, extra=COUNTING, command_line=line)) as vm:
        vm.wait_end("pass")
        return vm.output


def sleep_scenario(name, sources, **machine):
    @scenario(f"time/sleep-{name}", builds=("release", "debug"))
    def function(run):
        """sleeping 1 ms, 10 ms and 1 s on every event source is within 1 %, by the clock and by another one"""
        output = run_commands(run, machine, "timers; test exact/sleeping_is_within_1_percent")
        assert "1 passed, 0 failed" in output
        slept = re.findall(r"\b([\w-]+): (\d+) ns asked for, (\d+) slept, \d+ by", output)
        assert [(source, int(asked)) for source, asked, _ in slept] == [
            (source, delay) for source in sources for delay in (10**6, 10**7, 10**9)], slept
        for source, asked, took in slept:
            late = (int(took) - int(asked)) / int(asked)
            print(f"{source}: {int(asked) / 1e6:g} ms late by {late:.3%}")
            assert 0 <= late <= 0.01, (source, asked, took)


sleep_scenario("q35", ("lapic", "hpet"), cpu="qemu64")
sleep_scenario("pc", ("lapic", "hpet"), board="pc")
sleep_scenario("without-hpet", ("lapic",), board="q35,hpet=off")
sleep_scenario("without-hpet-and-pit", ("lapic",), board="pc,hpet=off,pit=off")


def idle(run, cpu, options=""):
    """(interrupts during IDLE_SECONDS of an idle machine, with the one that ends it; what came over the line)"""
    output = run_commands(run, {"cpu": cpu}, f"timers; idle {IDLE_SECONDS}; timers", options)
    total = re.search(rf"^{IDLE_SECONDS} s halted, (\d+) interrupts with the one that ended it$", output, re.M)
    assert total, "idle printed nothing"
    by_source = re.findall(r"^(\d+) of vector (\d+), (.+)$", output, re.M)
    assert by_source == [(total.group(1), "253", "timer")], f"{total.group(0)}: {by_source}"
    return int(total.group(1)), output


def silent_scenario(name, cpu, options=""):
    @scenario(f"time/idle-{name}", builds=("release", "debug"))
    def function(run):
        """an idle CPU takes no interrupt of any kind for 10 s, but the one that ends them"""
        total, output = idle(run, cpu, options)
        assert total == 1, f"{total} interrupts"
        assert not re.search(POLL_TIMER, output, re.M)


silent_scenario("no-error-banks", "qemu64,-mca")
silent_scenario("no-poll", "qemu64", "keel.mce-poll-ms=0")


@scenario("time/idle", builds=("release", "debug"))
def idle_default(run):
    """an idle CPU takes no interrupt for 10 s but the timer's that looks for hardware errors, twice a second"""
    total, output = idle(run, "qemu64")
    assert 20 <= total <= 21, f"{total} interrupts"
    assert len(re.findall(POLL_TIMER, output, re.M)) == 2
    assert len(re.findall(WATCHDOG_TIMER, output, re.M)) == 2
    at_end = output.split(" s halted, ", 1)[1]  # before that threads that boot has started may still share the CPU
    assert len(re.findall(HUNG_TIMER, at_end, re.M)) == 1
    assert len(re.findall(r"^in \d+ us: ", at_end, re.M)) == 3, "other timers are queued"


@scenario("time/idle-poll-4-s")
def idle_slow_poll(run):
    """keel.mce-poll-ms= is what the poll keeps to"""
    total, _ = idle(run, "qemu64", "keel.mce-poll-ms=4000")
    assert 3 <= total <= 4, f"{total} interrupts"


@scenario("time/drift", builds=("release", "debug"))
def drift(run):
    """a clock that drifts by 1 % while it is used is dropped, with a message and without a step"""
    output = run_commands(run, {"cpu": "qemu64"}, "test exact/a_clock_that_drifts_is_dropped; clock; audit")
    assert "1 passed, 0 failed" in output
    assert re.search(r"clock: drifting is not trusted any more: \d+ ns off in \d+ ns by tsc; tsc is used$", output, re.M)
    stamp, now = re.search(r"\[ *([\d.]+)\] time: the clock is at (\d+) ns$", output, re.M).groups()
    assert abs(float(stamp) - int(now) / 1e9) < 1e-3, f"the log's time is {stamp}, the clock's {now}"
    assert re.search(r"^drifting .*, not trusted$", output, re.M) and re.search(r"^tsc .*, in use$", output, re.M)


def calibration_scenario(name, against, clock, events, **machine):
    @scenario(f"time/calibrated-against-{name}")
    def function(run):
        """the TSC is measured to 100 ppm against this reference, is the clock, and each other source keeps to it"""
        output = run_commands(run, machine, "clock; timers; test time/each exact/sleeping_is_within_1_percent")
        assert f"TSC measured against {against}\n" in output
        hz = int(re.search(r"^tsc +(\d+) Hz", output, re.M).group(1))
        print(f"TSC: {hz} Hz of 1000000000")
        assert abs(hz - 10**9) <= 10**5, f"{hz} Hz, and one instruction is a nanosecond"
        assert re.search(rf"^{clock} .*, in use$", output, re.M)
        assert re.findall(r"^(\S+) +up to \d+ s, \d+ events", output, re.M) == events
        assert "2 passed, 0 failed" in output


calibration_scenario("hpet", "hpet", "tsc", ["lapic", "hpet"])
calibration_scenario("pm-timer", "acpi_pm", "tsc", ["lapic"], board="q35,hpet=off")
calibration_scenario("pit", "PIT", "tsc", ["lapic"], board="pc,hpet=off,acpi=off")
calibration_scenario("pm-timer-without-pit", "acpi_pm", "tsc", ["lapic"], board="pc,hpet=off,pit=off")


POLL, WATCHDOG, HUNG, CLOCK_WRAPS = "poll_by_timer", "watch_by_timer", "look_for_hung", "rebase"


def machine_scenario(name, expect, queued=(POLL, WATCHDOG, HUNG), **machine):
    @scenario(f"time/machine-{name}")
    def function(run):
        """boots, says what it does without, and its timers fire all the same"""
        line = 'keel.panic=exit keel.run="interrupts; timers; test time irq; idle 3; timers; exit"'
        with run.boot(Machine(**machine, command_line=line, extra=COUNTING)) as vm:
            vm.wait_end("pass")
            run.check_output(vm.output, (*expect, r"^\d+ passed, 0 failed"))
        at_end = vm.output.split(" s halted, ", 1)[1]
        run.check_output(at_end, (rf"^\d+ events, (\d\d+|[3-9]) timers fired, {len(queued)} queued",))
        assert sorted(re.findall(r"^in \d+ us: 0x\w+ (\w+)\+0x0 ", at_end, re.M)) == sorted(queued)


@scenario("time/four-cpus-without-tsc", builds=("release", "debug"))
def four_cpus_without_tsc(run):
    """four CPUs that have a HPET for a clock: each sleeps on the local APICs' timers, and with all the others on the HPET's one"""
    with run.boot(Machine(cpus="4", cpu="max,-tsc", command_line='keel.panic=exit keel.run="clock; test time; timers; exit"')) as vm:
        vm.wait_end("pass")
        run.check_output(vm.output, [r"^hpet .*, in use$", r"^test time/a_thread_of_every_cpu_sleeps_on_every_event_source \.\.\. ok", r"^\d+ passed, 0 failed"])
        events = int(re.search(r"^hpet +up to \d+ s, (\d+) events", vm.output, re.M)[1])
        assert events >= 12, f"each thread sleeps 12 times, and the HPET interrupted {events} times"


machine_scenario("without-apic", (
    r"apic: no local APIC .*: there are no interrupts", r"^there is no interrupt controller$",
    r"timer: nothing here can interrupt at a moment: timers are polled, and the CPU does not halt$"), queued=(POLL,), cpu="max,-apic")
machine_scenario("without-arat", (r"^lapic .*, in use$",), cpu="max,-arat")
machine_scenario("without-hpet-and-pit", (r"^lapic .*, in use$",), board="pc,hpet=off,pit=off")
machine_scenario("without-tsc", (r"^lapic .*, in use$", r"clock: hpet, 100000000 Hz, in use"),
                 queued=(POLL, WATCHDOG, HUNG, CLOCK_WRAPS), cpu="max,-tsc")
