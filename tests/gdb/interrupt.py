"""A backtrace in an interrupt's handler goes back through the entry code, from the interrupts' stack to that of what was
interrupted, and names the code there."""
import os
import sys

import gdb

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from support import expect, expect_equal, main, run_to  # noqa: E402


def frames():
    """[(name, is the entry code, RSP)], from the innermost out."""
    frame, found = gdb.newest_frame(), []
    while frame is not None and len(found) < 100:
        found.append((frame.name(), frame.type() == gdb.SIGTRAMP_FRAME, int(frame.read_register("rsp")) & 0xFFFFFFFFFFFFFFFF))
        frame = frame.older()
    return found


def test():
    run_to("prompt_run")
    run_to("irq_dispatch")
    found = frames()
    names = [name for name, _, _ in found]
    expect_equal(names[0], "irq_dispatch", "the newest frame")
    entry = [number for number, (_, is_entry, _) in enumerate(found) if is_entry]
    expect_equal(len(entry), 1, f"frames of entry code in {names}")
    expect_equal(names[entry[0] - 1], "trap_dispatch", "what the entry code calls")
    expect("kernel_main" in names[entry[0] + 1 :] or "thread_start" in names[entry[0] + 1 :], f"no end: {names}")
    stack = gdb.parse_and_eval("&emergency.interrupt")
    low, high = int(stack), int(stack + 1)
    inside = [low <= rsp <= high for _, _, rsp in found]
    expect(all(inside[: entry[0] + 1]), f"not on the stack of interrupts, {low:#x} to {high:#x}: {found}")
    expect(not any(inside[entry[0] + 1 :]), f"still on the stack of interrupts, {low:#x} to {high:#x}: {found}")


main(test)
