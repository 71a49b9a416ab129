"""Virtio block devices: what the kernel reads is what is in the image, and what it writes is in the image afterwards."""
import binascii
import re
import struct

from harness import Machine, scenario

SECTOR = 512
LARGE_SECTOR = 4096
MIB = 1 << 20


def pattern(sector, salt=0):
    """The bytes of a sector: different in every sector, and at every place of one."""
    return bytes((sector * 7 + i * 3 + (i >> 8) + salt) & 0xff for i in range(SECTOR))


def make_image(run, name, length=8 * MIB, sectors=64):
    """A sparse image whose first sectors are known."""
    path = run.path(name)
    with open(path, "wb") as file:
        file.truncate(length)
        for sector in range(1, sectors):  # sector 0 stays empty: it is no partition table
            file.seek(sector * SECTOR)
            file.write(pattern(sector))
    return path


def read_image(path, sector, count=1):
    with open(path, "rb") as file:
        file.seek(sector * SECTOR)
        return file.read(count * SECTOR)


def disk(path, device="", drive="", name="d0"):
    """QEMU's arguments for a virtio disk."""
    return ("-drive", f"if=none,id={name},format=raw,file={path},cache=writeback{drive}",
            "-device", f"virtio-blk-pci,drive={name}{device}")


def disks(*several):
    """Arguments for several, vda first: tuples of path, options of the device and of the drive."""
    return tuple(word for n, (path, device, drive) in enumerate(several) for word in disk(path, device, drive, f"d{n}"))


def dumped(text):
    """The bytes that `block read` showed."""
    lines = re.findall(r"^[0-9a-f]{8}  ((?:[0-9a-f]{2} ){15}[0-9a-f]{2}) ", text, re.M)
    return bytes.fromhex("".join(lines))


@scenario("block/read-write", builds=("release", "debug", "sanitize", "clang"))
def read_write(run):
    """a disk's contents, byte for byte, in both directions; its id; requests beyond its end"""
    path = make_image(run, "disk.img")
    with run.boot(Machine(extra=disk(path, ",serial=keel-disk-0"))) as vm:
        vm.wait_prompt()
        assert "16384 sectors of  512 bytes        8 MiB, write-back" in vm.command("block")
        assert dumped(vm.command("block read vda 5 3")) == read_image(path, 5, 3)
        vm.command("block write vda 6 0xa5")
        assert read_image(path, 6) == b"\xa5" * SECTOR, "flushed, it is in the file"
        assert dumped(vm.command("block read vda 5 3")) == pattern(5) + b"\xa5" * SECTOR + pattern(7)
        assert "keel-disk-0" in vm.command("block id vda")
        vm.command("block write vda 16383 0x11")
        assert "range" in vm.command("block write vda 16384 0x11").lower()
        assert "range" in vm.command("block read vda 16383 2").lower()
        assert re.search(r"4096 bytes, random, 4 at a time: \d+ reads", vm.command("block bench vda 4"))
        vm.exit()
    assert read_image(path, 5, 3) == pattern(5) + b"\xa5" * SECTOR + pattern(7)
    assert read_image(path, 16383) == b"\x11" * SECTOR


@scenario("block/operations", builds=("release", "sanitize"))
def operations(run):
    """discard, write zeroes, FUA, cache modes, 4096-byte sectors, read-only: what happens in the image; what a disk has not"""
    names = ("plain", "read-only", "large", "through", "bare")
    plain, read_only, large, through, bare = paths = [make_image(run, f"{name}.img") for name in names]
    machine = Machine(extra=disks(
        (plain, "", ",discard=unmap"), (read_only, "", ",readonly=on"),
        (large, ",logical_block_size=4096,physical_block_size=4096", ",discard=unmap"), (through, ",write-cache=off", ""),
        (bare, ",config-wce=off,discard=off,write-zeroes=off,vectors=0", "")))
    with run.boot(machine) as vm:
        vm.wait_prompt()
        listed = vm.command("block list")
        for line in (r"^vda .* 16384 sectors of  512 bytes .*, write-back$", r"^vdb .*, read-only, write-back$",
                     r"^vdc .* 2048 sectors of 4096 bytes", r"^vdd .*, write-through$", r"^vde .*, write-back$"):
            assert re.search(line, listed, re.M), (line, listed)
        for command in ("zero vda 8 8", "discard vda 16 16", "fua vda 40 0x77", "flush vda", "write vdc 1 0x3c",
                        "zero vdc 2 1", "write vdd 5 0x44", "flush vdd", "write vde 5 0x55"):
            assert "error" not in vm.command(f"block {command}"), command
        assert dumped(vm.command("block read vdc 1")) == b"\x3c" * LARGE_SECTOR
        assert dumped(vm.command("block read vdc 3")) == read_image(large, 24, 8)
        assert dumped(vm.command("block read vda 8 8")) == bytes(8 * SECTOR)
        for command, error in (("write vdb 5 1", "read-only"), ("zero vdb 5 1", "read-only"),
                               ("discard vde 0 8", "not supported"), ("zero vde 0 8", "not supported"),
                               ("cache vde 0", "not supported"), ("discard vda 16380 8", "range"),
                               ("zero vda 0 0", "invalid"), ("read vdc 2048", "range"), ("bench vda 0", "range")):
            assert error in vm.command(f"block {command}").lower(), (command, error)
        assert "vda: write-through" in vm.command("block cache vda 0")
        vm.command("block write vda 50 0x50")
        assert read_image(plain, 50) == b"\x50" * SECTOR, "write-through: it is in the file without a flush"
        assert "vda: write-back" in vm.command("block cache vda 1")
        assert "vdd: write-back" in vm.command("block cache vdd 1")
        vm.exit()
    same = [pattern(sector) for sector in range(64)]
    expected = dict(zip(paths, ([*same] for _ in paths)))
    expected[plain][8:32] = [bytes(SECTOR)] * 24
    expected[plain][40], expected[plain][50] = b"\x77" * SECTOR, b"\x50" * SECTOR
    expected[large][8:24] = [b"\x3c" * SECTOR] * 8 + [bytes(SECTOR)] * 8
    expected[through][5], expected[bare][5] = b"\x44" * SECTOR, b"\x55" * SECTOR
    for path, sectors in expected.items():
        assert read_image(path, 1, 63) == b"".join(sectors[1:]), path


@scenario("block/flush-error")
def flush_error(run):
    """a flush that fails: the write with FUA fails with it, so that one was really sent behind the write; others go on"""
    path = make_image(run, "disk.img")
    arguments = ("-blockdev", f"driver=file,filename={path},node-name=file", "-blockdev",
                 "driver=blkdebug,node-name=broken,image=file,inject-error.0.event=none,inject-error.0.iotype=flush,"
                 "inject-error.0.errno=5", "-blockdev", "driver=raw,file=broken,node-name=d0",
                 "-device", "virtio-blk-pci,drive=d0,write-cache=on,werror=report")
    with run.boot(Machine(extra=arguments)) as vm:
        vm.wait_prompt()
        assert "input/output error" in vm.command("block write vda 8 0x88")
        assert "input/output error" in vm.command("block flush vda")
        assert "input/output error" in vm.command("block fua vda 9 0x99")
        assert "error" not in vm.command("block zero vda 10 1")
        assert dumped(vm.command("block read vda 8 3")) == b"\x88" * SECTOR + b"\x99" * SECTOR + bytes(SECTOR)
        assert "audit: 0 violations" in vm.command("audit")
        vm.exit()


@scenario("block/resize")
def resize(run):
    """the disk grows and shrinks while it is in use: by interrupt, with MSI-X, one vector and the pin"""
    path = make_image(run, "disk.img")
    others = [make_image(run, f"{name}.img") for name in ("one", "pin")]
    machine = Machine(extra=disks((path, "", ""), (others[0], ",vectors=1", ""), (others[1], ",vectors=0", "")))
    with run.boot(machine) as vm:
        vm.wait_prompt()
        for n, name in enumerate(("vda", "vdb", "vdc")):
            assert "range" in vm.command(f"block read {name} 20000").lower()
            vm.monitor(f"block_resize d{n} 16M")
            vm.expect(rf"{name}: has 32768 sectors now")
            vm.wait_prompt()
            assert "error" not in vm.command(f"block write {name} 32767 0x42")
            assert dumped(vm.command(f"block read {name} 32767")) == b"\x42" * SECTOR
            vm.monitor(f"block_resize d{n} 4M")
            vm.expect(rf"{name}: has 8192 sectors now")
            vm.wait_prompt()
            assert "range" in vm.command(f"block read {name} 8192").lower()
            assert dumped(vm.command(f"block read {name} 5")) == pattern(5)
        vm.exit()


def mbr_entry(kind, first, count):
    return struct.pack("<B3sB3sII", 0, b"\0" * 3, kind, b"\0" * 3, first, count)


def write_at(path, offset, data):
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(data)


def write_mbr(path, *entries):
    write_at(path, 446, b"".join(mbr_entry(*entry) for entry in entries) + bytes(16 * (4 - len(entries))) + b"\x55\xaa")


def write_gpt(path, sector_bytes, nr_sectors, *partitions):
    """Partitions are (first, last) sectors (UEFI 2.10, 5.3)."""
    table = b"".join(struct.pack("<16s16sQQQ72s", bytes([0xaf] * 16), bytes([n + 1] * 16), first, last, 0, b"\0" * 72)
                     for n, (first, last) in enumerate(partitions)).ljust(128 * 128, b"\0")
    table_sectors = len(table) // sector_bytes

    def header(at, other, table_at):
        def pack(crc):
            return struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, crc, 0, at, other, 2 + table_sectors,
                               nr_sectors - table_sectors - 2, bytes([0x11] * 16), table_at, 128, 128,
                               binascii.crc32(table))
        return pack(binascii.crc32(pack(0)))

    write_mbr(path, (0xee, 1, nr_sectors - 1))
    write_at(path, sector_bytes, header(1, nr_sectors - 1, 2))
    write_at(path, 2 * sector_bytes, table)
    write_at(path, (nr_sectors - 1 - table_sectors) * sector_bytes, table)
    write_at(path, (nr_sectors - 1) * sector_bytes, header(nr_sectors - 1, 1, nr_sectors - 1 - table_sectors))


@scenario("block/partitions")
def partitions(run):
    """GPT, GPT of 4096-byte sectors, and MBR: partitions get devices, and their sectors are the right ones of the disk"""
    gpt, large, mbr = [make_image(run, f"{name}.img", sectors=1) for name in ("gpt", "large", "mbr")]
    write_gpt(gpt, SECTOR, 16384, (64, 127), (2048, 16000))
    write_gpt(large, LARGE_SECTOR, 2048, (16, 31))
    write_mbr(mbr, (0x83, 100, 50), (0x83, 1000, 15384))
    with run.boot(Machine(extra=disks((gpt, "", ""), (large, ",logical_block_size=4096,physical_block_size=4096", ""), (mbr, "", "")))) as vm:
        vm.wait_prompt()
        listed = vm.command("block list")
        for line in (r"^vda1 +64 sectors of  512 .*from 64 of vda$", r"^vda2 +13953 sectors .*from 2048 of vda$",
                     r"^vdb1 +16 sectors of 4096 .*from 16 of vdb$", r"^vdc1 +50 sectors .*from 100 of vdc$",
                     r"^vdc2 +15384 sectors .*from 1000 of vdc$"):
            assert re.search(line, listed, re.M), (line, listed)
        for name, sector, byte in (("vda1", 63, 0x1a), ("vda2", 0, 0x2a), ("vdb1", 15, 0x1b), ("vdc1", 49, 0x1c),
                                   ("vdc2", 15383, 0x2c)):
            assert "error" not in vm.command(f"block write {name} {sector} {byte}")
        for name, sector in (("vda1", 64), ("vda2", 13953), ("vdb1", 16), ("vdc1", 50), ("vdc2", 15384)):
            assert "range" in vm.command(f"block write {name} {sector} 1").lower()
        assert "error" not in vm.command("block bench vdc2 3")
        vm.exit()
    for path, sector, count, byte in ((gpt, 127, 1, 0x1a), (gpt, 2048, 1, 0x2a), (large, 31 * 8, 8, 0x1b),
                                      (mbr, 149, 1, 0x1c), (mbr, 16383, 1, 0x2c)):
        assert read_image(path, sector - 1, count + 1) == bytes(SECTOR) + bytes([byte]) * SECTOR * count
        if sector + count < 16384 and path != gpt:
            assert read_image(path, sector + count) == bytes(SECTOR)


@scenario("block/silent")
def silent(run):
    """a disk that does not answer: given up after half a minute (of the guest's), its requests end; the next disk works"""
    dead, alive = make_image(run, "dead.img"), make_image(run, "alive.img")
    machine = Machine(extra=("-icount", "shift=0,sleep=off",
                             *disks((dead, "", ",throttling.bps-total=1"), (alive, "", ""))),
                      command_line='keel.panic=exit keel.run="block read vda 1; block write vda 1 1; block read vdb 5; '
                                   'audit; exit"')
    with run.boot(machine) as vm:
        vm.wait_end("pass")
        run.check_output(vm.output, (r"vda: virtio .*: the device does not answer: marked failed", r"^audit: 0 violations"))
        assert vm.output.count("error: block: input/output error") == 2
        assert dumped(vm.output) == pattern(5)
    assert read_image(dead, 1) == pattern(1)


@scenario("block/polled")
def polled(run):
    """no local APIC, so no interrupt: the disk is polled"""
    path = make_image(run, "disk.img")
    machine = Machine(cpu="qemu64,-apic", extra=disk(path),
                      command_line='keel.panic=exit keel.run="block read vda 5 2; block write vda 6 0x66; block id vda; '
                                   'block bench vda 4; exit"')
    with run.boot(machine) as vm:
        vm.wait_end("pass")
        run.check_output(vm.output, (r"virtio .*: no interrupt .*: it is polled", r"128 KiB|131072 bytes, sequential"),
                         (r"^error",))
        assert dumped(vm.output) == pattern(5) + pattern(6)
    assert read_image(path, 6) == b"\x66" * SECTOR
