"""Reading the machine: symbols of the kernel, physical memory, numbers out of include/base/layout.h."""
import contextlib
import os
import re

import gdb

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))


class Command(gdb.Command):
    """A command that says what is wrong in one line: subclasses set name and define run(arguments)."""

    name = None
    completion = gdb.COMPLETE_NONE

    def __init__(self):
        super().__init__(f"keel {self.name}", gdb.COMMAND_DATA, self.completion)

    def invoke(self, argument, from_tty):
        self.dont_repeat()
        try:
            self.run(gdb.string_to_argv(argument))
        except gdb.MemoryError as error:
            raise gdb.GdbError(f"{error}: the kernel's memory is not mapped (yet)")


def value(expression):
    """A C expression's value; a gdb.GdbError names what this kernel has not (yet)."""
    try:
        return gdb.parse_and_eval(expression)
    except gdb.error as error:
        raise gdb.GdbError(f"{expression}: {error}")


def variable(name, file):
    """A static variable of one source file."""
    return value(f"'{file}'::{name}")


def register(name):
    return int(value(f"${name}")) & 0xFFFFFFFFFFFFFFFF


def is_paging_on():
    return bool(register("cr0") >> 31)


def layout(name):
    """A number that include/base/layout.h defines."""
    with open(os.path.join(ROOT, "include/base/layout.h"), encoding="utf-8") as file:
        found = re.search(rf"^#define {name}\s+(0x[0-9a-fA-F]+|\d+)", file.read(), re.MULTILINE)
    if not found:
        raise gdb.GdbError(f"include/base/layout.h does not define {name}")
    return int(found.group(1), 0)


@contextlib.contextmanager
def physical_memory():
    """Memory accesses in here are to physical addresses (a mode of QEMU's gdb stub)."""
    reply = gdb.execute("maintenance packet qqemu.PhyMemMode", to_string=True)
    if "received" not in reply or '""' in reply:
        raise gdb.GdbError("this target cannot read physical memory: is it QEMU's gdb stub?")
    gdb.execute("maintenance packet Qqemu.PhyMemMode:1", to_string=True)
    gdb.execute("maintenance flush dcache", to_string=True)
    try:
        yield
    finally:
        gdb.execute("maintenance packet Qqemu.PhyMemMode:0", to_string=True)
        gdb.execute("maintenance flush dcache", to_string=True)


def read_u64(address):
    return int.from_bytes(gdb.selected_inferior().read_memory(address, 8).tobytes(), "little")


def text(array):
    """A char array as a string."""
    return array.string(errors="replace") if array.type.code == gdb.TYPE_CODE_PTR else bytes(
        int(array[i]) & 255 for i in range(array.type.sizeof)).split(b"\0")[0].decode("utf-8", "replace")


def code_location(address):
    """function+offset (file:line) of a code address."""
    block = gdb.execute(f"info symbol {address:#x}", to_string=True).split(" in section")[0].strip()
    name = f"{address:#x}" if block.startswith("No symbol") else block.replace(" + ", "+")
    place = gdb.find_pc_line(address)
    return f"{name} ({place.symtab.filename}:{place.line})" if place.symtab else name
