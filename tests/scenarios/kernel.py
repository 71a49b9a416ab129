"""The tests that are part of the kernel (tests/kernel), and the audit of memory after them."""
import json
import os
import re
import subprocess
import sys

from harness import ALL_BUILDS, Machine, boot_scenario, scenario
from harness.machine import ROOT
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
boot_scenario("kernel/uefi", Machine(firmware="uefi", memory="256M"), commands="test; audit", expect=EXPECT, timeout=240,
              summary="the kernel's own tests pass where UEFI has left the memory map in pieces")


def start_proof(run):
    """What docs/stacks.md describes, beside the boot."""
    return subprocess.Popen([sys.executable, "-B", os.path.join(ROOT, "tools/stacks/prove.py"), os.path.join(run.build, "keel.elf"),
                             ROOT, "--json", os.path.join(run.directory, "stacks.json")], stdout=subprocess.DEVNULL)


def end_proof(run, proof):
    assert proof.wait() == 0, "the use of the stacks cannot be proved: the test stacks/sums says why"
    with open(os.path.join(run.directory, "stacks.json"), encoding="utf-8") as file:
        return json.load(file)


@scenario("kernel/every-build", builds=ALL_BUILDS, timeout=300)
def every_build(run):
    """the kernel's own tests pass in every build; no stack is used by half after all of them, nor by more than is proved"""
    proof = start_proof(run)
    line = 'keel.panic=exit keel.run="test; help; boot; memory; pages kmalloc; audit; stacks; exit"'
    with run.boot(Machine(memory="64M", command_line=line)) as vm:
        vm.wait_end("pass")
    run.check_output(vm.output, EXPECT, (COMMAND_ERROR, "data race"))
    rows = re.findall(r"^(\S.*?) +0x[0-9a-f]{16} +(\d+) +(\d+) +\d+%$", vm.output, re.MULTILINE)
    proved = end_proof(run, proof)
    assert {name: int(size) for name, size, _ in rows} == {name: stack["size"] for name, stack in proved.items()}, rows
    for name, size, used in rows:
        worst = proved[name]["worst"]
        print(f"{name}: {used} of {size} bytes; proved: {worst}")
        assert int(used) <= min(int(size) // 2, worst), f"stack '{name}': {used} of {size} bytes used, {worst} are proved"
    assert int(rows[0][2]) > 1000, "the high-water mark of the boot stack is not measured"
