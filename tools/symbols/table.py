"""Writes the kernel's symbol table. The format, which src/debug/symbol_table.c reads; numbers are little endian, varint is
LEB128 and zigzag maps 0, -1, 1, -2 ... to 0, 1, 2, 3 ...:

    header    magic, version, and where the parts are (HEADER)
    codes     two canonical Huffman codes: address steps, then moves (below). Each: 15 counts (16 bits) of codes by length,
              then the symbols in the order of their codes, 32 bits each
    files     paths in order, each: varint of bytes shared with the one before, rest, last byte with bit 7 set
    index     for each block of BLOCK items: address of its first item (64 bits), then, for each, its offset in the stream
              (32 bits)
    stream    the items in address order

An item: varint of the bytes between the end of the item before and this one, 0 at the start of a block; varint of size * 2 +
is_function; name as in files (a block's first shares nothing). A function goes on with: varint file + 1, or 0 where no line
is known; zigzag of its first line minus that of the function before in the block (0 at its start); varint bits of lines that
follow; these bits, padded to a byte.

The lines of a function are a path through the source: a step in the address, then a move in the source. A step is 1 to
STEP_MAX, or 0: an Elias gamma number follows. A move is one of
    recent n    back to the n-th last place (1 is the one before the current; move to front)
    delta n     n lines down in the same file
    place f l   to line l of file f: frequent ones, lines of inline functions
    far delta   zigzag + 1 follows as Elias gamma
    far place   file + 1, line + 1 follow as Elias gamma
"""
import struct
from collections import Counter

from huffman import BitWriter, Code

MAGIC, VERSION = 0x4D59534B, 1  # "KSYM"
HEADER = struct.Struct("<12I")
BLOCK = 16
NAME_MAX = 63  # SYMBOL_NAME_MAX and SYMBOL_FILE_MAX without the terminator
STEP_MAX = 63
RECENT_MAX = 8
DELTA_MAX = 127
PLACE_LINE_BITS = 17
PLACE_MIN_COUNT = 4  # a place used less often costs more in the code than it saves

MOVE_RECENT, MOVE_DELTA, MOVE_PLACE, MOVE_FAR_DELTA, MOVE_FAR_PLACE = range(5)
NO_LINE = ("", 0)


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def zigzag(value):
    return value << 1 if value >= 0 else (-value << 1) - 1


def name_bytes(name, before):
    text = bytes(c if 0x20 < c < 0x7F else 0x3F for c in name.encode())[:NAME_MAX]
    shared = 0
    while shared < min(len(text) - 1, len(before)) and text[shared] == before[shared]:
        shared += 1
    return varint(shared) + text[shared:-1] + bytes([text[-1] | 0x80]), text


def line_paths(items):
    """For each function [(step, move)]; frequent places are already told from far ones."""
    paths = [list(_path(item.lines)) for item in items]
    places = Counter(move[1:] for path in paths for _, move in path if move[0] == MOVE_FAR_PLACE)
    kept = {place for place, count in places.items() if count >= PLACE_MIN_COUNT and place[1] < 1 << PLACE_LINE_BITS}
    return [[(step, (MOVE_PLACE, *move[1:]) if move[0] == MOVE_FAR_PLACE and move[1:] in kept else move)
             for step, move in path] for path in paths]


def _path(lines):
    recent = [lines[0][1:]] if lines else []
    for (before, _, _), (address, file, line) in zip(lines, lines[1:]):
        place = (file, line)
        if place in recent:
            n = recent.index(place)
            move = (MOVE_RECENT, n)
            recent.pop(n)
        elif file == recent[0][0]:
            delta = line - recent[0][1]
            move = (MOVE_DELTA if abs(delta) <= DELTA_MAX else MOVE_FAR_DELTA, delta)
        else:
            move = (MOVE_FAR_PLACE, file, line)
        recent = [place] + recent[:RECENT_MAX]
        yield address - before, move


def code_symbols(step, move):
    """What the two Huffman codes encode for a step and a move."""
    return step if step <= STEP_MAX else 0, move[:1] if move[0] in (MOVE_FAR_DELTA, MOVE_FAR_PLACE) else move


class Writer:
    def __init__(self, items):
        self.items = items
        self.paths = line_paths(items)
        names = sorted({file for item in items for _, file, line in item.lines if line})
        self.files = {name: number for number, name in enumerate(names)}
        if len(names) >= 1 << (29 - PLACE_LINE_BITS):
            raise ValueError(f"{len(names)} source files are more than the format has room for")
        symbols = [code_symbols(step, move) for path in self.paths for step, move in path]
        self.steps = Code(Counter(step for step, _ in symbols))
        self.moves = Code(Counter(move for _, move in symbols))
        self.sizes = Counter()

    def write(self):
        codes = self._code(self.steps, lambda step: step) + self._code(self.moves, self._move_word)
        files = self._file_names()
        index, stream = self._blocks()
        nr_blocks = len(index) // 12
        offsets = []
        at = HEADER.size
        for part in (codes, files, index, stream):
            offsets.append(at)
            at += len(part)
        header = HEADER.pack(MAGIC, VERSION, at, len(self.items), nr_blocks, len(self.files), len(self.steps.symbols),
                             len(self.moves.symbols), *offsets)
        self.sizes.update(codes=len(codes), files=len(files), index=len(index))
        return header + codes + files + index + stream

    def _move_word(self, move):
        """Kind in the low 3 bits; then n and delta signed, or file (12 bits) and line (17 bits)."""
        value = 0
        if move[0] in (MOVE_RECENT, MOVE_DELTA):
            value = move[1] & 0x1FFFFFFF
        elif move[0] == MOVE_PLACE:
            value = self._place(move) << PLACE_LINE_BITS | move[2]
        return value << 3 | move[0]

    def _place(self, move):
        return self.files[move[1]]

    @staticmethod
    def _code(code, word):
        return struct.pack("<15H", *code.counts[1:]) + b"\0\0" + b"".join(
            struct.pack("<I", word(symbol)) for symbol in code.symbols)

    def _file_names(self):
        out, before = bytearray(), b""
        for name in sorted(self.files):
            data, before = name_bytes(name, before)
            out += data
        return bytes(out) + bytes(-len(out) % 8)

    def _blocks(self):
        addresses, offsets, stream = [], [], bytearray()
        for number, (item, path) in enumerate(zip(self.items, self.paths)):
            if number % BLOCK == 0:
                addresses.append(item.address)
                offsets.append(len(stream))
                end, name, line = item.address, b"", 0
            stream += varint(item.address - end) + varint(item.size << 1 | item.is_function)
            data, name = name_bytes(item.name, name)
            stream += data
            self.sizes["names"] += len(data)
            end = item.address + item.size
            if item.is_function:
                self.sizes["functions"] += 1
                data, line = self._function(item, path, line)
                stream += data
        index = struct.pack(f"<{len(addresses)}Q", *addresses) + struct.pack(f"<{len(offsets)}I", *offsets)
        return index, bytes(stream)

    def _function(self, item, path, line_before):
        _, file, line = item.lines[0]
        bits = BitWriter()
        for step, move in path:
            self._write_row(bits, step, move)
        first = varint(self.files[file] + 1) + varint(zigzag(line - line_before)) if line else varint(0)
        self.sizes["rows"] += len(path)
        self.sizes["row bytes"] += (len(bits.bits) + 7) // 8
        return first + varint(len(bits.bits)) + bits.to_bytes(), line or line_before

    def _write_row(self, bits, step, move):
        step_symbol, move_symbol = code_symbols(step, move)
        bits.write(*self.steps.codes[step_symbol])
        if step_symbol == 0:
            bits.gamma(step)
        bits.write(*self.moves.codes[move_symbol])
        if move[0] == MOVE_FAR_DELTA:
            bits.gamma(zigzag(move[1]) + 1)
        elif move[0] == MOVE_FAR_PLACE:
            bits.gamma(self._place(move) + 1)
            bits.gamma(move[2] + 1)
