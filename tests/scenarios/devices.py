"""What the firmware says of the machine and what PCI has, and leaving the machine for real."""
import re
import struct

from harness import Machine, boot_scenario, scenario
from harness.outcome import POWER_OFF, RESET, TRIPLE_FAULT

BRIDGES = ("-device", "pcie-root-port,id=root-port,slot=1", "-device", "pcie-pci-bridge,id=first,bus=root-port",
           "-device", "pci-bridge,id=second,bus=first,chassis_nr=2", "-device", "virtio-rng-pci,bus=second,addr=3")
MICROVM = "microvm,isa-serial=on,acpi=on"


def ending_scenario(name, board, command, ending):
    @scenario(name)
    def end(run):
        """the command ends the machine as it should: QEMU's own last word says how"""
        with run.boot(Machine(board=board, vga="none", command_line=f'keel.panic=exit keel.run="{command}"')) as vm:
            vm.wait_end(ending)


for label, machine in (("q35", "q35"), ("pc", "pc"), ("microvm", MICROVM)):
    ending_scenario(f"acpi/power-off-{label}", machine, "poweroff", POWER_OFF)
    ending_scenario(f"acpi/reboot-{label}", machine, "reboot", RESET)
ending_scenario("acpi/reboot-by-triple-fault", "microvm,isa-serial=on,acpi=off", "reboot", TRIPLE_FAULT)
ending_scenario("acpi/reboot-without-acpi", "pc,acpi=off", "reboot", RESET)

boot_scenario("acpi/two-ioapics", Machine(board="microvm,pcie=on,isa-serial=on,acpi=on,ioapic2=on", vga="none"), "acpi; timers",
              [r"apic: IOAPIC at 0xfec00000, GSIs 0 to 23",
               r"apic: IOAPIC at 0xfec10000, GSIs 24 to 47", r"^  IOAPIC 1 at 0xfec10000, inputs from 24"],
              summary="every IOAPIC of the machine is taken")
boot_scenario("acpi/off-by-option", Machine(command_line="acpi=off"), "acpi; pci", ["^No ACPI tables", "^00:00.0 8086:"],
              summary="acpi=off boots, has no tables, and finds PCI all the same")
boot_scenario("acpi/none", Machine(board="pc,acpi=off"), "acpi; pci", ["^No ACPI tables", "^00:00.0 8086:"],
              summary="a machine without ACPI boots and finds PCI")


@scenario("acpi/power-off-impossible")
def power_off_impossible(run):
    """poweroff without ACPI says so, and the prompt goes on"""
    with run.boot(Machine(command_line="keel.panic=exit acpi=off")) as vm:
        vm.wait_prompt()
        assert "does not say how" in vm.command("poweroff")
        vm.exit()


@scenario("pci/bridges")
def bridges(run):
    """what is behind three bridges is found, with addresses that QEMU has for it too"""
    with run.boot(Machine(command_line="keel.panic=exit", extra=BRIDGES)) as vm:
        vm.wait_prompt()
        text = vm.command("pci")
        behind = text[text.index("03:03.0 1af4:1005"):]
        base = int(re.search(r"BAR 1: memory, 0x1000 bytes at 0x([0-9a-f]+)", behind)[1], 16)
        assert f"0x{base:08x}" in vm.monitor("info pci"), (text, vm.monitor("info pci"))
        assert re.search(r"^      pci 03:03.0", vm.command("devices"), re.M)
        vm.exit()


# Tables that lie, beside the machine's own: registers and configuration space in the middle of memory (whoever wrote there
# would write to somebody's page), bytes that are no AML, a root bus that is there twice, one that cannot be reached.
IN_MEMORY = 32 << 20


def device(body):
    return bytes([0x5B, 0x82, len(body) + 1]) + body


def named_root(name, *objects):
    return device(name + b"\x08_HID\x0c\x41\xd0\x0a\x08" + b"".join(b"\x08" + key + value for key, value in objects))


LYING_TABLES = (
    ("MCFG", bytes(8) + struct.pack("<QHBBI", IN_MEMORY, 0, 0, 255, 0)),
    ("HPET", struct.pack("<IBBBBQBHB", 0x8086A201, 0, 64, 0, 0, IN_MEMORY, 0, 100, 0)),
    ("SRAT", bytes(range(256))),
    ("SSDT", bytes(range(255, -1, -1)) * 8),
    ("SSDT", bytes([0x10, 0x5F, 0x09]) + b"_SB_" + b"\xa0" * 900),
    ("SSDT", named_root(b"TWIN", (b"_BBN", b"\0")) + named_root(b"FAR_", (b"_SEG", b"\x01"), (b"_CBA", b"\x0c\0\0\0\x02"))),
)


@scenario("acpi/tables-that-lie")
def lying_tables(run):
    """tables that put registers where memory is, and bytes that mean nothing, cost what they say and nothing else"""
    extra = ["-device", "virtio-rng-pci,vectors=0"]
    for n, (signature, body) in enumerate(LYING_TABLES):
        with open(run.path(f"table{n}"), "wb") as file:
            file.write(body)
        extra += ["-acpitable", f"sig={signature},data={run.path(f'table{n}')}"]
    with run.boot(Machine(board="pc,hpet=off", command_line="keel.panic=exit", extra=tuple(extra))) as vm:
        vm.wait_prompt()
        tables = vm.command("acpi")
        assert len(re.findall("^SSDT ", tables, re.M)) == 3 and "HPET 0 at 0x2000000" in tables, tables
        run.check_output(vm.output, ["bus 00 of segment 0 has two roots", "there is no way to bus 00 of segment 1",
                                     r"\d functions from bus 00 on by ports"])
        assert not re.search("^hpet ", vm.command("clock"), re.M)
        assert "64 bytes received" in vm.command("rng")
        assert "audit: 0 violations" in vm.command("audit")
        vm.exit()
