"""`keel percpu` and `keel locks`, and the printers of list, spinlock and page."""
import os
import re
import sys

import gdb

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from support import error_of, expect, expect_equal, expect_in, main, output, register, run_to  # noqa: E402


def test():
    expect_in("does not lead to", error_of("keel percpu"))
    # Inside the page allocator, with its zone's lock held.
    run_to("mm_free_init_memory")
    run_to("buddy_give")
    locks = output("keel locks")
    expect_in("CPU 0 holds 1 lock\n", locks)
    expect(re.search(r"zone (DMA32|NORMAL) at 0xffffffff[0-9a-f]+, taken at \w+\+\d+ \(mm/page_alloc.c:\d+\)", locks), locks)
    expect(re.search(r"spinlock 'zone (DMA32|NORMAL)', taken at \w+\+\d+ \(mm/page_alloc.c:\d+\), 0 waiting",
                     output("print 'mm/page_alloc.c'::zones[1].lock") + output("print 'mm/page_alloc.c'::zones[2].lock")),
           output("print 'mm/page_alloc.c'::zones"))
    gdb.execute("up", to_string=True)
    expect_in("spinlock 'zone LOW', free", output("print 'mm/page_alloc.c'::zones[0].lock"))

    lists = output("print 'mm/page_alloc.c'::zones[1].buddy.free[10]")
    blocks = int(gdb.parse_and_eval("'mm/page_alloc.c'::zones[1].buddy.nr_blocks[10]"))
    expect_in(f"list of {blocks} node", lists)
    page = output("print *(struct page *)'mm/page_alloc.c'::zones[1].buddy.free[10].next")
    expect(re.search(r"page, frame 0x[0-9a-f]+, free, order 10, 0 references", page), page)
    run_to("prompt_run")
    percpu = dict(line.split(None, 1) for line in output("keel percpu").splitlines())
    expect_equal(percpu["cpu_number"], "0", "number of the boot CPU")
    expect_equal(percpu["interrupt_depth"], "0", "a member of an unnamed structure")
    expect(int(percpu["stack_canary"], 0) != 0, "the stack canary is zero")
    expect_equal(int(percpu["self"].split()[0], 16) if percpu["self"].startswith("0x") else None,
                 register("gs_base") + 0x1000, "self")
    expect_in("CPU 0 holds 0 locks", output("keel locks"))
    expect_in("cpu_pages = {", output("keel percpu cpu_pages"))
    gdb.execute("set var 'mm/page_alloc.c'::zones[1].buddy.free[10].next.prev = 0")
    expect_in("list, damaged after 0 nodes", output("print 'mm/page_alloc.c'::zones[1].buddy.free[10]"))
    expect_equal(output("print (paddr_t){0x1234}").split("= ")[1].strip(), "0x1234", "a physical address")


main(test)
