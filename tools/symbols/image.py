"""What the symbol table says about a linked kernel: its functions and objects with their names, and each function's lines."""
import bisect
import hashlib
import os
from collections import namedtuple

import elf
from dwarf_line import LineReader

# lines: [(address, file, line)] with ascending addresses, neighbours different; the first one is at the function's start.
# file is "" and line 0 where none is known. Objects have no lines.
Item = namedtuple("Item", "address size name is_function lines")

# Sections that hold no objects an address can point into: per-CPU variables are linked at small offsets, not addresses.
NOT_ADDRESSES = {".percpu"}

BUILD_ID_SECTION = ".note.gnu.build-id"


def read(path, source_root, binary_root):
    image = elf.Elf(path)
    items = [Item(*item, []) for item in _items(image)]
    lines = _LineMap(image, source_root, binary_root)
    return [item._replace(lines=lines.of(item.address, item.address + item.size)) if item.is_function else item
            for item in items]


def build_id(path, table):
    """SHA-1, in hexadecimal, of all that is loaded, the table included: not of debug information, which has paths."""
    image = elf.Elf(path)
    digest = hashlib.sha1(table)
    for section in image.sections:
        if section.flags & elf.SHF_ALLOC and section.name != BUILD_ID_SECTION:
            digest.update(f"{section.name} {section.address:x} {section.size:x}".encode())
            digest.update(image.contents(section.name))
    return digest.hexdigest()


def _items(image):
    """(address, size, name, is_function) in address order, none overlapping: one name for each address."""
    chosen = {}
    for symbol in image.symbols:
        if not 0 < symbol.section < len(image.sections) or not symbol.name:
            continue
        section = image.sections[symbol.section]
        is_code = bool(section.flags & elf.SHF_EXECINSTR)
        if not section.flags & elf.SHF_ALLOC or section.name in NOT_ADDRESSES:
            continue
        if not _is_wanted(symbol, is_code) or not section.address <= symbol.value < section.address + section.size:
            continue
        best = chosen.get(symbol.value)
        if best is None or _rank(symbol) < _rank(best[0]):
            chosen[symbol.value] = (symbol, section, is_code)
    starts = sorted(chosen)
    items = []
    for start, following in zip(starts, starts[1:] + [None]):
        symbol, section, is_code = chosen[start]
        end = section.address + section.size
        if following is not None:
            end = min(end, following)
        if symbol.size:
            end = min(end, start + symbol.size)
        items.append((start, end - start, symbol.name, is_code))
    return items


def _is_wanted(symbol, is_code):
    if is_code:  # assembly labels have no type; NASM's local labels have a dot inside
        return symbol.type == elf.STT_FUNC or (symbol.type == elf.STT_NOTYPE and "." not in symbol.name)
    return symbol.type == elf.STT_OBJECT and symbol.size > 0


def _rank(symbol):
    """Among names of one address: typed, sized, global, short ones first."""
    return (symbol.type == elf.STT_NOTYPE, symbol.size == 0, symbol.binding == elf.STB_LOCAL, len(symbol.name), symbol.name)


class _LineMap:
    """Answers as addr2line does: the last row at or below an address, inside the sequence that holds the address."""

    def __init__(self, image, source_root, binary_root):
        self.binary_root = binary_root
        self.prefixes = [(root.rstrip("/") + "/", to) for root, to in ((binary_root, "build/"), (source_root, ""))]
        code = [(s.address, s.address + s.size) for s in image.sections if s.flags & elf.SHF_EXECINSTR and s.size]
        reader = LineReader(*(image.contents(name) for name in (".debug_line", ".debug_line_str", ".debug_str")))
        names = {}
        rows = []
        for sequence in reader.sequences():
            start = sequence[0].address
            if not any(low <= start < high for low, high in code):  # of a section that the linker dropped
                continue
            end = sequence[-1].address
            for order, row in enumerate(sequence):
                if row.address == end and not row.is_end:  # of no byte; the next sequence may begin here
                    continue
                file = names.get(row.file)
                if file is None:
                    file = names[row.file] = self._relative(row.file)
                # An end sorts before a row of the next sequence at the same address.
                rows.append((row.address, not row.is_end, order, "" if row.is_end else file, 0 if row.is_end else row.line))
        rows.sort(key=lambda row: row[:3])
        self.addresses = [row[0] for row in rows]
        self.rows = [(row[0], row[3], row[4]) for row in rows]

    def _relative(self, name):
        """From the project's root. C has such names already; NASM has what it was given, from the build directory."""
        if name.startswith("../"):
            name = os.path.normpath(os.path.join(self.binary_root, name))
        for prefix, to in self.prefixes:
            if name.startswith(prefix):
                return to + name[len(prefix):]
        return name

    def of(self, start, end):
        first = bisect.bisect_right(self.addresses, start) - 1
        last = bisect.bisect_left(self.addresses, end)
        lines = []
        for address, file, line in self.rows[max(first, 0) : last]:
            address = max(address, start)
            if line == 0 and lines:  # code of no line in particular: what comes before it is the better answer
                continue
            if lines and lines[-1][0] == address:
                lines.pop()
            if not lines or lines[-1][1:] != (file, line):
                lines.append((address, file, line))
        if not lines or lines[0][0] > start:
            lines.insert(0, (start, "", 0))
        return lines
