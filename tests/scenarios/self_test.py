"""The runner's own tests: tiny boot sectors that pass, fail, hang, reset, triple-fault and power off, each of which has
to be told apart. They need no kernel."""
import os
import subprocess

from harness import Failure, Machine, scenario
from harness.machine import ROOT

BEHAVIOURS = ("pass", "fail", "hang", "reset", "triple fault", "power off", "halt", "echo")


def sector(run, behaviour):
    """Assembles the boot sector into the scenario's directory; returns a machine that boots it."""
    run.need("nasm")
    image = run.path("boot.img")
    source = os.path.join(ROOT, "tests/scenarios/self/boot_sector.asm")
    subprocess.run(["nasm", "-f", "bin", f"-DBEHAVIOUR={BEHAVIOURS.index(behaviour)}", "-o", image, source], check=True)
    os.truncate(image, 1 << 20)  # SeaBIOS does not boot a disk without a whole cylinder
    return Machine(firmware="bios", medium="disk"), image


def expect_failure(kind, function, *arguments):
    """Wants function to fail, and to call it `kind`."""
    try:
        function(*arguments)
    except Failure as failure:
        assert failure.kind == kind, f"called it {failure.kind}: {failure}"
        return failure
    raise AssertionError(f"{kind} was not noticed")


def end_scenario(behaviour, expected):
    def function(run):
        machine, image = sector(run, behaviour)
        with run.boot(machine, iso=image) as vm:
            vm.expect("^self test> ")
            vm.wait_end(expected, timeout=20)
        if behaviour == "pass":
            return
        with run.boot(machine, iso=image) as vm:
            expect_failure(expected, vm.wait_end, "pass", 20)
        # A machine that ends in silence, unasked, fails the scenario too.
        def nobody_looks():
            with run.boot(machine, iso=image) as vm:
                vm.process.wait(20)
        expect_failure(expected, nobody_looks)
        # So does waiting for words that never come.
        def words():
            with run.boot(machine, iso=image) as vm:
                vm.expect("keel> ", 20)
        expect_failure(expected, words)

    function.__doc__ = f"a machine that ends in '{expected}' is told apart from every other end"
    return scenario("self/" + behaviour.replace(" ", "-"), builds=("release",), needs_kernel=False)(function)


for word in ("pass", "fail", "reset", "triple fault", "power off"):
    end_scenario(word, word)


@scenario("self/hang", needs_kernel=False)
def hang(run):
    """a machine that spins is called a hang, and is gone afterwards"""
    machine, image = sector(run, "hang")
    with run.boot(machine, iso=image) as vm:
        vm.expect("test> ")
        expect_failure("hang", vm.expect, "keel> ", 1)
        expect_failure("hang", vm.wait_halted, 1)
        expect_failure("hang", vm.wait_end, "pass", 1)
    assert vm.process.poll() is not None, "QEMU still runs"


@scenario("self/halt", needs_kernel=False)
def halt(run):
    """a CPU halted with interrupts off is seen, and waiting for its end is a hang"""
    machine, image = sector(run, "halt")
    with run.boot(machine, iso=image) as vm:
        vm.wait_halted()
        expect_failure("hang", vm.wait_end, "pass", 1)


@scenario("self/echo", needs_kernel=False)
def echo(run):
    """what is typed arrives, what is answered is matched without colours, the screen can be dumped"""
    machine, image = sector(run, "echo")
    with run.boot(machine, iso=image) as vm:
        vm.expect("^self test> ")
        vm.send("hello")
        vm.expect("hello")
        with open(vm.screendump(), "rb") as screen:
            assert screen.read(2) == b"P6"
        assert "running" in vm.monitor("info status")
        vm.send("q")
        vm.wait_end("pass")


@scenario("self/qemu-error", needs_kernel=False)
def qemu_error(run):
    """a QEMU that does not start, or is killed, is neither a pass nor the kernel's failure"""
    def start():
        with run.boot(Machine(board="no-such-board")) as vm:
            vm.wait_end()
    failure = expect_failure("QEMU error", start)
    assert "unsupported machine type" in str(failure)

    machine, image = sector(run, "hang")
    with run.boot(machine, iso=image) as vm:
        vm.expect("test> ")
        vm.process.kill()
        expect_failure("QEMU error", vm.wait_end)


@scenario("self/dry-run", needs_kernel=False)
def dry_run(run):
    """tools/qemu --dry-run prints the command of each way of booting, with the options asked for, and starts nothing"""
    tool = [os.path.join(ROOT, "tools/qemu"), "--build", run.build, "--dry-run"]
    for arguments, wanted in (
            ((), ("-kernel", "keel.elf", "-accel tcg", "-m 512M", "-smp 1", "-display none")),
            (("--firmware", "bios"), ("keel.iso", "ide-cd")),
            (("--firmware", "uefi"), ("keel.iso", "OVMF")),
            (("--firmware", "bios", "--medium", "usb"), ("keel.iso", "usb-storage")),
            (("--accel", "kvm", "--memory", "3G", "--cpus", "4", "--display", "gtk"),
             ("-accel kvm", "-m 3G", "-smp 4", "-display gtk")),
            (("--command-line=keel.run=exit",), ("-append", "keel.run=exit"))):
        shown = subprocess.run([*tool, *arguments], check=True, capture_output=True, text=True).stdout
        assert shown.startswith("qemu-system-x86_64 ") and shown.count("\n") == 1, shown
        missing = [text for text in wanted if text not in shown]
        assert not missing, f"{missing} not in: {shown}"
