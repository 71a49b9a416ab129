"""Bochs: an independent machine, and the only one here with x2APIC, a TSC deadline timer, PCID and an invariant TSC."""
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
