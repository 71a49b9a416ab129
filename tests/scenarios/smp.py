"""Several CPUs: how many start, where they sit, what stops them, and what is said of those that do not take part."""
import os
import re
import time

from early import pvh_entry
from faults import only_report
from harness import GdbStub, Machine, outcome, scenario
from harness.registry import register

ONLINE = r"smp: {} CPUs online, started in \d+ ms"


def machine(cpus, commands="exit", line="", **more):
    return Machine(cpus=str(cpus), command_line=f'keel.panic=exit {line} keel.run="{commands}"', **more)


def place_rows(output):
    """(CPU, APIC id, package, core, thread) of the command's lines."""
    return [tuple(map(int, row)) for row in re.findall(r"^ *(\d+) +(\d+) +(\d+) +(\d+) +(\d+)  online", output, re.M)]


def check_places(output, count):
    rows = place_rows(output)
    assert [row[0] for row in rows] == list(range(count)), rows
    assert len({row[1] for row in rows}) == count and len({row[2:] for row in rows}) == count, rows
    return rows


def tests_scenario(count, thread, builds, tests="", name=None, timeout=240):
    def function(run):
        with run.boot(machine(count, f"test {tests}; cpus; audit; exit", accel=f"tcg,thread={thread}", memory="96M")) as vm:
            vm.wait_end(outcome.PASS)
            run.check_output(vm.output, ([ONLINE.format(count)] if count > 1 else []) +
                             [r"^[1-9]\d* passed, 0 failed", r"^audit: 0 violations"])
            check_places(vm.output, count)

    register(name or f"smp/tests-{count}-{thread}", f"the kernel's tests pass on {count} CPUs, thread={thread}", function,
             builds=builds, timeout=timeout)


OF_CPUS = "smp thread sync paging vmalloc time/ irq/"
tests_scenario(1, "single", ("release",), "smp")  # the others on one CPU: kernel/
tests_scenario(2, "multi", ("release",))
tests_scenario(2, "single", ("release",), OF_CPUS)
tests_scenario(3, "multi", ("release",))
tests_scenario(4, "multi", ("release",))
tests_scenario(4, "multi", ("debug", "sanitize", "clang"), OF_CPUS + " block virtio", name="smp/tests-4-checked")
tests_scenario(4, "single", ("release",), OF_CPUS)
tests_scenario(8, "single", ("release",))
tests_scenario(64, "single", ("release",))


@scenario("smp/tests-4-icount", builds=("release", "debug"), timeout=120)
def tests_icount(run):
    """the tests of several CPUs pass where one CPU runs at a time, for as long as it waits for none with a pause"""
    described = machine(4, f"test {OF_CPUS}; audit; exit", memory="96M", extra=("-icount", "shift=0,sleep=off"))
    with run.boot(described) as vm:
        vm.wait_end(outcome.PASS)
        run.check_output(vm.output, [ONLINE.format(4), r"^[1-9]\d* passed, 0 failed", r"^audit: 0 violations"])


def start_scenario(count, seconds, timeout):
    """How long from QEMU's start to its end, on whatever the host is doing besides."""
    def function(run):
        begin = time.monotonic()
        with run.boot(machine(count, "cpus; audit; exit")) as vm:
            vm.wait_end(outcome.PASS)
            took = time.monotonic() - begin
            run.check_output(vm.output, [ONLINE.format(count), "^audit: 0 violations"])
            check_places(vm.output, count)
        print(f"{count} CPUs: {took:.1f} s (bound {seconds})")
        assert took < seconds, f"{took:.1f} s, the bound is {seconds}"

    register(f"smp/start-{count}", f"{count} CPUs start in under {seconds} s", function, timeout=timeout)


start_scenario(64, 15, 60)
start_scenario(255, 60, 120)


def topology_scenario(name, cpus, expected, **more):
    @scenario(f"smp/topology-{name}")
    def topology(run):
        """`cpus` shows packages, cores and threads as the machine has them"""
        with run.boot(machine(cpus, "cpus; test smp/apic_ids; exit", **more)) as vm:
            vm.wait_end(outcome.PASS)
            rows = check_places(vm.output, len(expected))
            assert [row[2:] for row in rows] == expected, rows


topology_scenario("2x2x2", "8,sockets=2,cores=2,threads=2",
                  [(package, core, thread) for package in range(2) for core in range(2) for thread in range(2)])
topology_scenario("1x3x2", "6,sockets=1,cores=3,threads=2",
                  [(0, core, thread) for core in range(3) for thread in range(2)])
topology_scenario("hot-plug", "2,sockets=8,cores=1,threads=1,maxcpus=8", [(0, 0, 0), (1, 0, 0)])
# AMD's before leaf 0xb, whose leaf 4 is empty; TCG tells none about threads.
topology_scenario("amd", "6,sockets=2,cores=3,threads=1",
                  [(package, core, 0) for package in range(2) for core in range(3)], cpu="phenom")


@scenario("smp/option", builds=("release", "debug"))
def option(run):
    """keel.cpus= bounds how many CPUs are started; 1 starts none"""
    for asked, online in (("3", 3), ("1", 1), ("0", 1), ("9", 4)):
        with run.boot(machine(4, "cpus; exit", line=f"keel.cpus={asked}")) as vm:
            vm.wait_end(outcome.PASS)
            check_places(vm.output, online)


PATIENCE = 30
MEMORY_END = 128 << 20


def find_madt(stub):
    """Where SeaBIOS has put the table: in the last 128 KiB of memory that is not the machine's own."""
    for base in range(MEMORY_END - (1 << 17), MEMORY_END, 1024):
        at = stub.read_memory(base, 1024 + 4).find(b"APIC")
        if at >= 0:
            return base + at
    raise AssertionError("there is no MADT below the end of memory")


def enable_missing_cpu(stub):
    """The entry of a CPU that is not there (ACPI 6.5 5.2.12.2) says that it is; the checksum stays right."""
    address = find_madt(stub)
    table = bytearray(stub.read_memory(address, int.from_bytes(stub.read_memory(address + 4, 4), "little")))
    assert sum(table) & 0xff == 0, "that is no table"
    at = 44
    while not (table[at] == 0 and table[at + 4] == 0):  # a LAPIC, and not enabled
        at += table[at + 1]
    table[at + 4] = 1
    table[9] = (table[9] - 1) & 0xff
    stub.write_memory(address, bytes(table))


@scenario("smp/no-answer", builds=("release", "debug"), timeout=60)
def no_answer(run):
    """a CPU of the firmware's table that does not exist is waited for, said, and left out; numbers have no gap"""
    stub = GdbStub(PATIENCE)
    described = machine("3,maxcpus=4", "cpus; test smp; audit; exit", memory="128M", extra=stub.arguments())
    with run.boot(described, inherit=[stub.guest]) as vm:
        stub.run_to(pvh_entry(os.path.join(run.build, "keel.elf")))
        enable_missing_cpu(stub)
        stub.go()
        vm.wait_end(outcome.PASS)
        run.check_output(vm.output, [r"smp: the CPU with APIC id \d+ does not answer: left out", ONLINE.format(3),
                                     r"^[1-9]\d* passed, 0 failed", "^audit: 0 violations"])
        check_places(vm.output, 3)


def other_cpu(core, features=""):
    return "-device", f"max-x86_64-cpu,socket-id=0,core-id={core},thread-id=0{features}"


@scenario("smp/unlike", builds=("release", "debug"), timeout=60)
def unlike(run):
    """CPUs without what the page tables use, and without what the kernel may use, say which, and are left out"""
    lacking = {2: "nx", 3: "pdpe1gb", 5: "pge"}
    extra = sum((other_cpu(core, f",{without}=off") for core, without in lacking.items()), other_cpu(4))
    described = machine("2,sockets=1,cores=6,threads=1,maxcpus=6", "cpus; test smp; audit; exit", cpu="max", memory="128M",
                        extra=extra)
    with run.boot(described) as vm:
        vm.wait_end(outcome.PASS)
        run.check_output(vm.output, [rf"smp: the CPU with APIC id {core} {words}" for core, without in lacking.items()
                                     for words in (f"has no {without}, CPU 0 has", "cannot take part: ENODEV")] +
                         [ONLINE.format(3), r"^[1-9]\d* passed, 0 failed", "^audit: 0 violations"])
        check_places(vm.output, 3)


MODULE = "; module2 /boot/grub/grub.cfg low module"  # one page


@scenario("smp/uefi", timeout=120)
def uefi(run):
    """from the ISO on UEFI, whose loader puts modules where a start page is usually taken, four CPUs start elsewhere"""
    line = 'keel.panic=exit keel.run="boot; cpus; test smp; audit; exit"' + MODULE * 12  # GRUB evaluates it
    with run.boot(Machine(cpus="4", firmware="uefi", command_line=line)) as vm:
        vm.wait_end(outcome.PASS)
        run.check_output(vm.output, [ONLINE.format(4), r"^[1-9]\d* passed, 0 failed", "^audit: 0 violations"])
        rows = re.findall(r"^  ([0-9a-f]{16}) +(\d+) bytes  low module", vm.output, re.M)
        pages = {int(base, 16) >> 12 for base, _ in rows}
        assert len(rows) == 12 and all(int(length) <= 4096 for _, length in rows), rows
        assert 8 in pages, f"no module at 0x8000: {sorted(pages)}"
        start = int(re.search(r"from the page at 0x([0-9a-f]+)", vm.output).group(1), 16) >> 12
        assert 0 < start < 0xa0 and start not in pages, (start, sorted(pages))


def fault_scenario(name, class_words, cpu):
    @scenario(f"fault/{name}", builds=("release", "debug"), timeout=60)
    def fault(run):
        """one report, in which every other CPU has stopped and says where it was"""
        with run.boot(machine(4, f"fault {name}", memory="128M")) as vm:
            vm.wait_end(outcome.FAIL)
            report = only_report(run, vm.output)
        assert report.fields["class"] == class_words, report.fields["class"]
        assert cpu is None or report.fields["cpu"] == cpu, report.fields["cpu"]
        assert report.fields["other CPUs"] == "3, stopped", report.fields["other CPUs"]
        named = set()
        for line in report.others:
            match = re.match(r"CPU (\d+)(?: to (\d+))?((?:, \d+)*): stopped, ", line)
            if match:
                named |= set(range(int(match.group(1)), int(match.group(2) or match.group(1)) + 1))
                named |= {int(number) for number in re.findall(r"\d+", match.group(3))}
        assert named == set(range(4)) - {int(report.fields["cpu"])}, report.others
        assert sum("kernel_entry+" in line or "ap_entry+" in line for line in report.others) >= 1, report.others


fault_scenario("other_cpu", "NULL pointer write", "3")
fault_scenario("all_cpus", "all CPUs at once", None)
fault_scenario("deaf_cpus", "the others have interrupts off", "0")


def expect_others(vm):
    """CPUs 1 to 3, in one entry ("CPU 1, 3") for those that are found in the same place: where each is, is a matter of time."""
    shown = set()
    while shown != {1, 2, 3}:
        numbers = vm.expect(r"CPU (\d[\d, to]*): running, thread \d+ '")[1]
        for first, last in re.findall(r"(\d)(?: to (\d))?", numbers):
            cpus = set(range(int(first), int(last or first) + 1))
            assert not cpus & shown, numbers
            shown |= cpus


@scenario("smp/nmi", timeout=60)
def nmi(run):
    """an NMI from outside, and the system request for stacks, show where every CPU is; all go on"""
    with run.boot(Machine(cpus="4", command_line="keel.panic=exit")) as vm:
        vm.wait_prompt()
        vm.monitor("nmi")
        vm.expect("REPORT BEGIN")
        vm.expect("other CPUs: 3, asked")
        expect_others(vm)
        vm.expect("REPORT END")
        vm.monitor("sendkey alt-sysrq-t 20")
        vm.expect("system request t")
        expect_others(vm)
        vm.expect("end: |ap_entry")
        vm.send("test smp/each_cpu_calls_each\r")
        vm.expect("1 passed, 0 failed")


@scenario("smp/counter-ahead", builds=("release", "debug"))
def counter_ahead(run):
    """a counter that is ahead on one CPU is noticed, said, and the clock goes back nowhere when it is dropped"""
    test = "test exact/a_source_that_is_ahead_on_one_cpu_is_"
    with run.boot(machine(2, f"{test}noticed; {test}dropped; exit")) as vm:
        vm.wait_end("pass")
        run.check_output(vm.output, [r"clock: planted is not trusted any more: CPU \d's is -?\d+ to -?\d+ ticks ahead",
                                     r"clock: planted again is not trusted any more: CPU 1's is \d+ to \d+ ticks ahead"])
        assert vm.output.count("1 passed, 0 failed") == 2, vm.output
        assert "clock: tsc is not trusted" not in vm.output


@scenario("bochs/two-cpus", labels=("long",), timeout=300)
def bochs_two_cpus(run):
    """in Bochs, in x2APIC mode, two CPUs start and call each other"""
    with run.boot_bochs("corei7_skylake_x", 2) as vm:
        vm.wait_prompt()
        run.check_output(vm.output, [r"apic: local APIC \(x2APIC\)", ONLINE.format(2)])
        check_places(vm.command("cpus"), 2)
        for tests in ("smp", "time/a_thread_of_every_cpu", "exact/a_tsc_that_is_ahead_on_one_cpu_is_dropped"):  # QEMU's CPUs cannot be set ahead
            tested = vm.command(f"test {tests}")
            assert ", 0 failed" in tested, tested
        assert "clock: tsc is not trusted any more" in vm.output, vm.output[-2000:]
