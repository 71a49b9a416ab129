"""The data race detector (preset `kcsan`): a planted race is found on the first run, with both sides; the rest has none."""
import re

import faults
import report as reports
from harness import Machine, outcome, scenario

RACE = re.compile(r"data race: (?:marked )?(read|write) at fault_add_in_thread\S*\+0x\w+, (read|write) at "
                  r"fault_add_in_interrupt\S*\+0x\w+$")


@scenario("kcsan/data_race", builds=("kcsan",))
def data_race(run):
    """a thread and an interrupt that add to one counter are reported, once, with both sides; marked accesses are not"""
    with faults.boot_with(run, "fault data_race; fault data_race; exit") as vm:
        vm.wait_end(outcome.PASS)
        found = reports.find_reports(vm.output)
        assert len(found) == 1, f"{len(found)} reports, expected one"
        said = found[0].details
        match = RACE.match(found[0].fields["class"])
        assert match and "write" in match.groups(), found[0].fields["class"]
        for pattern in (r"0x\w+ is \.bss: race\+0x\w+$",
                        r"first: (read|write) of 8 bytes at 0x\w+ by CPU 0, thread (boot|\d+ '[^']+'), interrupt depth 0$",
                        r"first: 0x\w+ fault_add_in_thread\S*\+0x\w+ \(src/fault/kcsan\.c:\d+\)$",
                        r"first: 0x\w+ provoke_data_race\+", r"first: 0x\w+ run_fault\+",
                        r"second: (read|write) of 8 bytes at 0x\w+ by CPU 0, thread (boot|\d+ '[^']+'), interrupt depth 1$",
                        r"second: 0x\w+ fault_add_in_interrupt\S*\+0x\w+ \(src/fault/kcsan\.c:\d+\)$",
                        r"second: 0x\w+ fire\+", r"second: 0x\w+ irq_dispatch\+"):
            assert any(re.match(pattern, line) for line in said), f"'{pattern}' is not among {said}"


@scenario("kcsan/data_race_cpus", builds=("kcsan",))
def data_race_cpus(run):
    """threads on two CPUs that add to one counter are reported, once, each with its CPU and callers"""
    with faults.boot_with(run, "fault data_race_cpus; exit", cpus="2") as vm:
        vm.wait_end(outcome.PASS)
        found = [each for each in reports.find_reports(vm.output) if "fault_add_on_" in each.fields["class"]]
        places = sorted(re.findall(r"fault_add_on_(this|that)_cpu", found[0].fields["class"])) if found else []
        assert len(found) == 1 and places == ["that", "this"], [each.fields["class"] for each in found]
        said = found[0].details
        sides = [match.groups() for match in (re.match(
            r"(first|second): (read|write) of 8 bytes at 0x\w+ by CPU (\d), thread (?:boot|\d+ '[^']+'), interrupt depth 0$", line)
            for line in said) if match]
        assert len(sides) == 2 and "write" in sides[0][1] + sides[1][1], said
        assert {side[2] for side in sides} == {"0", "1"}, sides
        assert any(re.match(r"(first|second): 0x\w+ add_there\+", line) for line in said), said


@scenario("kcsan/off", builds=("kcsan",))
def switched_off(run):
    """keel.kcsan-every=0 watches nothing"""
    line = 'keel.panic=exit keel.kcsan-every=0 keel.run="fault data_race; exit"'
    with run.boot(Machine(memory="64M", command_line=line)) as vm:
        vm.wait_end(outcome.PASS)
        assert not reports.find_reports(vm.output)
