"""Work on four CPUs at once that checks itself (the command `stress`), with each build's checkers on."""
import re

import report as reports
from harness import Machine, outcome, scenario
from harness.registry import COMMAND_ERROR, register

KINDS = ("threads", "mutex", "queue", "timers", "kmalloc", "vmalloc", "pages", "ipi")
DISK_BYTES = 8 << 20
MARGIN = 120  # seconds to boot, settle and audit


def disk(run):
    path = run.path("disk")
    with open(path, "wb") as file:
        file.truncate(DISK_BYTES)
    return ("-drive", f"if=none,id=disk,format=raw,file={path},cache=unsafe",
            "-device", "virtio-blk-pci,drive=disk")


def check(output):
    """Every run had rounds of all its kinds, and left all as it was."""
    runs = re.split(r"^stress: \d+ s, seed=\d+\r?$", output, flags=re.M)[1:]
    expected = [{kind} for kind in (*KINDS, "disk")] + [{*KINDS, "disk"}]
    assert len(runs) == len(expected), f"{len(runs)} runs, expected {len(expected)}"
    for text, kinds in zip(runs, expected):
        rounds = dict(re.findall(r"^stress (\w+): (\d+) rounds", text, re.M))
        assert set(rounds) == kinds and all(int(count) > 0 for count in rounds.values()), rounds
        assert re.search(r"^stress: as before", text, re.M), f"{kinds}: not as before"
        print(" ".join(f"{kind} {count}" for kind, count in sorted(rounds.items())))


def stress_scenario(seconds, labels=()):
    commands = "; ".join(f"stress {seconds} {kinds}" for kinds in (*KINDS, "vda", "all vda"))

    def function(run):
        machine = Machine(cpus="4", memory="256M", extra=disk(run),
                          command_line=f'keel.panic=exit keel.run="{commands}; audit; exit"')
        with run.boot(machine) as vm:
            vm.wait_end(outcome.PASS)
            run.check_output(vm.output, [r"smp: 4 CPUs online", r"^audit: 0 violations"],
                             [COMMAND_ERROR, "data race"])
            found = reports.find_reports(vm.output)
            assert not found, [each.fields["class"] for each in found]
            check(vm.output)

    register(f"stress/{seconds}s-each", f"four CPUs do each kind of work for {seconds} s, then all at once: "
             "nothing is wrong, and all is as before", function, builds=("debug", "kasan", "kcsan"),
             timeout=seconds * (len(KINDS) + 2) + MARGIN, labels=labels)


PLANTED = {  # what each kind's planted mistakes are found by
    "threads": "not as before: .*threads",
    "mutex": "two have it",
    "queue": "has the token and sleeps",
    "timers": r"timers: set \d+ times, fired",
    "kmalloc": "kmalloc: .* have changed(.*\n)*.*not as before: .*slab objects",
    "vmalloc": "vmalloc: .* have changed(.*\n)*.*not as before: free pages",
    "pages": "pages: .* have changed(.*\n)*.*not as before: free pages",
    "ipi": "ipi: meant for CPUs",
    "vda": r"disk: sector \d+ (is not whole|of \d+, write)",
}


@scenario("stress/planted", builds=("release", "debug"), timeout=120)
def planted(run):
    """mistakes planted in each kind (a lost wake-up, reference, write...) are found by its checks or by the counters"""
    commands = "; ".join(f"stress 1 planted {kind}" for kind in PLANTED)
    machine = Machine(cpus="4", memory="256M", extra=disk(run),
                      command_line=f'keel.panic=exit keel.run="{commands}; audit; exit"')
    with run.boot(machine) as vm:
        vm.wait_end(outcome.PASS)
        run.check_output(vm.output, [r"smp: 4 CPUs online", r"^audit: 0 violations"])
        assert not reports.find_reports(vm.output)
        texts = re.split(r"^stress: \d+ s, seed=\d+\r?$", vm.output, flags=re.M)[1:]
        assert len(texts) == len(PLANTED), f"{len(texts)} runs"
        for text, (kind, found) in zip(texts, PLANTED.items()):
            assert re.search(found, text), f"{kind}: not found\n{text}"
            assert re.search(r"^error: stress with seed=\d+: \d+ failures", text, re.M), kind


stress_scenario(5)
stress_scenario(60, labels=("long", "soak"))  # ten minutes: by `ctest --test-dir build/debug -L soak`
