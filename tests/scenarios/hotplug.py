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
    """an entropy device is plugged into an empty slot, used, and unplugged by the button, idle and just asked"""
    with run.boot(Machine(extra=(*NATIVE, *JUMPING_CLOCK, *ON_PORT))) as vm:
        vm.wait_prompt()
        assert f"{PORT}: slot 1: empty" in vm.command("slots")
        assert "no entropy devices" in vm.command("rng")
        before = vm.command("devices")
        plug(vm, "virtio-rng-pci", bus="rp", id="x")
        assert "in use" in vm.command("slots")
        assert re.search(r"^01:00\.0: modern, .* \d+ bytes received", vm.command("rng"), re.M)
        assert re.search(r"^01:00\.0 1af4:1044 .*: virtio-pci", vm.command("pci"), re.M)
        unplug(vm)
        assert "no entropy devices" in vm.command("rng")
        assert vm.command("devices") == before
        wait_state(vm, PORT, "empty")
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
