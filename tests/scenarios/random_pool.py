"""The random pool: seeded by the CPU, by a device, or by nobody, which is said."""
import re

from harness import Machine, scenario


def pool(run, machine, seeded):
    with run.boot(machine) as vm:
        vm.wait_prompt()
        first, second = vm.command("random 32"), vm.command("random 32")
        assert re.match(r"[0-9a-f]{64}\n", first) and first.split()[0] != second.split()[0], (first, second)
        assert ("not seeded" in second) != seeded, second
        vm.exit()


@scenario("random/cpu")
def random_cpu(run):
    """RDRAND seeds the pool"""
    pool(run, Machine(cpu="max"), True)


@scenario("random/device")
def random_device(run):
    """an entropy device seeds the pool of a CPU without RDRAND"""
    pool(run, Machine(cpu="max,-rdrand", extra=("-device", "virtio-rng-pci")), True)


@scenario("random/nobody")
def random_nobody(run):
    """without either the numbers come all the same, differ, and are said to be no secrets"""
    pool(run, Machine(cpu="max,-rdrand"), False)
