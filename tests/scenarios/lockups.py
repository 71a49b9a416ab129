"""CPUs that hang (docs/watchdog.md): found in time, each once, and the kernel goes on."""
import re

import report as reports
from faults import BUILDS, DISPATCH, boot_with, kernel_of
from harness import Machine, outcome, scenario

LOCKUP_TIMES = {"soft": (2.0, 2.6), "hard": (3.0, 3.6)}


def lockup(kind, cpu, watcher, provoke, end, **more):
    """The report of a CPU that another one has found: from its NMI, which says where all the others are, too. It spins in
    fault_spin, or in what reads the clock for that. One that takes interrupts may be found in the first instructions of
    one, where frame pointers do not show who was interrupted (docs/debugging.md), so that only its caller is sure."""
    words = {"soft": "has let no other thread in", "hard": "has taken no interrupt"}[kind]
    spins = {"soft": (), "hard": ("fault_spin",)}[kind]
    return dict(class_words=rf"{kind} lockup: CPU {cpu} {words} for \d+\.\d s, found by CPU {watcher}", vector=2, rip="any",
                outcome="goes on", calls=(*spins, *provoke), end=end, cpu=str(cpu), **more)


BY_THREAD = (("fault_spin_deaf", "thread_start"), r"bottom of stack of thread \d+ 'deaf'")
LOCKUPS = {
    "soft_lockup": [lockup("soft", 0, "[123]", ("provoke_soft_lockup", *DISPATCH), "bottom of stack 'boot'",
                           others="3, asked", fields={"context": "preemption off [1-9]"})],
    "hard_lockup": [lockup("hard", 0, "[123]", ("fault_spin_deaf", "provoke_hard_lockup", *DISPATCH),
                           "bottom of stack 'boot'", others="3, asked", fields={"context": "interrupts off"})],
    "hard_lockups": [lockup("hard", cpu, "0", *BY_THREAD, others="3, asked", fields={"context": "interrupts off"})
                     for cpu in (1, 2, 3)],
}


def lockup_scenario(name, expected):
    @scenario(f"fault/{name}", builds=BUILDS, timeout=60)
    def function(run):
        """CPUs that hang are found in time, each once, with where they are; the kernel goes on, and says so"""
        with boot_with(run, f"fault {name}; idle 1; exit", cpus="4") as vm:
            vm.wait_end(outcome.PASS)
        found = [each for each in reports.find_reports(vm.output) if " lockup: " in each.fields["class"]]
        found.sort(key=lambda each: each.fields["cpu"])
        assert [each.fields["cpu"] for each in found] == [each["cpu"] for each in expected], [each.fields["class"] for each in found]
        try:
            for each, wanted in zip(found, expected):
                reports.check(each, kernel_of(run), vm.output, wanted)
        except reports.ReportError as error:
            run.fail(str(error))
        least, most = LOCKUP_TIMES[name[:4]]
        for each in found:
            seconds = float(re.search(r" (\d+\.\d) s,", each.fields["class"])[1])
            print(f"found after {seconds} s")
            assert least <= seconds <= most, each.fields["class"]
        for each in expected:
            assert re.search(rf"watchdog: CPU {each['cpu']} goes on, after \d+\.\d s", vm.output)


for lockup_name, lockup_expected in LOCKUPS.items():
    lockup_scenario(lockup_name, lockup_expected)


@scenario("fault/soft_lockup_alone", builds=("release", "debug"), timeout=30)
def soft_lockup_alone(run):
    """a CPU that is alone finds its own soft lockup, by its timer; nobody can find its hard one, and that is not tried"""
    with boot_with(run, "fault soft_lockup; fault hard_lockup; echo still here; exit") as vm:
        vm.wait_end(outcome.PASS)
    found = [each for each in reports.find_reports(vm.output) if " lockup: " in each.fields["class"]]
    assert len(found) == 1, [each.fields["class"] for each in found]
    assert re.fullmatch(r"soft lockup: CPU 0 has let no other thread in for 2\.[0-5] s, found by CPU 0", found[0].fields["class"])
    assert any("fault_spin" in line for line in found[0].backtrace) and "\nstill here\n" in vm.output
    assert "error: " in vm.output.split("+ fault hard_lockup", 1)[1]


@scenario("fault/lockup_options", timeout=60)
def lockup_options(run):
    """keel.lockup=panic ends in a fatal report; with times of 0 nothing is watched; a shorter time is kept to"""
    line = 'keel.panic=exit {} keel.run="fault soft_lockup; exit"'
    with run.boot(Machine(memory="64M", cpus="2", command_line=line.format("keel.lockup=panic"))) as vm:
        vm.wait_end(outcome.FAIL)
    assert re.search("^class: soft lockup: CPU 0 has let", vm.output, re.M)
    with run.boot(Machine(memory="64M", cpus="2", command_line=line.format("keel.soft-lockup-ms=0 keel.hard-lockup-ms=0"))) as vm:
        vm.wait_end(outcome.PASS)
    assert " lockup: " not in vm.output and "watchdog: off" in vm.output
    with run.boot(Machine(memory="64M", cpus="2", command_line=line.format("keel.soft-lockup-ms=800"))) as vm:
        vm.wait_end(outcome.PASS)
    assert re.search(r"class: soft lockup: CPU 0 has let no other thread in for (0\.[89]|1\.[01]) s", vm.output)


@scenario("fault/lock_kept", timeout=60)  # the debug build warns of the same lock itself, in between (lock_held_too_long)
def lock_kept(run):
    """a CPU spins for a lock that another one keeps: both are found, with the lock, its holder and where; a last report does not wait for it"""
    # Interrupts are on: either may be found in one, above where it spins.
    keeps = ("fault_spin", "fault_keep_lock", *BY_THREAD[0][1:])
    wants = lockup("soft", 0, "[12]", (), "bottom of stack 'boot'", others="2, asked",
                   fields={"lock wanted": "^'provoked kept'$"})
    wants["calls"] = ("spinlock_wait_", "fault_want_lock", "provoke_lock_kept", *DISPATCH)
    keeper = lockup("soft", 2, "[01]", keeps[1:], r"bottom of stack of thread \d+ 'keeper'", others="2, asked")
    last = dict(class_words="provoked: a lock is taken in the report", vector=None, rip="provoke_lock_in_report", others="2, stopped",
                calls=("provoke_lock_in_report", *DISPATCH), fields={"lock": "^taken$"})
    with boot_with(run, "fault lock_kept; idle 1; fault lock_in_report", cpus="3") as vm:
        vm.wait_end(outcome.FAIL)
    found = [each for each in reports.find_reports(vm.output) if " lockup: " in each.fields["class"] or not each.is_logged]
    found[:2] = sorted(found[:2], key=lambda each: each.fields["cpu"])
    try:
        assert len(found) == 3, [each.fields["class"] for each in found]
        for each, wanted in zip(found, (wants, keeper, last)):
            reports.check(each, kernel_of(run), vm.output, wanted)
    except reports.ReportError as error:
        run.fail(str(error))
    holder = r"  holds 'provoked kept' taken at 0x\w+ fault_keep_lock\+0x\w+ \(src/fault/lockup\.c:\d+\)"
    taken = r"'provoked kept' taken at 0x\w+ fault_keep_lock\+0x\w+ \(src/fault/lockup\.c:\d+\)"
    assert any(re.fullmatch(taken, line) for line in found[1].locks), found[1].locks
    for each in (found[0], found[2]):
        assert any(re.fullmatch(holder, line) for line in each.others), each.others
