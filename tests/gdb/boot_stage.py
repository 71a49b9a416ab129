"""A fault while the kernel boots: the report says how far boot has come, before there are threads to list."""
import os
import re
import sys

import gdb

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from support import SERIAL, expect, main, run_to  # noqa: E402


def test():
    run_to("heap_init")
    gdb.execute("set var $rip = 0x18", to_string=True)
    run_to("machine_exit")
    with open(SERIAL, encoding="utf-8", errors="replace") as file:
        said = file.read()
    for wanted in (r"^class: NULL pointer jump$", r"^boot stage: 6 of 10 reached, page allocator and page tables$", r"^threads:\n none yet$"):
        expect(re.search(wanted, said.replace("\r", ""), re.MULTILINE), f"no '{wanted}' in:\n{said}")


main(test)
