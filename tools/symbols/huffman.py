"""Canonical Huffman codes: the code lengths and the order of the symbols are all a decoder needs."""
import heapq

MAX_BITS = 15


def code_lengths(frequencies):
    """{symbol: bits} for {symbol: count}; deterministic. One symbol alone gets one bit."""
    counts = dict(frequencies)
    while True:
        lengths = _lengths(counts)
        if max(lengths.values(), default=0) <= MAX_BITS:
            return lengths
        counts = {symbol: (count + 1) // 2 for symbol, count in counts.items()}  # flatter, so shallower


def _lengths(counts):
    order = sorted(counts, key=repr)
    heap = [(counts[symbol], number, [symbol]) for number, symbol in enumerate(order)]
    heapq.heapify(heap)
    lengths = {symbol: 1 if len(order) == 1 else 0 for symbol in order}
    number = len(order)
    while len(heap) > 1:
        first, second = heapq.heappop(heap), heapq.heappop(heap)
        for symbol in first[2] + second[2]:
            lengths[symbol] += 1
        heapq.heappush(heap, (first[0] + second[0], number, first[2] + second[2]))
        number += 1
    return lengths


class Code:
    def __init__(self, frequencies):
        lengths = code_lengths(frequencies)
        self.symbols = sorted(lengths, key=lambda symbol: (lengths[symbol], repr(symbol)))
        self.counts = [0] * (MAX_BITS + 1)
        self.codes = {}
        code = bits = 0
        for symbol in self.symbols:
            code <<= lengths[symbol] - bits
            bits = lengths[symbol]
            self.counts[bits] += 1
            self.codes[symbol] = (code, bits)
            code += 1


class BitWriter:
    """Most significant bit first."""

    def __init__(self):
        self.bits = []

    def write(self, value, count):
        self.bits += [value >> (count - 1 - i) & 1 for i in range(count)]

    def gamma(self, value):
        """Elias gamma, for values from 1."""
        count = value.bit_length()
        self.write(0, count - 1)
        self.write(value, count)

    def to_bytes(self):
        bits = self.bits + [0] * (-len(self.bits) % 8)
        return bytes(int("".join(map(str, bits[i : i + 8])), 2) for i in range(0, len(bits), 8))
