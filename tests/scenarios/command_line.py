"""The kernel command line as loaders hand it over: GRUB quotes and escapes words in its own way, QEMU not at all."""
import dataclasses

from harness import Machine, scenario

LINE = """other="x y" keel.rum=1 keel.panic=exit keel.run='echo "two  words; x" y=z; exit'"""
DOORS = {
    "direct": Machine(),
    "grub-bios": Machine(firmware="bios"),
    "grub-uefi": Machine(firmware="uefi"),
}


def check_quoting(machine):
    def check(run):
        """quotes, blanks and semicolons arrive as they were written"""
        with run.boot(dataclasses.replace(machine, command_line=LINE)) as vm:
            vm.wait_end("pass")
            run.check_output(vm.output, [r"^two  words; x y=z", r"command line: unknown option 'keel\.rum' is ignored"],
                             [r"unknown option 'other'", r"never closed"])
    return check


for door, at in DOORS.items():
    scenario(f"command_line/quotes-{door}")(check_quoting(at))


@scenario("command_line/long")
def long_line(run):
    """a line longer than the kernel keeps is cut, with a note, and boot goes on"""
    with run.boot(Machine(command_line='keel.run="exit" ' + "k" * 3000)) as vm:
        vm.wait_end("pass")
        run.check_output(vm.output, [r"pvh: command line at 0x[0-9a-f]+ has no end within 2048 readable bytes: cut"])


@scenario("command_line/unclosed")
def unclosed_quote(run):
    """a quote that is never closed reaches to the end of the line, with a note"""
    with run.boot(Machine(command_line='keel.run="echo to the end; exit')) as vm:
        vm.wait_end("pass")
        run.check_output(vm.output, [r"^to the end$", r'command line: a " quote is never closed'])
