"""Machines of many kinds, each used and not only booted: its timers end sleeps, its serial line and its keyboard are
typed at, its PCI devices give bytes by the interrupts they have."""
import os
import re
import time

from harness import ALL_BUILDS, Machine, Picture, scenario
from harness.screen_text import ScreenText
from keyboard import keys, text_keys

MICROVM = "microvm,pcie=on,isa-serial=on,acpi=on"
UEFI_TIMEOUT = 180
RNG = "virtio-rng-pci"
ALL_BYTES_SECONDS = 20
USED_IN_ALL_BUILDS = ("q35", "microvm")


def devices(*options):
    return tuple(word for option in options for word in ("-device", option))


def since_boot(vm):
    return float(re.search(r"^since boot: ([\d.]+) s$", vm.command("clock"), re.M)[1])


def check_timers(vm):
    """A sleep ends, and took its time; the clock and event sources that there are agree."""
    before = since_boot(vm)
    assert re.search(r"^1 s halted", vm.command("idle 1"), re.M)
    assert 1 <= since_boot(vm) - before
    tested = vm.command("test time irq/")
    assert re.search(r"^[1-9]\d* passed, 0 failed$", tested, re.M), tested


def check_entropy(vm, count, sources=r"message|ioapic"):
    """So many devices have given bytes, each by an interrupt of its own."""
    deadline = time.monotonic() + ALL_BYTES_SECONDS
    while True:
        given = re.findall(r"^(\S+): .*, (\d+) bytes received$", vm.command("rng"), re.M)
        assert len(given) == count, given
        if all(int(received) >= 64 for _, received in given):
            break
        assert time.monotonic() < deadline, f"no bytes from all: {given}"
    interrupts = vm.command("interrupts")
    for place, _ in given:
        rows = re.findall(rf"^ *\d+ +\d+ +(\d+) +\d+ +(?:{sources}).* {place}$", interrupts, re.M)
        assert any(int(handled) > 0 for handled in rows), f"{place} had no interrupt:\n{interrupts}"


def check_alive(vm, count, sources=r"message|ioapic"):
    vm.wait_prompt()
    check_timers(vm)
    check_entropy(vm, count, sources)
    if "keyboard: layout us" in vm.output:
        keys(vm, *text_keys("echo by keyboard"), "ret")
        vm.expect("^by keyboard$")
        vm.wait_prompt()
    assert "audit: 0 violations" in vm.command("audit")


def machine_scenario(name, count, more=None, forbid=(), timeout=60, **machine):
    @scenario(f"machine/{name}", timeout=timeout, builds=ALL_BUILDS if name in USED_IN_ALL_BUILDS else ("release",))
    def use(run):
        """timers, input and PCI devices of this machine work"""
        with run.boot(Machine(command_line="keel.panic=exit", **machine)) as vm:
            check_alive(vm, count)
            if more:
                more(run, vm)
            run.check_output(vm.output, (), forbid)
            vm.exit()


TWO = devices(RNG, f"{RNG},vectors=0")  # one by messages, one by its pin

for board in ("q35", "pc"):
    for option in ("", "hpet=off", "hpet=off,pit=off", "acpi=off"):
        machine_scenario("-".join(filter(None, (board, option))), 2, board=",".join(filter(None, (board, option))), extra=TWO)
machine_scenario("q35-max-ram-below-4g", 2, board="q35,max-ram-below-4g=1G", memory="3G", extra=TWO)
machine_scenario("q35-no-i8042", 2, board="q35,i8042=off", extra=TWO)
machine_scenario("q35-nothing-from-isa", 2, board="q35,i8042=off,hpet=off,pit=off,pic=off,vmport=off,smbus=off", extra=TWO)


def disk_reads(_, vm):
    assert re.search(r"^vda +2048 sectors", vm.command("block list"), re.M)
    read = vm.command("block read vda 7 2")
    assert "error" not in read and "00 00 00 00" in read, read


DISK = ("-blockdev", "driver=null-co,node-name=disk,size=1048576,read-zeroes=on", *devices("virtio-blk-pci,drive=disk"))
for option in ("", "pit=off,pic=off", "rtc=on,pit=off"):
    machine_scenario("-".join(filter(None, ("microvm", option))), 2, more=disk_reads, vga="none",
                     board=",".join(filter(None, (MICROVM, option))), extra=TWO + DISK, forbid=("no memory addresses",))


@scenario("machine/microvm-acpi=off")
def microvm_without_acpi(run):
    """microvm without tables has no PCI that can be found, and timers and the serial line all the same"""
    with run.boot(Machine(board="microvm,pcie=on,isa-serial=on,acpi=off", vga="none", command_line="keel.panic=exit")) as vm:
        vm.wait_prompt()
        check_timers(vm)
        assert "No PCI." in vm.command("pci")
        vm.exit()


# Behind bridges: the pins are turned at each, and the firmware's table says where the root's are wired to.

BEHIND_EXPRESS = devices(
    "pcie-root-port,id=r1,slot=1,chassis=1", "pcie-pci-bridge,id=b1,bus=r1", "pci-bridge,id=b2,bus=b1,chassis_nr=2,addr=2",
    "pcie-root-port,id=r2,slot=2,chassis=2", f"{RNG},vectors=0", f"{RNG},bus=r2,vectors=0", f"{RNG},bus=b1,addr=4,vectors=0",
    f"{RNG},bus=b2,addr=3,vectors=0", f"{RNG},bus=b2,addr=5")
BEHIND_PCI = devices(
    "pci-bridge,id=b1,chassis_nr=1", "pci-bridge,id=b2,bus=b1,chassis_nr=2,addr=2", "pci-bridge,id=b3,bus=b2,chassis_nr=3,addr=3",
    f"{RNG},vectors=0", f"{RNG},bus=b1,addr=4,vectors=0", f"{RNG},bus=b2,addr=7,vectors=0", f"{RNG},bus=b3,addr=5,vectors=0")


def wired_by_table(_, vm):
    assert "as the line register says" not in vm.command("pci")
    assert len(re.findall(r"ioapic GSI (?:1[6-9]|2[0-3]) level", vm.command("interrupts"))) >= 4


machine_scenario("pins-behind-bridges-q35", 5, more=wired_by_table, extra=BEHIND_EXPRESS)
machine_scenario("pins-behind-bridges-pc", 4, board="pc", extra=BEHIND_PCI)
machine_scenario("pins-behind-bridges-microvm", 5, more=wired_by_table, board=MICROVM, vga="none", extra=BEHIND_EXPRESS)
machine_scenario("pins-behind-bridges-uefi", 5, more=wired_by_table, firmware="uefi", extra=BEHIND_EXPRESS,
                 timeout=UEFI_TIMEOUT)


# More than one root. INTx of devices behind pxb-pcie is not tried: QEMU 7.2 wires it elsewhere than it tells the firmware.

ROOTS = devices(
    "pxb-pcie,id=x1,bus_nr=32,bus=pcie.0", "pxb-pcie,id=x2,bus_nr=64,bus=pcie.0", "pcie-root-port,id=r1,bus=x1,slot=1,chassis=1",
    "pcie-root-port,id=r2,bus=x2,slot=2,chassis=2", f"{RNG},bus=r1", f"{RNG},bus=r2", f"{RNG},bus=pcie.0")


def three_roots(run, vm):
    run.check_output(vm.command("acpi"), [rf"^PCI root: segment 0, buses {first} to" for first in ("00", "20", "40")])
    run.check_output(vm.command("pci"), [r"^21:00\.0 1af4:1044", r"^41:00\.0 1af4:1044"])


machine_scenario("several-roots", 3, more=three_roots, extra=ROOTS)
machine_scenario("several-roots-uefi", 3, more=three_roots, firmware="uefi", extra=ROOTS, timeout=UEFI_TIMEOUT)

machine_scenario("26-devices", 26, board="q35", extra=devices(*[RNG] * 26))
machine_scenario("26-devices-by-pins", 26, board="pc", extra=devices(*[f"{RNG},vectors=0"] * 26))


# What no driver is for is left alone.

OTHERS = devices(
    "pcie-root-port,id=r1,slot=1,chassis=1", "x3130-upstream,id=up,bus=r1", "xio3130-downstream,id=d1,bus=up,chassis=2,slot=2",
    "xio3130-downstream,id=d2,bus=up,chassis=3,slot=3", f"{RNG},bus=d1", "edu,bus=d2", "pcie-root-port,id=r2,slot=4,chassis=4",
    "pcie-pci-bridge,id=b1,bus=r2", f"{RNG},bus=b1,addr=9,vectors=0", "nvme,serial=one", "qemu-xhci", "pci-testdev,membar=16G")
NUMA = ("-object", "memory-backend-ram,id=m0,size=512M", "-numa", "node,nodeid=0,memdev=m0,cpus=0", "-numa", "node,nodeid=1")


def others_are_there(run, vm):
    text = vm.command("pci")
    run.check_output(text, [r"^\S+ 1b36:0010 .*NVMe.*: no driver", r"^\S+ 1234:11e8 .*: no driver", r"^\S+ 104c:8232 .*PCI bridge",
                            r"BAR 2: memory 64 bit prefetchable, 0x400000000 bytes at 0x[0-9a-f]{9,}"])
    assert "2 passed, 0 failed" in vm.command("test pci/")


machine_scenario("other-devices", 2, more=others_are_there, board="q35,smm=off,sata=off,smbus=off,vmport=off,usb=on", cpu="max",
                 extra=OTHERS + NUMA)


def addresses_by_us(run, vm):
    """What decodes addresses does so where the kernel says, and all are those that the root passes on."""
    others_are_there(run, vm)
    ours = {int(base, 16) for base in re.findall(r"memory.* at 0x([0-9a-f]+)", vm.command("pci"))}
    decoded = {int(base, 16) for base in re.findall(r"memory at 0x([0-9a-f]+) ", vm.monitor("info pci"))} - {2**64 - 1}
    assert len(decoded) >= 5 and decoded <= ours, (decoded, ours)
    assert all(0xC0000000 <= base < 0xE0000000 or 0xC000000000 <= base < 1 << 40 for base in ours), ours


machine_scenario("other-devices-microvm", 2, more=addresses_by_us, board=MICROVM, cpu="max", vga="none", extra=OTHERS)


@scenario("machine/2038")
def after_2038(run):
    """the wall clock goes past the last second that 32 bits hold"""
    extra = ("-rtc", "base=2038-01-19T03:14:00,clock=vm", "-icount", "shift=0,sleep=off")
    with run.boot(Machine(command_line='keel.panic=exit keel.run="clock; idle 10; clock; exit"', extra=extra)) as vm:
        vm.wait_end("pass")
        before, after = re.findall(r"^wall clock: 2038-01-19 03:14:(\d\d) UTC$", vm.output, re.M)
        assert int(before) < 8 and int(after) == int(before) + 10, (before, after)


# Nobody at the serial line: output is on the screen, input is the keyboard.

def text_screen(run, vm):
    path = os.path.abspath(run.path("vga.bin"))
    vm.qmp("pmemsave", val=0xB8000, size=80 * 25 * 2, filename=path)
    with open(path, "rb") as file:
        text = file.read()[::2].decode("cp437")
    return [text[at:at + 80].rstrip() for at in range(0, len(text), 80)]


def pixel_screen(_, vm):
    """What of it stands still: a character may be half drawn."""
    screen = ScreenText(Picture(vm.screendump()), 1)
    return [] if screen.unknown else screen.lines


def wait_until(run, vm, what, holds):
    """Both screens and the debug port are looked at until it holds; each look takes QEMU a moment."""
    while not holds():
        if vm.end is not None or time.monotonic() > run.deadline:
            run.fail(f"{what} did not come:\n" + vm.debug_output[-2000:])


def serial_free_scenario(name, read, **machine):
    @scenario(f"machine/no-serial-{name}")
    def function(run):
        """without a serial port a command typed on the keyboard answers on the screen"""
        with run.boot(Machine(serial=False, command_line="keel.panic=exit", extra=TWO, **machine)) as vm:
            def wait(wanted):
                wait_until(run, vm, wanted, lambda: any(re.search(wanted, line) for line in read(run, vm)))

            wait_until(run, vm, "the last stage", lambda: vm.monitor("info status") and "stage 10 of 10" in vm.debug_output)
            wait("keel>$")
            keys(vm, *text_keys("rng"), "ret")
            wait(r"64 bytes received$")
            keys(vm, *text_keys("idle 1"), "ret")
            wait("^1 s halted")
            keys(vm, *text_keys("exit"), "ret")
            vm.wait_end("pass")


serial_free_scenario("text", text_screen)
serial_free_scenario("pixels", pixel_screen, firmware="bios")
