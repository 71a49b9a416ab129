"""The lock checker's commands, in the debug build (docs/lockdep.md). What it finds is in faults.py and in tests/kernel."""
import pathlib
import re

from harness import Machine, outcome, scenario

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROW = re.compile(r"^(\S.{27}) +(\d+|-) +(thread|interrupt|deferred) +(\d+) +(\d+) +(\d+) +(\d+)  0x\w+ \w+\S* \(\S+:\d+\)$",
                 re.MULTILINE)


def documented():
    page = (ROOT / "docs/locking.md").read_text()
    return {name: int(rank) for rank, cell in re.findall(r"^\| (\d+) \| (.*?) \|", page, re.MULTILINE)
            for name in re.findall(r"`([^`]+)`", cell) if "/" not in name}


@scenario("lockdep/locks", builds=("debug",), timeout=60)
def locks(run):
    """`locks`: each class that was taken has its row in docs/locking.md, with the same rank, and true figures"""
    with run.boot(Machine(command_line='keel.run="locks; exit"', extra=("-device", "virtio-rng-pci"))) as vm:
        vm.wait_end(outcome.PASS)
    rows = ROW.findall(vm.output)
    assert len(rows) > 15, f"{len(rows)} classes"
    ranks = documented()
    for name, rank, _, taken, contended, _, longest in rows:
        name = name.strip()
        assert name in ranks and ranks[name] == int(rank), f"'{name}' has rank {rank}, documented {ranks.get(name)}"
        assert int(taken) > 0 and int(contended) <= int(taken) and int(longest) > 0, name
    contexts = {name.strip(): context for name, _, context, *_ in rows}
    assert contexts["irq line"] == "interrupt" and contexts["kernel page tables"] == "thread", contexts
    figures = re.search(r"^(\d+) classes, (\d+) orders, (\d+) stacks, (\d+) bytes left to learn in$", vm.output, re.MULTILINE)
    assert figures and int(figures[1]) >= len(rows) and int(figures[2]) > 3, "figures"


@scenario("lockdep/latency", builds=("debug",), timeout=60)
def latency(run):
    """`latency` has the three longest with their stacks; after `reset` they begin anew, and a test's section is seen

    Guest time is counted in instructions: a busy host does not make another section the longest, the console's say."""
    commands = "latency; latency reset; test thread/sections_without_preemption_are_kept_whole; latency; exit"
    with run.boot(Machine(command_line=f'keel.run="{commands}"', extra=("-icount", "shift=0,sleep=off"))) as vm:
        vm.wait_end(outcome.PASS)
    shown = re.findall(r"^(interrupts off|preemption off|lock held): (\d+) ns.*\n((?:  0x\w+ .*\n)+)", vm.output, re.MULTILINE)
    assert [name for name, *_ in shown] == ["interrupts off", "preemption off", "lock held"] * 2, shown
    assert "kernel_main" in shown[0][2], "the first is of boot, which its stack shows"
    assert int(shown[4][1]) >= 5000000 and "test_preempt_disable" in shown[4][2], f"the test keeps it off for 5 ms: {shown[4]}"


@scenario("lockdep/memory", builds=("debug",), timeout=60)
def memory(run):
    """far more classes than the first memory holds: more comes while the CPU idles; where it does not, that is told once"""
    commands = "fault lock_classes; locks; fault lock_classes_at_once; locks; fault lock_order"
    with run.boot(Machine(command_line=f'keel.panic=exit keel.loglevel=warn keel.run="{commands}"')) as vm:
        vm.wait_end(outcome.FAIL)
    grown, missed = re.findall(r"^(\d+) classes, \d+ orders, \d+ stacks, (\d+) bytes left to learn in(.*)$", vm.output, re.MULTILINE)
    assert int(grown[0]) > 1500 and grown[2] == "", grown
    assert int(missed[0]) > int(grown[0]) and missed[2] == "; SOME ORDERS ARE NOT KNOWN", missed
    assert int(missed[1]) > 16384, "there is no new memory"
    assert vm.output.split("KEEL REPORT BEGIN")[0].count("lockdep: memory for what is learnt ran out: not every order is known from here on") == 1
    assert "class: lock order: circle of 2: 'provoked first' -> 'provoked second' -> 'provoked first'" in vm.output, "it did not go on"
