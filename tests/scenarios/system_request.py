"""System requests, typed on the keyboard and after a BREAK on the serial line, at a prompt and where nothing else works."""
from harness import Machine, scenario
from harness.outcome import RESET

STUCK = {"stuck_in_thread": "stuck_in_thread", "stuck_with_lock": "stuck_with_lock", "stuck_in_deferred_work": "never_end"}


BREAKS_IN_OUTPUT = 20


def press(vm, letter):
    vm.monitor(f"sendkey alt-sysrq-{letter} 20")


def request(vm, letter):
    """BREAK and a letter, after the kernel has said that it waits for one."""
    vm.send_break()
    vm.expect(r"com1: BREAK: a letter within 5 s is a system request")
    vm.send(letter)


@scenario("request/keyboard")
def request_keyboard(run):
    """Alt+SysRq: h lists the requests, t shows the stack, m free memory, an unknown one the list; b resets the machine"""
    with run.boot(Machine()) as vm:
        vm.wait_prompt()
        press(vm, "h")
        vm.expect("system request h")
        for summary in ("b  reset the machine", "h  these requests", "m  free memory", "t  the stack of each CPU"):
            while summary not in vm.output:
                vm.expect(r"\]   [a-z]  ")
        press(vm, "t")
        vm.expect("system request t")
        vm.expect(r"(idle_loop|prompt_run)\+")  # who types is awaited asleep, but idle work may be at hand
        vm.expect("end: ")
        press(vm, "m")
        vm.expect(r"\d+ of \d+ pages are free")
        press(vm, "w")
        vm.expect(r"thread 0 'boot' waits for input, \d+\.\d{3} s")
        vm.expect(r"prompt_run\+")
        vm.expect(r"\d+ of \d+ threads wait$")
        press(vm, "q")
        vm.expect("there is no such system request")
        press(vm, "b")
        vm.wait_end(RESET)


@scenario("request/serial", builds=("release", "debug"))
def request_serial(run):
    """BREAK and a letter on the serial line; a second BREAK and what is no small letter leave the byte a byte"""
    with run.boot(Machine(serial_break=True)) as vm:
        vm.wait_prompt()
        request(vm, "t")
        vm.expect("system request t")
        vm.expect(r"(idle_loop|prompt_run)\+")
        vm.expect("end: ")
        vm.send_break()
        vm.expect("com1: BREAK")
        vm.send_break()  # takes it back
        vm.send("echo taken back\r")
        vm.expect("^taken back$")
        request(vm, "\x15")  # no letter
        vm.send("echo typed\r")
        vm.expect("^typed$")
        assert "system request e" not in vm.output
        for _ in range(BREAKS_IN_OUTPUT):
            vm.send("help\r")
            vm.expect("^acpi ")
            request(vm, "w")  # the line status is read by who writes as well, and forgets when it is read
            vm.expect("system request w")
            vm.expect("threads wait$")
        request(vm, "b")
        vm.wait_end(RESET)


def stuck_scenario(test, function):
    @scenario(f"request/{test}", builds=("release", "debug"))
    def stuck(run):
        """where the prompt never comes back, t shows the culprit, from either input, and b gets out"""
        with run.boot(Machine(serial_break=True)) as vm:
            vm.wait_prompt()
            vm.send(f"test selftest/{test}\r")
            vm.expect(r"\.\.\. stuck$")
            request(vm, "t")
            vm.expect("system request t")
            vm.expect(rf"{function}\+")
            vm.expect("end: ")
            if test == "stuck_with_lock":
                vm.expect(r"holds 'stuck' taken at 0x\w+ test_stuck_with_lock\+")
            press(vm, "t")
            vm.expect("system request t")
            vm.expect(rf"{function}\+")
            vm.expect("end: ")
            press(vm, "b")
            vm.wait_end(RESET)


for name, culprit in STUCK.items():
    stuck_scenario(name, culprit)
