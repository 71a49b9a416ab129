"""The one place that knows how a QEMU command line for Keel is made: tools/qemu, the CMake targets, the gdb targets and
every scenario use it.

A machine is described by what a user would say of it (firmware, medium, memory ...), never by QEMU options; what has no
name here goes into `extra`.
"""
import dataclasses
import os

QEMU = "qemu-system-x86_64"
FIRMWARES = ("direct", "bios", "uefi")
MEDIA = ("cd", "disk", "usb", "usb-ehci", "usb-uhci", "virtio", "nvme")

# isa-debug-exit answers (value << 1) | 1. The kernel writes 0x10 for success: QEMU itself fails with 1, and leaves with 0
# on a reset under -no-reboot, so neither can be mistaken for it.
EXIT_SUCCESS = 33

# Where distributions keep OVMF: code and variables as two flash images.
OVMF = (
    ("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),
    ("/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"),
    ("/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd"),
    ("/usr/share/edk2/x64/OVMF_CODE.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd"),
)


class MissingTool(Exception):
    """Something that is not installed is needed; the message names it."""


@dataclasses.dataclass(frozen=True)
class Machine:
    firmware: str = "direct"  # direct: QEMU loads keel.elf itself; bios, uefi: GRUB loads it from keel.iso
    medium: str = "cd"        # what keel.iso is presented as; disk is AHCI on q35 and IDE on pc
    board: str = "q35"        # -M, with its options: "pc,hpet=off"
    cpu: str = "qemu64"       # -cpu
    cpus: str = "1"           # -smp
    memory: str = "512M"      # -m
    vga: str = "std"          # -vga
    accel: str = "tcg"        # -accel
    serial: bool = True       # whether there is a COM1
    serial_device: str = ""   # instead of COM1 where a PC has it: "isa-serial,iobase=0x3e8,irq=4"
    serial_break: bool = False  # whether it can be sent a BREAK; Ctrl-A is QEMU's then
    command_line: str = ""    # the kernel's
    extra: tuple = ()         # more QEMU arguments


def escape(value):
    """A value inside a comma-separated QEMU option."""
    return value.replace(",", ",,")


def ovmf_arguments():
    for code, variables in OVMF:
        if os.path.exists(code) and os.path.exists(variables):
            return ["-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={code}",
                    "-drive", f"if=pflash,format=raw,unit=1,snapshot=on,file={variables}"]
    raise MissingTool("OVMF (package ovmf)")


def medium_arguments(machine, iso):
    drive = f"if=none,id=medium,format=raw,file={escape(iso)}"
    if machine.medium == "cd":
        return ["-drive", f"{drive},readonly=on,media=cdrom", "-device", "ide-cd,bus=ide.0,drive=medium,bootindex=0"]
    devices = {
        "disk": ["ide-hd,bus=ide.0"],
        "usb": ["qemu-xhci,id=usb", "usb-storage,bus=usb.0,removable=on"],
        "usb-ehci": ["usb-ehci,id=usb", "usb-storage,bus=usb.0,removable=on"],
        "usb-uhci": ["piix3-usb-uhci,id=usb", "usb-storage,bus=usb.0,removable=on"],
        "virtio": ["virtio-blk-pci"],
        "nvme": ["nvme,serial=keel"],
    }[machine.medium]
    # A disk must be writable for the firmware to accept it; snapshot=on keeps the image as it is.
    arguments = ["-drive", f"{drive},snapshot=on"]
    for device in devices[:-1]:
        arguments += ["-device", device]
    return arguments + ["-device", f"{devices[-1]},drive=medium,bootindex=0"]


def boot_arguments(machine, kernel, iso):
    if machine.firmware == "direct":
        arguments = ["-kernel", kernel]
        return arguments + (["-append", machine.command_line] if machine.command_line else [])
    arguments = ovmf_arguments() if machine.firmware == "uefi" else []
    arguments += medium_arguments(machine, iso)
    # iso/grub.cfg takes the kernel's command line from the machine's serial number where it begins with "keel:". A PC has
    # one in any case, and GRUB complains where there is none.
    serial_number = "keel:" + machine.command_line if machine.command_line else "0"
    arguments += ["-smbios", "type=1,serial=" + escape(serial_number)]
    return arguments


def qemu_command(machine, build, kernel=None, iso=None):
    """The command as a list. Serial port, display, monitor and gdb stub are the caller's, through `extra`."""
    if machine.firmware not in FIRMWARES or machine.medium not in MEDIA:
        raise ValueError(f"no such firmware or medium: {machine.firmware}, {machine.medium}")
    kernel = kernel or os.path.join(build, "keel.elf")
    iso = iso or os.path.join(build, "keel.iso")
    return [QEMU, "-accel", machine.accel, "-M", machine.board, "-cpu", machine.cpu, "-smp", machine.cpus,
            "-m", machine.memory, "-nodefaults", "-no-user-config", "-vga", machine.vga, "-no-reboot",
            "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
            *boot_arguments(machine, kernel, iso), *machine.extra]
