"""A kernel file: its functions, their frames, where addresses of functions are used other than by a call, and the types gdb
knows."""
import fnmatch
import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "symbols"))
import frames  # noqa: E402
from elf import Elf, SHF_ALLOC, SHF_EXECINSTR, SHT_PROGBITS  # noqa: E402

IMMEDIATE = re.compile(r"\$(0xffffffff[89a-f][0-9a-f]{7})\b")
RIP_RELATIVE = re.compile(r"# ([0-9a-f]{16})\b")
STORE = re.compile(r"^\$(0x[0-9a-f]+),(-?0x[0-9a-f]+)?\((%r\w+)\)$")
STACK_NOTE, NOTE_FUNCTION = 0x41B58AB3, 16  # the address sanitizer's, at the bottom of a frame; behind it, whose that is
TABLE_OF_SYMBOLS = ".symbols"  # the kernel's own: packed, it holds no pointers


class Image:
    def __init__(self, kernel, root):
        self.kernel, self.root = kernel, root
        self.elf = Elf(kernel)
        self.owners = frames.Owners(self.elf)
        self.code = frames.Code(kernel, self.elf, self.owners)
        self.returns = frames.Returns(self.code, self.owners.starts)
        self.entries = {address: name for address, name in zip(self.owners.starts, self.owners.names) if ".cold" not in name}
        self.frames = {}
        self.notes = self._notes()
        self.in_code = self._taken_in_code()
        self.in_data = self._taken_in_data()
        self.types = None

    def address(self, name):
        found = self.owners.by_name.get(name, [])
        return found[0] if len(found) == 1 else None

    def matching(self, pattern):
        return [entry for entry, name in self.entries.items() if fnmatch.fnmatchcase(name, pattern)]

    def name(self, address):
        return self.entries.get(address) or self.owners.name(address)

    def frame(self, entry):
        if entry not in self.frames:
            self.frames[entry] = frames.Frame(self.code, entry, self.owners, self.returns)
        return self.frames[entry]

    def taken_by(self, entry):
        """The functions whose addresses one function's code loads."""
        return self._taken((address, self.code.instructions[address]) for address in self.frame(entry).reached)

    def _taken_in_code(self):
        return self._taken(self.code.instructions.items())

    def _notes(self):
        """The instructions with which functions name themselves in the address sanitizer's note about their frames."""
        notes, own = set(), {}
        for address, (name, operands, _) in self.code.instructions.items():
            match = STORE.match(operands) if name == "movq" and operands.startswith("$0x") else None
            if match is None:
                continue
            value, place = int(match.group(1), 16), (match.group(3), int(match.group(2) or "0", 16))
            if value == STACK_NOTE:
                notes.add((self.owners.index(address), place[0], place[1] + NOTE_FUNCTION))
            elif value in self.entries and self.owners.same(value, address):
                own[address] = (self.owners.index(address), *place)
        return {address for address, place in own.items() if place in notes}

    def _taken(self, instructions):
        taken = set()
        for address, (name, operands, _) in instructions:
            if address in self.notes:
                continue
            if "$0xffffffff" in operands and not name.startswith("cmp"):
                taken.update(int(text, 16) for text in IMMEDIATE.findall(operands))
            if name == "lea" and "(%rip)" in operands:
                taken.update(int(text, 16) for text in RIP_RELATIVE.findall(operands))
        return {address for address in taken if address in self.entries}

    def _taken_in_data(self):
        """{address of a word: the function in it}"""
        words = {}
        for section in self.elf.sections:
            if (section.type != SHT_PROGBITS or not section.flags & SHF_ALLOC or section.flags & SHF_EXECINSTR
                    or section.name == TABLE_OF_SYMBOLS):
                continue
            data = self.elf.data[section.offset : section.offset + section.size // 8 * 8]
            for number, word in enumerate(memoryview(data).cast("Q")):
                if word in self.entries:
                    words[section.address + 8 * number] = word
        return words

    def load_types(self, calls, sizes):
        """Asks gdb; calls: the addresses of calls through pointers, sizes: objects whose size in bytes is wanted."""
        lists = {"sizes": sizes, "root": os.path.join(self.root, ""), "calls": sorted(calls), "functions": sorted(self.entries),
                 "words": sorted(self.in_data)}
        with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
            file.writelines(f"{name} = {value!r}\n" for name, value in lists.items())
            file.flush()
            command = ["gdb", "-nx", "-batch", "-iex", "set auto-load off", "-ex", f"source {file.name}", "-x",
                       os.path.join(HERE, "types_in_gdb.py"), self.kernel]
            result = subprocess.run(command, capture_output=True, text=True)
        lines = [line for line in result.stdout.split("\n") if line.startswith("{")]
        if not lines:
            raise frames.Error(f"gdb says nothing of types: {result.stderr[-500:]}")
        self.types = json.loads(lines[-1])
