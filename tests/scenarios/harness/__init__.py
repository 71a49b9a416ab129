"""Scenarios: what Keel does in a machine, seen from outside. One QEMU (or a few) each, one CTest each.

To add one, write a function in a table tests/scenarios/<subject>.py (any .py file there is found):

    from harness import Machine, scenario

    @scenario("prompt/help", builds=("release", "debug"))
    def prompt_help(run):
        '''help lists every command.'''                       # one line: shown by `tests/scenarios/run --list`
        with run.boot(Machine(memory="64M")) as vm:           # direct boot on q35 unless the machine says otherwise
            vm.wait_prompt()
            assert "reboot" in vm.command("help")             # types it, returns what it printed
            vm.send("\\x1b[A")                                # any bytes: here the up arrow
            vm.expect(r"help$")                               # a regular expression; returns the match
            vm.exit()                                         # types exit; QEMU must end with the success code

    boot_scenario("cpu/max", Machine(cpu="max"), commands="cpu; memory", expect=[r"Protection: .*NX"])

boot_scenario boots, runs the commands by keel.run="...; exit", wants the success code and every expression of `expect`
in the serial log, and none of `forbid`. A VM ends as passed, failed, hung, reset, triple fault, powered off or with QEMU
broken; whatever a scenario did not ask for with vm.wait_end("reset") fails it under that name. A failed `assert` or
run.fail("...") fails it too; run.need("bochs") and run.skip("...") skip it. Nothing sleeps: waits are for text, for the
end, or for a condition of the machine (vm.wait_halted()), up to the scenario's timeout, which only detects hangs.

Run one by hand with `tests/scenarios/run --build build/release prompt/help`; logs are under
build/<preset>/scenarios/<name>/. `builds` says for which kernels it is a CTest (ALL_BUILDS, or some of it).
"""
from .gdb_stub import GdbStub
from .machine import Machine, MissingTool
from .outcome import Failure, Skip
from .picture import Picture
from .registry import ALL_BUILDS, boot_scenario, scenario
from .vm import Vm

__all__ = ["ALL_BUILDS", "Failure", "GdbStub", "Machine", "MissingTool", "Picture", "Skip", "Vm", "boot_scenario", "scenario"]
