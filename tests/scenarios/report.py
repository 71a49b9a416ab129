"""Reads a fault report (include/debug/report.h) and checks every field of it against the kernel file and against itself.

Nothing here shares code with the kernel: names of bits are written down again, symbols come from the ELF through pyelftools,
source lines from addr2line, and return addresses must lie behind a call instruction in the file's own bytes.
"""
import bisect
import contextlib
import glob
import os
import pickle
import re
import subprocess
import tempfile
import zlib

BEGIN = "======== KEEL REPORT BEGIN ========"
END = re.compile(r"======== KEEL REPORT END crc32 0x([0-9a-f]{8}) ========")
LOCK_SECTION = re.compile(r"(order|usage|hold) \d+ of \d+")
# Of a notice's lines, and of no others. The console puts log lines above the prompt, which a terminal then shows again: the
# text has it in front.
LOG_PREFIX = re.compile(r"^(keel> )*\[ *\d+\.\d{6}\] \| ")

REGISTERS = ("rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 cs ss ds es fs gs fs_base gs_base "
             "kernel_gs_base rflags cr0 cr2 cr3 cr4 efer").split()
MNEMONICS = {0: "#DE", 2: "NMI", 6: "#UD", 8: "#DF", 12: "#SS", 13: "#GP", 14: "#PF", 18: "#MC"}
HAS_ERROR_CODE = {8, 10, 11, 12, 13, 14, 17, 21, 29, 30}
PAGE_FAULT_BITS = (("P", 0), ("W", 1), ("U", 2), ("RSVD", 3), ("I", 4), ("PK", 5), ("SS", 6), ("SGX", 15))
# SDM 1 3.4.3 and SDM 3A 2.2.1, 2.5.
FLAG_NAMES = {
    "rflags": {0: "CF", 2: "PF", 4: "AF", 6: "ZF", 7: "SF", 8: "TF", 9: "IF", 10: "DF", 11: "OF", 16: "RF", 21: "ID"},
    "cr0": {0: "PE", 1: "MP", 2: "EM", 3: "TS", 4: "ET", 5: "NE", 16: "WP", 18: "AM", 29: "NW", 30: "CD", 31: "PG"},
    "cr4": {4: "PSE", 5: "PAE", 6: "MCE", 7: "PGE", 9: "OSFXSR", 10: "OSXMMEXCPT", 11: "UMIP", 16: "FSGSBASE",
            17: "PCIDE", 18: "OSXSAVE", 20: "SMEP", 21: "SMAP", 22: "PKE"},
    "efer": {0: "SCE", 8: "LME", 10: "LMA", 11: "NXE"},
}
RFLAGS_ALWAYS_ONE = 2


class ReportError(Exception):
    """The report is not what it has to be; the message says which field, what was found and what was expected."""


def want(condition, message):
    if not condition:
        raise ReportError(message)


class Kernel:
    """The kernel file: symbols, source lines, bytes and build id."""

    def __init__(self, path):
        from elftools.elf.elffile import ELFFile  # a scenario that needs no ELF runs without the package

        self.path = path
        with open(path, "rb") as file:
            elf = ELFFile(file)
            note = next(elf.get_section_by_name(".note.gnu.build-id").iter_notes())
            self.build_id = note["n_desc"]
            self.symbols, self.functions, self.sections, self.assembly_rows = self._remembered(elf)
        self.lines = {}
        self.addr2line = None

    def _remembered(self, elf):
        """What is read from the file, which takes seconds: the first scenario leaves it for all others of this build."""
        cache = f"{self.path}.{self.build_id}.pickle"
        try:
            with open(cache, "rb") as file:
                return pickle.load(file)
        except FileNotFoundError:
            found = self._read(elf)
        for old in glob.glob(glob.escape(self.path) + ".*.pickle"):
            with contextlib.suppress(FileNotFoundError):
                os.remove(old)
        with tempfile.NamedTemporaryFile(dir=os.path.dirname(self.path), delete=False) as file:
            pickle.dump(found, file)
        os.replace(file.name, cache)
        return found

    def _read(self, elf):
        symbols, functions = {}, set()
        for symbol in elf.get_section_by_name(".symtab").iter_symbols():
            kind = symbol["st_info"]["type"]
            if symbol.name and kind in ("STT_FUNC", "STT_OBJECT", "STT_NOTYPE"):
                symbols.setdefault(symbol["st_value"], []).append((symbol.name, symbol["st_size"]))
            if kind == "STT_FUNC":
                functions.add(symbol["st_value"])
        sections = {section.name: (section["sh_addr"], section.data())
                    for section in elf.iter_sections() if section.name in (".text", ".init.text")}
        return symbols, sorted(functions), sections, sorted(self._assembly_rows(elf.get_dwarf_info()))

    @staticmethod
    def _assembly_rows(dwarf):
        """(address, file, line) of every row of NASM's line tables: addr2line finds none of them, for want of ranges."""
        for unit in dwarf.iter_CUs():
            program = dwarf.line_program_for_CU(unit)
            if program is None or not unit.get_top_DIE().attributes["DW_AT_name"].value.endswith(b".asm"):
                continue
            files = program["file_entry"]
            for entry in program.get_entries():
                if entry.state and not entry.state.end_sequence:
                    yield entry.state.address, files[entry.state.file - 1].name.decode(), entry.state.line

    def is_text(self, address):
        return self.bytes_at(address, 1) is not None

    def bytes_at(self, address, length):
        for start, data in self.sections.values():
            if start <= address < start + len(data):
                return data[address - start:address - start + length]
        return None

    def line_of(self, address):
        """("src/x.c", 12) as addr2line has it."""
        if address not in self.lines:
            if self.addr2line is None:
                self.addr2line = subprocess.Popen(["addr2line", "-e", self.path], stdin=subprocess.PIPE,
                                                  stdout=subprocess.PIPE, text=True)
            print(hex(address), file=self.addr2line.stdin, flush=True)
            text = self.addr2line.stdout.readline().strip()
            want(text, "addr2line does not answer")
            file, _, line = text.partition(" ")[0].rpartition(":")
            if file == "??":
                _, file, line = self.assembly_rows[bisect.bisect_right(self.assembly_rows, (address, "~")) - 1]
            self.lines[address] = (file, int(line) if str(line).isdigit() else 0)
        return self.lines[address]

    def check_location(self, text, is_return_address, what, check_before=None):
        """text is "0x... function+0x12 (file.c:34)" or "0x... not in kernel code". Returns (address, function or None).
        What lies before a return address is checked to be a call, or by check_before."""
        match = re.fullmatch(r"0x([0-9a-f]{16}) (?:not in kernel code|(\S+)\+0x([0-9a-f]+)(?: \((\S+):(\d+)\))?)", text)
        want(match, f"{what}: cannot read '{text}'")
        address = int(match.group(1), 16)
        if match.group(2) is None:
            want(not self.is_text(address), f"{what}: 0x{address:x} is kernel code, and the report says it is not")
            return address, None
        looked_up = address - is_return_address  # a call of a function that never returns may be the last of its section
        want(self.is_text(looked_up), f"{what}: 0x{address:x} is not in the kernel file's code")
        start = address - int(match.group(3), 16)
        names = [name[:63] for name, _ in self.symbols.get(start, [])]
        want(match.group(2) in names, f"{what}: no symbol {match.group(2)} at 0x{start:x}; there is {names}")
        index = bisect.bisect_right(self.functions, looked_up)
        want(index == 0 or self.functions[index - 1] <= start,
             f"{what}: another function begins between {match.group(2)} and 0x{address:x}")
        file, line = self.line_of(looked_up)
        want(match.group(4), f"{what}: no file and line")
        want(file.endswith("/" + match.group(4)) or file == match.group(4),
             f"{what}: file {match.group(4)}, addr2line says {file}")
        want(line == int(match.group(5)), f"{what}: line {match.group(5)}, addr2line says {line}")
        if is_return_address:
            (check_before or self.check_behind_call)(address, what)
        return address, match.group(2)

    def check_behind_call(self, address, what):
        """The bytes before a return address are a call: E8 with 4 bytes, or FF /2 in one of its lengths (SDM 2A, CALL)."""
        before = self.bytes_at(address - 7, 7) or b""
        want(len(before) == 7, f"{what}: no code before 0x{address:x}")
        is_call = before[-5] == 0xe8
        for length in (2, 3, 4, 6, 7):
            opcode, modrm = before[-length], before[1 - length] if length > 1 else 0
            is_call = is_call or (opcode == 0xff and modrm >> 3 & 7 == 2)
        want(is_call, f"{what}: 0x{address:x} does not follow a call instruction")

    def check_behind_store(self, address, what):
        """The bytes before the place a lock was taken are an instruction that stores this very address as its immediate
        operand (cpu/code_address.h)."""
        want(self.bytes_at(address - 4, 4) == (address & 0xffffffff).to_bytes(4, "little"),
             f"{what}: 0x{address:x} does not follow the store of itself")


class Report:
    """One block, taken apart. Attributes: lines, fields (name to text), registers, backtrace, end, locks, log, is_logged."""

    def __init__(self, lines, is_logged):
        self.lines = lines
        self.is_logged = is_logged
        self.fields = {}
        self.registers = {}
        self.flags = {}
        self.backtrace = []
        self.end = None
        self.locks = []
        self.others = []
        self.log = []
        self.threads = []
        self.details = []
        self.stacks = {}  # of the lock checker: "order 1 of 2" to its lines
        section = None
        for line in lines[1:]:
            if not line.startswith(" "):
                name, colon, text = line.partition(":")
                want(colon, f"cannot read the line '{line}'")
                section = name
                if name in self.fields:  # details may repeat
                    want(name in ("machine check", "kasan", "kcsan"), f"the field '{name}' comes twice")
                self.fields[name] = text.strip()
                if name in ("machine check", "kasan", "kcsan"):
                    self.details.append(text.strip())
                continue
            self._section_line(section, line[1:])

    def _section_line(self, section, line):
        if section == "registers":
            for name, value in re.findall(r"(\w+) +0x([0-9a-f]+)", line):
                want(name not in self.registers, f"register {name} comes twice")
                self.registers[name] = int(value, 16)
            name = line.split()[0]
            if name in FLAG_NAMES:
                self.flags[name] = line.split()[2:]
        elif section == "backtrace" and line.startswith("end: "):
            self.end = line[5:]
        elif section == "backtrace":
            self.backtrace.append(line)
        elif section == "other CPUs":
            self.others.append(line)
        elif section == "locks held":
            self.locks.append(line)
        elif section == "log":
            self.log.append(line)
        elif section == "threads":
            self.threads.append(line)
        elif LOCK_SECTION.fullmatch(section):
            self.stacks.setdefault(section, []).append(line)
        else:
            raise ReportError(f"a line of no section: '{line}'")


def find_reports(text):
    """Every block in a machine's output, checksums checked. A block that does not end is an error."""
    reports, block, is_logged = [], None, False
    for line in text.replace("\r", "").split("\n"):
        bare = LOG_PREFIX.sub("", line)
        if bare == BEGIN:
            want(block is None, "a report begins inside another")
            block, is_logged = [BEGIN], bare != line
        elif block is not None:
            if is_logged and bare == line:
                continue  # somebody else's, in between
            line = bare if is_logged else line
            match = END.fullmatch(line)
            if not match:
                block.append(line)
                continue
            crc = zlib.crc32("".join(part + "\n" for part in block).encode())
            want(crc == int(match.group(1), 16), f"checksum: the block has 0x{crc:08x}, its last line says 0x{match.group(1)}")
            reports.append(Report(block, is_logged))
            block = None
    want(block is None, "a report has no end")
    return reports


def field(report, name):
    want(name in report.fields, f"there is no '{name}:'")
    return report.fields[name]


def check_vector(report, vector, error_code=None):
    """vector None: the kernel itself noticed."""
    text = field(report, "vector")
    if vector is None:
        want(text == "none, reported by the kernel itself", f"vector: '{text}', expected none")
        return
    want(re.fullmatch(rf"{vector} {re.escape(MNEMONICS[vector])} [a-z -]+", text),
         f"vector: '{text}', expected {vector} {MNEMONICS[vector]}")
    match = re.fullmatch(r"0x([0-9a-f]{16}) (.+)", field(report, "error code"))
    want(match, f"error code: cannot read '{report.fields['error code']}'")
    value, words = int(match.group(1), 16), match.group(2)
    if error_code is not None:
        want(value == error_code, f"error code: 0x{value:x}, expected 0x{error_code:x}")
    if vector not in HAS_ERROR_CODE:
        want(value == 0 and words == "none", f"error code: '{words}', but this exception has none")
    elif vector == 14:
        check_page_fault_words(value, words)


def check_page_fault_words(value, words):
    bits = " ".join(f"{name}={value >> bit & 1}" for name, bit in PAGE_FAULT_BITS)
    want(words.startswith(bits + ": "), f"error code: '{words}', the bits are {bits}")
    action = "instruction fetch from" if value & 16 else "write to" if value & 2 else "read of"
    page = "reserved bits" if value & 8 else "does not allow it" if value & 1 else "not present"
    mode = "user code" if value & 4 else "the kernel"
    sentence = words[len(bits) + 2:]
    want(sentence.startswith(action) and page in sentence and sentence.endswith(mode),
         f"error code: '{sentence}' is not the sense of 0x{value:x}")


def is_canonical(address):
    return address >> 47 in (0, 0x1ffff)


def check_registers(report):
    field(report, "registers")
    want(list(report.registers) and set(report.registers) == set(REGISTERS),
         f"registers: missing or unknown {set(report.registers) ^ set(REGISTERS)}")
    r = report.registers
    want(r["cs"] == 0x08, f"cs is 0x{r['cs']:x}, expected the kernel's code segment")
    want(r["ss"] in (0x10, 0), f"ss is 0x{r['ss']:x}, expected the kernel's data segment")
    want(is_canonical(r["gs_base"]) and r["gs_base"] >> 63, "gs_base is no kernel address")
    want(r["rflags"] & RFLAGS_ALWAYS_ONE and r["rflags"] < 1 << 22, f"rflags 0x{r['rflags']:x} cannot be")
    want(r["cr3"] and r["cr3"] & 0xfff & ~0x18 == 0 and r["cr3"] < 1 << 52, f"cr3 0x{r['cr3']:x} cannot be")
    for name, needed in (("cr0", ("PE", "WP", "PG")), ("cr4", ("PAE",)), ("efer", ("LME", "LMA", "NXE"))):
        for flag in needed:
            want(flag in report.flags[name], f"{name} has no {flag}")
    for name, names in FLAG_NAMES.items():
        value = r[name] & ~RFLAGS_ALWAYS_ONE if name == "rflags" else r[name]
        expected = [names.get(bit, f"bit{bit}") for bit in range(64) if value >> bit & 1]
        want(report.flags[name] == expected, f"{name} 0x{r[name]:x}: {report.flags[name]}, expected {expected}")


def check_addresses(report, kernel, cr2_counts):
    """Returns the function RIP lies in."""
    match = re.fullmatch(r"0x([0-9a-f]{16}) (\(not of this event\) )?(\S.*)", field(report, "cr2"))
    want(match, f"cr2: cannot read '{report.fields['cr2']}'")
    want(int(match.group(1), 16) == report.registers["cr2"], "cr2: two values in one report")
    want(cr2_counts == (match.group(2) is None), f"cr2: '{report.fields['cr2']}': of this event or not?")
    is_return = report.fields["vector"].startswith("none")
    rip, function = kernel.check_location(field(report, "rip"), is_return, "rip")
    return rip, function


def check_context(report, kernel, expected):
    cpu, others = expected.get("cpu", "0"), expected.get("others", "none, 1 CPU online")
    want(field(report, "cpu") == cpu, f"cpu: {report.fields['cpu']}, expected {cpu}")
    want(re.fullmatch(r"(boot|\d+ '[^']+'), (stack ('[^']+'|of thread \d+ '[^']+'), (overflowed by )?\d+ bytes( left)?|RSP is in no stack)",
                      field(report, "thread")), f"thread: '{report.fields['thread']}'")
    want(re.fullmatch(r"(thread|interrupt|exception|NMI), interrupt depth \d+, NMI depth \d+, preemption off \d+, interrupts (on|off)",
                      field(report, "context")), f"context: '{report.fields['context']}'")
    want(("interrupts on" in report.fields["context"]) == bool(report.registers["rflags"] & 0x200),
         "context: interrupts on or off is not what rflags says")
    want(field(report, "other CPUs") == others, f"other CPUs: '{report.fields['other CPUs']}', expected '{others}'")
    want(int(field(report, "locks held")) == len(report.locks), "locks held: not as many as are listed")
    for lock in report.locks:
        match = re.fullmatch(r"'[^']+' taken at (.*)", lock)
        want(match, f"locks held: cannot read '{lock}'")
        kernel.check_location(match.group(1), True, "locks held", kernel.check_behind_store)


def check_backtrace(report, kernel, rip, end):
    """Every frame against the file. Returns the functions' names, the exceptions' mnemonics among them."""
    field(report, "backtrace")
    want(report.backtrace, "backtrace: empty")
    names = []
    is_point = not report.fields["vector"].startswith("none")
    first = True
    for line in report.backtrace:
        boundary = re.fullmatch(r"-- (\S+) [a-zA-Z -]+ \(vector (\d+)\), in:", line)
        if boundary:
            names.append(boundary.group(1))
            is_point = True
            continue
        if re.fullmatch(r"\.\.\. the same \d+ more times", line):
            want(names, "backtrace: a repetition of nothing")
            continue
        address, name = kernel.check_location(line, not is_point, "backtrace")
        if first:
            want(address == rip, "backtrace: does not begin at RIP")
            first = False
        names.append(name)
        is_point = False
    want(report.end is not None, "backtrace: no end")
    want(re.fullmatch(end, report.end), f"backtrace: end '{report.end}', expected '{end}'")
    if "bottom of stack 'boot'" in report.end:
        want(names[-1] == "kernel_entry", f"backtrace: ends in {names[-1]}, not in kernel_entry")
    return names


def check_code(report, kernel, rip):
    parts = field(report, "code").split()
    marks = [index for index, part in enumerate(parts) if re.fullmatch(r"<(..)>", part)]
    want(len(marks) == 1, "code: not one mark")
    shown = [part.strip("<>") for part in parts]
    before = marks[0]
    for index, byte in enumerate(shown):
        actual = kernel.bytes_at(rip - before + index, 1)
        if actual:
            want(byte == f"{actual[0]:02x}", f"code: {byte} at 0x{rip - before + index:x}, the file has {actual[0]:02x}")


def check_log(report, output):
    """Each line the report repeats was said before it."""
    if report.is_logged:
        want("log" not in report.fields, "a notice is in the log, and repeats none of it")
        return
    field(report, "log")
    want(report.log, "log: empty")
    said = re.split(rf"^{re.escape(BEGIN)}$", output.replace("\r", ""), flags=re.MULTILINE)[0]  # a notice's has a time before it
    for line in report.log:
        match = re.fullmatch(r"\[\d+\.\d{6}\] (.*)", line)
        want(match, f"log: cannot read '{line}'")
        want(match.group(1)[:60] in said, f"log: '{line}' was not logged before")


THREAD_LINE = re.compile(r"thread \d+ '[^']*' (waits for [a-z ]+\S.*, \d+\.\d{3} s|(runs|does not wait|has ended), CPU \d+)")
THREADS_SHOWN_MAX = 64


def check_threads(report, kernel, patterns):
    """What threads wait for and have: every line of the form, the counts as many as the lines, each pattern found in order."""
    if report.is_logged:
        want("threads" not in report.fields, "threads: in a report that goes on")
        return
    want(field(report, "threads") == "" and report.threads, "threads: none")
    if report.threads == ["none yet"]:
        return
    *lines, last = report.threads
    counts = re.fullmatch(r"(\d+) of (\d+) threads wait(?:, (\d+) are not shown)?", last)
    want(counts, f"threads: cannot read '{last}'")
    waiting, total, left_out = (int(count or 0) for count in counts.groups())
    shown = 0
    for line in lines:
        if line.startswith("  has '"):
            want(shown, "threads: a mutex of no thread")
            kernel.check_location(re.fullmatch(r"  has '[^']+' taken at (.*)", line)[1], True, "threads")
        elif line != "the list of threads leads nowhere from here":
            want(THREAD_LINE.fullmatch(line), f"threads: cannot read '{line}'")
            shown += 1
    waits = sum(" waits for " in line for line in lines)
    want(waits + left_out >= waiting >= waits and total >= waiting, f"threads: {waits} lines, but '{last}'")
    want(shown == THREADS_SHOWN_MAX if left_out else shown <= THREADS_SHOWN_MAX, f"threads: {shown} lines, but '{last}'")
    position = 0
    for pattern in patterns:
        found = [index for index, line in enumerate(report.threads[position:], position) if re.fullmatch(pattern, line)]
        want(found, f"threads: no '{pattern}' in {report.threads[position:]}")
        position = found[0] + 1


def check_stacks(report, kernel, expected):
    """The lock checker's sections: expected[name] is the section's text and, for each of its two stacks, what stands above it
    and functions that it passes, in order. There are no others, and every frame is a true return address."""
    found = {name: report.fields[name] for name in report.fields if LOCK_SECTION.fullmatch(name)}
    want(list(found) == list(expected), f"sections {list(found)}, expected {list(expected)}")
    for section, (text, *stacks) in expected.items():
        want(re.fullmatch(text, found[section]), f"{section}: '{found[section]}', expected '{text}'")
        parts = []
        for line in report.stacks.get(section, []):
            if line.startswith(" "):
                want(parts, f"{section}: a frame before any stack")
                parts[-1][1].append(kernel.check_location(line.strip(), True, section)[1])
            else:
                parts.append((line, []))
        want(len(parts) == len(stacks), f"{section}: {len(parts)} stacks, expected {len(stacks)}")
        for (title, names), (expected_title, calls) in zip(parts, stacks):
            want(title == expected_title, f"{section}: '{title}', expected '{expected_title}'")
            want(names and names[0].split(".")[0] == calls[0], f"{section}: '{title}' {names}, expected {calls}")
            check_calls(names, calls)


def check(report, kernel, output, expected):
    """expected: dict of class_words (regular expression), vector, error_code, rip (function), calls (functions the backtrace
    passes, in order), end, outcome, cr2 (regular expression over its line), access (regular expression)."""
    want(re.fullmatch(expected["class_words"], field(report, "class")),
         f"class: '{report.fields['class']}', expected '{expected['class_words']}'")
    outcome = expected.get("outcome", "fatal, leaves QEMU")
    want(field(report, "outcome") == outcome, f"outcome: '{report.fields['outcome']}', expected '{outcome}'")
    check_vector(report, expected["vector"], expected.get("error_code"))
    check_registers(report)
    rip, function = check_addresses(report, kernel, expected["vector"] in (8, 14))
    base = function.split(".")[0] if function else None
    rips = expected["rip"] if isinstance(expected["rip"], tuple) else (expected["rip"],)
    want("any" in rips or base in rips, f"rip: in {function}, expected {rips}")
    want(re.search(expected.get("cr2", ""), report.fields["cr2"]),
         f"cr2: '{report.fields['cr2']}', expected '{expected.get('cr2')}'")
    if "access" in expected:
        check_access(report, expected["access"])
    check_context(report, kernel, expected)
    names = check_backtrace(report, kernel, rip, expected.get("end", "bottom of stack 'boot'"))
    check_calls(names, expected.get("calls", ()))
    check_code(report, kernel, rip)
    check_threads(report, kernel, expected.get("threads", ()))
    check_log(report, output)
    want(field(report, "build id") == kernel.build_id, f"build id: {report.fields['build id']}, the file has {kernel.build_id}")
    check_stacks(report, kernel, expected.get("stacks", {}))
    for name in expected.get("fields", {}):
        want(re.search(expected["fields"][name], field(report, name)),
             f"{name}: '{report.fields[name]}', expected '{expected['fields'][name]}'")


def check_access(report, pattern):
    """The operand's sum has to come out with the registers of the same report."""
    text = field(report, "access")
    want(re.fullmatch(pattern, text), f"access: '{text}', expected '{pattern}'")
    match = re.match(r"\[(\w+)(?:\+(\w+)\*(\d))?(?:([+-])0x([0-9a-f]+))?\] = 0x([0-9a-f]{16})", text)
    want(match, f"access: cannot read '{text}'")
    base, index, scale, sign, displacement, address = match.groups()
    total = report.registers[base] + (report.registers[index] * int(scale) if index else 0)
    total += int(displacement or "0", 16) * (-1 if sign == "-" else 1)
    want(total % (1 << 64) == int(address, 16), f"access: '{text}' does not add up to 0x{total % (1 << 64):x}")


def check_calls(names, calls):
    bare = [(name or "").split(".")[0] for name in names]
    position = 0
    for call in calls:
        want(call in bare[position:], f"backtrace: no {call} in {names}, or not in this order: {calls}")
        position = bare.index(call, position) + 1
