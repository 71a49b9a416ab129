"""A PS/2 keyboard, its keys pressed through QEMU's monitor."""
from harness import Machine, scenario


def keys(vm, *names):
    """Presses keys one after the other, "shift-a" for two at once, QEMU's names."""
    for name in names:
        vm.monitor(f"sendkey {name} 20")


@scenario("keyboard/us")
def keyboard_us(run):
    """a command typed on the keyboard, edited with its arrows, runs"""
    with run.boot(Machine()) as vm:
        vm.wait_prompt()
        assert "layout us" in vm.output
        keys(vm, "h", "e", "p", "left", "l", "end", "spc", "b", "o", "o", "t", "ret")
        vm.expect(r"boot")
        vm.wait_prompt()
        keys(vm, "e", "x", "i", "t", "ret")
        vm.wait_end("pass")


@scenario("keyboard/de")
def keyboard_de(run):
    """keel.keymap=de: z and y are where a German keyboard has them, and umlauts arrive"""
    with run.boot(Machine(command_line="keel.keymap=de")) as vm:
        vm.wait_prompt()
        assert "layout de" in vm.output
        keys(vm, "y", "bracket_left", "shift-7", "ret")
        vm.expect("zü/")
        vm.wait_prompt()
        vm.exit()


@scenario("keyboard/none")
def keyboard_none(run):
    """a machine without an i8042 says so and has its prompt on the serial line"""
    with run.boot(Machine(extra=("-machine", "i8042=off"))) as vm:
        vm.wait_prompt()
        assert "no i8042" in vm.output
        vm.exit()
