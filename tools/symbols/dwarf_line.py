"""Reads .debug_line, DWARF versions 2 to 5 (DWARF 5, 6.2), as GCC, clang and NASM write it."""
from collections import namedtuple

# A row of the line table: line 0 means that no source line is known. is_end: address is the first one past the sequence.
Row = namedtuple("Row", "address file line is_end")

DW_LNCT_PATH, DW_LNCT_DIRECTORY_INDEX = 1, 2
FIXED_FORMS = {0x0B: 1, 0x05: 2, 0x06: 4, 0x07: 8, 0x1E: 16}  # DW_FORM_data1, 2, 4, 8, 16
DW_FORM_STRING, DW_FORM_BLOCK, DW_FORM_STRP, DW_FORM_UDATA, DW_FORM_LINE_STRP = 0x08, 0x09, 0x0E, 0x0F, 0x1F


class Error(Exception):
    pass


class Cursor:
    def __init__(self, data, at=0, end=None):
        self.data, self.at, self.end = data, at, len(data) if end is None else end

    def fixed(self, size, signed=False):
        self.at += size
        return int.from_bytes(self.data[self.at - size : self.at], "little", signed=signed)

    def uleb(self):
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def sleb(self):
        start = self.at
        value = self.uleb()
        bits = 7 * (self.at - start)
        return value - (1 << bits) if value >> (bits - 1) else value

    def string(self):
        end = self.data.index(b"\0", self.at)
        text = self.data[self.at : end].decode("utf-8", "replace")
        self.at = end + 1
        return text


class LineReader:
    """Iterates over the sequences of all units: lists of Row, in the order they have in the section."""

    def __init__(self, debug_line, debug_line_str=b"", debug_str=b""):
        self.debug_line, self.strings = debug_line, {DW_FORM_LINE_STRP: debug_line_str, DW_FORM_STRP: debug_str}

    def sequences(self):
        at = 0
        while at < len(self.debug_line):
            unit = Cursor(self.debug_line, at)
            length = unit.fixed(4)
            self.offset_size = 4
            if length == 0xFFFFFFFF:
                length, self.offset_size = unit.fixed(8), 8
            at = unit.end = unit.at + length
            if at > len(self.debug_line):
                raise Error("a unit of .debug_line is longer than the section")
            yield from self._unit(unit)

    def _unit(self, unit):
        version = unit.fixed(2)
        if not 2 <= version <= 5:
            raise Error(f"line table version {version} is not known")
        if version >= 5:
            unit.at += 2  # address and segment selector size: 8 and 0 on x86-64
        program = unit.fixed(self.offset_size)
        program += unit.at
        min_instruction = unit.fixed(1)
        if version >= 4:
            unit.at += 1  # operations per instruction: 1 where there are no bundles
        unit.at += 1  # default_is_stmt: every row is kept
        line_base, line_range, opcode_base = unit.fixed(1, signed=True), unit.fixed(1), unit.fixed(1)
        lengths = [0] + [unit.fixed(1) for _ in range(opcode_base - 1)]
        files = self._files_5(unit) if version >= 5 else self._files_4(unit)
        unit.at = program
        yield from self._run(unit, files, min_instruction, line_base, line_range, opcode_base, lengths)

    def _files_4(self, unit):
        directories = [""]
        while name := unit.string():
            directories.append(name)
        files = [""]
        while name := unit.string():
            files.append(join(directories[unit.uleb()], name))
            unit.uleb(), unit.uleb()  # time, length
        return files

    def _files_5(self, unit):
        directories = [entry.get(DW_LNCT_PATH, "") for entry in self._entries(unit)]
        directories[0] = ""  # the directory of the compilation: names are wanted relative to the project
        return [join(directories[entry.get(DW_LNCT_DIRECTORY_INDEX, 0)], entry[DW_LNCT_PATH])
                for entry in self._entries(unit)]

    def _entries(self, unit):
        formats = [(unit.uleb(), unit.uleb()) for _ in range(unit.fixed(1))]
        return [{content: self._form(unit, form) for content, form in formats} for _ in range(unit.uleb())]

    def _form(self, unit, form):
        if form in FIXED_FORMS:
            return unit.fixed(FIXED_FORMS[form])
        if form == DW_FORM_UDATA:
            return unit.uleb()
        if form == DW_FORM_STRING:
            return unit.string()
        if form in self.strings:
            return Cursor(self.strings[form], unit.fixed(self.offset_size)).string()
        if form == DW_FORM_BLOCK:
            return unit.fixed(unit.uleb())
        raise Error(f"form 0x{form:x} in a line table header is not known")

    @staticmethod
    def _run(unit, files, min_instruction, line_base, line_range, opcode_base, lengths):
        rows, address, file, line = [], 0, 1, 1

        def row(is_end=False):
            rows.append(Row(address, files[file] if file < len(files) else "", line, is_end))

        while unit.at < unit.end:
            opcode = unit.fixed(1)
            if opcode >= opcode_base:
                opcode -= opcode_base
                address += opcode // line_range * min_instruction
                line += line_base + opcode % line_range
                row()
            elif opcode == 0:  # extended
                size = unit.uleb()
                after = unit.at + size
                extended = unit.fixed(1)
                if extended == 1:  # DW_LNE_end_sequence
                    row(is_end=True)
                    yield rows
                    rows, address, file, line = [], 0, 1, 1
                elif extended == 2:  # DW_LNE_set_address
                    address = unit.fixed(size - 1)
                elif extended == 3:  # DW_LNE_define_file
                    raise Error("DW_LNE_define_file is not known")
                unit.at = after
            elif opcode == 1:  # DW_LNS_copy
                row()
            elif opcode == 2:  # DW_LNS_advance_pc
                address += unit.uleb() * min_instruction
            elif opcode == 3:  # DW_LNS_advance_line
                line += unit.sleb()
            elif opcode == 4:  # DW_LNS_set_file
                file = unit.uleb()
            elif opcode == 8:  # DW_LNS_const_add_pc
                address += (255 - opcode_base) // line_range * min_instruction
            elif opcode == 9:  # DW_LNS_fixed_advance_pc
                address += unit.fixed(2)
            else:  # what changes neither address, file nor line
                for _ in range(lengths[opcode]):
                    unit.uleb()
        if rows:
            raise Error("a line number program ends inside a sequence")


def join(directory, name):
    return name if not directory or name.startswith("/") else directory.rstrip("/") + "/" + name
