"""What the scripts in this folder share. They run inside gdb's Python, started by tools/gdb/start, at the reset vector."""
import os
import traceback

import gdb

SERIAL = os.environ.get("KEEL_GDB_SERIAL", "")


def output(command):
    """What a gdb command prints."""
    return gdb.execute(command, to_string=True)


def expect(condition, words):
    if not condition:
        raise AssertionError(words)


def expect_in(wanted, text):
    expect(wanted in text, f"expected {wanted!r} in:\n{text}")


def error_of(command):
    """The message of a gdb command that must fail."""
    try:
        gdb.execute(command, to_string=True)
    except gdb.error as error:
        return str(error)
    raise AssertionError(f"{command} does not fail")


def expect_equal(actual, expected, what):
    expect(actual == expected, f"{what}: {actual!r}, expected {expected!r}")


def run_to(place):
    """Continues to a breakpoint at place and checks that this is what stopped it."""
    breakpoint = gdb.Breakpoint(place, temporary=False)
    gdb.execute("continue", to_string=True)
    expect_equal(breakpoint.hit_count, 1, f"hits of the breakpoint at {place}")
    breakpoint.delete()


def register(name):
    return int(gdb.parse_and_eval(f"${name}")) & 0xFFFFFFFFFFFFFFFF


def main(test):
    """Runs the test and leaves gdb, and with it QEMU: with 0 only where it returned."""
    code = 1
    try:
        test()
        code = 0
        print("passed")
    except BaseException:  # whatever it was must not end in gdb's own exit code 0
        traceback.print_exc()
    try:
        gdb.execute("kill", to_string=True)
    except gdb.error:  # QEMU has left already
        pass
    gdb.execute(f"quit {code}")
