"""Commands and pretty printers for a Keel kernel under gdb: everything is read from the kernel's memory, nothing is called."""
import gdb

from . import allocator, cpu, layout, log, memory, paging, printers, threads


class KeelCommand(gdb.Command):
    """Looks into a Keel kernel."""

    def __init__(self):
        super().__init__("keel", gdb.COMMAND_DATA, prefix=True)


def register():
    KeelCommand()
    for module in (log, paging, memory, allocator, cpu, threads):
        module.register()
    printers.register()
    layout.register()
