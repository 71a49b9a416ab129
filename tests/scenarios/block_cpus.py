"""Virtio disks used by all CPUs at once: a queue for each CPU, served by it; fewer queues than CPUs, which share them."""
import re

from harness import Machine, scenario

DISK_BYTES = 1 << 20
# Queues the device offers, MSI-X vectors (None: enough), how many queues four CPUs use.
DEVICES = ((4, None, 4), (4, None, 4), (2, None, 2), (1, None, 1), (1, None, 1), (4, 3, 4), (8, 0, 4))


def disks(run, devices):
    """Of alternate ring formats, and so small that requests wait for room."""
    words = []
    for n, (queues, vectors, _) in enumerate(devices):
        path = run.path(f"disk{n}")
        with open(path, "wb") as file:
            file.truncate(DISK_BYTES)
        words += ["-drive", f"if=none,id=d{n},format=raw,file={path},cache=unsafe", "-device",
                  f"virtio-blk-pci,drive=d{n},addr={n + 4:#x},queue-size=8,num-queues={queues},packed={'on' if n % 2 else 'off'}"
                  + (f",vectors={vectors}" if vectors is not None else "")]
    return tuple(words)


def queues_of(vm):
    """The queues of each disk in PCI order: (number, free, size, in flight, interrupts, message or None, notifications)."""
    found = []
    for block in re.split(r"^(?=\S+: )", vm.command("virtio"), flags=re.M):
        rows = re.findall(r"queue (\d+): \w+ ring of (\d+), (\d+) free, (\d+) in flight.*, (\d+) interrupts by "
                          r"(?:message (\d+)|the pin), (\d+) notifications.*, (\w+)\r?$", block, re.M)
        if rows:
            found.append(rows)
    return found


def cpus_of_messages(vm, disk):
    """The CPUs that the disk's vectors interrupt and how often, the configuration's first. `interrupts` lists claims as made."""
    return [(int(cpu), int(count)) for cpu, count in
            re.findall(rf"^ *\d+ +(\d+) +(\d+) +\d+ +message +00:{disk + 4:02x}\.0\r?$", vm.command("interrupts"), re.M)]


def check_queues(vm, devices, nr_cpus):
    all_queues = queues_of(vm)
    assert len(all_queues) == len(devices), all_queues
    for n, ((offered, vectors, used), rows) in enumerate(zip(devices, all_queues)):
        assert len(rows) == used == min(offered, nr_cpus), (n, rows)
        for number, size, free, in_flight, interrupts, _, notifications, state in rows:
            assert size == free and in_flight == "0" and state == "sound", (n, rows)
            assert int(notifications) > 0 and int(interrupts) > 0, f"disk {n}, queue {number}: nobody uses it: {rows}"
        if vectors is None and used > 1:
            claims = cpus_of_messages(vm, n)
            assert [cpu for cpu, _ in claims[1:]] == list(range(used)), f"disk {n}: queue n's interrupt is CPU n's: {claims}"
            assert all(count > 0 for _, count in claims[1:]), claims


def load(run, cpus, nr_cpus, devices):
    with run.boot(Machine(cpus=cpus, extra=disks(run, devices))) as vm:
        vm.wait_prompt()
        for letter in "abcdefgh"[:len(devices)]:
            text = vm.command(f"stress 1 vd{letter}")
            rounds = re.search(r"^stress disk: (\d+) rounds", text, re.M)
            assert rounds and int(rounds[1]) > 20 and "stress: as before" in text and "error" not in text, text
        check_queues(vm, devices, nr_cpus)
        assert "0 violations" in vm.command("audit")
        vm.exit()


@scenario("block/every-cpu", builds=("release", "debug", "kcsan"), timeout=120)
def every_cpu(run):
    """SEED S4: four CPUs write, read and compare on disks with a queue for each of them, with two, with one, with fewer vectors,
    by the pin, split and packed, rings of 8: nothing wrong or left behind, queue n interrupts CPU n"""
    load(run, "4", 4, DEVICES)


@scenario("block/absent-cpus", builds=("release",))
def absent_cpus(run):
    """two CPUs of eight that there could be: a disk with eight queues has two in use, each CPU's own"""
    load(run, "2,maxcpus=8", 2, ((8, None, 2), (8, None, 2)))
