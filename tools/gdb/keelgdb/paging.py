"""keel pagewalk: how the processor translates an address, entry by entry (SDM 3A 4.5)."""
import gdb

from . import target

ADDRESS_MASK = 0x000FFFFFFFFFF000
LEVELS = ("PML4", "PDPT", "PD", "PT")
FLAGS = ((0, "present"), (1, "write"), (2, "user"), (3, "write-through"), (4, "uncached"), (5, "accessed"), (6, "dirty"),
         (7, "large"), (8, "global"), (63, "no-execute"))


def flags_of(entry, is_leaf):
    names = [name for bit, name in FLAGS if entry >> bit & 1]
    return " ".join(names if is_leaf else [name for name in names if name not in ("dirty", "global")])


def walk(address):
    """[(level name, entry's physical address, entry)], and the physical address or None where nothing is mapped."""
    entries = []
    with target.physical_memory():
        table = target.register("cr3") & ADDRESS_MASK
        for number, level in enumerate(LEVELS):
            shift = 39 - 9 * number
            at = table + (address >> shift & 511) * 8
            entry = target.read_u64(at)
            entries.append((level, at, entry))
            if not entry & 1:
                return entries, None
            if number == 3 or (number > 0 and entry >> 7 & 1):
                offset = (1 << shift) - 1
                return entries, (entry & ADDRESS_MASK & ~offset) | (address & offset)
            table = entry & ADDRESS_MASK
    return entries, None


class PageWalk(target.Command):
    """keel pagewalk ADDRESS: the page table entries that translate an address, and what they allow."""

    name = "pagewalk"
    completion = gdb.COMPLETE_EXPRESSION

    def run(self, arguments):
        if not arguments:
            raise gdb.GdbError("keel pagewalk ADDRESS")
        address = int(target.value(" ".join(arguments)).cast(gdb.lookup_type("unsigned long"))) & 0xFFFFFFFFFFFFFFFF
        if not target.is_paging_on():
            print(f"paging is off: {address:#x} is a physical address")
            return
        if (address >> 47) not in (0, 0x1FFFF):
            print(f"{address:#x} is not canonical")
            return
        entries, physical = walk(address)
        for number, (level, at, entry) in enumerate(entries):
            is_leaf = physical is not None and number == len(entries) - 1
            print(f"{level:4} entry {address >> (39 - 9 * number) & 511:3} at {at:#014x}: {entry:#018x} {flags_of(entry, is_leaf)}")
        if physical is None:
            print(f"{address:#x} is not mapped")
        else:
            size = {2: "1 GiB", 3: "2 MiB", 4: "4 KiB"}[len(entries)]
            print(f"{address:#x} -> {physical:#x}, a page of {size}")


def register():
    PageWalk()
