"""The list of scenarios, filled by the tables when they are imported, and what a scenario is given when it runs."""
import contextlib
import dataclasses
import os
import re
import shutil
import subprocess
import sys
import time

from . import outcome
from .bochs import IPS, BochsVm
from .machine import Machine
from .vm import Vm, die_with_parent

ALL_BUILDS = ("release", "debug", "sanitize", "clang", "kasan", "kcsan")
SCENARIOS = {}


@dataclasses.dataclass(frozen=True)
class Scenario:
    name: str
    summary: str
    function: object
    builds: tuple
    timeout: int
    labels: tuple
    needs_kernel: bool


def register(name, summary, function, builds=("release",), timeout=60, labels=(), needs_kernel=True):
    if name in SCENARIOS or not re.fullmatch(r"[a-z0-9_.=,-]+(/[a-z0-9_.=,-]+)+", name):
        raise ValueError(f"scenario {name}: not unique, or not like group/name")
    if not summary or not set(builds) <= set(ALL_BUILDS):
        raise ValueError(f"scenario {name}: wants a one-line description and builds of {ALL_BUILDS}")
    labels = ("scenario", name.split("/", maxsplit=1)[0], *labels)
    SCENARIOS[name] = Scenario(name, summary, function, tuple(builds), timeout, labels, needs_kernel)


def scenario(name, **options):
    """Decorator. Options: builds, timeout (seconds), labels ("long" keeps it out of `ctest -LE long`), needs_kernel."""
    def decorate(function):
        summary = (function.__doc__ or "").strip().split("\n", maxsplit=1)[0]
        register(name, summary, function, **options)
        return function
    return decorate


# What a command that is not there, or fails, prints. GRUB writes its errors alike, and has one where there is no screen.
COMMAND_ERROR = r"^error: (?!no suitable video mode).*"


def boot_scenario(name, machine=Machine(), commands="", expect=(), forbid=(COMMAND_ERROR,), summary="", **options):
    """Boots, runs commands (separated by ;), then exit. See the package's description."""
    def function(run):
        script = f"{commands}; exit" if commands else "exit"
        line = f'{machine.command_line} keel.panic=exit keel.run="{script}"'.strip()
        with run.boot(dataclasses.replace(machine, command_line=line)) as vm:
            vm.wait_end(outcome.PASS)
            clean = (r"^audit: 0 violations",) if "audit" in commands.replace(";", " ").split() else ()
            run.check_output(vm.output, (*expect, *clean), forbid)
    summary = summary or f"boots, runs '{commands or 'exit'}' and leaves with the success code"
    register(name, summary, function, **options)


class Run:
    """What a scenario function is given."""

    def __init__(self, entry, build, kind, timeout):
        self.name = entry.name
        self.build = build                     # "build/release": keel.elf and keel.iso are there
        self.build_kind = kind                 # one of ALL_BUILDS
        self.directory = os.path.join(build, "scenarios", entry.name)
        self.deadline = time.monotonic() + timeout
        self.vms = []
        self.qemus = []                        # those of vms that are QEMUs
        os.makedirs(self.directory, exist_ok=True)

    def boot(self, machine=Machine(), kernel=None, iso=None, inherit=()):
        """Starts a machine; use it with `with`. The n-th one of a scenario logs into the directory n (from 2 on). QEMU
        inherits the sockets of `inherit`, which are closed here."""
        directory = self.directory if not self.vms else os.path.join(self.directory, str(len(self.vms) + 1))
        vm = Vm(machine, self.build, directory, self.deadline, kernel, iso, inherit, self.qemus)
        self.vms.append(vm)
        self.qemus.append(vm)
        return vm

    def with_files(self, machine):
        """The machine with every @NAME@ in its extra arguments replaced by the path of this scenario's own file NAME."""
        extra = [re.sub("@([A-Z]+)@", lambda match: self.path(match.group(1)), argument) for argument in machine.extra]
        return dataclasses.replace(machine, extra=tuple(extra))

    @contextlib.contextmanager
    def busy(self, count):
        """Keeps `count` CPUs of the host busy meanwhile."""
        spinners = [subprocess.Popen([sys.executable, "-c", "while True: pass"], preexec_fn=die_with_parent)
                    for _ in range(count)]
        try:
            yield
        finally:
            for spinner in spinners:
                spinner.kill()
                spinner.wait()

    def boot_bochs(self, cpu, cpus=1, ips=IPS):
        """Starts Bochs on the ISO; use it with `with`. `ips` instructions make a second of its time."""
        self.need("bochs")
        vm = BochsVm(cpu, cpus, os.path.join(self.build, "keel.iso"), self.directory, self.deadline, ips)
        self.vms.append(vm)
        return vm

    def path(self, name):
        """A file of this scenario's own."""
        return os.path.join(self.directory, name)

    def check_output(self, output, expect, forbid=()):
        for pattern in expect:
            if not re.search(pattern, output, re.MULTILINE):
                self.fail(f"'{pattern}' is not in the output")
        for pattern in forbid:
            found = re.search(pattern, output, re.MULTILINE)
            if found:
                self.fail(f"'{found.group(0)}' is in the output")

    def fail(self, message):
        raise outcome.Failure(outcome.FAIL, message)

    def skip(self, reason):
        raise outcome.Skip(reason)

    def need(self, *programs):
        """Skips where one of the programs is not installed. Returns the path of the first."""
        for program in programs:
            if not shutil.which(program):
                self.skip(f"{program} is not installed")
        return shutil.which(programs[0])
