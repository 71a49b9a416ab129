"""Exploring schedules: tests of what threads share pass with a switch to another thread forced at every place, and two
planted bugs that an ordinary run does not show are found, at the same place in every run."""
import re

from harness import Machine, scenario

# Time is what the CPU executes: every run repeats itself.
MACHINE = dict(cpu="qemu64", memory="256M", extra=("-icount", "shift=0,sleep=off"))
CASES = ("waiting_and_waking", "the_last_owner_frees", "allocators", "timers")
# Tests that were written for themselves: of what waits, and of a ring with the model of a device.
OTHERS = ("sync/semaphore_ping_pong", "sync/wake_one_wakes_in_order", "sync/completion_counts_and_is_used_again",
          "sync/urgency_is_passed_on_and_given_back", "thread/wake_for_nothing_is_survived_and_reasons_are_shown",
          "virtio/an_entropy_device_that_lies_is_reset_and_marked_failed", "virtio/the_same_with_a_packed_ring",
          "heap/named_cache")
MOST = 400


def boot(run, commands, ends="pass", options=""):
    line = f'keel.panic=exit {options} keel.run="{commands}; exit"'
    with run.boot(Machine(**MACHINE, command_line=line)) as vm:
        vm.wait_end(ends)
        return vm.output


@scenario("explore/cases", builds=("debug",), timeout=240)
def cases(run):
    """each case passes with a switch at each of its places, and with many at random"""
    output = boot(run, "; ".join(f"explore explore/{case}" for case in CASES))
    found = dict(re.findall(r"^explore: explore/(\w+) passed with a switch at each of (\d+) places", output, re.M))
    assert found.keys() == set(CASES), found
    assert all(int(places) > 10 for places in found.values()), found
    print(found)


@scenario("explore/others", builds=("debug",), timeout=240)
def others(run):
    """tests of wait queues, semaphores, mutexes, a slab cache and virtqueues pass under the same, at their first places"""
    output = boot(run, "; ".join(f"explore {test} most={MOST} seeds=8" for test in OTHERS))
    found = dict(re.findall(r"^explore: (\S+) passed with a switch at each of (\d+) places", output, re.M))
    assert found.keys() == set(OTHERS), found
    assert all(int(places) > 10 for places in found.values()), found
    print(found)


@scenario("explore/lost-wake-up", builds=("debug",))
def lost_wake_up(run):
    """a lost wake-up that no ordinary run shows is found, and its run can be had again"""
    output = boot(run, "test selftest/lost_wake_up; explore selftest/lost_wake_up")
    assert re.search(r"^test selftest/lost_wake_up \.\.\. ok", output, re.M)
    again = re.search(r"^again with: (explore selftest/lost_wake_up at=\d+ seed=0)", output, re.M)
    assert again, "not found"
    assert re.search(rf"^again with: {again.group(1)}\r?$", boot(run, again.group(1)), re.M), "another run each time"


@scenario("explore/double-free", builds=("debug",))
def double_free(run):
    """a double free that no ordinary run shows is found, with who freed it twice"""
    assert re.search(r"^test selftest/double_free \.\.\. ok", boot(run, "test selftest/double_free"), re.M)
    output = boot(run, "explore selftest/double_free", ends="fail", options="keel.loglevel=debug")
    assert re.search(r"^class: heap: double free: object .* freed at drop_wrongly\+\w+, freed again at drop_wrongly\+",
                     output, re.M)
    assert re.search(r"explore selftest/double_free at=\d+ seed=0", output), "which run it was"
