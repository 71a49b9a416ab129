#!/usr/bin/python3
"""Dumps what a loader really left in memory into the fuzzers' corpus, as corpus/*/real-NAME.

  tests/fuzz/dump.py BUILD NAME [QEMU OPTION...]

Boots BUILD/keel.iso, or with -kernel among the options what those say, under gdb up to boot_info_init, and copies the
information from there. The dumps in the corpus were made with

  tests/fuzz/dump.py build/release grub-bios -M q35 -m 512
  tests/fuzz/dump.py build/release grub-uefi -M q35 -m 512 -bios /usr/share/ovmf/OVMF.fd
  tests/fuzz/dump.py build/release qemu-q35 -M q35 -m 512 -kernel build/release/keel.elf -append 'keel.run="help; exit"'
"""
import pathlib
import shlex
import struct
import subprocess
import sys
import tempfile

CORPUS = pathlib.Path(__file__).resolve().parent / "corpus"
PVH_MEMORY = 0x1000  # where fuzz_pvh.c puts its memory

# Runs inside gdb: stops at boot_info_init(protocol, physical) and writes the first 64 MiB of memory to a file.
GDB = """
set pagination off
set confirm off
target remote | exec {qemu}
hbreak boot_info_init
continue
printf "protocol=%d\\n", $edi
printf "physical=%#lx\\n", $rsi
monitor pmemsave 0 {size:#x} "{file}"
kill
quit
"""
DUMPED_BYTES = 64 << 20


def dump(build, options):
    """(protocol, physical address of the information, the first bytes of memory)."""
    medium = [] if "-kernel" in options else ["-cdrom", str(build / "keel.iso")]
    qemu = ["qemu-system-x86_64", "-accel", "tcg", "-nodefaults", "-display", "none", "-vga", "std", "-no-reboot", "-S",
            "-gdb", "stdio", "-serial", "null"] + medium + options
    with tempfile.TemporaryDirectory() as folder:
        memory, script = pathlib.Path(folder) / "memory", pathlib.Path(folder) / "script"
        script.write_text(GDB.format(qemu=shlex.join(qemu), file=memory, size=DUMPED_BYTES))
        output = subprocess.run(["gdb", "-nx", "-batch", "-x", str(script), str(build / "keel.elf")],
                                capture_output=True, text=True, timeout=120).stdout
        values = dict(line.split("=") for line in output.splitlines() if line.startswith(("protocol=", "physical=")))
        return int(values["protocol"]), int(values["physical"], 16), memory.read_bytes()


def pack_pvh(memory, start):
    """What the start information points to, moved into one piece at PVH_MEMORY."""
    fields = list(struct.unpack_from("<IIIIQQQQII", memory, start))
    pieces = bytearray(56)
    for field, length in ((4, 32 * fields[3]), (5, None), (7, 24 * fields[8])):
        at = fields[field]
        if at == 0:
            continue
        end = memory.index(b"\0", at) + 1 if length is None else at + length
        fields[field] = PVH_MEMORY + len(pieces)
        pieces += memory[at:end]
        pieces += bytes(-len(pieces) % 8)
    struct.pack_into("<IIIIQQQQII", pieces, 0, *fields)
    return bytes(pieces)


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    protocol, physical, memory = dump(pathlib.Path(sys.argv[1]), sys.argv[3:])
    if protocol == 0:
        size = struct.unpack_from("<I", memory, physical)[0]
        path, data = CORPUS / "multiboot2" / f"real-{sys.argv[2]}", memory[physical:physical + size]
    else:
        path, data = CORPUS / "pvh" / f"real-{sys.argv[2]}", pack_pvh(memory, physical)
    path.write_bytes(data)
    print(f"{path}: {len(data)} bytes")


if __name__ == "__main__":
    main()
