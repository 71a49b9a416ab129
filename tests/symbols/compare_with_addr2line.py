#!/usr/bin/python3 -B
"""Looks addresses of a kernel up in its own symbol table, with the kernel's own decoder compiled for the host, and compares every
answer with addr2line's: the start, the end and the middle of every function, and RANDOM addresses of its code.

compare_with_addr2line.py KERNEL SOURCE_DIR [--random N] [--seed N]
"""
import argparse
import ctypes
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

ENOENT = -2


class Location(ctypes.Structure):
    _fields_ = [("function", ctypes.c_char * 64), ("offset", ctypes.c_uint64), ("size", ctypes.c_uint64),
                ("file", ctypes.c_char * 64), ("line", ctypes.c_uint), ("is_function", ctypes.c_bool)]


class Decoder:
    """src/debug/symbol_table.c over the .symbols section."""

    def __init__(self, source_dir, table, directory):
        library = os.path.join(directory, "symbol_table.so")
        subprocess.run(["cc", "-std=gnu17", "-O1", "-shared", "-fPIC", "-fsanitize=undefined", "-fno-sanitize-recover=all",
                        "-fsanitize-undefined-trap-on-error", "-I", f"{source_dir}/include",
                        f"{source_dir}/src/debug/symbol_table.c", "-o", library], check=True)
        self.library = ctypes.CDLL(library)
        self.bytes = ctypes.create_string_buffer(table, len(table))
        self.table = ctypes.create_string_buffer(256)  # struct symbol_table, opaque here
        if self.library.symbol_table_open(self.table, self.bytes, ctypes.c_size_t(len(table))) != 0:
            sys.exit("the kernel's .symbols section is no symbol table")

    def lookup(self, address):
        location = Location()
        error = self.library.symbol_table_lookup(self.table, ctypes.c_uint64(address), ctypes.byref(location))
        if error == ENOENT:
            return None
        if error != 0:
            sys.exit(f"looking 0x{address:x} up gives error {error}")
        return location

    def find(self, name):
        address = ctypes.c_uint64()
        error = self.library.symbol_table_find(self.table, name.encode(), ctypes.byref(address))
        return address.value if error == 0 else None


def functions_of(kernel):
    """[(address, size, name)] by readelf, of typed functions with a size."""
    text = subprocess.run(["readelf", "-sW", kernel], check=True, capture_output=True, text=True).stdout
    found = re.findall(r"^ *\d+: ([0-9a-f]{16}) +(\d+|0x[0-9a-f]+) FUNC +\w+ +\w+ +\d+ (\S+)", text, re.MULTILINE)
    return sorted((int(address, 16), int(size, 0), name) for address, size, name in found if int(size, 0))


def addr2line(kernel, addresses):
    """{address: (function, file, line)}; line 0 where addr2line knows none."""
    answer = subprocess.run(["addr2line", "-e", kernel, "-f"], input="\n".join(map(hex, addresses)), check=True,
                            capture_output=True, text=True).stdout.splitlines()
    result = {}
    for address, function, place in zip(addresses, answer[::2], answer[1::2]):
        file, _, line = re.sub(r" \(discriminator \d+\)$", "", place).rpartition(":")
        result[address] = function, file, int(line) if line.isdigit() else 0
    return result


def gdb_lines(kernel, addresses, directory):
    """{address: (file, line)} as gdb reads the line table."""
    script = os.path.join(directory, "lines.gdb")
    with open(script, "w", encoding="utf-8") as file:
        file.writelines(f"echo @{address:x}\\n\ninfo line *{address:#x}\n" for address in addresses)
    answer = subprocess.run(["gdb", "-nx", "-batch", "-x", script, kernel], check=True, capture_output=True, text=True).stdout
    return {int(address, 16): (file, int(line)) for address, line, file in re.findall(
        r'@([0-9a-f]+)\nLine (\d+) of "([^"]+)"', answer)}


def confirmed_by_gdb(kernel, wrong, directory):
    """What is left of the differences. binutils 2.40 gives inline functions that were compiled out of line the source file
    of the unit with the line of the header; gdb and llvm-symbolizer do not. gdb leaves out rows that begin no statement,
    which binutils does not: so the file is gdb's, and the line that of one of them."""
    theirs = gdb_lines(kernel, [address for address, ours, _, _ in wrong if ours], directory)
    return [difference for difference in wrong if not is_confirmed(difference, theirs)]


def is_confirmed(difference, theirs):
    address, ours, addr2line_line, _ = difference
    if not ours or address not in theirs:
        return False
    file, line = theirs[address]
    return file == ours[0] and ours[1] in (line, addr2line_line)


def differences(decoder, kernel, names, sample):
    """What of our answers addr2line contradicts: (address, (our file, our line) or None, addr2line's line,
    words). names: address of a function's start -> all its names."""
    expected = addr2line(kernel, [address for address, _, _ in sample])
    for address, start, size in sample:
        ours = decoder.lookup(address)
        _, file, line = expected[address]
        if ours is None:
            yield address, None, 0, f"not found, addr2line says {file}:{line}"
            continue
        name, path = ours.function.decode(), ours.file.decode()
        if ours.offset != address - start or ours.size > size or name not in names[start]:
            yield address, None, 0, f"{name}+0x{ours.offset:x}/0x{ours.size:x}, the symbol is {names[start]}"
        # Where addr2line has no line, ours is that of the code before. It has paths from the compiler's directory.
        if line and (line != ours.line or not (file == path or file.endswith("/" + path))):
            yield address, (path, ours.line), line, f"in {name}: {path}:{ours.line}, addr2line says {file}:{line}"


def sections(kernel):
    text = subprocess.run(["readelf", "-SW", kernel], check=True, capture_output=True, text=True).stdout
    return [(name, int(offset, 16), int(size, 16), flags) for name, offset, size, flags in re.findall(
        r"\] (\S+) +\S+ +[0-9a-f]+ ([0-9a-f]+) ([0-9a-f]+) [0-9a-f]+ +([A-Za-z]*) ", text)]


def table_of(kernel):
    offset, size = next((offset, size) for name, offset, size, _ in sections(kernel) if name == ".symbols")
    with open(kernel, "rb") as file:
        file.seek(offset)
        return file.read(size)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kernel")
    parser.add_argument("source_dir")
    parser.add_argument("--random", type=int, default=5000, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    functions = functions_of(arguments.kernel)
    names = {}
    for start, _, name in functions:
        names.setdefault(start, []).append(name)
    sizes = {start: size for start, size, _ in functions}
    sample = {(at, start, size) for start, size in sizes.items() for at in (start, start + size // 2, start + size - 1)}
    choice = random.Random(arguments.seed)
    spans = sorted(sizes.items())
    for start, size in choice.choices(spans, weights=[size for _, size in spans], k=arguments.random):
        sample.add((start + choice.randrange(size), start, size))

    table = table_of(arguments.kernel)
    with tempfile.TemporaryDirectory() as directory:
        decoder = Decoder(arguments.source_dir, table, directory)
        wrong = list(differences(decoder, arguments.kernel, names, sorted(sample)))
        disputed = len(wrong)
        if wrong and shutil.which("gdb"):
            wrong = confirmed_by_gdb(arguments.kernel, wrong, directory)
        for name in sorted({names[start][0] for start in names}):
            if decoder.find(name) is None and not any(decoder.find(other) for other in sum(
                    (n for n in names.values() if name in n), [])):
                wrong.append((min(start for start in names if name in names[start]), None, 0, f"{name} is not found by name"))
    code = sum(size for _, _, size, flags in sections(arguments.kernel) if "X" in flags)
    print(f"{len(sizes)} functions, {len(sample)} addresses, {disputed} where addr2line differs, {len(wrong)} where gdb does not "
          f"agree with us either; table {len(table)} bytes, code {code}")
    for address, _, _, words in wrong[:20]:
        print(f"0x{address:x} {words}")
    sys.exit(1 if wrong or not functions else 0)


main()
