"""How deep each function moves the stack pointer, read from the machine code: every path of it is followed from its entry.

The depth of an instruction is the number of bytes between RSP at the function's entry (which points at the return address)
and RSP there. What the code cannot say, such as a stack pointer computed at run time, is an error, not a guess.
"""
import re
import struct
import subprocess
from collections import namedtuple

# target: an address, or None for a call through a pointer. depth: when the callee starts, return address included.
Call = namedtuple("Call", "address target depth")

LINE = re.compile(r"^ *([0-9a-f]+):\t(\S+)(?: +(\S.*?))? *(?:#.*)?$")
PREFIXES = {"lock", "rep", "repz", "repnz", "notrack", "bnd", "data16", "cs", "ds", "rex.W", "xchg"}
TARGET = re.compile(r"^([0-9a-f]+)(?: <.*>)?$")
TABLE = re.compile(r"^\*(-?0x[0-9a-f]+)\(,%r\w+,8\)$")
IMMEDIATE = re.compile(r"^\$(-?0x[0-9a-f]+),%rsp$")
LEA = re.compile(r"^(-?0x[0-9a-f]+)?\(%(rsp|rbp)\),%rsp$")
ENDS = {"ret", "iretq", "iret", "hlt", "ud2", "ud1", "lret", "lretq", "sysretq", "sysexit", "rex.W"}
WORD, LIMIT = 8, 1 << 20


class Error(Exception):
    pass


def signed(text):
    """An immediate operand of 64 bits."""
    value = int(text, 16)
    return value - (1 << 64) if value >> 63 else value


class Code:
    """The instructions of an executable."""

    def __init__(self, kernel, elf, owners):
        self.elf, self.owners = elf, owners
        self.instructions, order = {}, []
        text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", "-w", kernel], check=True, capture_output=True,
                              text=True).stdout
        for line in text.split("\n"):
            match = LINE.match(line)
            if match:
                name, operands = match.group(2), match.group(3) or ""
                while name in PREFIXES and operands and name != "xchg" and not (name == "rex.W" and operands[:4] == "lret"):
                    name, _, operands = operands.partition(" ")
                    operands = operands.strip()
                order.append((int(match.group(1), 16), name, operands))
        for number, (address, name, operands) in enumerate(order):
            after = order[number + 1][0] if number + 1 < len(order) else None
            if name.startswith("call") and after is not None and not self.owners.same(address, after):
                after = None  # the compiler knew that it does not come back
            self.instructions[address] = (name, operands, after)

    def word(self, address):
        for section in self.elf.sections:
            if section.type == 1 and section.address and section.address <= address <= section.address + section.size - 8:
                return struct.unpack_from("<Q", self.elf.data, section.offset + address - section.address)[0]
        return None

    def table(self, address, operands):
        """Where a jump of a switch goes: the words of its table, up to one that is not of this function."""
        targets, match = [], TABLE.match(operands)
        at = int(match.group(1), 16) % (1 << 64) if match else None
        while match and (target := self.word(at)) is not None and self.owners.same(address, target):
            targets.append(target)
            at += 8
        return targets


class Returns:
    """Which functions come back: behind a call of one that does not, the compiler ends its function or puts other code."""

    def __init__(self, code, entries):
        self.code, self.known, self.blocked, self.seen = code, set(), {}, set()
        self.waiting = [(entry, entry) for entry in entries]
        while self.waiting:
            self._walk(*self.waiting.pop())

    def _walk(self, function, address):
        while address is not None and (function, address) not in self.seen:
            self.seen.add((function, address))
            name, operands, after = self.code.instructions.get(address, ("ud2", "", None))
            match = TARGET.match(operands) if name.startswith(("call", "j")) else None
            target = int(match.group(1), 16) if match else None
            if name.startswith("call") and target is not None and target not in self.known:
                self.blocked.setdefault(target, []).append((function, after))
                return
            if name.startswith("j"):
                if target is None:
                    targets = self.code.table(address, operands)
                    self.waiting += [(function, target) for target in targets]
                    if not targets:  # leaves through a pointer
                        self._returns(function)
                    return
                elif name != "jmp":
                    self.waiting.append((function, target))
                else:
                    after = target
            elif name == "hlt" or name.startswith(("lret", "rex.W")):
                pass  # goes on, as far as the stack is concerned
            elif name in ENDS:
                if name not in ("ud1", "ud2"):
                    self._returns(function)
                return
            address = after

    def _returns(self, function):
        if function not in self.known:
            self.known.add(function)
            self.waiting += self.blocked.pop(function, [])


class Frame:
    """One function: its calls, and the deepest it goes by itself."""

    def __init__(self, code, entry, owners, returns):
        self.code, self.entry, self.owners, self.returns = code, entry, owners, returns
        self.calls, self.switches, self.has_sti = {}, [], False
        self.deepest = 0
        self._follow()

    def _follow(self):
        self.reached = best = {}
        waiting = [(self.entry, 0, None)]
        while waiting:
            address, depth, base = waiting.pop()
            while address is not None:
                if address not in self.code.instructions:
                    raise Error(f"{self.where(address)}: no instruction there")
                if address in best and best[address] >= depth:
                    break
                best[address] = depth
                if depth > LIMIT:
                    raise Error(f"{self.where(address)}: the stack grows in a loop")
                address, depth, base = self._step(address, depth, base, waiting)

    def where(self, address):
        return f"{self.owners.name(self.entry)} at 0x{address:x}"

    def _deep(self, depth):
        self.deepest = max(self.deepest, depth + WORD)  # the return address at the entry is the callee's

    def _step(self, address, depth, base, waiting):
        name, operands, after = self.code.instructions[address]
        if name.startswith("push"):
            depth += WORD
        elif name.startswith("pop"):
            depth -= WORD
        elif name.startswith("call"):
            if not self._call(address, operands, depth):
                return None, depth, base
        elif name == "jmp":
            return self._jump(address, operands, depth, base, waiting)
        elif name.startswith("j") or name.startswith("loop"):
            waiting.append((int(TARGET.match(operands).group(1), 16), depth, base))
        elif name in ("leave", "leaveq"):
            depth = base - WORD
        elif name in ("lret", "lretq") or (name == "rex.W" and operands.startswith("lret")):
            return self._far_return(after, depth, base)
        elif name in ENDS:
            if name == "ret" and depth != 0 and not self.switches and self.owners.has_size(self.entry):
                raise Error(f"{self.where(address)}: returns {depth} bytes below its return address")
            after = after if name == "hlt" else None
        elif name == "sti":
            self.has_sti = True
        elif name == "mov" and operands == "%rsp,%rbp":
            base = depth
        elif operands.endswith(",%rsp") and name not in ("test", "cmp"):
            depth = self._moved(address, name, operands, depth, base)
        self._deep(depth)
        return after, depth, base

    def _call(self, address, operands, depth):
        match = TARGET.match(operands)
        target = int(match.group(1), 16) if match else None
        self.calls[address] = Call(address, target, depth + WORD)
        self._deep(depth + WORD)
        return target is None or target in self.returns.known

    def _jump(self, address, operands, depth, base, waiting):
        match = TARGET.match(operands)
        if match:
            return int(match.group(1), 16), depth, base
        targets = self.code.table(address, operands)
        waiting += [(target, depth, base) for target in targets]
        if not targets:
            self.calls[address] = Call(address, None, depth)  # leaves through a pointer
        return None, depth, base

    def _far_return(self, after, depth, base):
        """Pushed selector and address of the next instruction: the way to load CS. Otherwise it leaves the function."""
        return (after, depth - 2 * WORD, base) if depth >= 2 * WORD else (None, depth, base)

    def _moved(self, address, name, operands, depth, base):
        match = IMMEDIATE.match(operands)
        if match and name in ("sub", "add"):
            value = signed(match.group(1))  # 128 bytes are made by adding -128, which is shorter
            return depth + (value if name == "sub" else -value)
        if match and name == "and":
            return depth - signed(match.group(1)) - WORD
        match = LEA.match(operands)
        if match and name == "lea":
            start = depth if match.group(2) == "rsp" else base
            return start - int(match.group(1) or "0", 16)
        if operands == "%rbp,%rsp" and base is not None:
            return base
        self.switches.append(address)  # another stack: rules.txt must say which
        return 0


class Owners:
    """Whose an address is: FUNC symbols have sizes, those of assembly reach to the next one."""

    def __init__(self, elf):
        executable = {number for number, section in enumerate(elf.sections) if section.flags & 4}
        symbols = sorted((s.value, s.name, s.size) for s in elf.symbols if s.section in executable and s.type in (0, 2)
                         and s.name and not (s.type == 0 and s.name.startswith(("__", "..@"))))  # the linker script's, macros'
        self.starts, self.names, self.ends = [], [], []
        for value, name, size in symbols:
            if not self.starts or self.starts[-1] != value:
                self.starts.append(value)
                self.names.append(name)
                self.ends.append(value + size)
            elif size:
                self.names[-1], self.ends[-1] = name, value + size
        self.by_name = {}
        for value, name, _ in symbols:
            self.by_name.setdefault(name, []).append(value)

    def index(self, address):
        from bisect import bisect_right
        return bisect_right(self.starts, address) - 1

    def name(self, address):
        number = self.index(address)
        return self.names[number] if number >= 0 else f"0x{address:x}"

    def has_size(self, address):
        """Whether it is a function: assembly's local labels have none."""
        number = self.index(address)
        return self.ends[number] > self.starts[number]

    def same(self, address, other):
        """Whether other lies in the function that address lies in; padding behind a function is in none."""
        one, other, address = self.index(address), self.index(other), other
        if one < 0 or other < 0 or self.starts[other] < self.ends[other] <= address:
            return False
        return self.names[one].split(".cold")[0] == self.names[other].split(".cold")[0]
