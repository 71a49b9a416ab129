"""The report checker itself: a true report passes, and each single lie in it is found."""
import re
import zlib

import faults
import report as reports
from harness import outcome, scenario


def with_checksum(text):
    """The text with its block's checksum made right again: so that the lie is found for what it is."""
    start, end = text.index(reports.BEGIN), reports.END.search(text)
    block = text[start:end.start()]
    return text[:end.start()] + f"======== KEEL REPORT END crc32 0x{zlib.crc32(block.encode()):08x} ========" + text[end.end():]


def flip_digit(match):
    """The last hexadecimal digit of what matched, changed."""
    text = match.group(0)
    return text[:-1] + ("0" if text[-1] != "0" else "1")


def drop(match):
    return ""


# What is changed, and the word the checker's complaint begins with.
LIES = (
    (r"^class: .*$", "class: NULL pointer read", "class"),
    (r"^class: .*\n", drop, "there is no 'class:'"),
    (r"^outcome: .*$", "outcome: goes on", "outcome"),
    (r"^vector: 14 #PF", "vector: 13 #GP", "vector"),
    (r"^error code: 0x0+2", "error code: 0x0000000000000003", "error code"),
    (r"W=1", "W=0", "error code"),
    (r"write to a page that is not present", "read of a page that is not present", "error code"),
    (r"^cr2: 0x[0-9a-f]+", flip_digit, "cr2"),
    (r"the NULL page, never mapped", "slab object 'kmalloc-48' +0", "cr2"),
    (r"^(cr2: 0x[0-9a-f]+) ", r"\1 (not of this event) ", "cr2"),
    (r"^rip: 0x[0-9a-f]+", flip_digit, "rip"),
    (r"^(rip: 0x[0-9a-f]+) \w+", r"\1 fault_read", "rip"),
    (r"^(rip: .*\+0x\w+) .*$", r"\1", "rip: no file and line"),
    (r"^(rip: .*\(\S+:)\d+\)", r"\g<1>1)", "rip: line"),
    (r"^(rip: .*)\(\S+:", r"\1(src/main.c:", "rip: file"),
    (r"^access: \[r\w+\] = 0x[0-9a-f]+", flip_digit, "access"),
    (r"^access: .*\n", drop, "there is no 'access:'"),
    (r"^ r8 .*\n", drop, "registers"),
    (r" kernel_gs_base 0x\w+", drop, "registers"),
    (r"cs 0x0008", "cs 0x0033", "cs"),
    (r"^( cr0 0x\w+ .*)WP", r"\1AM", "cr0"),
    (r"^( rflags 0x\w+).*$", r"\1 OF", "rflags"),
    (r"^( efer 0x)\w+", r"\g<1>0000000000000000", "efer"),
    (r"^cpu: 0", "cpu: 1", "cpu"),
    (r"^thread: .*$", "thread: boot", "thread"),
    (r"^context: thread, interrupt depth 0", "context: somewhere", "context"),
    (r"interrupts (on|off)$", lambda match: "interrupts " + ("off" if match.group(1) == "on" else "on"), "context"),
    (r"^other CPUs: .*\n", drop, "there is no 'other CPUs:'"),
    (r"^locks held: 0", "locks held: 1", "locks held"),
    (r"^ 0x\w+ provoke_null_write\+.*\n", drop, "backtrace: no provoke_null_write"),
    (r"^( 0x[0-9a-f]{15})[0-9a-f]( provoke_null_write)", r"\1_\2", "backtrace"),
    (r"^( 0x\w+ provoke_null_write\+0x)(\w+)", r"\g<1>1\2", "backtrace"),
    (r"^ 0x\w+ kernel_entry\+.*\n", drop, "backtrace: ends in"),
    (r"^ end: .*$", " end: frame pointer 0x0000000000000001 is not aligned", "backtrace: end"),
    (r"^ end: .*\n", drop, "backtrace: no end"),
    (r"<\w\w>", "<cc>", "code"),
    (r"<(\w\w)>", r"\1", "code: not one mark"),
    (r"^threads:\n", drop, "a line of no section"),
    (r"^ \d+ of \d+ threads wait$", " 99 of 99 threads wait", "threads"),
    (r"^ \d+ of \d+ threads wait\n", drop, "threads: cannot read"),
    (r"^( thread \d+ '\w+' waits for .*), [\d.]+ s$", r"\1", "threads: cannot read"),
    (r"(?<=^log:\n) \[.*$", " [0.000001] nobody has said this", "log"),
    (r"^build id: \w+", flip_digit, "build id"),
)


def complaint(kernel, output, expected):
    """What the checker says of the output; None where it is content."""
    try:
        found = reports.find_reports(output)
        reports.want(len(found) == 1, f"{len(found)} reports")
        reports.check(found[0], kernel, output, expected)
    except reports.ReportError as error:
        return str(error)
    return None


@scenario("fault/checker_finds_lies", timeout=60)
def checker_finds_lies(run):
    """a true report passes the checker; with any one field changed, dropped or damaged on the way it does not"""
    expected = faults.FAULTS["null_write"]
    with faults.boot_with(run, "fault null_write") as vm:
        vm.wait_end(outcome.FAIL)
    output, kernel = vm.output, faults.kernel_of(run)
    assert complaint(kernel, output, expected) is None, complaint(kernel, output, expected)
    for pattern, replacement, word in LIES:
        lie = re.sub(pattern, replacement, output[output.index(reports.BEGIN):], count=1, flags=re.MULTILINE)
        lie = output[:output.index(reports.BEGIN)] + lie
        assert lie != output, f"'{pattern}' changes nothing"
        said = complaint(kernel, with_checksum(lie), expected)
        assert said and said.startswith(word), f"'{pattern}': the checker says {said!r}, expected '{word}...'"
        damaged = complaint(kernel, lie, expected)
        assert damaged and damaged.startswith("checksum"), f"'{pattern}': a wrong checksum is not noticed: {damaged!r}"
    cut = output[:reports.END.search(output).start()]
    assert "no end" in complaint(kernel, cut, expected)
    assert "0 reports" in complaint(kernel, "", expected)
