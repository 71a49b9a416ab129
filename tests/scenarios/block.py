"""Virtio block devices: what the kernel reads is what is in the image, and what it writes is in the image afterwards."""
import re

from harness import Machine, scenario

SECTOR = 512
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
        assert "64 reads" in vm.command("block bench vda")
        vm.exit()
    assert read_image(path, 5, 3) == pattern(5) + b"\xa5" * SECTOR + pattern(7)
    assert read_image(path, 16383) == b"\x11" * SECTOR
