"""keel percpu and keel locks: what the selected CPU keeps behind GS."""
import gdb

from . import target


def area():
    """The selected CPU's struct percpu, through its GS base."""
    base = target.register("gs_base") + target.layout("PERCPU_LINK_BASE")
    percpu = gdb.Value(base).cast(gdb.lookup_type("struct percpu").pointer())
    try:
        if int(percpu["self"]) != base:
            raise gdb.GdbError(f"GS base {base:#x} does not lead to per-CPU data: too early, or user mode")
    except gdb.MemoryError:
        raise gdb.GdbError(f"GS base {base:#x} does not lead to memory: too early, or user mode")
    return percpu.dereference()


def fields(value):
    """(name, value) of each member, those of unnamed structures and unions too, once each."""
    seen = set()
    for field in value.type.fields():
        inner = fields(value[field]) if field.name is None else [(field.name, value[field])]
        for name, member in inner:
            if name not in seen:
                seen.add(name)
                yield name, member


class PerCpu(target.Command):
    """keel percpu [VARIABLE]: struct percpu of the selected CPU (`thread N` selects), or one PER_CPU variable of it."""

    name = "percpu"
    completion = gdb.COMPLETE_SYMBOL

    def run(self, arguments):
        percpu = area()
        if not arguments:
            for name, member in fields(percpu):
                if name != "held_locks":
                    print(f"{name:18} {member}")
            return
        variable = target.value(arguments[0])
        moved = target.register("gs_base") + int(variable.address)
        print(f"{arguments[0]} = {gdb.Value(moved).cast(variable.type.pointer()).dereference()}")


class Locks(target.Command):
    """keel locks: the spinlocks the selected CPU holds, and where it took each."""

    name = "locks"
    LIMIT = 100  # a damaged list may have no end

    def run(self, arguments):
        percpu = area()
        held, lock = [], percpu["held_locks"]
        while int(lock) and len(held) < self.LIMIT:
            held.append(lock)
            lock = lock["held_below"]
        print(f"CPU {int(percpu['cpu_number'])} holds {len(held)} lock{'' if len(held) == 1 else 's'}")
        for lock in held:
            name = lock["name"].string() if int(lock["name"]) else "without a name"
            print(f"  {name} at {int(lock):#x}, taken at {target.code_location(int(lock['acquired_at']) - 1)}")


def register():
    PerCpu()
    Locks()
