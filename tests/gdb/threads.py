"""`keel threads`: each thread with its state, what it waits for and where it is, on two CPUs."""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from support import error_of, expect, expect_equal, expect_in, main, output, run_to  # noqa: E402


def functions(text):
    return [re.match(r"    #\d+ +([\w.]+)", line)[1] for line in text.splitlines() if line.startswith("    #")]


def expect_calls(text, *wanted):
    found = functions(text)
    expect([name for name in found if name in wanted] == list(wanted), f"expected {wanted} in:\n{text}")


def test():
    expect_in("not mapped (yet)", error_of("keel threads"))
    run_to("kernel_main")
    expect_in("no threads yet", error_of("keel threads"))
    run_to("fault_wait_for_mutex")
    run_to("completion_complete")  # `never`: until then both of the fault's threads wait
    lines = {}
    for line in output("keel threads").splitlines():
        number, name, state = re.fullmatch(r" *(\d+) (.{24}) (.*)", line).groups()
        lines[name.strip()] = (number, state)
    expect(re.fullmatch(r"running on CPU [01]", lines["boot"][1]), lines)
    owner, waiter = lines["owner"], lines["waiter"]
    expect_equal(owner[1], "waits for completion 'never'", "the owner's state")
    expect(re.fullmatch(rf"waits for mutex 'hung fault' of thread {owner[0]} 'owner', taken at fault_wait_with_mutex\+\d+ "
                        r"\(src/fault/hung\.c:\d+\)", waiter[1]), waiter)
    one = output(f"keel threads {waiter[0]}")
    expect_in(" waiter ", one)
    expect_calls(one, "thread_wait_until", "mutex_lock", "fault_wait_for_mutex", "thread_start")
    all_of_them = output("keel threads all")
    boot = all_of_them.split(" boot ", 1)[1].split("\n   1 ", 1)[0]
    expect_calls(boot, "provoke_hung_thread", "prompt_run", "kernel_main")
    expect_in("there is no thread 4711", error_of("keel threads 4711"))


main(test)
