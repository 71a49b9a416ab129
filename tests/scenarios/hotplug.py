"""Devices that come and go while the kernel runs: native PCI Express hot-plug."""
import re

from harness import Machine, scenario

# QEMU's default on q35 is hot-plug by ACPI methods, which Keel does not execute.
NATIVE = ("-global", "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off")
PORT = "00:08.0"  # of slot 1
ON_PORT = ("-device", "pcie-root-port,id=rp,chassis=1,slot=1,addr=0x8")
# The clock jumps to the next timer where nothing is to be done: the seconds that slots wait cost nothing.
JUMPING_CLOCK = ("-icount", "shift=4,sleep=off")


def see(vm, pattern):
    """Waits for a log line; the prompt is drawn again below it."""
    vm.expect(pattern)
    vm.wait_prompt()


def plug(vm, driver, **options):
    """Plugs a device in and waits until its slot is in use."""
    vm.qmp("device_add", driver=driver, **options)
    see(vm, r"slot \d+: \d+ functions plugged in")


def unplug(vm, device="x"):
    """As a user does: presses the button, waits the five seconds."""
    vm.qmp("device_del", id=device)
    see(vm, r"button pressed: off in 5 s")
    see(vm, r"slot \d+: may be taken out")


def wait_state(vm, port, state):
    """Looks until the slot is in that state; the scenario's timeout ends it."""
    while f"{port}: slot" not in (text := vm.command("slots")) or not re.search(rf"^{port}: slot \d+: {state}$", text, re.M):
        pass


def resources(vm):
    """What a device takes and has to give back: pages in use, objects in use of each cache, vectors."""
    pages = re.findall(r"^  ([a-z ]+?) +(\d+) pages", vm.command("memory"), re.M)
    objects = re.findall(r"^(\S+) +\d+ +\d+ +\d+ +(\d+) +\d+ +\d+ ", vm.command("slabs"), re.M)
    vectors = [line.split() for line in vm.command("interrupts").splitlines() if re.match(r" *\d+ ", line)]
    assert pages and objects and vectors
    return pages, objects, [(vector, *source) for vector, _, _, _, *source in vectors]


@scenario("hotplug/rng", builds=("release", "debug", "sanitize"))
def rng(run):
    """an entropy device is plugged into an empty slot, used and unplugged, by the button and, on its pin, by the command"""
    with run.boot(Machine(extra=(*NATIVE, *JUMPING_CLOCK, *ON_PORT))) as vm:
        vm.wait_prompt()
        assert f"{PORT}: slot 1: empty" in vm.command("slots")
        assert "no entropy devices" in vm.command("rng")
        before = vm.command("devices")
        plug(vm, "virtio-rng-pci", bus="rp", id="x")
        wait_state(vm, PORT, "in use.*")  # said before it is so
        assert re.search(r"^01:00\.0: modern, .* \d+ bytes received", vm.command("rng"), re.M)
        assert re.search(r"^01:00\.0 1af4:1044 .*: virtio-pci", vm.command("pci"), re.M)
        unplug(vm)
        assert "no entropy devices" in vm.command("rng")
        assert vm.command("devices") == before
        wait_state(vm, PORT, "empty")
        plug(vm, "virtio-rng-pci", bus="rp", id="x", vectors=0)
        assert re.search(r"ioapic GSI \d+ level .* 01:00\.0", vm.command("interrupts"))
        assert re.search(r"^01:00\.0: modern, .* \d+ bytes received", vm.command("rng"), re.M)
        vm.command(f"slots off {PORT}")
        assert "ioapic GSI" not in "".join(re.findall(r".*01:00.*", vm.command("interrupts")))
        assert "0 violations" in vm.command("audit")
        vm.exit()


@scenario("hotplug/fifty-times", builds=("release", "debug"), timeout=120)
def fifty_times(run):
    """plugged in and switched off fifty times in two kinds: pages, objects and vectors are exactly as before"""
    with run.boot(Machine(extra=(*NATIVE, *JUMPING_CLOCK, *ON_PORT))) as vm:
        vm.wait_prompt()
        for i in range(52):
            if i == 2:  # what is made once, and stays, is there after each kind has come
                before = resources(vm)
            is_legacy = i % 2 == 1
            interface = {"disable-modern": is_legacy, "disable-legacy": "off" if is_legacy else "on"}
            plug(vm, "virtio-rng-pci", bus="rp", id="x", **interface)
            assert ("legacy" if is_legacy else "modern") in vm.command("rng")
            assert "error" not in vm.command(f"slots off {PORT}")
            assert f"{PORT}: slot 1: empty" in vm.command("slots")
        after = resources(vm)
        assert after == before, f"before: {before}\nafter: {after}"
        assert "0 violations" in vm.command("audit")
        vm.exit()


def backend(device):
    return f"/machine/peripheral/{device}/virtio-backend"


def wait_free(vm):
    """Waits until QEMU has let go of every unplugged disk: the next one may have its image. A disk on its way out has no
    path any more, and is listed without a name for as long as it holds the image."""
    while any(not block["device"] for block in vm.qmp("query-block")):
        pass


def throttle(vm, device="x", bytes_per_second=100):
    """From here on the disk answers one request, and then not for a long time."""
    vm.qmp("block_set_io_throttle", id=backend(device), bps=bytes_per_second, bps_rd=0, bps_wr=0, iops=0, iops_rd=0, iops_wr=0)


def pull(vm, port_slot=8):
    """Takes out what is in the slot as a hand does that does not press the button: behind the kernel's back the slot's
    power and indicator are switched off, which is when QEMU lets go of a device."""
    capability = 0x54
    control = capability + 0x18
    vm.monitor(f"o/w 0xcf8 {0x80000000 | port_slot << 11 | control & 0xfc:#x}")
    value = int(re.search(r"= (0x[0-9a-f]+)", vm.monitor("i/h 0xcfc")).group(1), 16)
    vm.monitor(f"o/h 0xcfc {value | 0x700:#x}")


def wait_in_flight(vm, nr, device="x"):
    """Waits until QEMU has so many requests of the disk's that it has not answered."""
    while vm.qmp("x-query-virtio-queue-status", path=backend(device), queue=0)["inuse"] != nr:
        pass


def wait_no_disk(vm):
    """Waits until the work that takes a disk away, which nobody at the prompt waits for, is through."""
    while "no block device" not in vm.command("block list"):
        pass


def begin_reading(vm, command, nr):
    throttle(vm)
    vm.send(command + "\r")
    wait_in_flight(vm, nr)


@scenario("hotplug/disk-in-flight", builds=("release", "debug"))
def disk_in_flight(run):
    """a disk is unplugged by the button, and pulled out, with requests in flight: all end, and the prompt goes on"""
    with run.boot(Machine(extra=(*NATIVE, *ON_PORT))) as vm:
        vm.wait_prompt()
        vm.qmp("blockdev-add", driver="null-co", **{"node-name": "disk", "size": 1 << 20, "read-zeroes": True})
        disk = {"driver": "virtio-blk-pci", "bus": "rp", "id": "x", "drive": "disk"}
        plug(vm, **disk)
        assert "EIO" not in vm.command("block read vda 2047")
        assert "not run" not in vm.command("bench block_read_4k_depth8")  # caches keep what it needed
        vm.command(f"slots off {PORT}")
        wait_no_disk(vm)
        before = resources(vm)
        wait_free(vm)
        plug(vm, **disk)
        begin_reading(vm, "bench block_read_4k_depth8", 8)
        vm.qmp("device_del", id="x")
        vm.expect(r"button pressed: off in 5 s")
        see(vm, r"block_read_4k_depth8 could not run")  # it waits for all eight
        wait_no_disk(vm)
        for command, nr, end in (("block bench vda", 1, r"error: block: .*EIO"),
                                 ("bench block_read_4k_depth8", 8, r"block_read_4k_depth8 could not run")):
            wait_free(vm)
            plug(vm, **disk)
            begin_reading(vm, command, nr)
            pull(vm)
            vm.expect(r"vda: .* has gone")
            see(vm, rf"(?s:{end}.*what was in it has vanished|what was in it has vanished.*{end})")
            wait_no_disk(vm)
            wait_state(vm, PORT, "empty")
        wait_state(vm, PORT, "empty")
        after = resources(vm)
        assert after == before, f"before: {before}\nafter: {after}"
        assert "0 violations" in vm.command("audit")
        wait_free(vm)
        plug(vm, **disk)
        assert "error" not in vm.command("block bench vda")
        vm.exit()


@scenario("hotplug/pulled-while-probed")
def pulled_while_probed(run):
    """a disk is pulled out while its driver waits for its partition table: the wait ends, and the slot can be used again"""
    with run.boot(Machine(extra=(*NATIVE, *ON_PORT))) as vm:
        vm.wait_prompt()
        before = resources(vm)
        vm.qmp("blockdev-add", driver="null-co", **{"node-name": "fast", "size": 1 << 20, "read-zeroes": True})
        vm.qmp("object-add", **{"qom-type": "throttle-group", "id": "slowness", "limits": {"bps-total": 100}})
        vm.qmp("blockdev-add", driver="throttle", file="fast", **{"node-name": "slow", "throttle-group": "slowness"})
        vm.qmp("device_add", driver="virtio-blk-pci", bus="rp", id="x", drive="slow")
        vm.expect(r"vda: 2048 sectors")
        wait_in_flight(vm, 1)
        pull(vm)
        vm.expect(r"vda: .* has gone")
        see(vm, r"what was in it has vanished")
        wait_no_disk(vm)
        wait_state(vm, PORT, "empty")
        after = resources(vm)
        assert after[2] == before[2], f"before: {before}\nafter: {after}"
        plug(vm, "virtio-blk-pci", bus="rp", id="x", drive="fast")
        assert "error" not in vm.command("block bench vda")
        assert "0 violations" in vm.command("audit")
        vm.exit()


@scenario("hotplug/switch")
def switch(run):
    """a switch with two devices behind it is unplugged as a whole; then an idle device is pulled out from the empty slot"""
    behind = ("-device", "x3130-upstream,bus=rp,id=up",
              *(word for i in (1, 2) for word in ("-device", f"xio3130-downstream,bus=up,id=down{i},chassis=2,slot={i + 1}",
                                                  "-device", f"virtio-rng-pci,bus=down{i}")))
    with run.boot(Machine(extra=(*NATIVE, *JUMPING_CLOCK, *ON_PORT, *behind))) as vm:
        vm.wait_prompt()
        before = resources(vm)
        assert vm.command("rng").count("bytes received") == 2
        assert vm.command("slots").count("in use") == 3
        vm.command("slots off 02:01.0")
        assert vm.command("rng").count("bytes received") == 1
        vm.command("slots on 02:01.0")  # QEMU has taken the device: there is nothing to switch on
        unplug(vm, "up")
        assert re.fullmatch(rf"{PORT}: slot 1: .*", vm.command("slots").strip())
        assert vm.command("devices").splitlines() == ["pci 00:00.0: no driver", "pci 00:01.0: no driver",
                                                      f"pci {PORT}: pci-slot", *(f"pci 00:1f.{i}: no driver" for i in (0, 2, 3))]
        assert "no entropy devices" in vm.command("rng")
        assert "0 violations" in vm.command("audit")
        plug(vm, "virtio-rng-pci", bus="rp", id="x")
        pull(vm)
        see(vm, r"what was in it has vanished")
        assert "no entropy devices" in vm.command("rng")
        assert len(resources(vm)[2]) == len(before[2]) - 6  # two ports, two devices with two vectors each
        wait_state(vm, PORT, "empty")
        plug(vm, "pci-testdev", bus="rp", id="x", membar=1 << 34)  # the slot's window moves to where there is room
        assert re.search(r"prefetchable, 0x400000000 bytes at 0x[0-9a-f]+00000000$", vm.command("pci"), re.M)
        vm.exit()


@scenario("hotplug/by-acpi-is-not-done")
def by_acpi(run):
    """QEMU's default, hot-plug by ACPI methods, is not done, and does no harm: nothing comes, nothing goes"""
    with run.boot(Machine(extra=(*ON_PORT, "-device", "virtio-rng-pci,bus=rp,id=x",
                                 "-device", "pcie-root-port,id=rp2,chassis=2,slot=2,addr=0x9"))) as vm:
        vm.wait_prompt()
        before = vm.command("devices")
        vm.qmp("device_add", driver="virtio-rng-pci", bus="rp2", id="y")
        vm.qmp("device_del", id="x")
        assert vm.command("devices") == before
        vm.command("rng")
        assert re.search(r"^01:00\.0: .* 128 bytes received", vm.command("rng"), re.M)
        assert "0 violations" in vm.command("audit")
        vm.exit()


@scenario("hotplug/without-firmware")
def without_firmware(run):
    """where the firmware gives no addresses (qboot), empty slots get some at boot; what is too large is refused in words"""
    machine = Machine(vga="none", extra=("-bios", "/usr/share/qemu/qboot.rom", *NATIVE, *JUMPING_CLOCK, *ON_PORT,
                                         "-device", "pcie-root-port,id=rp2,chassis=2,slot=2,addr=0x9",
                                         "-device", "pcie-root-port,id=rp3,chassis=3,slot=3,addr=0xa",
                                         "-device", "x3130-upstream,bus=rp3,id=up",
                                         "-device", "xio3130-downstream,bus=up,id=down,chassis=4,slot=4",
                                         "-device", "xio3130-downstream,bus=up,id=used,chassis=5,slot=5",
                                         "-device", "virtio-rng-pci,bus=used"))
    with run.boot(machine) as vm:
        vm.wait_prompt()
        plug(vm, "virtio-rng-pci", bus="rp", id="x", **{"disable-modern": True, "disable-legacy": "off"})
        plug(vm, "virtio-rng-pci", bus="rp2", id="y")
        plug(vm, "virtio-rng-pci", bus="down", id="z", **{"disable-legacy": "on"})
        assert len(re.findall(r"(?:legacy|modern), .* (?:64|128) bytes received", vm.command("rng"))) == 4
        functions = vm.command("pci")
        assert "no address" not in functions
        assert re.search(r"^  1 vectors by MSI$", functions, re.M), "no port interrupts by MSI: they have no MSI-X"
        vm.command(f"slots off {PORT}")
        vm.qmp("device_add", driver="pci-testdev", bus="rp", id="x", membar=1 << 34)
        see(vm, r"1 functions plugged in")
        assert re.search(r"prefetchable, 0x400000000 bytes at 0x\d+00000000", vm.command("pci"))
        vm.exit()
