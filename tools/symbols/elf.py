"""The parts of an ELF64 little-endian executable that the symbol table is made from (System V ABI, chapters 4 and 5)."""
import struct
from collections import namedtuple

SHT_PROGBITS, SHT_NOBITS = 1, 8
SHF_ALLOC, SHF_EXECINSTR = 2, 4
STT_NOTYPE, STT_OBJECT, STT_FUNC = 0, 1, 2
STB_LOCAL, STB_GLOBAL = 0, 1

Section = namedtuple("Section", "name type flags address offset size link")
Symbol = namedtuple("Symbol", "name type binding section value size")


class Error(Exception):
    pass


def c_string(data, offset):
    return data[offset : data.index(b"\0", offset)].decode("utf-8", "replace")


class Elf:
    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = file.read()
        if self.data[:6] != b"\x7fELF\x02\x01":
            raise Error(f"{path}: not a little-endian ELF64 file")
        offset, size, count, names = (
            *struct.unpack_from("<Q", self.data, 40), *struct.unpack_from("<HHH", self.data, 58))
        raw = [struct.unpack_from("<IIQQQQIIQQ", self.data, offset + i * size) for i in range(count)]
        self.sections = [
            Section(c_string(self.data, raw[names][4] + r[0]), r[1], r[2], r[3], r[4], r[5], r[6]) for r in raw]
        self.symbols = self._read_symbols()

    def section(self, name):
        return next((s for s in self.sections if s.name == name), None)

    def contents(self, name):
        """The bytes of the named section; empty where there is none."""
        section = self.section(name)
        if section is None or section.type == SHT_NOBITS:
            return b""
        return self.data[section.offset : section.offset + section.size]

    def _read_symbols(self):
        table = self.section(".symtab")
        if table is None:
            raise Error("no symbol table: was the file stripped?")
        strings = self.sections[table.link].offset
        symbols = []
        for at in range(table.offset, table.offset + table.size, 24):
            name, info, _, section, value, size = struct.unpack_from("<IBBHQQ", self.data, at)
            symbols.append(Symbol(c_string(self.data, strings + name), info & 15, info >> 4, section, value, size))
        return symbols
