"""`keel log` prints the records the serial console shows, before and after the prompt has run."""
import os
import re
import sys

import gdb

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from support import SERIAL, expect, expect_equal, expect_in, main, output, run_to  # noqa: E402


def texts_on_serial():
    with open(SERIAL, encoding="utf-8", errors="replace") as file:
        return [line for _, line in re.findall(r"^\[ *(\d+\.\d+)\] (?:\w+: )?(.*?)\r?$", file.read(), re.MULTILINE)]


def compare():
    ours = re.findall(r"^\[ *\d+\.\d{6}\] cpu0 \w+ +(.*)$", output("keel log"), re.MULTILINE)
    shown = texts_on_serial()
    expect(len(ours) > 5, f"only {len(ours)} records")
    expect_equal(len(ours), len(shown), "number of records")
    for ours_text, shown_text in zip(ours, shown):
        expect(ours_text.endswith(shown_text), f"{ours_text!r} in memory, {shown_text!r} on the serial console")
    return ours


def test():
    run_to("prompt_run")
    records = compare()
    last = output("keel log 1")
    expect_equal(len(last.splitlines()), 1, "lines of `keel log 1`")
    expect_in(records[-1], last)
    run_to("machine_exit")
    compare()


main(test)
