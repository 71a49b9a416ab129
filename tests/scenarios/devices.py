"""What the firmware says of the machine and what PCI has, and leaving the machine for real."""
import re

from harness import Machine, boot_scenario, scenario
from harness.outcome import POWER_OFF, RESET

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
ending_scenario("acpi/reboot-without-acpi", "pc,acpi=off", "reboot", RESET)

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
