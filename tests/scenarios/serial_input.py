"""What comes in over a serial line: all of it, by interrupt or without, at whichever port."""
from harness import Machine, scenario

LOG_PORT = ("-chardev", "null,id=log", "-device", "isa-serial,iobase=0x3f8,irq=4,chardev=log")


def paste(vm):
    """More than 4 KiB at once behind a command that takes a while: every line runs, in order."""
    lines = [f"echo {i:03} {'x' * 50}" for i in range(80)]
    vm.send("audit\r" + "".join(line + "\r" for line in lines))
    for line in lines:
        vm.expect(f"^{line[5:]}$")
    assert "bytes were lost" not in vm.output


def interrupts_of(vm, name):
    """How often the interrupt of that name came, None where there is none."""
    for line in vm.command("interrupts").splitlines():
        if line.rstrip().endswith(" " + name):
            return int(line.split()[2])
    return None


@scenario("serial/paste", builds=("release", "debug"))
def serial_paste(run):
    """4 KiB pasted while a command runs: nothing is lost, and an interrupt told of it"""
    with run.boot(Machine()) as vm:
        vm.wait_prompt()
        before = interrupts_of(vm, "com1")
        paste(vm)
        vm.wait_prompt()
        assert interrupts_of(vm, "com1") > before
        assert "polled" not in vm.output and "owns up" not in vm.output
        vm.exit()


@scenario("serial/without-interrupt")
def serial_without_interrupt(run):
    """COM1 wired to another interrupt than a PC's: said, polled, and nothing is lost"""
    with run.boot(Machine(serial_device="isa-serial,iobase=0x3f8,irq=5")) as vm:
        vm.expect("com1 does not interrupt for what it receives: it is polled")
        vm.wait_prompt()
        paste(vm)
        vm.exit()


@scenario("serial/shared-interrupt")
def serial_shared_interrupt(run):
    """the log on COM1 and the prompt on COM3, which share an edge-triggered interrupt: typing works by interrupt"""
    with run.boot(Machine(serial_device="isa-serial,iobase=0x3e8,irq=4", extra=LOG_PORT,
                          command_line="keel.console=com3 keel.log=com1")) as vm:
        vm.wait_prompt()
        paste(vm)
        vm.wait_prompt()
        assert interrupts_of(vm, "com3") > 0 and interrupts_of(vm, "com1") is None
        vm.exit()
