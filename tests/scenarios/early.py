"""What Keel is told at its door and cannot live with: it says so, and stops. The loader's information is changed under its
eyes, at the first instruction of the PVH entry, through QEMU's gdb stub."""
import dataclasses
import os
import struct

from harness import GdbStub, Machine, scenario

NOTE_PVH_ENTRY = 18  # Xen's elfnote.h, XEN_ELFNOTE_PHYS32_ENTRY
PT_NOTE = 4
# struct hvm_start_info (Xen's start_info.h): offsets of what is changed here.
MEMORY_MAP_ADDRESS = 40
MEMORY_MAP_ENTRIES = 48
MEMORY_MAP_ENTRY = struct.Struct("<QQLL")  # address, size, type, reserved
USABLE, RESERVED = 1, 2
LITTLE_MEMORY_END = 0x180000  # below where the kernel is loaded


def pvh_entry(path):
    """The physical address in the kernel file's PVH note."""
    with open(path, "rb") as file:
        elf = file.read()
    headers, = struct.unpack_from("<Q", elf, 32)
    size, count = struct.unpack_from("<HH", elf, 54)
    for index in range(count):
        kind, _, at, _, _, length = struct.unpack_from("<LLQQQQ", elf, headers + index * size)
        end = at + length
        while kind == PT_NOTE and at + 12 <= end:
            name_size, value_size, note = struct.unpack_from("<LLL", elf, at)
            value = at + 12 + (name_size + 3 & ~3)
            if elf[at + 12:at + 12 + name_size] == b"Xen\0" and note == NOTE_PVH_ENTRY:
                return int.from_bytes(elf[value:value + value_size], "little")
            at = value + (value_size + 3 & ~3)
    raise AssertionError("the kernel has no PVH note")


def interfered_scenario(name, summary, interfere, words, post_code):
    def function(run):
        stub = GdbStub(30)
        machine = Machine(extra=("-chardev", "file,id=post,path=@POST@",
                                 "-device", "isa-debugcon,iobase=0x80,chardev=post"))
        machine = run.with_files(machine)
        with run.boot(dataclasses.replace(machine, extra=machine.extra + stub.arguments()), inherit=[stub.guest]) as vm:
            stub.run_to(pvh_entry(os.path.join(run.build, "keel.elf")))
            interfere(stub)
            stub.go()
            vm.expect(words)
            vm.wait_halted()
            with open(run.path("POST"), "rb") as file:
                assert file.read()[-1] == post_code, "not the POST code of this failure"

    function.__doc__ = summary
    scenario(name, builds=("release", "debug"))(function)


def break_magic(stub):
    stub.write_ebx(stub.read_ebx() + 4)


def empty_memory_map(stub):
    stub.write_memory(stub.read_ebx() + MEMORY_MAP_ENTRIES, bytes(4))


def change_entries(stub, change):
    """Replaces each entry of the memory map by change(address, size, type)."""
    info = stub.read_ebx()
    table, count = struct.unpack("<QL", stub.read_memory(info + MEMORY_MAP_ADDRESS, 12))
    for index in range(count):
        at = table + index * MEMORY_MAP_ENTRY.size
        address, size, kind, reserved = MEMORY_MAP_ENTRY.unpack(stub.read_memory(at, MEMORY_MAP_ENTRY.size))
        stub.write_memory(at, MEMORY_MAP_ENTRY.pack(*change(address, size, kind), reserved))


def reserve_all_memory(stub):
    change_entries(stub, lambda address, size, kind: (address, size, RESERVED))


def leave_little_memory(stub):
    def shrink(address, size, kind):
        end = min(address + size, LITTLE_MEMORY_END) if kind == USABLE else address + size
        return address, max(end - address, 0), kind
    change_entries(stub, shrink)


interfered_scenario("early/wrong-magic", "a loader that is neither Multiboot2 nor PVH is told so", break_magic,
                    "Keel cannot start: the loader's magic number is wrong", 0xe1)
interfered_scenario("early/empty-memory-map", "a memory map without entries is refused in words", empty_memory_map,
                    "the loader gave no memory map\n.*Keel cannot start: ", 0xe5)
interfered_scenario("early/all-memory-reserved", "a memory map without usable memory is refused in words",
                    reserve_all_memory, "the memory map has no usable memory\n.*Keel cannot start: ", 0xe5)
interfered_scenario("early/too-little-memory", "a machine with less memory than the kernel needs is told so",
                    leave_little_memory, "Keel cannot start: there is not enough usable memory", 0xe6)
