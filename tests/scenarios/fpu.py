"""Floating point and vector registers of threads, on CPUs that save them in each of the ways there are."""
from harness import Machine, outcome, scenario  # noqa: F401
from harness.registry import register


def fpu_scenario(cpu, method, cpus):
    def function(run):
        machine = Machine(cpu=cpu, cpus=str(cpus), memory="256M",
                          command_line='keel.panic=exit keel.run="cpu; test fpu; audit; exit"')
        with run.boot(machine) as vm:
            vm.wait_end(outcome.PASS)
            run.check_output(vm.output, [rf"^vector registers: {method}, \d+ bytes", r"^2 passed, 0 failed",
                                         r"^audit: 0 violations"])

    register(f"fpu/{cpu.replace(',', '')}-{cpus}", f"threads keep their registers by {method} on {cpus} CPUs of model {cpu}",
             function, builds=("release", "debug"), timeout=60)


for cpu_model, way in (("max", "xsaveopt"), ("max,-xsaveopt", "xsave"), ("qemu64", "fxsave"), ("core2duo", "fxsave")):
    for nr_cpus in (1, 4):
        fpu_scenario(cpu_model, way, nr_cpus)
