"""Every way in which QEMU offers virtio entropy and block devices, many to a boot. Each cell of the matrix is a device:
it is driven through the interface, ring, features, interrupts and size it was made for, as the command virtio says, and
it works. A disk is read and written by the kernel's own test, and what was written is in its image afterwards."""
import dataclasses
import itertools
import os
import re
import struct

from harness import Machine, scenario
from harness.outcome import PASS

FIRST_SLOT, LAST_SLOT = 4, 0x1c  # of the root bus; above are the chipset's own
SECTOR, SECTORS = 512, 64        # of a disk: the host writes the first half, the kernel the second
WRITTEN_SALT = 0x5a

OFFERS = {"modern": "disable-legacy=on", "transitional": "disable-legacy=off", "legacy": "disable-modern=on"}
VECTORS = {"msix": "", "one": "vectors=1", "none": "vectors=0"}
SIZES = (4, 8, 256, 1024)
BAD = (r"^error: .*", r": reset$", r"marked failed", r"refused", r"cut off")
CELLS_AT_ONCE = 60               # with two interrupts each they leave some of a CPU's vectors


@dataclasses.dataclass(frozen=True)
class Cell:
    kind: str               # rng or blk
    offer: str = "modern"   # of OFFERS
    ring: str = "split"
    indirect: bool = True
    event: bool = True
    vectors: str = "msix"   # of VECTORS
    size: int = 0           # of a disk's queue; 0: QEMU's own
    more: str = ""          # other options
    queue: str = ""         # what the command virtio says of queue 0, besides
    lacks: str = ""         # a feature that is not to be agreed on
    bus: str = ""           # not the root bus

    @property
    def options(self):
        words = [f"virtio-{self.kind}-pci", OFFERS[self.offer], VECTORS[self.vectors], self.more]
        words += ["packed=on"] if self.ring == "packed" else []
        words += [] if self.indirect else ["indirect_desc=off"]
        words += [] if self.event else ["event_idx=off"]
        words += [f"queue-size={self.size}"] if self.size else []
        words += [f"bus={self.bus}"] if self.bus else []
        return ",".join(filter(None, words))

    def check(self, said):
        """What is wrong with what the command virtio says of the device; None when nothing is."""
        interface = "legacy" if self.offer == "legacy" else "modern"
        features = re.search(r"^  features:(.*)$", said, re.M)
        queue = re.search(r"^  queue 0: (.*)$", said, re.M)
        if not re.search(rf"^\S+ \S+ \(type \d+\), {interface}, virtio-{self.kind}$", said, re.M) or not features or not queue:
            return f"is not driven as {interface}"
        names = features.group(1).split()
        for name, wanted in (("INDIRECT_DESC", self.indirect), ("EVENT_IDX", self.event),
                             ("RING_PACKED", self.ring == "packed"), ("VERSION_1", interface == "modern")):
            if (name in names) != wanted:
                return f"{name} was{'' if wanted else ' not'} to be agreed on"
        if self.lacks in names:
            return f"{self.lacks} was not offered"
        size = self.size if self.kind == "blk" else 8 if interface == "legacy" else 4  # QEMU's entropy queue has 8
        by = {"none": "by the pin", "one": "by message 0", "msix": "by message 1"}[self.vectors]
        interrupts = "no interrupt" if "no interrupt" in self.queue else rf"[1-9]\d* interrupts {by}"
        idle = ", 0 in flight" if self.kind == "blk" else ""  # an entropy device has just been asked for more
        for wanted in (f"^{self.ring} ring of {size or 256}, ", idle, interrupts, self.queue, "sound$"):
            if not re.search(wanted, queue.group(1)):
                return f"'{wanted}' is not said of queue 0"
        return None


# The machine


def places():
    for slot, function in itertools.product(range(FIRST_SLOT, LAST_SLOT), range(8)):
        yield slot, function


def content(sector, salt):
    return bytes((sector * 7 + i * 3 + (i >> 8) + salt * 11) & 0xff for i in range(SECTOR))


def make_disk(path, salt):
    header = struct.pack("<16sII", b"keel test disk", salt, SECTORS).ljust(SECTOR, b"\0")
    with open(path, "wb") as file:
        file.write(header + b"".join(content(sector, salt) for sector in range(1, SECTORS // 2)))
        file.truncate(SECTORS * SECTOR)


def check_disk(run, path, cell, salt):
    with open(path, "rb") as file:
        file.seek(SECTORS // 2 * SECTOR)
        for sector in range(SECTORS // 2, SECTORS):
            if file.read(SECTOR) != content(sector, salt + WRITTEN_SALT):
                run.fail(f"sector {sector} is not in the image of {cell.options}")
    os.unlink(path)


def arguments(run, cells, where):
    """QEMU's, for every cell: its place on the root bus, and the image of its disk."""
    for number, (cell, (slot, function)) in enumerate(zip(cells, where)):
        place = "" if cell.bus else f",addr={slot:#x}.{function}" + (",multifunction=on" if function == 0 else "")
        if cell.kind == "blk":
            make_disk(run.path(f"{number}.img"), number)
            yield from ("-drive", f"if=none,id=d{number},format=raw,file={run.path(f'{number}.img')}")
            place += f",drive=d{number}"
        yield from ("-device", cell.options + place)


def boot(run, cells, where, machine=Machine(), before=()):
    extra = (*machine.extra, *before, *arguments(run, cells, where))
    line = f'{machine.command_line} keel.panic=exit keel.run="rng; test disk; rng; virtio; exit"'.strip()
    return run.boot(dataclasses.replace(machine, extra=extra, command_line=line))


def boot_cells(run, cells, machine=Machine(), before=()):
    """Boots with all cells, some at a time, and checks each."""
    for first in range(0, len(cells), CELLS_AT_ONCE):
        some = cells[first:first + CELLS_AT_ONCE]
        where = list(itertools.islice(places(), len(some)))
        with boot(run, some, where, machine, before) as vm:
            vm.wait_end(PASS)
        run.check_output(vm.output, (r"^1 passed, 0 failed",), BAD)
        check_devices(run, some, where, vm.output)
        check_disks(run, some, vm.output)


def check_devices(run, cells, where, output):
    devices = dict(re.findall(r"^(\S+\.\d): (.*\n(?:  .*\n)+)", output[output.rindex("+ virtio"):], re.M))
    gave = dict(re.findall(r"^(\S+\.\d): .*, (\d+) bytes received", output[output.rindex("+ rng"):], re.M))
    behind = iter(sorted(place for place in devices if not place.startswith("00:")))
    for cell, (slot, function) in zip(cells, where):
        place = next(behind, "nowhere") if cell.bus else f"00:{slot:02x}.{function}"
        wrong = cell.check(f"{place}: {devices.get(place, '')}")
        if not wrong and cell.kind == "rng" and int(gave.get(place, 0)) < 64:
            wrong = "has given nothing"
        if wrong:
            run.fail(f"{place}, {cell.options}: {wrong}")


def check_disks(run, cells, output):
    for number, cell in enumerate(cells):
        if cell.kind == "blk":
            run.check_output(output, (rf"vd[a-z]+: test disk {number}: read, written and read",))
            check_disk(run, run.path(f"{number}.img"), cell, number)


# The cells


def matrix(kind, vectors, sizes):
    for offer, ring, indirect, event, size in itertools.product(OFFERS, ("split", "packed"), (True, False), (True, False), sizes):
        if (offer, ring) != ("legacy", "packed"):  # the feature's number is beyond what the legacy interface can carry
            yield Cell(kind, offer, ring, indirect, event, vectors, size)


def add_matrix(vectors):
    @scenario(f"virtio/matrix-{vectors}", timeout=120)
    def one_matrix(run):
        """entropy devices and disks through every interface, ring, feature and size, with these interrupts"""
        boot_cells(run, [*matrix("rng", vectors, (0,)), *matrix("blk", vectors, SIZES)])


for name in VECTORS:
    add_matrix(name)


EVERY_INTERRUPT = tuple(itertools.product(OFFERS, VECTORS))
BY_PORT, BY_MEMORY = r"notifications by port 0x[0-9a-f]+, ", r"notifications, "


@scenario("virtio/matrix-notifications", timeout=120)
def notifications(run):
    """a page for each queue's notifications, notifications by port, several queues: with each ring and interrupt"""
    cells = [Cell(kind, "modern", ring, event=event, vectors=vectors, more=more, queue=queue)
             for kind, ring, event, vectors, (more, queue) in itertools.product(
                 ("rng", "blk"), ("split", "packed"), (True, False), VECTORS,
                 (("page-per-vq=on", BY_MEMORY), ("modern-pio-notify=on", BY_PORT),
                  ("page-per-vq=on,modern-pio-notify=on", BY_PORT)))]
    boot_cells(run, cells)


@scenario("virtio/matrix-queues", timeout=120)
def queues(run):
    """disks with four queues and fewer vectors, in each interface, ring and size; disks that lack something"""
    cells = [Cell("blk", offer, ring, vectors=vectors, size=size, more="num-queues=4" + more)
             for offer, ring, size in itertools.product(OFFERS, ("split", "packed"), (8, 256))
             for vectors, more in (("msix", ""), ("one", ""), ("none", ""), ("msix", ",vectors=2"), ("msix", ",vectors=3"))
             if (offer, ring) != ("legacy", "packed")]
    cells += [Cell("blk", more=more, lacks=lacks) for more, lacks in
              (("write-cache=off", ""), ("config-wce=off", "CONFIG_WCE"), ("write-cache=off,config-wce=off", "CONFIG_WCE"),
               ("discard=off", "DISCARD"), ("write-zeroes=off", "WRITE_ZEROES"), ("queue_reset=off", ""), ("seg-max-adjust=off", ""))]
    # The packed ring's feature has a number beyond what the legacy interface can carry: the ring is a split one.
    cells += [Cell(kind, "legacy", "split", more="packed=on") for kind in ("rng", "blk")]
    boot_cells(run, cells)


@scenario("virtio/matrix-more-devices-than-vectors", timeout=120)
def more_devices_than_vectors(run):
    """with one vector left a device shares it, with none it is polled; each of 104 works"""
    cells = [Cell(kind) for kind in ["rng"] * 98 + ["blk"] * 6]
    where = list(itertools.islice(places(), len(cells)))
    with boot(run, cells, where) as vm:
        vm.wait_end(PASS)
        output = vm.output
    run.check_output(output, (r"queue 0: .* by message 1", r"queue 0: .* by message 0", r"queue 0: .* no interrupt",
                              r"it is polled", r"has no interrupt: polled"), BAD)
    if len(re.findall(r", [1-9]\d+ bytes received", output[output.rindex("+ rng"):])) != 98:
        run.fail("not every entropy device has given something")
    check_disks(run, cells, output)


@scenario("virtio/matrix-polled", timeout=120)
def polled(run):
    """a CPU without a local APIC: every device is polled"""
    cells = [Cell(kind, offer, ring, queue="no interrupt") for kind, offer, ring in
             itertools.product(("rng", "blk"), OFFERS, ("split", "packed")) if (offer, ring) != ("legacy", "packed")]
    boot_cells(run, cells, Machine(cpu="qemu64,-apic"))


@scenario("virtio/matrix-behind-bridges", timeout=120)
def behind_bridges(run):
    """entropy devices and disks behind a root port, a switch, and bridges to conventional PCI"""
    before = ("-device", "pcie-root-port,id=port1,slot=1,addr=0x2.0,multifunction=on",
              "-device", "pcie-root-port,id=port2,slot=2,addr=0x2.1", "-device", "pcie-root-port,id=port3,slot=3,addr=0x2.2",
              "-device", "x3130-upstream,id=up,bus=port2", "-device", "xio3130-downstream,id=down,bus=up,chassis=4",
              "-device", "pcie-pci-bridge,id=bridge,bus=port3", "-device", "pci-bridge,id=second,bus=bridge,chassis_nr=5,addr=0x1")
    express = [Cell("blk", vectors="msix", bus="port1"), Cell("blk", ring="packed", vectors="none", bus="down")]
    conventional = [Cell(kind, offer, vectors=vectors, bus=bus) for bus in ("bridge", "second")
                    for kind in ("rng", "blk") for offer, vectors in EVERY_INTERRUPT]
    boot_cells(run, express + conventional, before=before)


def add_firmware(firmware):
    @scenario(f"virtio/matrix-{firmware}", timeout=120)
    def one_firmware(run):
        """each interrupt through each interface, of devices that the firmware has used before"""
        boot_cells(run, [Cell(kind, offer, vectors=vectors) for kind in ("rng", "blk") for offer, vectors in EVERY_INTERRUPT],
                   Machine(firmware=firmware))


for name in ("bios", "uefi"):
    add_firmware(name)


@scenario("virtio/matrix-iommu")
def iommu(run):
    """a device that wants its addresses translated is refused with a message"""
    extra = ("-drive", "if=none,id=d0,driver=null-co,size=1M",
             "-device", "virtio-blk-pci,drive=d0,disable-legacy=on,iommu_platform=on,addr=0x4",
             "-device", "virtio-rng-pci,disable-legacy=on,iommu_platform=on,packed=on,addr=0x5")
    with run.boot(Machine(extra=extra, command_line='keel.panic=exit keel.run="rng; block; virtio; exit"')) as vm:
        vm.wait_end(PASS)
    run.check_output(vm.output, [text for slot in (4, 5) for text in
                                 (rf"virtio 00:0{slot}\.0: wants addresses translated by an IOMMU, .*: refused",
                                  rf"^00:0{slot}\.0: \S+ \(type \d\), modern, no driver\n  status: .*FAILED")],
                     (r"bytes received", r"sectors of"))


@scenario("virtio/matrix-resize", timeout=120)
def resize(run):
    """a change of a disk's configuration reaches the driver by each kind of interrupt, through each interface"""
    cells = [Cell("blk", offer, vectors=vectors, more=more) for offer in OFFERS
             for vectors, more in (("msix", ""), ("one", ""), ("none", ""), ("msix", "num-queues=3,vectors=2"))]
    where = list(itertools.islice(places(), len(cells)))
    with run.boot(Machine(extra=tuple(arguments(run, cells, where)))) as vm:
        vm.wait_prompt()
        for number in range(len(cells)):
            vm.qmp("block_resize", device=f"d{number}", size=(SECTORS + number + 1) * SECTOR)
            vm.expect(rf"vd[a-z]: has {SECTORS + number + 1} sectors now")
        assert "marked failed" not in vm.output
        vm.exit()
