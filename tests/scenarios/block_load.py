"""Loads on virtio disks: many requests against small rings, submitted from every context and compared; disks that fail some
requests, that are slow, and that are reset with hundreds of requests in flight."""
import itertools
import re

from harness import ALL_BUILDS, Machine, scenario

MIB = 1 << 20
SMALL_RING = ",queue-size=8"
SHORT = tuple(build for build in ALL_BUILDS if build != "release")


def image(run, name):
    path = run.path(name)
    with open(path, "wb") as file:
        file.truncate(8 * MIB)
    return path


def plain_disk(run, name, device):
    return ("-drive", f"if=none,id={name},format=raw,file={image(run, name)},cache=unsafe",
            "-device", f"virtio-blk-pci,drive={name}{device}")


def filtered_disk(run, name, filter_driver, device):
    """A disk behind one of QEMU's filters. Requests are not merged: each gets its own error."""
    return ("-blockdev", f"driver=file,node-name={name}-file,filename={image(run, name)}",
            "-blockdev", f"{filter_driver},node-name={name}-filter,{'image' if 'blkdebug' in filter_driver else 'file'}={name}-file",
            "-blockdev", f"driver=raw,node-name={name},file={name}-filter",
            "-device", f"virtio-blk-pci,drive={name},werror=report,rerror=report,request-merging=off{device}")


def blkdebug(*errors):
    """Rules of blkdebug: dictionaries of its options."""
    return "driver=blkdebug," + ",".join(f"inject-error.{n}.event=none," + ",".join(f"inject-error.{n}.{key}={value}"
                                                                                  for key, value in rule.items())
                                         for n, rule in enumerate(errors))


def load(vm, disk, count, words="", completed=None):
    """Runs it, and returns how many requests failed (as they had to)."""
    text = vm.command(f"diskload {disk} {count} {words}".strip())
    assert "error" not in text, text
    match = re.search(r"^(\d+) requests completed, (\d+) of them failed as they had to", text, re.M)
    assert match and (words == "reset" or int(match[1]) == count), text
    by = [int(number) for number in
          re.search(r"by thread (\d+), completion (\d+), deferred work (\d+), timer (\d+); ", text).groups()]
    assert sum(by) == int(match[1]) and all(by), f"requests from every context: {text}"
    return int(match[2])


def assert_rings_are_empty(vm, rings):
    """Every descriptor is free again."""
    found = re.findall(r"ring of (\d+), (\d+) free, (\d+) in flight.*, (.*)\r?$", vm.command("virtio"), re.M)
    assert len(found) == rings, found
    for size, free, in_flight, state in found:
        assert free == size and in_flight == "0" and state == "sound", found


CELLS = [f"{packed}{indirect}{event}" for event, indirect, packed in itertools.product(
    ("", ",event_idx=off"), ("", ",indirect_desc=off"), ("", ",packed=on"))]
OTHERS = [",disable-modern=on,vectors=0", ",vectors=1,disable-legacy=on", ",logical_block_size=4096,physical_block_size=4096"]


def run_load(run, counts):
    devices = CELLS + OTHERS
    extra = [word for n, device in enumerate(devices) for word in plain_disk(run, f"d{n}", SMALL_RING + device)]
    with run.boot(Machine(extra=tuple(extra))) as vm:
        vm.wait_prompt()
        for letter, count in zip("abcdefghijk", counts):
            assert load(vm, f"vd{letter}", count) == 0
        assert_rings_are_empty(vm, len(devices))
        vm.exit()


@scenario("block/load")
def block_load(run):
    """10^5 requests from six submitters against a ring of 8, split and packed, and fewer on nine other kinds of ring: none lost,
    none twice, all contents right, all descriptors free afterwards"""
    run_load(run, [100000, 100000] + [3000] * 9)


@scenario("block/load-short", builds=SHORT)
def block_load_short(run):
    """the same with fewer requests"""
    run_load(run, [1000] * 11)


@scenario("block/errors", builds=ALL_BUILDS)
def block_errors(run):
    """a disk that fails some reads, writes and flushes: each of those and no other request reports an error, 10^5 in all; nothing hangs"""
    always = blkdebug({"iotype": "read", "errno": 5, "sector": 100}, {"iotype": "write", "errno": 28, "sector": 300},
                      {"iotype": "flush", "errno": 5})
    once = blkdebug({"iotype": "read", "errno": 28, "sector": 100, "once": "on"},
                    {"iotype": "write", "errno": 5, "sector": 300, "once": "on"})
    extra = [word for n, (rules, device) in enumerate(itertools.product((always, once), ("", ",packed=on")))
             for word in filtered_disk(run, f"d{n}", rules, SMALL_RING + device)]
    count = 25000 if run.build_kind == "release" else 3000
    with run.boot(Machine(extra=tuple(extra))) as vm:
        vm.wait_prompt()
        for disk in ("vda", "vdb"):
            vm.command(f"block fua {disk} 0 0")  # QEMU leaves out the flush of a disk that nothing was written to
            assert load(vm, disk, count, "bad-read 100 bad-write 300 bad-flush 0") > 50
        for disk in ("vdc", "vdd"):
            assert load(vm, disk, count, "bad-read-once 100 bad-write-once 300") == 2
        text = vm.command("diskload vda 3000 bad-read 101 bad-write 300 bad-flush 0")
        assert re.search(r"^error: 0 completed twice, 0 sectors wrong, \d+ results unexpected", text, re.M), \
            f"an error where none has to be is noticed: {text}"
        assert_rings_are_empty(vm, 4)
        vm.exit()


@scenario("block/reset-in-flight", builds=ALL_BUILDS)
def block_reset_in_flight(run):
    """slow disks reset with hundreds of requests in flight: those end with errors, and the disks work again"""
    extra = ["-object", "throttle-group,id=slow,x-iops-total=1000"]
    for n, device in enumerate(("", ",packed=on")):
        extra += filtered_disk(run, f"d{n}", "driver=throttle,throttle-group=slow", f",queue-size=256{device}")
    with run.boot(Machine(extra=tuple(extra))) as vm:
        vm.wait_prompt()
        for disk in ("vda", "vdb"):
            text = vm.command(f"diskload {disk} 2000 reset")
            in_flight = int(re.search(r"^reset with (\d+) requests in flight", text, re.M)[1])
            first, second = re.findall(r"^(\d+) requests completed, (\d+) of them failed", text, re.M)
            assert "error" not in text and in_flight >= 200, text
            assert 0 < int(first[1]) <= in_flight and int(second[1]) == 0, text
        assert_rings_are_empty(vm, 2)
        vm.exit()


@scenario("block/unplug-in-flight", builds=("release", "debug"))
def block_unplug_in_flight(run):
    """a slow disk is unplugged by its button with hundreds of requests in flight: all of them end, and those that come later"""
    extra = ("-global", "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off", "-object", "throttle-group,id=slow,x-iops-total=500",
             "-device", "pcie-root-port,id=rp,chassis=1,slot=1",
             *filtered_disk(run, "d0", "driver=throttle,throttle-group=slow", ",queue-size=256,bus=rp,id=x"))
    with run.boot(Machine(extra=extra)) as vm:
        vm.wait_prompt()
        vm.send("diskload vda 100000 vanishing\r")
        vm.qmp("device_del", id="x")
        vm.expect(r"slot 1: may be taken out")
        counts = vm.expect(r"^100000 requests completed, (\d+) of them failed as they had to, at most (\d+) in flight")
        vm.wait_prompt()
        assert int(counts[1]) > 1000 and int(counts[2]) >= 200, counts[0]
        assert "error" not in vm.output[vm.output.rindex("100000 requests"):], vm.output
        while "no block device" not in vm.command("block list"):
            pass  # the work that takes it away is nobody's at the prompt
        assert "0 violations" in vm.command("audit")
        vm.exit()
