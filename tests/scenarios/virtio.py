"""Virtio entropy devices, many to a boot: each gives bytes by the interrupt it has, as the irq layer counts them; and devices
that lie. virtio_matrix.py has the rest."""
import itertools
import re

from harness import Machine, boot_scenario, scenario

FIRST_SLOT = 4  # below are QEMU's own
INTERFACES = {"modern": "disable-legacy=on", "transitional": "disable-legacy=off", "legacy": "disable-modern=on"}
FEATURES = ("", ",event_idx=off", ",indirect_desc=off", ",event_idx=off,indirect_desc=off", ",page-per-vq=on")
GIVEN = r"(64|128|192) bytes received"


def all_devices(vectors):
    """(options of the device, what `rng` calls it) for every cell; the legacy interface cannot offer a packed ring."""
    for (name, interface), ring, features in itertools.product(INTERFACES.items(), ("split", "packed"), FEATURES):
        if (name, ring) == ("legacy", "packed") or (name == "legacy" and "page-per-vq" in features):
            continue
        packed = ",packed=on" if ring == "packed" else ""
        kind = "legacy" if name == "legacy" else "modern"
        yield f"virtio-rng-pci,{interface}{packed}{features}{vectors}", f"{kind}, {ring} ring of \\d+"


for name, vectors, source in (("msix", "", "message"), ("one-vector", ",vectors=1", r"message|ioapic"),
                              ("pin", ",vectors=0", "ioapic")):
    devices = list(all_devices(vectors))
    extra = [word for slot, (options, _) in enumerate(devices, FIRST_SLOT)
             for word in ("-device", f"{options},addr={slot:#x}")]
    places = [f"00:{slot:02x}\\.0" for slot in range(FIRST_SLOT, FIRST_SLOT + len(devices))]
    boot_scenario(f"virtio/rng-{name}", Machine(extra=tuple(extra)), commands="rng; test irq; rng; interrupts",
                  expect=[*(f"^{place}: {text}, .*, {GIVEN}" for place, (_, text) in zip(places, devices)),
                          *(f"({source}).*{place}" for place in places)],
                  summary=f"entropy devices of every kind answer, interrupts: {name}")

boot_scenario("virtio/liars-and-lost-memory",
              Machine(extra=("-device", "virtio-rng-pci,disable-legacy=on,addr=0x4",
                             "-device", "virtio-rng-pci,disable-modern=on,vectors=0,addr=0x5",
                             "-device", "virtio-rng-pci,disable-legacy=on,packed=on,vectors=1,addr=0x6",
                             "-drive", "if=none,id=disk,driver=null-co,read-zeroes=on,size=1M",
                             "-device", "virtio-blk-pci,drive=disk,num-queues=2,addr=0x7")),
              commands="test virtio; virtio", builds=("release", "debug", "sanitize", "clang"),
              expect=[r"4 functions probed with every allocation failing", r"^\d+ passed, 0 failed",
                      *(rf"^00:0{slot}\.0: .*\n.*ACKNOWLEDGE DRIVER DRIVER_OK" for slot in (4, 5, 6, 7))],
              summary="devices that lie in every way are reset and marked failed; every allocation of a probe fails once")


@scenario("virtio/short-and-late-answers")
def short_and_late(run):
    """a host that gives a few bytes at a time is asked again until the pool could be seeded; one that gives none is waited for"""
    limits = (("max-bytes=16,period=1", 4), ("max-bytes=7,period=1,packed=on", 5), ("max-bytes=16,period=1,vectors=0", 6),
              ("max-bytes=16,period=100000000", 7))
    extra = [word for limit, slot in limits for word in ("-device", f"virtio-rng-pci,{limit},addr={slot:#x}")]
    with run.boot(Machine(extra=tuple(extra))) as vm:
        vm.wait_prompt()
        enough = 0
        while enough < 3:  # the scenario's timeout ends it
            given = dict(re.findall(r"^00:0(\d)\.0: .*, (\d+) bytes received", vm.command("rng"), re.M))
            enough = sum(int(given[str(slot)]) >= 64 for slot in (4, 5, 6))
        assert int(given["7"]) == 16, given
        assert "00:07.0: modern, split ring of 4, waiting" in vm.command("rng")
        vm.exit()
