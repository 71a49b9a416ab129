"""keel memory: the sanitised memory map, and how many pages each zone has."""
import gdb

from . import target

KINDS = {"MEMORY_USABLE": "usable", "MEMORY_ACPI_RECLAIMABLE": "ACPI reclaimable", "MEMORY_ACPI_NVS": "ACPI NVS",
         "MEMORY_RESERVED": "reserved", "MEMORY_BAD": "bad"}


def ranges():
    """[(base, length, kind)] of the sanitised map."""
    info = target.variable("this_boot", "boot/boot_info.c")
    for number in range(int(info["nr_memory"])):
        entry = info["memory"][number]
        yield int(entry["base"]["value"]), int(entry["length_bytes"]), KINDS.get(str(entry["kind"]), str(entry["kind"]))


def zones():
    """[(name, pages ever given, pages in the buddy allocator, blocks of each order)]."""
    table = target.variable("zones", "mm/page_alloc.c")
    for number in range(table.type.range()[1] + 1):
        zone, buddy = table[number], table[number]["buddy"]
        blocks = [int(buddy["nr_blocks"][order]) for order in range(buddy["nr_blocks"].type.range()[1] + 1)]
        yield zone["name"].string(), int(zone["nr_total"]), int(buddy["nr_free"]), blocks


def pages_on_cpu_lists():
    """Single pages in front of the zones, of all CPUs."""
    cpu, count = target.variable("all_cpu_pages", "mm/page_alloc.c"), 0
    while int(cpu):
        count += (int(cpu["top"]) - int(cpu["entries"].address)) // 8
        cpu = cpu["next"]
    return count


class Memory(target.Command):
    """keel memory: the memory map the firmware gave, sanitised, and the free pages of each zone."""

    name = "memory"

    def run(self, arguments):
        entries = list(ranges())
        for base, length, kind in entries:
            print(f"{base:#018x} - {base + length - 1:#018x} {length // 1024:>12} KiB  {kind}")
        if not entries:
            print("no memory map yet")
            return
        for name, total, free, blocks in zones():
            print(f"zone {name:7} {total:>9} pages, {free:>9} free; blocks by order: {' '.join(map(str, blocks))}")
        print(f"on CPUs' lists {pages_on_cpu_lists():>9} pages")


def register():
    Memory()
