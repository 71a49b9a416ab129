"""`keel memory` prints the map the prompt's `boot` prints, and the zones as `memory` does."""
import os
import re
import sys

import gdb

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from support import SERIAL, error_of, expect, expect_equal, expect_in, main, output, run_to  # noqa: E402

MIB_PAGES = 256


def test():
    expect_in("not mapped (yet)", error_of("keel memory"))
    run_to("kernel_main")
    expect_in("no memory map yet", output("keel memory"))
    run_to("machine_exit")
    text = output("keel memory")
    with open(SERIAL, encoding="utf-8", errors="replace") as file:
        serial = file.read()
    ours = [(int(base, 16), int(last, 16), kind.strip()) for base, last, kind in re.findall(
        r"^0x([0-9a-f]+) - 0x([0-9a-f]+) +\d+ KiB +(.*)$", text, re.MULTILINE)]
    shown = [(int(base, 16), int(last, 16), kind.strip()) for base, last, kind in re.findall(
        r"^ *([0-9a-f]{16})-([0-9a-f]{16}) +\d+ KiB +(.*?)\r?$", serial, re.MULTILINE)]
    expect(len(shown) >= 3, f"the prompt's `boot` shows no map:\n{serial}")
    expect_equal(ours, shown, "memory map")
    zones = {name: (int(total), int(free)) for name, total, free in re.findall(
        r"^zone (\w+) +(\d+) pages, +(\d+) free", text, re.MULTILINE)}
    expect_equal(set(zones), {"LOW", "DMA32", "NORMAL"}, "zones")
    given = int(re.search(r"memory: \d+ MiB free of (\d+) MiB", serial).group(1))
    total = sum(total for total, _ in zones.values())
    expect(abs(total // MIB_PAGES - given) <= 1, f"{total} pages in all zones, the kernel said {given} MiB")
    shown = {name: (int(pages), int(free)) for name, pages, free in re.findall(
        r"^  (LOW|DMA32|NORMAL) +(\d+) +(\d+) ", serial, re.MULTILINE)}
    on_lists = int(re.search(r"on CPUs' lists +(\d+) pages", text).group(1))
    for name in zones:
        expect_equal(zones[name][0], shown[name][0], f"pages of zone {name}")
    # The prompt counts pages on CPUs' lists with their zone.
    expect_equal(sum(free for _, free in zones.values()) + on_lists, sum(free for _, free in shown.values()), "free pages")
    blocks = [list(map(int, counts.split())) for counts in re.findall(r"blocks by order: ([\d ]+)$", text, re.MULTILINE)]
    for (name, (_, free)), counts in zip(zones.items(), blocks):
        expect_equal(sum(count << order for order, count in enumerate(counts)), free, f"pages of zone {name}'s blocks")


main(test)
