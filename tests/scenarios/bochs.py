"""Bochs: an independent machine, and the only one here with x2APIC, a TSC deadline timer, PCID and an invariant TSC."""
import re

from harness import scenario

MODELS = (("sandy-bridge", "corei7_sandy_bridge_2600k", 1), ("skylake-x", "corei7_skylake_x", 2))


def bochs_scenario(name, cpu, cpus):
    @scenario(f"bochs/{name}", labels=("long",), timeout=300)
    def bochs(run):
        """the ISO boots to the prompt in Bochs, and the prompt answers"""
        with run.boot_bochs(cpu, cpus) as vm:
            vm.wait_prompt()
            assert "by Multiboot2, on BIOS" in vm.command("boot")
            assert "NX on" in vm.command("cpu")
            vm.command("memory; audit")


for description in MODELS:
    bochs_scenario(*description)


def events_of(vm, source):
    return int(re.search(rf"^{source} +up to \d+ s, (\d+) events", vm.command("timers"), re.M).group(1))


def timer_scenario(name, cpu, cpus, controller, more=()):
    """Fast enough that what is executed between an interrupt and the end of a sleep is less than 1 % of 1 ms."""
    @scenario(f"bochs/timers-{name}", labels=("long",), timeout=300)
    def bochs_timers(run):
        """a TSC deadline is what interrupts, sleeps through it end within 1 %, self-IPIs and EOI work in this APIC mode"""
        with run.boot_bochs(cpu, cpus, ips=200_000_000) as vm:
            vm.wait_prompt()
            run.check_output(vm.output, more)
            assert f"controller: local APIC ({controller})" in vm.command("interrupts")
            assert re.search(r"^tsc-deadline .*, in use$", vm.command("timers"), re.M)
            clock = vm.command("clock")
            assert "TSC measured against hpet" in clock and re.search(r"^tsc .*, in use$", clock, re.M), clock
            before = events_of(vm, "tsc-deadline")
            slept = vm.command("test exact/sleeping_is_within_1_percent")
            assert "1 passed, 0 failed" in slept, slept
            for source in ("tsc-deadline", "lapic", "hpet"):
                assert f"{source}: 1000000 ns asked for" in slept, slept
            assert events_of(vm, "tsc-deadline") >= before + 3
            idle = vm.command("idle 10")
            assert "10 s halted, 1 interrupts with the one that ended it\n1 of vector 253, timer\n" in idle, idle
            for tests in ("irq", "time"):
                output = vm.command(f"test {tests}")
                assert ", 0 failed" in output, output
                assert "irq/all_256_vectors_fired_at_oneself_are_named ... ok" in output or tests == "time", output


timer_scenario("xapic", "corei7_sandy_bridge_2600k", 1, "xAPIC")
# Its CPUID says what the real one's does, and its counter runs as Bochs does: three clocks against one leaf.
timer_scenario("x2apic", "corei7_skylake_x", 1, "x2APIC", more=(
    r"clock: hpet and acpi_pm agree on a TSC of \d+ Hz, which is not 3500000000 Hz as told by CPUID$",))
