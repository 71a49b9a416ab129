"""`keel pagewalk` agrees with QEMU's own walk, and finds what the kernel's layout promises, before and after mm_init."""
import os
import re
import sys

import gdb

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from support import expect, expect_equal, expect_in, main, output, register, run_to  # noqa: E402


def address_of(name):
    return int(gdb.parse_and_eval(f"(unsigned long)&{name}")) & 0xFFFFFFFFFFFFFFFF


def physical(address):
    """Where `keel pagewalk` ends, or None."""
    found = re.search(r"-> (0x[0-9a-f]+), a page of", output(f"keel pagewalk {address:#x}"))
    return int(found.group(1), 16) if found else None


def physical_by_qemu(address):
    found = re.search(r"gpa: (0x[0-9a-f]+|0)", output(f"monitor gva2gpa {address:#x}"))
    return int(found.group(1), 16) if found else None


def leaf_flags(address):
    """The words behind the last entry."""
    entries = [line for line in output(f"keel pagewalk {address:#x}").splitlines() if " entry " in line]
    return entries[-1].split(": ", 1)[1].split()[1:]


def compare(addresses):
    for address in addresses:
        ours, theirs = physical(address), physical_by_qemu(address)
        expect_equal(ours, theirs, f"translation of {address:#x}")


def test():
    expect_in("paging is off", output("keel pagewalk 0x1000"))
    run_to("kernel_main")
    stack = register("rsp")
    early = [address_of("kernel_main"), stack, 0xFFFF800000100000]
    compare(early)
    for address in early:
        expect(physical(address) is not None, f"{address:#x} is not mapped in kernel_main")

    run_to("prompt_run")
    code, init = address_of("prompt_run"), address_of("kernel_main")
    compare([code, init, stack, 0xFFFFE00000000000, 0xFFFF800000100123, 0xFFFF800008000000, 0, 0x200000, 0xFFFFC00000000000])
    expect("write" not in leaf_flags(code), "code is writable")
    expect("no-execute" not in leaf_flags(code), "code cannot be executed")
    expect("no-execute" in leaf_flags(0xFFFF800008000000), "the physmap can be executed")
    expect("large" in leaf_flags(0xFFFF800008000000), "the physmap has small pages")
    expect_equal(physical(0xFFFF800008000123), 0x8000123, "physical address behind the physmap")
    expect_in("is not mapped", output(f"keel pagewalk {init:#x}"))  # given back at the end of boot
    expect_in("is not mapped", output("keel pagewalk 0"))
    expect_in("not canonical", output("keel pagewalk 0x800000000000"))


main(test)
