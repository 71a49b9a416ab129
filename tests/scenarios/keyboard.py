"""A PS/2 keyboard, its keys pressed through QEMU's monitor. System requests typed on it: system_request.py."""
import re

from harness import Machine, scenario

LED_TRACE = ("-trace", "ps2_set_ledstate")  # into cpu_reset.log, with the rest of QEMU's log


def wait_taken(vm):
    """Waits until the kernel has read all that the keyboard has to say: bit 0 of the controller's status is clear."""
    while int(re.search(r"= (0x[0-9a-f]+)", vm.monitor("i/b 0x64")).group(1), 16) & 1:
        pass


def keys(vm, *names):
    """Presses keys one after the other, "shift-a" for two at once, QEMU's names. Each when the one before was read: a keyboard
    remembers 16 bytes, and a machine that stood still for a moment would lose keys."""
    for name in names:
        pressed = name.split("-")
        wait_taken(vm)
        vm.qmp("input-send-event", events=[
            {"type": "key", "data": {"down": down, "key": {"type": "qcode", "data": key}}}
            for down, some in ((True, pressed), (False, reversed(pressed))) for key in some])


def text_keys(text):
    """QEMU's names of the keys with these characters on a US keyboard."""
    names = {" ": "spc", ";": "semicolon", "=": "equal", "-": "minus", "/": "slash", ".": "dot", "'": "apostrophe"}
    return [names.get(c, c) if not c.isupper() else f"shift-{c.lower()}" for c in text]


def typed(vm, names, wanted):
    """What the prompt repeats of these keys, with echo in front and Enter behind."""
    keys(vm, *text_keys("echo "), *names, "ret")
    vm.expect(rf"^{wanted}$")
    vm.wait_prompt()


@scenario("keyboard/us", builds=("release", "debug"))
def keyboard_us(run):
    """modifiers, locks and their LEDs, editing and history: as typed on a US keyboard"""
    with run.boot(Machine(extra=LED_TRACE)) as vm:
        vm.wait_prompt()
        assert "layout us, interrupt" in vm.output
        keys(vm, "h", "e", "p", "left", "l", "end", "spc", "b", "o", "o", "t", "ret")
        vm.expect("what firmware and loader told")
        vm.wait_prompt()
        typed(vm, text_keys("Mixed CASE 42"), "Mixed CASE 42")
        typed(vm, ["shift-1", "shift-2", "shift_r-6", "shift-minus", "bracket_left", "shift-backslash"], r"!@\^_\[\|")
        typed(vm, ["caps_lock", *"abc", "shift-d", "1", "caps_lock", "e"], "ABCd1e")
        typed(vm, ["num_lock", "kp_7", "kp_decimal", "num_lock", "x", "kp_4", "y"], r"7\.yx")
        typed(vm, [*"discarded", "ctrl-a", "ctrl-k", *text_keys("echo kept")], "kept")
        typed(vm, [*text_keys("two words"), "ctrl-w", "home", "end"], "two")
        keys(vm, "up", "up", "ret")
        vm.expect("^kept$")
        vm.wait_prompt()
        keys(vm, "up", "down", *text_keys("exit"), "ret")
        vm.wait_end("pass")
        assert "owns up" not in vm.output
    with open(run.path("cpu_reset.log"), encoding="utf-8", errors="replace") as file:
        leds = [line for line in file if "ps2_set_ledstate" in line]
    states = [int(line.split()[-1]) for line in leds]
    assert states[-5:] == [0, 4, 0, 2, 0], leds  # bit 2: caps lock, bit 1: num lock


@scenario("keyboard/de")
def keyboard_de(run):
    """keel.keymap=de: z and y are where a German keyboard has them; umlauts, AltGr and dead keys arrive as UTF-8"""
    with run.boot(Machine(command_line="keel.keymap=de")) as vm:
        vm.wait_prompt()
        assert "layout de" in vm.output
        typed(vm, ["y", "z", "bracket_left", "shift-7", "apostrophe", "shift-semicolon", "minus"], "zyü/äÖß")
        typed(vm, ["alt_r-q", "alt_r-e", "alt_r-7", "alt_r-8", "less", "alt_r-less"], r"@€\{\[<\|")
        typed(vm, ["grave_accent", "e", "equal", "a", "shift-equal", "o", "grave_accent", "spc", "equal", "q"], r"êáò\^´q")
        typed(vm, ["caps_lock", "apostrophe", "caps_lock", "apostrophe"], "Ää")
        vm.exit()


@scenario("keyboard/none")
def keyboard_none(run):
    """a machine without an i8042 says so and has its prompt on the serial line"""
    with run.boot(Machine(extra=("-machine", "i8042=off"))) as vm:
        vm.wait_prompt()
        assert "no i8042" in vm.output
        vm.exit()


@scenario("keyboard/polled")
def keyboard_polled(run):
    """a CPU without a local APIC: no interrupt of any kind, and both inputs work"""
    with run.boot(Machine(cpu="qemu64,-apic")) as vm:
        vm.wait_prompt()
        assert "layout us, polled" in vm.output
        typed(vm, ["caps_lock", *"abc"], "ABC")
        vm.exit()
