"""What is bounded: guest instructions, memory and size. Under -icount shift=0 a nanosecond of guest time is one
instruction, so the figures are the same on any host, however busy. docs/performance.md has them beside another kernel's.
"""
import glob
import os
import re
import subprocess

from harness import Machine, boot_scenario, scenario
from harness.machine import ROOT

# The CPU matters: on `max` the copy loops use `rep movsb`, which counts an instruction a byte.
COUNTING = ("-icount", "shift=0,sleep=off")
MACHINE = Machine(cpu="qemu64", memory="512M", extra=COUNTING)

INSTRUCTIONS_TO_PROMPT_MAX = 20_000_000
BYTES_BEFORE_PROMPT_MAX = 12_000_000

# Instructions for one of each, least of five rounds, release build with its checks on.
ROW_BOUNDS = {
    "kmalloc_kfree_64": 150,
    "kmalloc_kfree_4096": 300,
    "page_alloc_free": 80,
    "vmalloc_vfree_4096": 1_500,
    "spinlock_irqsave": 19,
    "mutex": 40,
    "clock_read": 40,
    "timer_set_cancel": 150,
    "interrupt": 300,
    "format_line": 700,
    "yield_alone": 60,
    "yield_two": 300,
    "semaphore_round_trip": 480,
    "event_round_trip": 480,
    "thread_create_join": 2_000,
    "memset_1m": 140_000,
    "memcpy_1m": 140_000,
}


# The same for requests to a disk that takes no time, in both formats of the ring.
DISK_ROW_BOUNDS = {
    "block_read_4k": 1_200,
    "block_read_4k_depth8": 1_200,
    "block_read_128k": 2_000,
}
DISK = ("-drive", "if=none,id=null,driver=null-co,size=256M,read-zeroes=on", "-device")
DISK_FORMATS = {"": "virtio-blk-pci,drive=null,ioeventfd=off",
                "-packed": "virtio-blk-pci,drive=null,ioeventfd=off,packed=on,disable-legacy=on"}


def with_commands(commands, extra=()):
    return Machine(cpu=MACHINE.cpu, memory=MACHINE.memory, extra=MACHINE.extra + extra,
                   command_line=f'keel.panic=exit keel.run="{commands}; exit"')


def within(run, what, measured, bound, unit):
    print(f"{what}: {measured:,} {unit} (bound {bound:,})")
    if measured > bound:
        run.fail(f"{what}: {measured:,} {unit}, more than the bound of {bound:,}")


@scenario("performance/boot-to-prompt")
def boot_to_prompt(run):
    """from the kernel's first instruction to the prompt in at most 20 million instructions, direct boot, 512 MiB"""
    with run.boot(with_commands("boot")) as vm:
        vm.wait_end("pass")
    seconds, micros = re.search(r"^ +(\d+)\.(\d{6}) +b9 prompt$", vm.output, re.M).groups()
    within(run, "kernel entry to prompt", (int(seconds) * 1_000_000 + int(micros)) * 1000, INSTRUCTIONS_TO_PROMPT_MAX,
           "instructions")


@scenario("performance/memory-used")
def memory_used(run):
    """at most 12 MB of 512 MiB used when the prompt comes"""
    with run.boot(with_commands("memory")) as vm:
        vm.wait_end("pass")
    used = int(re.search(r"^Total: .* (\d+) KiB used", vm.output, re.M).group(1))
    within(run, "memory used at the prompt", used * 1024, BYTES_BEFORE_PROMPT_MAX, "bytes")


def check_row(run, output, row, bound):
    found = re.search(rf"^{row} +([\d.]+) instructions", output, re.M)
    assert found, f"no row {row}"
    within(run, row, float(found.group(1)), bound, "instructions")


def row_scenario(row, bound):
    @scenario(f"performance/{row.replace('_', '-')}")
    def measure(run):
        """one row of the benchmarks inside the kernel, within its bound"""
        with run.boot(with_commands(f"bench {row}")) as vm:
            vm.wait_end("pass")
        check_row(run, vm.output, row, bound)


for name, limit in ROW_BOUNDS.items():
    row_scenario(name, limit)

def disk_scenario(name, device):
    @scenario(f"performance/block{name}", labels=("alone",))  # a disk that is late makes the CPU halt, which is counted
    def measure(run):
        """reads from a disk that takes no time, each row of requests within its bound"""
        with run.boot(with_commands("bench block", DISK + (device,))) as vm:
            vm.wait_end("pass")
        for row, bound in DISK_ROW_BOUNDS.items():
            check_row(run, vm.output, row, bound)


for name, disk in DISK_FORMATS.items():
    disk_scenario(name, disk)


@scenario("performance/disk-beside-linux", labels=("long", "alone"), timeout=600)
def beside_linux(run):
    """each row at least 1.2 times as fast as Linux's on the same disk in the same machine, in instructions and in time"""
    run.need("musl-gcc", "cpio")
    if not glob.glob("/boot/vmlinuz-*cloud-amd64"):
        run.skip("Debian's Linux for clouds is not installed (tools/install-packages compare)")
    for how in ([], ["--wall", "--times", "2"]):
        subprocess.run([os.path.join(ROOT, "tools/compare-disk"), "--build", run.build, "--at-least", "1.2", *how], check=True)


@scenario("performance/scaling-beside-linux", labels=("long", "alone"), timeout=900)
def scaling_beside_linux(run):
    """two CPUs do at least as much more work than one as Linux's two do in the same machine, in turn"""
    run.need("musl-gcc", "cpio")
    if not glob.glob("/boot/vmlinuz-*cloud-amd64"):
        run.skip("Debian's Linux for clouds is not installed (tools/install-packages compare)")
    if len(os.sched_getaffinity(0)) < 2:
        run.skip("the host has one CPU")
    subprocess.run([os.path.join(ROOT, "tools/compare-scaling"), "--build", run.build, "--cpus", "2", "--at-least", "0.97",
                    "--times", "3"], check=True)


# With the debug checkers: printed, not bounded.
boot_scenario("performance/all-rows", MACHINE, commands="bench", builds=("release", "debug"), timeout=120,
              expect=[r"^clock_read +[\d.]+ instructions"])
