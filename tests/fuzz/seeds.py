#!/usr/bin/python3
"""Writes the fuzzers' seed inputs into tests/fuzz/corpus; with --check only compares them with what is there.

Each is what a real loader leaves (values read from GRUB 2.06 on SeaBIOS and OVMF and from QEMU 7.2), or the smallest input
that reaches a part of a parser. Files named real-* are dumps of actual boots (dump.py) and are left alone.
"""
import pathlib
import struct
import sys

CORPUS = pathlib.Path(__file__).resolve().parent / "corpus"


def tag(kind, payload=b""):
    data = struct.pack("<II", kind, 8 + len(payload)) + payload
    return data + bytes(-len(data) % 8)


def text_tag(kind, text):
    return tag(kind, text.encode() + b"\0")


def memory_map(entries, entry_size=24):
    rows = [struct.pack("<QQII", *entry, 0).ljust(entry_size, b"\0") for entry in entries]
    return tag(6, struct.pack("<II", entry_size, 0) + b"".join(rows))


def efi_map(entries, size=48):
    rows = [struct.pack("<IIQQQQ", kind, 0, base, 0, pages, 15).ljust(size, b"\0") for kind, base, pages in entries]
    return tag(17, struct.pack("<II", size, 1) + b"".join(rows))


def framebuffer(address, pitch, width, height, bits, kind, colours):
    return tag(8, struct.pack("<QIIIBBH", address, pitch, width, height, bits, kind, 0) + bytes(colours))


def module(start, end, text):
    return tag(3, struct.pack("<II", start, end) + text.encode() + b"\0")


def rsdp(revision):
    part = bytearray(b"RSD PTR \0BOCHS " + bytes([revision]) + struct.pack("<I", 0x1FFE2000))
    part[8] = -sum(part) % 256
    if revision < 2:
        return bytes(part)
    part += struct.pack("<IQBBBB", 36, 0x1FFE2100, 0, 0, 0, 0)
    part[32] = -sum(part) % 256
    return bytes(part)


def multiboot2(*tags):
    body = b"".join(tags) + tag(0)
    return struct.pack("<II", 8 + len(body), 0) + body


BIOS_MAP = [
    (0, 0x9FC00, 1), (0x9FC00, 0x400, 2), (0xF0000, 0x10000, 2), (0x100000, 0x1FEDF000, 1),
    (0x1FFDF000, 0x21000, 2), (0xB0000000, 0x10000000, 2), (0xFED1C000, 0x4000, 2), (0xFFFC0000, 0x40000, 2),
]
UEFI_MAP = [
    (0, 0xA0000, 1), (0x100000, 0x700000, 1), (0x800000, 0x8000, 4), (0x808000, 0x3000, 1), (0x900000, 0x1D3E9000, 1),
    (0x1DCE9000, 0x100000, 20), (0x1DDE9000, 0x2000, 3), (0x1DDEB000, 0x1000, 12), (0xFFC00000, 0x400000, 2),
]
PLAIN_MAP = [(0x100000, 0x1FEE0000, 1)]


def multiboot2_seeds():
    yield "grub-bios", multiboot2(
        text_tag(1, 'keel.panic=exit "keel.run=help; exit"'), text_tag(2, "GRUB 2.06-13+deb12u1"),
        module(0x10B000, 0x10C234, "/boot/initramfs"), tag(4, struct.pack("<II", 639, 523132)), memory_map(BIOS_MAP),
        framebuffer(0xFD000000, 5120, 1280, 800, 32, 1, [16, 8, 8, 8, 0, 8]), tag(14, rsdp(0)),
        tag(21, struct.pack("<I", 0x200000)))
    yield "grub-uefi", multiboot2(
        text_tag(1, ""), text_tag(2, "GRUB 2.06-13+deb12u1"), memory_map(UEFI_MAP),
        tag(12, struct.pack("<Q", 0x1F9EC018)), tag(14, rsdp(0)), tag(15, rsdp(2)),
        framebuffer(0x80000000, 5120, 1280, 800, 32, 1, [16, 8, 8, 8, 0, 8]),
        efi_map([(3, 0, 1), (7, 0x1000, 0x9F), (2, 0x100000, 0x700), (10, 0x800000, 8), (9, 0x1DDE9000, 2)]))
    yield "efi-map-alone", multiboot2(efi_map([(7, 0x100000, 0x1000), (8, 0x300000, 1)]), tag(11, bytes(4)), tag(18))
    yield "text-mode", multiboot2(memory_map(PLAIN_MAP), framebuffer(0xB8000, 160, 80, 25, 16, 2, []))
    yield "wide-entries", multiboot2(memory_map(BIOS_MAP[:3] + PLAIN_MAP, 40))
    yield "modules", multiboot2(*[module(0x200000 + i * 4096, 0x201000 + i * 4096, "m") for i in range(17)],
                                memory_map(PLAIN_MAP))
    yield "empty", multiboot2()


def pvh_seeds():
    def start(size, version, nr_modules, modules, text, memory, nr_memory):
        return struct.pack("<IIIIQQQQII", 0x336EC578, version, 0, nr_modules, modules, text, 0xF5A80, memory, nr_memory,
                           0).ljust(size, b"\0")

    rows = b"".join(struct.pack("<QQII", *entry, 0) for entry in BIOS_MAP)
    text = b'keel.run="a b; c"\0'
    one = struct.pack("<QQQQ", 0x1FF00000, 0x1234, 0x1080, 0)
    many = b"".join(struct.pack("<QQQQ", 0x200000 + i * 4096, 4096, 0, 0) for i in range(17))
    yield "qemu", (start(0x80, 1, 1, 0x10A0, 0x1080, 0x10C0, len(BIOS_MAP)) + text).ljust(0xA0, b"\0") + one + rows
    yield "modules", start(0x40, 1, 17, 0x1040 + len(rows), 0, 0x1040, len(BIOS_MAP)) + rows + many
    texts = 0x1040 + len(rows) + 16 * 32
    full = b"".join(struct.pack("<QQQQ", 0x200000 + i * 4096, 4096, texts, 0) for i in range(16))
    yield "module-text", start(0x40, 1, 16, 0x1040 + len(rows), 0, 0x1040, len(BIOS_MAP)) + rows + full + b"t" * 120 + b"\0"
    edge = (b"t" * 127 + b"\0") + b"u" * 64  # the longest text that fits, and one byte more than it is too long
    yield "longest-module-text", start(0x40, 1, 16, 0x1040 + len(rows), 0, 0x1040, len(BIOS_MAP)) + rows + full + edge
    yield "version-0", start(40, 0, 0, 0, 0x1028, 0, 0)[:40] + text
    yield "long-text", start(0x40, 1, 0, 0, 0x1040 + len(rows), 0x1040, len(BIOS_MAP)) + rows + b"k" * 2100 + b"\0"


def command_line_seeds():
    for name, line in {
        "qemu": 'keel.panic=exit keel.run="help; exit"',
        "grub": 'keel.panic=exit "keel.run=say \\"x\\" it\\\'s \\\\; exit" quiet',
        "quotes": "a='b \"c\"' d=\"e 'f'\" g\\ h= '' \"\" =",
        "unclosed": 'keel.run="a b',
        "unknown": "keel.rum=1 keel.panic keel.panic=halt",
    }.items():
        yield name, b"\x10" + line.encode()


def memory_map_seeds():
    yield "sorted", bytes([1, 0, 10, 0, 10, 5, 3, 20, 20, 0])
    yield "overlap", bytes([1, 0, 40, 0, 10, 5, 3, 12, 8, 4, 0, 60, 1])
    yield "little-room", bytes([0] + [value for i in range(20) for value in (i * 3, 1 + i % 2, i % 5)])


def virtqueue_seeds():
    add, other, give, second, reap, notify = (bytes(step) for step in (
        (0, 0, 1, 1), (0, 5, 3, 65), (2, 0, 1, 0), (2, 1, 0, 0), (9, 0, 0, 0), (7, 0, 0, 0)))
    yield "round-trip", bytes([7, 1]) + add + notify + give + reap
    yield "indirect", bytes([15, 0x39]) + (add + other + notify + second + reap + give + reap) * 3
    yield "no-features", bytes([3, 0]) + (add + other + give + reap + (8).to_bytes(4, "little") + give + reap) * 4
    yield "id-twice", bytes([7, 0]) + add + other + give + reap + bytes([4, 0, 0, 0]) + reap


ROM = 0xE0000


def acpi_table(signature, body):
    table = bytearray(struct.pack("<4sIBB6s8sI4sI", signature, 36 + len(body), 3, 0, b"BOCHS", b"BXPC", 1, b"BXPC", 1))
    table += body
    table[9] = -sum(table) % 256
    return bytes(table)


def acpi_rom(tables, with_xsdt=True):
    """The root pointer, its list, then the tables, each on a boundary of 16."""
    width = "Q" if with_xsdt else "I"
    at = 48 + (36 + struct.calcsize(width) * len(tables) + 15) // 16 * 16
    addresses, body = [], b""
    for table in tables:
        addresses.append(ROM + at + len(body))
        body += table + bytes(-len(table) % 16)
    root = acpi_table(b"XSDT" if with_xsdt else b"RSDT", struct.pack(f"<{len(tables)}{width}", *addresses))
    rsdp = bytearray(struct.pack("<8sB6sBIIQI", b"RSD PTR ", 0, b"BOCHS ", 2 if with_xsdt else 0, ROM + 48, 36, ROM + 48, 0))
    rsdp[8] = -sum(rsdp[:20]) % 256
    rsdp[32] = -sum(rsdp) % 256
    return bytes(rsdp).ljust(48, b"\0") + root + bytes(-len(root) % 16) + body


MADT_BODY = (struct.pack("<II", 0xFEE00000, 1) + bytes([0, 8, 0, 0, 1, 0, 0, 0]) + struct.pack("<BBBBII", 1, 12, 0, 0, 0xFEC00000, 0)
             + struct.pack("<BBBBIH", 2, 10, 0, 9, 9, 0xD) + struct.pack("<BBHQ", 5, 12, 0, 0xFEE00000)
             + struct.pack("<BBHIII", 9, 16, 0, 1, 1, 1) + bytes([4, 6, 255, 0, 0, 1]))


def acpi_tables_seeds():
    fadt = bytearray(276 - 36)
    struct.pack_into("<I", fadt, 40 - 36, ROM + 0x400)
    struct.pack_into("<IIII", fadt, 64 - 36, 0x604, 0, 0, 0x608)
    struct.pack_into("<I", fadt, 112 - 36, 1 << 10 | 1 << 8)
    struct.pack_into("<BBBBQ", fadt, 116 - 36, 1, 8, 0, 1, 0xCF9)
    tables = [acpi_table(b"APIC", MADT_BODY), acpi_table(b"FACP", bytes(fadt)),
              acpi_table(b"MCFG", bytes(8) + struct.pack("<QHBBI", 0xB0000000, 0, 0, 255, 0)),
              acpi_table(b"HPET", bytes(20))]
    yield "xsdt", acpi_rom(tables)
    yield "rsdt", acpi_rom([tables[0], acpi_table(b"FACP", bytes(fadt[:80]))], with_xsdt=False)
    yield "empty", acpi_rom([])


def aml_seeds():
    s5 = b"\x08_S5_" + bytes([0x12, 8, 4, 0x0A, 5, 0x0A, 5, 0, 0])
    yield "s5", s5
    yield "scope", bytes([0x10, 0x14]) + b"_SB_" + b"\x08^" + s5[1:]
    yield "terms", (b"\x5b\x80REG0\x01\x0b\x00\x06\x0a\x04" + b"\x5b\x81\x0bREG0\x01FLD0\x08" + b"\x06ALIAREG0"
                    + b"\x14\x0aMETH\x00\x70\x01\x60\x00" + b"\x5b\x82\x0fDEV0\x08_HID\x0c\x41\xd0\x0a\x03" + s5)
    yield "long-path", b"\x08\x2f\x1a" + b"AAAA" * 26 + b"\0"
    yield "deep", b"".join(bytes([0xA1, 2 * (30 - i) - 1]) for i in range(30))
    yield "condition", b"\xa0\x10\x93\x01\x00\x08NAME\x0d" + b"text\0" + b"\xa1\x02\xa3" + s5


def aml_block(op, body):
    """An op code, the length of all behind it, and the body."""
    length = len(body) + 1
    if length < 64:
        return op + bytes([length]) + body
    length += 1
    return op + bytes([0x40 | length & 15, length >> 4]) + body


def aml_name(name, value):
    return b"\x08" + name + value


def aml_method(name, body, arguments=0):
    return aml_block(b"\x14", name + bytes([arguments]) + body)


def aml_package(*elements):
    return aml_block(b"\x12", bytes([len(elements)]) + b"".join(elements))


def aml_buffer(data):
    return aml_block(b"\x11", bytes([0x0A, len(data)]) + data)


def aml_names_blocks():
    hid, device = aml_name(b"_HID", b"\x0c\x41\xd0\x0a\x08"), b"\x5b\x82"
    windows = (struct.pack("<BHBBB5H", 0x88, 13, 2, 0x0C, 0, 0, 0, 0x1F, 0, 0x20)
               + struct.pack("<BHBBB5I", 0x87, 23, 0, 0x0C, 1, 0, 0xC0000000, 0xDFFFFFFF, 0, 0x20000000)
               + struct.pack("<BHBBB5Q", 0x8A, 43, 0, 0x0C, 1, 0, 1 << 32, (1 << 33) - 1, 0, 1 << 32)
               + struct.pack("<BHBBB5H", 0x88, 13, 1, 0x0C, 3, 0, 0xD00, 0xFFFF, 0, 0xF300) + b"\x79\0")
    row = aml_package(b"\x0b\xff\xff", b"\0", b"LNKA", b"\0")
    link = aml_block(device, b"LNKA" + aml_name(b"_CRS", aml_buffer(struct.pack("<BHBBI", 0x89, 6, 9, 1, 17) + b"\x79\0")))
    root = b"PCI0" + hid + aml_name(b"_UID", b"\0") + aml_name(b"_CRS", aml_buffer(windows))
    yield "table", aml_block(device, root + aml_name(b"_PRT", aml_package(row)) + link)
    choice = (aml_block(b"\xa0", b"\x93PICF\0" + b"\xa4PRTP") + aml_block(b"\xa1", b"\xa4PRTA"))
    direct = aml_package(b"\x0c\xff\xff\1\0", b"\1", b"\0", b"\x0a\x12")
    yield "method", (aml_name(b"PICF", b"\0") + aml_method(b"_PIC", b"\x70\x68PICF", 1)
                     + aml_block(b"\x10", b"_SB_" + aml_block(device, b"PCI0" + hid + aml_name(b"PRTP", aml_package(direct))
                                                              + aml_name(b"PRTA", aml_package(row)) + aml_method(b"_PRT", choice)
                                                              + aml_method(b"_CBA", b"\xa4\x0c\0\0\0\xe0"))) + link)
    buses = struct.pack("<BHBBB5H", 0x88, 13, 2, 0, 0, 0, 0x20, 0x2F, 0, 0x10)
    yield "buses", aml_block(device, b"PCI0" + hid + aml_name(b"_CRS", aml_buffer(buses + b"\x79\0")))
    high = struct.pack("<BHBBB5Q", 0x8A, 43, 0, 0, 0, 0, 2**64 - 0x10000, 2**64 - 1, 0, 0x8000)
    yield "high", aml_name(b"_CRS", aml_buffer(high + b"\x79\0"))
    yield "bridge", aml_block(device, b"PCI0" + hid + aml_name(b"_BBN", b"\x0a\x20") + aml_name(b"_SEG", b"\1")
                              + aml_block(device, b"BRDG" + aml_name(b"_ADR", b"\x0c\0\0\1\0") + aml_name(b"_PRT", aml_package(direct))))
    yield "small", aml_name(b"_CRS", aml_buffer(bytes([0x47, 1, 0xF8, 3, 0xF8, 3, 1, 8, 0x22, 0, 8, 0x23, 0x20, 0, 0x18, 0x4B, 1, 2, 3, 0x79, 0])))
    yield "operations", (aml_method(b"OPER", aml_block(b"\xa0", b"\x90\x91\x01\x00\x92\x95\x01\x0a\x02" + b"\xa3")
                                    + b"\xa4\x7b\x0a\x0f\x7d\x01\x0a\x02\0\0") + aml_method(b"CALL", b"\xa4\x5cOPER")
                         + aml_name(b"VARP", aml_block(b"\x13", b"\x0a\2\1\x0dtext\0")))
    yield "two-blocks", aml_block(device, b"PCI0"), aml_block(b"\x10", b"PCI0" + hid)


def aml_names_seeds():
    """The length of the first block, and both."""
    for name, first, *second in aml_names_blocks():
        yield name, struct.pack("<H", len(first)) + first + b"".join(second)


def pci_capabilities_seeds():
    space = bytearray(0x60)
    space[0x06] = 0x10
    space[0x34] = 0x40
    space[0x40:0x42] = bytes([9, 0x50])
    space[0x50:0x52] = bytes([0x11, 0])
    yield "list", bytes([0, 0x11, 0, 0x50]) + bytes(space)
    space[0x51] = 0x40
    yield "circle", bytes([0, 5, 0, 0x40]) + bytes(space)
    extended = struct.pack("<I", 0x14810001).ljust(0x48, b"\0") + struct.pack("<I", 0x10010018)
    yield "extended", bytes([1, 0x18, 0, 0x10]) + bytes(space).ljust(0x100, b"\0") + extended


def record(*entries):
    rows = b"".join(struct.pack("<B3xB3xII", 0, kind, first, count) for kind, first, count in entries)
    return bytes(446) + rows.ljust(64, b"\0") + b"\x55\xaa"


def gpt_header(sector, other, array, nr_sectors, nr_entries, entry_size):
    room = nr_entries * entry_size // 512
    return struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, 0, 0, sector, other, 2 + room,
                       nr_sectors - 2 - room, bytes(16), array, nr_entries, entry_size, 0).ljust(512, b"\0")


def gpt_disk(nr_entries, entry_size, *partitions):
    """The harness puts the checksums right."""
    room, nr_sectors = nr_entries * entry_size // 512, 24
    rows = [struct.pack("<16s16sQQQ", b"\xaf" * 16, bytes(16), first, last, 0).ljust(entry_size, b"\0")
            for first, last in partitions]
    array = b"".join(rows).ljust(room * 512, b"\0")
    primary = record((0xEE, 1, nr_sectors - 1)) + gpt_header(1, nr_sectors - 1, 2, nr_sectors, nr_entries, entry_size) + array
    backup = array + gpt_header(nr_sectors - 1, 1, nr_sectors - 1 - room, nr_sectors, nr_entries, entry_size)
    return primary + bytes(nr_sectors * 512 - len(primary) - len(backup)) + backup


def partition_seeds():
    yield "mbr", b"\0" + record((0x83, 1, 2), (0x0C, 3, 1)) + bytes(512 * 6)
    chain = [record((0x83, 6, 1), (0x0F, 1, 5)), record((0x83, 1, 1), (0x05, 2, 2)), bytes(512), record((0x83, 1, 1))]
    yield "chain", b"\0" + b"".join(chain) + bytes(512 * 6)
    yield "chain-loops", b"\0" + record((0x05, 1, 5)) + record((0, 0, 0), (0x05, 1, 1)) + record((0, 0, 0), (0x05, 1, 1))
    yield "gpt", b"\2" + gpt_disk(8, 128, (5, 6), (8, 12))
    yield "gpt-large-entries", b"\2" + gpt_disk(4, 512, (8, 9), (10, 10))
    yield "gpt-backup", b"\2" + gpt_disk(8, 128, (5, 6)).replace(b"EFI PART\0\0\1\0\x5c", b"EFI PART\0\0\1\0\x5b", 1)


SEEDS = {"partition": partition_seeds, "acpi_tables": acpi_tables_seeds, "aml": aml_seeds, "aml_names": aml_names_seeds,
         "pci_capabilities": pci_capabilities_seeds,
         "multiboot2": multiboot2_seeds, "pvh": pvh_seeds, "command_line": command_line_seeds,
         "memory_map": memory_map_seeds, "virtqueue_split": virtqueue_seeds, "virtqueue_packed": virtqueue_seeds}


def main():
    check = sys.argv[1:] == ["--check"]
    wrong = []
    for target, seeds in SEEDS.items():
        folder = CORPUS / target
        folder.mkdir(parents=True, exist_ok=True)
        expected = dict(seeds())
        for path in folder.iterdir():
            if path.name not in expected and not path.name.startswith("real-"):
                wrong.append(f"{path} is not written by seeds.py")
        for name, data in expected.items():
            path = folder / name
            if not check:
                path.write_bytes(data)
            elif not path.exists() or path.read_bytes() != data:
                wrong.append(f"{path} differs from what seeds.py writes")
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
