"""The tests that are part of the kernel (tests/kernel), and the audit of memory after them."""
import re

from harness import ALL_BUILDS, Machine, boot_scenario, scenario
from harness.registry import COMMAND_ERROR

EXPECT = [r"^\d+ passed, 0 failed", r"^audit: 0 violations"]

for name, machine, builds in (
        ("qemu64", Machine(cpu="qemu64", memory="512M"), ("release",)),
        ("max", Machine(cpu="max", memory="128M"), ("release",)),
        ("smallest-memory", Machine(cpu="max", memory="16M"), ("release", "debug")),
        ("zones-above-4g", Machine(cpu="max", memory="5G"), ("release",)),
        ("without-pat-and-pge", Machine(cpu="max,-pat,-pge", memory="64M"), ("release",))):
    # Churn of a hundred times the memory takes a while: checking builds have less of it, and 5 GiB are left to the audits and the page allocator's other tests.
    commands = "test audit paging page_alloc/every page_alloc/zones; audit" if name == "zones-above-4g" else "test; audit"
    boot_scenario(f"kernel/{name}", machine, commands=commands, expect=EXPECT, builds=builds, timeout=300,
                  forbid=(COMMAND_ERROR, "data race"),
                  summary=f"the kernel's own tests pass on {machine.cpu} with {machine.memory}")
# Failing every allocation in turn takes most of the time, and is not of several CPUs; nor is having every page there is: what
# other CPUs keep in their lists cannot be had.
boot_scenario("kernel/every-access-4", Machine(cpu="qemu64", memory="64M", cpus="4"), builds=("kasan", "kcsan"), timeout=300,
              commands="test audit block heap irq log page_alloc/churn page_alloc/zones paging smp sync thread time vmalloc virtio fpu; audit", expect=EXPECT,
              forbid=(COMMAND_ERROR, "data race"), summary="the kernel's tests pass on 4 CPUs with every access looked at")
boot_scenario("kernel/uefi", Machine(firmware="uefi"), commands="test; audit", expect=EXPECT, timeout=240,
              summary="the kernel's own tests pass where UEFI has left the memory map in pieces")


@scenario("kernel/every-build", builds=ALL_BUILDS, timeout=300)
def every_build(run):
    """the kernel's own tests pass in every build; all have the same stacks, and after all tests half of each is left"""
    line = 'keel.panic=exit keel.run="test; help; boot; memory; pages kmalloc; audit; stacks; exit"'
    with run.boot(Machine(memory="64M", command_line=line)) as vm:
        vm.wait_end("pass")
    run.check_output(vm.output, EXPECT, (COMMAND_ERROR, "data race"))
    rows = re.findall(r"^(\S.*?) +0x[0-9a-f]{16} +(\d+) +(\d+) +\d+%$", vm.output, re.MULTILINE)
    sizes = {name: int(size) for name, size, _ in rows}
    assert sizes == {"boot": 24576, "interrupt": 32768, "report": 24576, "machine check": 24576, "NMI": 24576,
                     "double fault": 24576, "thread": 24576}, sizes
    for name, size, used in rows:
        print(f"{name}: {used} of {size} bytes")
        assert int(used) <= int(size) // 2, f"stack '{name}': {used} of {size} bytes used"
    assert int(rows[0][2]) > 1000, "the high-water mark of the boot stack is not measured"
