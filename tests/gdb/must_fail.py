"""Fails, to prove that a script that fails is seen to: CTest expects it."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from support import expect_equal, main, register, run_to  # noqa: E402


def test():
    run_to("kernel_main")
    expect_equal(register("cr0") >> 31, 0, "CR0.PG in kernel_main")


main(test)
