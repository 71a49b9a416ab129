"""What stands on the screen, read back from its pixels: text as on the serial line, at every depth the firmwares give."""
import os
import re
import time

from harness import Machine, Picture, scenario
from harness.screen_text import ScreenText

UEFI_TIMEOUT = 180
BLACK = (0, 0, 0)


def wait_screen(run, vm, wanted, scale=1):
    """The text on the screen. That follows the serial line within a moment: dumps it until the line is there and every cell is
    blank or a character of the font, none half drawn, up to the scenario's end."""
    while True:
        screen = ScreenText(Picture(vm.screendump()), scale)
        if screen.unknown == 0 and any(re.search(wanted, line) for line in screen.lines):
            return screen
        if time.monotonic() > run.deadline:
            run.fail(f"'{wanted}' is not on the screen, {screen.unknown} cells are no characters:\n{screen.text}")


def expected_rows(text, columns):
    """Lines of output as rows of a screen, which wraps long ones."""
    rows = []
    for line in text.rstrip("\n").split("\n"):
        rows += [line[at:at + columns].rstrip() for at in range(0, max(len(line), 1), columns)]
    return rows


def check_same_as_serial(run, vm, screen):
    """The last rows are what the serial line showed last, from the boot of the kernel on."""
    columns = screen.picture.width // 8 // screen.scale
    output = vm.output[vm.output.index("[    0.000000] boot: stage 1"):]
    rows = expected_rows(output, columns)
    lines = "\n".join(screen.lines).rstrip("\n").split("\n")
    wanted = rows[-len(lines):]
    if lines != wanted:
        run.fail("the screen shows\n" + "\n".join(lines) + "\nand the serial line showed\n" + "\n".join(wanted))


def screen_scenario(name, machine, depth, scale=1, **options):
    @scenario(name, **options)
    def screen(run):
        """boot and prompt are drawn pixel by pixel as they went over the serial line, colours and scrolling included"""
        with run.boot(machine) as vm:
            vm.wait_prompt()
            assert re.search(rf"framebuffer: \d+x\d+, {depth} bits a pixel", vm.output), "not the depth that is meant"
            shown = wait_screen(run, vm, "keel>$", scale)
            assert BLACK not in shown.colours and len(shown.colours) >= 2, f"prompt and log look alike: {shown.colours}"
            check_same_as_serial(run, vm, shown)
            for _ in range(3):  # more than a screen
                vm.command("help")
            check_same_as_serial(run, vm, wait_screen(run, vm, "keel>$", scale))
            vm.send("hxelp\x1b[D\x1b[D\x1b[D\x7f")  # edited in the middle of the line
            wait_screen(run, vm, "keel> help$", scale)
            vm.send("\x05\x15")  # to its end, and all of it gone
            vm.exit()


screen_scenario("framebuffer/bios-32", Machine(firmware="bios"), 32)
screen_scenario("framebuffer/bios-2560x1600",  # two pixels for one of the font
                Machine(firmware="bios", vga="none", extra=("-device", "VGA,xres=2560,yres=1600,vgamem_mb=64")), 32, scale=2)
screen_scenario("framebuffer/bios-24", Machine(firmware="bios", vga="cirrus"), 24)
screen_scenario("framebuffer/uefi-32", Machine(firmware="uefi"), 32, timeout=UEFI_TIMEOUT)
screen_scenario("framebuffer/uefi-bochs-display", Machine(firmware="uefi", vga="none", extra=("-device", "bochs-display")),
                32, timeout=UEFI_TIMEOUT)
screen_scenario("framebuffer/uefi-ramfb", Machine(firmware="uefi", vga="none", extra=("-device", "ramfb")),
                32, timeout=UEFI_TIMEOUT)


@scenario("framebuffer/report")
def report(run):
    """A fatal report is on the screen too, to its last line."""
    with run.boot(Machine(firmware="bios", command_line="keel.panic=halt")) as vm:
        vm.wait_prompt()
        vm.send("fault null_read\r")
        vm.expect(r"(?i)null pointer read")
        vm.wait_halted()
        last = vm.output.rstrip().split("\n")[-1]
        wait_screen(run, vm, re.escape(last[:60]))
        vm.kill()


@scenario("framebuffer/vga-text")
def vga_text(run):
    """Where there is no frame buffer the text is in the VGA's memory, in its own character set."""
    with run.boot(Machine()) as vm:
        vm.wait_prompt()
        vm.command("help")
        path = os.path.abspath(run.path("vga.bin"))
        vm.qmp("pmemsave", val=0xB8000, size=80 * 25 * 2, filename=path)
        with open(path, "rb") as file:
            cells = file.read()
        text = cells[::2].decode("cp437")
        lines = [text[at:at + 80].rstrip() for at in range(0, len(text), 80)]
        shown = "\n".join(lines).rstrip("\n").split("\n")
        wanted = expected_rows(vm.output, 80)[-len(shown):]
        assert shown == wanted, "the screen shows\n" + "\n".join(shown) + "\nnot\n" + "\n".join(wanted)
        assert len(set(cells[1::2])) > 1, "no colours"
        vm.exit()


@scenario("serial/log-and-prompt-apart")
def apart(run):
    """keel.log=com2: one port has the log alone, the other the prompt alone; a report is on both."""
    log = os.path.abspath(run.path("com2.log"))
    machine = Machine(command_line="keel.log=com2 keel.panic=exit",
                      extra=("-chardev", f"file,id=com2,path={log}", "-device", "isa-serial,index=1,chardev=com2"))
    with run.boot(machine) as vm:
        vm.wait_prompt()
        before = len(vm.output)
        vm.command("test log/read_back")
        vm.send("fault warning\r")
        vm.wait_prompt()
        assert "] " not in re.sub(r"\[log", "", vm.output[before:]), "log lines on the prompt's port"
        with open(log, encoding="utf-8") as file:
            text = file.read()
        assert "stage 10 of 10" in text and "keel>" not in text and "\x1b" not in text, text[-500:]
        vm.send("fault null_read\r")
        vm.wait_end("fail")
        with open(log, encoding="utf-8") as file:
            assert re.search("(?i)null pointer read", file.read()), "no report on the log's port"
        assert re.search("(?i)null pointer read", vm.output), "no report on the prompt's port"
