"""One allocation of a boot and of the commands behind it fails: the first, the second, and so on until none is left. Keel
says in words that it cannot start, or goes on with less; never a report, and no page unaccounted for."""
import collections
import contextlib

from harness import Machine, scenario

COMMANDS = "log -n 3; memory; pages kmalloc; slabs; stacks; help; boot; cpu; backtrace; audit"
REFUSED = r"Keel cannot start: there is not enough usable memory[^\n]*\n"
PROMPT = r"^audit: [^\n]*\n(?s:.*)keel> "
MADE_TO_FAIL = "fail_inject: allocation {} made to fail"
LEAST = 8   # a boot that allocates less often has not been counted
MOST = 500
AHEAD = 4   # machines at a time: each waits most of its boot, for the clocks it measures


def start(run, number):
    line = f'keel.panic=exit keel.loglevel=debug keel.fail={number} keel.run="{COMMANDS}"'
    return run.boot(Machine(memory="64M", command_line=line))


def failed(vm, number):
    """Looks at the boot whose allocation of this number was to fail. False when it made fewer."""
    vm.expect(f"{REFUSED}|{PROMPT}")
    has_failed = MADE_TO_FAIL.format(number) in vm.output
    if "Keel cannot start" in vm.output:
        assert has_failed, f"allocation {number}: refused without a reason"
        vm.wait_halted()
        vm.kill()
    else:
        assert "audit: 0 violations" in vm.output, f"allocation {number}: the audit finds something"
        vm.exit()
    assert "KEEL REPORT" not in vm.output, f"allocation {number}: a report"
    return has_failed


@scenario("memory/every_nth_allocation_of_a_boot", timeout=240)
def every_allocation_of_a_boot(run):
    """whichever allocation of a boot fails: words, no report, no leak"""
    with contextlib.ExitStack() as machines:
        started = collections.deque(machines.enter_context(start(run, number + 1)) for number in range(AHEAD))
        number = 1
        while failed(started.popleft(), number):
            assert number + AHEAD < MOST, "there is no end"
            started.append(machines.enter_context(start(run, number + AHEAD)))
            number += 1
        for vm in started:
            vm.kill()
    assert number > LEAST, f"only {number - 1} allocations"
