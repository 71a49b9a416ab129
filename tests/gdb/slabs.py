"""`keel slabs` prints what the prompt's `slabs` prints."""
import os
import re
import sys

import gdb

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from support import SERIAL, expect, expect_equal, main, output, run_to  # noqa: E402


def test():
    run_to("machine_exit")
    ours = {name: (int(size), int(in_use), int(slabs)) for name, size, in_use, _, slabs in re.findall(
        r"^(\S+) +(\d+) +(\d+) +(\d+) +(\d+)$", output("keel slabs"), re.MULTILINE) if int(slabs)}
    with open(SERIAL, encoding="utf-8", errors="replace") as file:
        shown = {name: (int(size), int(in_use), int(slabs)) for name, size, _, slabs, in_use in re.findall(
            r"^(\S+) +(\d+) +(\d+) +(\d+) +(\d+) +\d+ +\d+", file.read(), re.MULTILINE)}
    expect("slab_cache" in shown, "the prompt's `slabs` shows no caches")
    expect_equal(ours, shown, "caches: object size, objects in use, slabs")


main(test)
