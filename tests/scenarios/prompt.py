"""The prompt, used as a person at a terminal would: keys are typed over the serial line, and what the terminal then shows
is looked at through a small terminal of our own."""
import re

from harness import Machine, outcome, scenario

CONTROL = {name: chr(ord(name) - 64) for name in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
UP, DOWN, RIGHT, LEFT = "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D"
HOME, END, DELETE, BACKSPACE, ENTER, TAB = "\x1b[H", "\x1b[F", "\x1b[3~", "\x7f", "\r", "\t"
ALT = "\x1b"
BUILDS = ("release", "debug")


class Screen:
    """What a terminal that never scrolls would show: rows of text, and the cursor."""

    def __init__(self):
        self.rows = [""]
        self.column = 0

    def write(self, text):
        for part in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|.", text, re.DOTALL):
            if len(part) > 1:
                self.sequence(part)
            elif part == "\n":
                self.rows.append("")
            elif part == "\r":
                self.column = 0
            elif part == "\b":
                self.column -= 1
            elif part >= " ":
                row = self.rows[-1].ljust(self.column)
                self.rows[-1] = row[:self.column] + part + row[self.column + 1:]
                self.column += 1

    def sequence(self, part):
        count = int(re.sub(r"\D", "", part.split(";")[0]) or 1)
        if part[-1] == "K":
            self.rows[-1] = self.rows[-1][:self.column]
        elif part[-1] == "D":
            self.column -= count
        elif part[-1] == "C":
            self.column += count
        elif part[-1] == "J":
            self.rows = [""]
        elif part[-1] == "H":
            self.column = 0
        elif part[-1] != "m":
            raise AssertionError(f"the prompt wrote {part!r}")


def screen_of(vm):
    screen = Screen()
    # The driver sends CR LF, and a screen row begins at column 0.
    screen.write(vm.serial_text)
    return screen


def show(vm, keys, row, column=None):
    """Types keys and waits until the last row shows `row` (blanks at its end aside), with the cursor in `column`."""
    vm.send(keys)
    while True:
        screen = screen_of(vm)
        if screen.rows[-1].rstrip() == row and column in (None, screen.column):
            vm.position = len(vm.output)  # what comes next is not of these keys
            return
        if vm.end is not None or not vm._pump(vm.deadline):
            raise outcome.Failure(outcome.FAIL, f"after {keys!r} the last row is {screen.rows[-1]!r}, cursor in column "
                                                f"{screen.column}; expected {row!r}, {column}")


def prompt(run, **machine):
    vm = run.boot(Machine(memory="64M", **machine))
    vm.wait_prompt()
    return vm


@scenario("prompt/editing", builds=BUILDS)
def editing(run):
    """Every editing key leaves on the terminal what it should."""
    with prompt(run) as vm:
        for keys, row, cursor in (
                ("ehco a", "ehco a", 6), (HOME + RIGHT + DELETE, "eco a", 1), (RIGHT + "h", "echo a", 3),
                (END + " two", "echo a two", 10), (CONTROL["W"], "echo a", 7), (CONTROL["Y"] * 2, "echo a twotwo", 13),
                (CONTROL["A"], "echo a twotwo", 0), (ALT + "f", "echo a twotwo", 4), (ALT + "d", "echo twotwo", 4),
                (CONTROL["K"], "echo", 4), (CONTROL["T"], "ecoh", 4), (LEFT * 2 + CONTROL["T"], "eoch", 3),
                (CONTROL["U"], "h", 0), (CONTROL["D"], "", 0), ("grün", "grün", 4),
                (BACKSPACE * 2 + "au", "grau", 4), (ALT + "b" + "x ", "x grau", 2), (CONTROL["C"], "", 0)):
            show(vm, keys, ("keel> " + row).rstrip(), 6 + cursor)
        show(vm, "a" * 100 + HOME, "keel> " + "a" * 72 + ">", 6)
        show(vm, END + "b" + CONTROL["U"], "keel>", 6)
        vm.send("log -n 1" + CONTROL["L"])
        show(vm, "", "keel> log -n 1", 14)
        assert screen_of(vm).rows == ["keel> log -n 1"]
        show(vm, CONTROL["U"], "keel>", 6)
        assert vm.command("ech" + LEFT + RIGHT + "o done") == "done\n"
        vm.exit()


@scenario("prompt/history", builds=BUILDS)
def history(run):
    """Up, down and Ctrl-R bring lines back; repeats are kept once; the new line is not lost."""
    with prompt(run) as vm:
        for line in ("echo one", "echo two", "echo two", "version"):
            vm.command(line)
        for keys, row in ((UP, "version"), (UP, "echo two"), (UP, "echo one"), (UP, "echo one"), (DOWN, "echo two"),
                          (DOWN * 2, ""), ("ne" + UP, "version"), (DOWN, "ne"), ("w", "new")):
            show(vm, keys, ("keel> " + row).rstrip())
        show(vm, CONTROL["R"] + "ec", "(search)`ec': echo two")
        show(vm, CONTROL["R"], "(search)`ec': echo one")
        show(vm, CONTROL["G"], "keel> new")
        show(vm, CONTROL["R"] + "one" + END, "keel> echo one")
        vm.send(ENTER)
        vm.expect(r"^one$")
        vm.wait_prompt()
        vm.exit()


@scenario("prompt/completion", builds=BUILDS)
def completion(run):
    """Tab completes commands and their arguments, and lists what is left to choose from."""
    with prompt(run) as vm:
        show(vm, "ver" + TAB, "keel> version", 14)
        show(vm, CONTROL["U"] + "help reb" + TAB, "keel> help reboot", 18)
        show(vm, CONTROL["U"] + "log w" + TAB, "keel> log warn", 15)
        show(vm, CONTROL["U"] + "echo a; ver" + TAB, "keel> echo a; version", 22)
        vm.send(CONTROL["U"] + "e" + TAB * 2)
        vm.expect(r"^echo +exit( +explore)? *$")  # explore: in builds that can
        show(vm, "", "keel> e", 7)
        show(vm, CONTROL["U"] + "nothing" + TAB, "keel> nothing", 13)
        show(vm, CONTROL["U"], "keel>")
        vm.exit()


@scenario("prompt/errors", builds=BUILDS)
def errors(run):
    """Mistakes are answered in words, and the prompt goes on."""
    with prompt(run) as vm:
        assert vm.command("nonsense") == "error: unknown command 'nonsense': try help\n"
        assert vm.command("log loud") == (
            "error: log: 'loud' is no level: error, warn, info or debug (EINVAL)\n")
        assert vm.command("log -n") == "error: log: invalid argument: see help log (EINVAL)\n"
        assert vm.command("log -n 99999999999999999999") == "error: log: number out of range (ERANGE)\n"
        assert vm.command("help nothing") == "error: help: no command is named 'nothing' (ENOENT)\n"
        assert vm.command("pages kmall") == (
            "error: pages: 'kmall' is no number, and no symbol is named so (ENOENT)\n")
        assert vm.command("fault nul") == "error: fault: no fault is named 'nul' (ENOENT)\n"
        assert vm.command("bench nul") == "error: bench: no benchmark's name begins with 'nul' (ENOENT)\n"
        assert vm.command("exit 256") == "error: exit: number out of range (ERANGE)\n"
        for name in ("threads", "locks", "stacks", "cpus", "sched", "memory", "virtio", "interrupts", "slabs", "scaling"):
            assert vm.command(name + " x") == f"error: {name}: takes no arguments (E2BIG)\n"
        assert vm.command("latency x") == "error: latency: usage: latency [reset] (EINVAL)\n"
        for seconds in ("0", "86401", str(2**64 - 1)):
            assert vm.command("stress " + seconds) == "error: stress: SECONDS are 1 to 86400 (ERANGE)\n"
        assert vm.command("stress -1") == (
            "error: stress: '-1' is no kind of stress, and not the name of one disk (EINVAL)\n")
        assert vm.command("echo 'a") == "error: unclosed quote\n"
        assert vm.command("echo a; echo 'b; c'; bad; echo \"d\"") == (
            "a\nb; c\nerror: unknown command 'bad': try help\nd\n")
        assert vm.command(" ; ;; ") == ""
        assert vm.command("echo " + "x " * 254).split() == ["x"] * 254
        assert vm.command("echo " + "x " * 256) == "error: more than 256 words in one command\n"
        assert vm.command("echo " + "x " * 4000) == "error: more than 256 words in one command\n"
        answer = vm.command("echo " + "y" * 8000)
        assert answer == "y" * 8000 + "\n", (len(answer), answer[:100], answer[-100:])
        assert vm.command("echo " + "y" * 9000) == "error: the line is longer than 8191 bytes: nothing was run\n"
        vm.exit()


@scenario("prompt/garbage", builds=BUILDS)
def garbage(run):
    """Bytes that are no keys, and sequences cut in two, neither hang nor break the prompt."""
    with prompt(run) as vm:
        every_byte = bytes(byte for byte in range(256) if byte not in b"\r\n\x03")
        vm.serial.sendall(every_byte * 4)
        vm.serial.sendall(b"\x1b[" + b"9;" * 500 + b"\xff\xfe\xc3\x1b[1;\x1bO\x00\x00\x18\x03")
        vm.expect(r"\^C")
        vm.wait_prompt()
        for half in ("\x1b", "[", "1", ";", "5", "D"):
            show(vm, half, "keel>", 6)
        assert vm.command("echo al\x00ive") == "alive\n"
        assert vm.command("\x1bzecho still") == "still\n"
        vm.exit()


@scenario("prompt/paste", builds=BUILDS)
def paste(run):
    """4 KiB pasted at once arrive whole, as one line and as many; output stays in order."""
    with prompt(run) as vm:
        text = "".join(f"{number:04x}" for number in range(1024))
        assert vm.command("echo " + text) == text + "\n"
        lines = [f"echo line {number}" for number in range(4096 // len("echo line 100\r"))]
        start = vm.position
        vm.send("".join(line + ENTER for line in lines))
        vm.expect(rf"^line {len(lines) - 1}$")
        vm.wait_prompt()
        printed = re.findall(r"^line (\d+)$", vm.output[start:], re.MULTILINE)
        assert printed == [str(number) for number in range(len(lines))], printed
        vm.exit()


@scenario("prompt/run", builds=BUILDS)
def run_at_boot(run):
    """keel.run= runs its commands in order and goes on after an error; a failed test makes exit say so."""
    line = 'keel.panic=exit keel.color=off keel.run="echo one; bad; echo \'two; three\'; exit"'
    with run.boot(Machine(memory="64M", command_line=line)) as vm:
        vm.wait_end(outcome.PASS)
        expected = ("+ echo one\none\n+ bad\nerror: unknown command 'bad': try help\n"
                    "+ echo 'two; three'\ntwo; three\n+ exit\n")
        assert vm.output.endswith(expected), vm.output
        assert "\x1b[" not in vm.serial_text[vm.serial_text.index("+ echo one"):]


@scenario("prompt/dumb_terminal")
def dumb_terminal(run):
    """keel.term=dumb: editing without a single escape sequence from the prompt."""
    with prompt(run, command_line="keel.term=dumb") as vm:
        start = len(vm.serial_text)
        show(vm, "echo abd" + LEFT + "c" + HOME + END, "keel> echo abcd", 15)
        vm.send(CONTROL["L"] + ENTER)
        vm.expect(r"^abcd$")
        vm.wait_prompt()
        assert "\x1b" not in vm.serial_text[start:], vm.serial_text[start:]
        vm.exit()


@scenario("prompt/columns")
def columns(run):
    """keel.columns= is the width that long lines scroll in."""
    with prompt(run, command_line="keel.columns=40") as vm:
        show(vm, "a" * 50 + HOME, "keel> " + "a" * 32 + ">", 6)
        show(vm, CONTROL["U"] + CONTROL["K"], "keel>")
        vm.exit()


@scenario("prompt/leaving", builds=BUILDS)
def leaving(run):
    """exit CODE, reboot, and exit where there is no device to leave through."""
    with prompt(run) as vm:
        vm.send("exit 0x20\r")
        vm.wait_end(outcome.FAIL)
        assert vm.process.returncode == 65
    with prompt(run) as vm:
        vm.send("reboot\r")
        vm.wait_end(outcome.RESET)


@scenario("prompt/tests_can_fail", builds=BUILDS)
def tests_can_fail(run):
    """The test runner notices a failed expectation and each kind of leak, and exit then says so."""
    with prompt(run) as vm:
        assert "selftest/" not in vm.command("test list")
        assert re.fullmatch(r"test selftest/fails \.\.\. FAIL runner\.c:\d+ 6 \* 9 is 0x36, expected 0x2a\n"
                            r"0 passed, 1 failed\nerror: test: 1 of 1 failed\n", vm.command("test selftest/fails"))
        assert re.search(r"FAIL runner\.c:\d+ the first of two \(and 1 more\)$", vm.command("test selftest/fails_twice"),
                         re.MULTILINE)
        assert re.search(r"FAIL test\.c:\d+ not as before: .*free pages \d+ -> \d+", vm.command("test selftest/leaks_page"))
        leak = vm.command("test selftest/leaks_object")
        before, after = re.search(r"FAIL test\.c:\d+ not as before: .*slab objects (\d+) -> (\d+)", leak).groups()
        assert int(after) == int(before) + 1, leak
        assert "no test is named" in vm.command("test selftest")
        assert vm.command("test runner/").endswith("1 passed, 0 failed\n")
        vm.send("exit\r")
        vm.wait_end(outcome.FAIL)
        assert vm.process.returncode == 35


@scenario("prompt/commands", builds=BUILDS)
def commands(run):
    """Every command of this folder answers, and help knows each registered one."""
    with prompt(run, command_line="keel.test=1 'quoted words'") as vm:
        listed = vm.command("help")
        for name in ("bench", "boot", "clear", "cpu", "echo", "exit", "help", "log", "reboot", "test", "version"):
            assert re.search(rf"^{name} ", listed, re.MULTILINE), name
            assert vm.command(f"help {name}").startswith(name)
        names = re.findall(r"^([a-z_]+) ", listed, re.MULTILINE)
        assert names == sorted(names) and {"cpus", "locks", "sched", "stress", "threads"} < set(names)
        assert max(map(len, listed.splitlines())) <= 80, "help is wider than a terminal"
        booted = vm.command("boot")
        assert "by PVH" in booted and "keel.test=1 'quoted words'" in booted
        usable = int(re.search(r"usable: (\d+) KiB", booted).group(1))
        assert 60 * 1024 < usable <= 64 * 1024
        times = [float(time) for time in re.findall(r"^  (\d+\.\d{6})  b\d ", booted, re.MULTILINE)]
        assert len(times) >= 3 and times == sorted(times)
        assert re.search(r"boot: stage \d+ of \d+: prompt", vm.command("log -n 1"))
        assert vm.command("log -n 2").count("\n") == 2 and vm.command("log error -n 0") == ""
        assert re.search(r"^Protection: .*WP on", vm.command("cpu"), re.MULTILINE)
        assert re.search(r"^build id: [0-9a-f]{40}$", vm.command("version"), re.MULTILINE)
        assert f"preset {run.build_kind}\n" in vm.command("version")
        assert re.search(r"^clock_read \d+\.\d (instructions|ticks) \d+\.\d ns$", vm.command("bench clock"), re.MULTILINE)
        vm.exit()


@scenario("prompt/boot_stages")
def boot_stages(run):
    """Each boot stage leaves its code on the POST port and its line in the log, in order; boot shows the same."""
    codes = run.path("post_codes")
    post = ("-chardev", f"file,id=post,path={codes}", "-device", "isa-debugcon,iobase=0x80,chardev=post")
    with prompt(run, extra=post) as vm:
        with open(codes, "rb") as file:
            written = [code for code in file.read() if 0xb0 <= code < 0xc0]
        assert written == sorted(set(written)) and written[0] == 0xb0 and len(written) >= 8, written
        shown = [int(code, 16) for code in re.findall(r"^  \d+\.\d{6}  (b\w) ", vm.command("boot"), re.MULTILINE)]
        assert shown == written, (shown, written)
        logged = [int(number) for number in re.findall(r"boot: stage (\d+) of \d+: ", vm.command("log"))]
        assert [0xb0 + number - 1 for number in logged] == written, logged
        vm.exit()
