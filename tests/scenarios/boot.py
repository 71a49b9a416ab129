"""The one ISO on every medium, firmware and board, and the kernel file without it, each as far as a typed command."""
import os
import re

from harness import ALL_BUILDS, Machine, Picture, boot_scenario, scenario

FIRMWARE_WORDS = {"bios": "BIOS", "uefi": "UEFI"}
HEALTHY = ["stage 10 of 10", "^audit: 0 violations$"]
UEFI_TIMEOUT = 180  # OVMF alone takes seconds of CPU


def check_boot(vm, firmware):
    """What `boot` says must be true of this way of booting."""
    text = vm.command("boot")
    if firmware == "direct":
        assert re.search("^Loader: .*PVH", text), text
    else:
        assert re.search(f"^Loader: GRUB .* by Multiboot2, on {FIRMWARE_WORDS[firmware]}$", text, re.M), text
    if firmware == "uefi":  # what only this firmware gives, and what BIOS gives as well
        assert re.search("^EFI system table: at 0x[0-9a-f]+$", text, re.M), text
        assert re.search("^RSDP: (at 0x|a copy)", text, re.M), text
        assert re.search(r"^Framebuffer: \d+x\d+, \d+ bits per pixel", text, re.M), text
    assert "usable" in text and "prompt" in text, text
    assert "keel.panic=exit" in text, "the command line did not arrive"


def media_scenario(name, machine, **options):
    @scenario(name, **options)
    def boot(run):
        """the ISO boots to the prompt, which answers; the map, the loader and the screen are as they should be"""
        with run.boot(machine) as vm:
            vm.wait_prompt()
            check_boot(vm, machine.firmware)
            assert "audit: 0 violations" in vm.command("audit")
            Picture(vm.screendump()).check_text_is_visible()
            vm.exit()


for board in ("q35", "pc"):
    for firmware in ("bios", "uefi"):
        for medium in ("cd", "disk", "usb"):
            media_scenario(
                f"boot/{board}-{firmware}-{medium}",
                Machine(firmware=firmware, medium=medium, board=board, command_line="keel.panic=exit"),
                builds=ALL_BUILDS if (board, medium) == ("q35", "cd") else ("release",),
                timeout=UEFI_TIMEOUT if firmware == "uefi" else 60)
for medium in ("usb-ehci", "usb-uhci", "virtio", "nvme"):
    # USB 1.1 moves the image at a hundredth of the speed, and SeaBIOS gives up on what takes too long by the host's clock.
    media_scenario(f"boot/q35-bios-{medium}", Machine(firmware="bios", medium=medium, command_line="keel.panic=exit"),
                   labels=("long", "alone") if medium == "usb-uhci" else (), timeout=120)


@scenario("boot/direct", builds=ALL_BUILDS)
def direct(run):
    """QEMU loads the kernel file itself (PVH), to the prompt"""
    with run.boot(Machine(command_line="keel.panic=exit")) as vm:
        vm.wait_prompt()
        check_boot(vm, "direct")
        vm.exit()


@scenario("boot/menu", timeout=UEFI_TIMEOUT)
def menu(run):
    """the menu's second entry boots with every log message, chosen over the serial line"""
    with run.boot(Machine(firmware="bios")) as vm:
        vm.expect("Keel, with every log message")
        vm.send("v\r")  # the menu's "down"
        vm.wait_prompt()
        assert "keel.loglevel=debug" in vm.command("boot")
        vm.exit()


@scenario("boot/command-line-quotes", timeout=UEFI_TIMEOUT)
def command_line_quotes(run):
    """quotes, backslashes and commas of the command line arrive the same through QEMU and through GRUB"""
    line = 'keel.panic=exit keel.run="echo one,two;  echo \'three four\'; exit"'
    for machine in (Machine(command_line=line), Machine(firmware="bios", command_line=line)):
        with run.boot(machine) as vm:
            vm.wait_end("pass")
            assert "\none,two\n" in vm.output and "three four\n" in vm.output, vm.output


@scenario("boot/reboot", builds=("release", "debug"))
def reboot(run):
    """reboot resets the machine; it is no triple fault"""
    with run.boot() as vm:
        vm.wait_prompt()
        vm.send("reboot\r")
        vm.wait_end("reset")


# Boards without this or that, and with more than one CPU. What is missing must cost nothing but itself.
BOARDS = {
    "q35": ("hpet=off", "acpi=off", "pit=off", "hpet=off,pit=off", "pic=off", "smm=off", "sata=off", "smbus=off",
            "vmport=off", "max-ram-below-4g=1G", "usb=on", "graphics=off"),
    "pc": ("hpet=off", "acpi=off", "hpet=off,pit=off", "usb=on", "max-ram-below-4g=1G"),
}
for board, options in BOARDS.items():
    boot_scenario(f"board/{board}", Machine(board=board), commands="boot; memory; audit", expect=HEALTHY)
    for option in options:
        boot_scenario(f"board/{board}-{option.lower()}", Machine(board=f"{board},{option}"), commands="boot; memory; audit",
                      expect=HEALTHY)
for cpus in ("2", "8,sockets=2,cores=2,threads=2", "cpus=2,maxcpus=8"):  # 255: smp/start-255
    boot_scenario(f"board/smp-{cpus}", Machine(cpus=cpus), commands="boot; memory; audit", expect=HEALTHY)


# Screens: none at all, text only, other depths, other memory.
for vga in ("none", "cirrus", "vmware", "qxl", "virtio"):
    boot_scenario(f"screen/direct-{vga}", Machine(vga=vga), commands="boot; memory")
    boot_scenario(f"screen/bios-{vga}", Machine(firmware="bios", vga=vga), commands="boot; memory")
for vga in ("none", "qxl", "virtio"):
    boot_scenario(f"screen/uefi-{vga}", Machine(firmware="uefi", vga=vga), commands="boot; memory",
                  timeout=UEFI_TIMEOUT)


def silent_scenario(name, machine, **options):
    @scenario(name, **options)
    def silent(run):
        """without a serial port the kernel reaches the prompt all the same"""
        with run.boot(machine) as vm:
            vm.wait_end("pass")
            assert "stage 10 of 10" in vm.debug_output, vm.debug_output


QUIET = 'keel.panic=exit keel.run="boot; exit"'
silent_scenario("serial/direct-none", Machine(serial=False, command_line=QUIET))
silent_scenario("serial/bios-none", Machine(firmware="bios", serial=False, command_line=QUIET))
silent_scenario("serial/uefi-none", Machine(firmware="uefi", serial=False, command_line=QUIET), timeout=UEFI_TIMEOUT)
silent_scenario("serial/none-and-no-screen", Machine(serial=False, vga="none", command_line=QUIET))


@scenario("stress/fifty-boots", timeout=300)
def fifty_boots(run):
    """fifty boots in a row, on a machine kept busy, without one failure"""
    with run.busy(os.cpu_count()):
        for _ in range(50):
            with run.boot(Machine(command_line='keel.panic=exit keel.run="memory; audit; exit"')) as vm:
                vm.wait_end("pass")
                run.check_output(vm.output, HEALTHY)
