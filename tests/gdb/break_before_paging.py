"""A breakpoint in the higher half, set before the first instruction, is hit once the kernel gets there; with symbols."""
import os
import sys

import gdb

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from support import expect, expect_equal, expect_in, main, output, register, run_to  # noqa: E402

CR0_PG = 1 << 31


def test():
    expect_equal(register("cr0") & CR0_PG, 0, "CR0.PG at the reset vector")
    run_to("boot_entry_pvh")
    expect_equal(register("cr0") & CR0_PG, 0, "CR0.PG at the kernel's entry")
    run_to("kernel_main")
    expect(register("cr0") & CR0_PG, "paging is off in kernel_main")
    expect(register("rip") >> 31 == 0x1FFFFFFFF, f"kernel_main runs at {register('rip'):#x}, not in the higher half")
    frame = gdb.selected_frame()
    expect_equal(frame.name(), "kernel_main", "function of the selected frame")
    expect_equal(os.path.normpath(frame.find_sal().symtab.filename), "src/main.c", "source file")
    expect(os.path.exists(frame.find_sal().symtab.fullname()), f"no source at {frame.find_sal().symtab.fullname()}")
    expect_in("kernel_main", output("list kernel_main"))
    expect_in("PVH", output("print (enum boot_protocol)protocol"))
    expect_in("layout keel", output("help layout keel"))
    expect_in("boot/entry.asm", output("info line boot_entry_pvh"))


main(test)
