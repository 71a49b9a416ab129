#!/usr/bin/python3 -B
"""Makes the kernel's symbol and line table, in two links:

    symbols.py generate FIRST OUT    reads the kernel linked without a table, writes the table as raw bytes
    symbols.py check FIRST FINAL     fails if anything but the table itself moved between the two links
"""
import argparse
import sys

import dwarf_line
import elf
import image
import table

# Sections whose contents nobody finds by address: they may differ between the two links.
TABLE_SECTION = ".symbols"


def generate(arguments):
    items = image.read(arguments.first, arguments.source_root, arguments.binary_root)
    if not any(item.is_function and item.lines[0][2] for item in items):
        raise elf.Error(f"{arguments.first}: no function with line numbers: was it compiled with -g?")
    writer = table.Writer(items)
    data = writer.write()
    with open(arguments.out, "wb") as file:
        file.write(data)
    if arguments.build_id:
        with open(arguments.build_id, "w", encoding="ascii") as file:
            file.write(f"-Wl,--build-id=0x{image.build_id(arguments.first, data)}\n")
    if arguments.verbose:
        sizes = writer.sizes
        text = sum(s.size for s in elf.Elf(arguments.first).sections if s.flags & elf.SHF_EXECINSTR)
        print(f"symbol table: {len(data)} bytes for {sizes['functions']} functions, {len(items) - sizes['functions']} "
              f"objects and {sizes['rows']} line rows; without names {len(data) - sizes['names']} bytes, "
              f"{100 * (len(data) - sizes['names']) / text:.1f} % of the code")


def check(arguments):
    first, final = elf.Elf(arguments.first), elf.Elf(arguments.final)
    moved = _moved_sections(first, final) + _moved_symbols(first, final)
    if moved:
        raise elf.Error("the symbol table moved what it describes:\n  " + "\n  ".join(moved[:20]))


def _moved_sections(first, final):
    before = {s.name: (s.address, s.size) for s in first.sections if s.flags & elf.SHF_ALLOC and s.name != TABLE_SECTION}
    after = {s.name: (s.address, s.size) for s in final.sections if s.flags & elf.SHF_ALLOC and s.name != TABLE_SECTION}
    return [f"section {name}: {before.get(name)} before, {after.get(name)} after"
            for name in sorted(before.keys() | after.keys()) if before.get(name) != after.get(name)]


def _moved_symbols(first, final):
    """Compares the symbols that lie in a section other than the table's; labels at the image's end may move."""
    before, after = ({(s.name, s.value) for s in e.symbols if s.name and s.type in (elf.STT_OBJECT, elf.STT_FUNC, elf.STT_NOTYPE)
                      and _is_in_section(e, s)} for e in (first, final))
    return [f"symbol {name} at 0x{value:x}" for name, value in sorted(before ^ after)]


def _is_in_section(image_file, symbol):
    if not 0 < symbol.section < len(image_file.sections):
        return False
    section = image_file.sections[symbol.section]
    return (section.flags & elf.SHF_ALLOC and section.name != TABLE_SECTION
            and section.address <= symbol.value < section.address + section.size)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("generate")
    command.add_argument("first")
    command.add_argument("out")
    command.add_argument("--source-root", required=True, help="cut off the front of absolute source paths")
    command.add_argument("--binary-root", required=True, help="likewise, for generated sources; they become build/...")
    command.add_argument("--build-id", metavar="FILE", help="write the second link's option with the kernel's build id")
    command.add_argument("--verbose", action="store_true", help="print the table's size")
    command.set_defaults(run=generate)
    command = commands.add_parser("check")
    command.add_argument("first")
    command.add_argument("final")
    command.set_defaults(run=check)
    arguments = parser.parse_args()
    try:
        arguments.run(arguments)
    except (elf.Error, dwarf_line.Error, OSError) as error:
        sys.exit(f"symbols: {error}")


main()
