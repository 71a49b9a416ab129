"""Provoked faults, each in its own boot, each with its report checked field by field (report.py)."""
import os
import re
import time

import report as reports
from harness import Machine, outcome, scenario
from harness.registry import register

BUILDS = ("release", "debug")
# The command's own way down to the fault, which the backtrace must show.
DISPATCH = ("run_fault", "dispatch", "finish_boot", "kernel_main", "kernel_entry")
HEAP_CALLS = ("heap_fault_report",)


def memory_fault(class_words, error_code, cr2, rip="any", provoke=None, **more):
    calls = ((rip,) if rip else ("fault_call",)) + ((provoke,) if provoke else ()) + DISPATCH
    return dict(class_words=class_words, vector=14, error_code=error_code, cr2=cr2, rip=rip, calls=calls, **more)


def own_report(class_words, rip, calls, **more):
    return dict(class_words=class_words, vector=None, rip=rip, calls=(*calls, *DISPATCH), **more)


def reference_fault(words, name, operation):
    """One report of two misuses of one count, by the first."""
    return own_report(
        rf"warning: reference count {words}: saturated, at 0x\w+ fault_{operation}_reference[.\w]*\+\w+ "
        rf"\(include/sync/refcount.h:\d+\): slab object 'kmalloc-\d+' \+0 \(in use, 64 bytes, allocated at misuse\b.*",
        "refcount_report", (f"refcount_bad_{operation}_", f"fault_{operation}_reference", "misuse", f"provoke_{name}"),
        outcome="goes on")


WRITE, FETCH, PRESENT = 2, 16, 1


def thread_guard(direction, side):
    """A thread writes to a guard page of its own stack."""
    page = r"stack guard page of thread \d+ 'work'"
    return dict(class_words=f"kernel stack {direction}: write to the {page}", vector=14, error_code=WRITE,
                cr2=rf"{page} \({side} the stack\)", rip="fault_write",
                calls=("fault_write", f"write_{side}", "thread_start"), end=r"bottom of stack of thread \d+ 'work'",
                fields={"thread": r"^(\d+) 'work', stack of thread \1 'work', \d+ bytes left$"})


OPERAND = r"\[r\w+\] = 0x{0}, r\w+ = 0x{0}"

FAULTS = {
    "null_read": memory_fault("NULL pointer read", 0, "0x0000000000000008 the NULL page, never mapped", "fault_read",
                              "provoke_null_read", access=OPERAND.format("0{15}8")),
    "null_write": memory_fault("NULL pointer write", WRITE, "0x0000000000000010 the NULL page, never mapped",
                               "fault_write", "provoke_null_write", access=OPERAND.format("0{14}10")),
    "null_jump": memory_fault("NULL pointer jump", FETCH, "0x0000000000000000 the NULL page", None, "provoke_null_jump"),
    "write_rodata": memory_fault(r"write to read-only \.rodata", WRITE | PRESENT, r"\.rodata.*read_only_words\+0x8",
                                 "fault_write", "provoke_write_rodata"),
    "write_text": memory_fault(r"write to read-only \.text", WRITE | PRESENT, r"\.text.*fault_read\+0x0", "fault_write",
                               "provoke_write_text"),
    "execute_data": memory_fault(r"execute of non-executable \.data", FETCH | PRESENT, r"\.data.*data_words\+0x0", None,
                                 "provoke_execute_data"),
    "execute_stack": memory_fault(r"execute of non-executable stack 'boot'", FETCH | PRESENT, "stack 'boot'", None,
                                  "provoke_execute_stack"),
    "execute_heap": memory_fault("execute of non-executable heap", FETCH | PRESENT,
                                 r"slab object 'kmalloc-\d+' \+0 \(in use, 64 bytes, allocated at provoke_execute_heap\+",
                                 None, "provoke_execute_heap"),
    "execute_vmalloc": memory_fault("execute of non-executable vmalloc area", FETCH | PRESENT,
                                    r"vmalloc memory \+0 \(64 bytes, allocated at provoke_execute_vmalloc\+", None,
                                    "provoke_execute_vmalloc"),
    "execute_rodata": memory_fault(r"execute of non-executable \.rodata", FETCH | PRESENT,
                                   r"\.rodata.*read_only_words\+0x0", None, "provoke_execute_rodata"),
    "stack_guard_below": memory_fault("kernel stack overflow: write to the guard page below stack 'provoked'", WRITE,
                                      "guard page below stack 'provoked'", "fault_write", "provoke_stack_guard_below"),
    "stack_guard_above": memory_fault("kernel stack underflow: write to the guard page above stack 'provoked'", WRITE,
                                      "guard page above stack 'provoked'", "fault_write", "provoke_stack_guard_above"),
    "recursion": dict(class_words=r"kernel stack overflow: guard page below stack 'boot' \(double fault\)", vector=8,
                      error_code=0, rip="fault_recurse", cr2="guard page below stack 'boot'",
                      calls=("fault_recurse", "provoke_recursion", *DISPATCH),
                      fields={"thread": r"^boot, stack 'boot', (overflowed by \d+ bytes|\d+ bytes left)$"}),
    "double_fault": dict(class_words="double fault: an exception could not be delivered", vector=8, error_code=0,
                         rip="fault_lose_stack", cr2="0xffffcffffffefff8",
                         calls=("fault_lose_stack", "provoke_double_fault", *DISPATCH),
                         fields={"thread": "RSP is in no stack"}),
    "non_canonical": dict(class_words=r"non-canonical address in r\w+", vector=13, error_code=0, rip="fault_read",
                          calls=("fault_read", "provoke_non_canonical", *DISPATCH),
                          access=OPERAND.format("4141414141414140")),
    "invalid_opcode": dict(class_words="invalid opcode: ud2", vector=6, rip="fault_invalid_opcode",
                           calls=("fault_invalid_opcode", "provoke_invalid_opcode", *DISPATCH),
                           fields={"code": r"<0f> 0b"}),
    "in_exception": own_report("provoked in an exception", "panic_in_exception",
                               ("panic_in_exception", "trap_dispatch", "#UD", "fault_invalid_opcode", "provoke_in_exception"),
                               fields={"context": "^exception, interrupt depth 1, "}),
    "warning": own_report("warning: provoked, answer 42", "fault_warn", ("fault_warn", "provoke_warning"),
                          outcome="goes on"),
    "line_between": own_report("provoked: goes on", "provoke_line_between", ("provoke_line_between",), outcome="goes on"),
    "divide_by_zero": dict(class_words="division by zero", vector=0, rip="fault_divide",
                           calls=("fault_divide", "provoke_divide_by_zero", *DISPATCH)),
    "stack_smash": dict(class_words="stack smashed: a function wrote past its local variables", vector=None,
                        rip="fault_smash", end="(return address 0x4141414141414141 is not in kernel code|"
                                               "frame pointer 0x4141414141414141 .*)"),
    "use_after_free_read": dict(class_words=r"use after free .*: non-canonical address in r\w+", vector=13, error_code=0,
                                rip="fault_follow", calls=("fault_follow", "provoke_use_after_free_read", *DISPATCH),
                                access=OPERAND.format("deadf1eedeadf1ee")),
    "use_after_free_write": own_report(
        r"heap: use after free write: object 0x\w+ of 'kmalloc-\d+', \d+ bytes, offset 24, found 0x41.*, "
        r"allocated at provoke_use_after_free_write\+\w+, freed at provoke_use_after_free_write\+\w+",
        "heap_fault_report", (*HEAP_CALLS, "fault_allocate_until_found", "provoke_use_after_free_write")),
    # Nobody allocates any more: the report comes from the idle scrubber, behind the prompt.
    "use_after_free_idle": dict(
        class_words=r"heap: use after free write: object 0x\w+ of 'kmalloc-\d+', \d+ bytes, offset 16, found 0x42.*, "
                    r"allocated at provoke_use_after_free_idle\+\w+, freed at provoke_use_after_free_idle\+\w+",
        vector=None, rip="heap_fault_report",
        calls=(*HEAP_CALLS, "slab_scrub", "idle_run", "finish_boot", "kernel_main", "kernel_entry")),
    "double_free": own_report(
        r"heap: double free: object 0x\w+ of 'kmalloc-\d+'.*, allocated at provoke_double_free\+\w+, "
        r"freed at provoke_double_free\+\w+, freed again at fault_free_again\+\w+",
        "heap_fault_report", (*HEAP_CALLS, "fault_free_again", "provoke_double_free")),
    "free_page_as_object": own_report(
        r"heap: not a heap object.*: object 0x\w+, free attempted at fault_free_again\+\w+", "heap_fault_report",
        (*HEAP_CALLS, "fault_free_again", "provoke_free_page_as_object")),
    "wrong_cache": own_report(
        r"heap: wrong cache \(provoked\): object 0x\w+ of 'kmalloc-\d+', 64 bytes, offset 0, "
        r"allocated at provoke_wrong_cache\+\w+, free attempted at provoke_wrong_cache\+\w+",
        "heap_fault_report", (*HEAP_CALLS, "provoke_wrong_cache")),
    "middle_of_object": own_report(
        r"heap: pointer into the middle of an object: object 0x\w+ of 'kmalloc-\d+', \d+ bytes, offset 16, "
        r"allocated at provoke_middle_of_object\+\w+, free attempted at fault_free_again\+\w+",
        "heap_fault_report", (*HEAP_CALLS, "fault_free_again", "provoke_middle_of_object")),
    "heap_overflow": own_report(
        r"heap: redzone overwritten \(overflow of 4 bytes\): object 0x\w+ of 'kmalloc-\d+', 40 bytes, offset 40, "
        r"found 0x41.*, allocated at provoke_heap_overflow\+\w+, free attempted at fault_free_again\+\w+",
        "heap_fault_report", (*HEAP_CALLS, "fault_free_again", "provoke_heap_overflow")),
    "free_list": own_report(
        r"heap: free list overwritten.*: object 0x\w+ of 'kmalloc-\d+'.*, allocated at provoke_free_list\+\w+, "
        r"freed at provoke_free_list\+\w+",
        "heap_fault_report", (*HEAP_CALLS, "fault_allocate_until_found", "provoke_free_list")),
    "list_corruption": own_report(
        r"list corruption: remove: prev->next: node 0x\w+, neighbour 0x\w+, found 0x\w+",
        ("fault_remove", "list_remove"), ("fault_remove", "provoke_list_corruption")),
    "array_bounds": own_report(r"array index out of bounds: 7 in 'int ?\[4\]'", "fault_index",
                               ("fault_index", "provoke_array_bounds")),
    "signed_overflow": own_report(r"signed integer overflow: 2147483647 \+ 1 does not fit 'int'", "fault_add",
                                  ("fault_add", "provoke_signed_overflow")),
    "shift": own_report(r"bad shift: the count 40 is too large for 'int' of 32 bits", "fault_shift",
                        ("fault_shift", "provoke_shift")),
    "mutex_recursion": own_report(
        r"lock recursion: mutex 'provoked' taken at 0x\w+ provoke_mutex_recursion\+\w+ .*, again at 0x\w+ fault_lock_again\+.*",
        ("report_recursion", "lock_contended"), ("fault_lock_again", "provoke_mutex_recursion")),
    "mutex_kept": dict(class_words="thread 'keeper' ends while it holds mutex 'provoked'", vector=None,
                       rip="thread_locks_at_exit", calls=("thread_exit", "thread_start"),
                       end=r"bottom of stack of thread (\d+) 'keeper'",
                       fields={"thread": r"^\d+ 'keeper', stack of thread \d+ 'keeper', \d+ bytes left$"}),
    # The same numbers in all places: the report's own, and the stack's.
    "thread_guard_below": thread_guard("overflow", "below"),
    "thread_guard_above": thread_guard("underflow", "above"),
    "thread_recursion": dict(
        class_words=r"kernel stack overflow: stack guard page of thread \d+ 'recurses' \(double fault\)", vector=8,
        error_code=0, rip="fault_recurse", cr2=r"stack guard page of thread \d+ 'recurses' \(below the stack\)",
        calls=("fault_recurse", "recurse_in_thread", "thread_start"), end=r"bottom of stack of thread \d+ 'recurses'",
        fields={"thread": r"^(\d+) 'recurses', stack of thread \1 'recurses', "
                          r"(overflowed by \d+ bytes|\d+ bytes left)$"}),
    "reference_from_zero": reference_fault("raised from 0", "reference_from_zero", "get"),
    "reference_overflow": reference_fault("overflow", "reference_overflow", "get"),
    "reference_underflow": reference_fault("underflow", "reference_underflow", "put"),
    "thread_list": memory_fault("NULL pointer write", WRITE, "the NULL page", "fault_write", "provoke_thread_list",
                                threads=("the list of threads leads nowhere from here", r"0 of 1 threads wait")),
    "console_locked": memory_fault("NULL pointer write", WRITE, "0x0000000000000018 the NULL page", "fault_write",
                                   "fault_write_bytes_once"),
}

# The lock checker's, which is in the debug build: each is found although nobody hangs yet.
TAKE_BOTH, PROVOKED = "fault_take_both", "'provoked {}'"


def order(number, count, held, taken, by, is_now=False):
    """One section of a circle: who was held, who was taken then, and by which provoke_ function."""
    held, taken, verb = PROVOKED.format(held), PROVOKED.format(taken), "wanted" if is_now else "taken"
    calls = (TAKE_BOTH, by, *DISPATCH[:1])
    return {f"order {number} of {count}": (f"{held} held, {taken} {verb}, " + ("now" if is_now else "as seen before"),
                                           (f"{held} taken at:", calls), (f"{taken} {verb} at:", calls))}


def usage(number, lock, how, calls):
    lock = PROVOKED.format(lock)
    return {f"usage {number} of 2": (f"{lock} is {how}", (f"{lock} taken at:", calls))}


IN_INTERRUPT = ("fault_take_one", "take_in_interrupt", "run_handlers", "irq_dispatch", "trap_dispatch", "trap_entry_interrupt")
LOCK_FAULTS = {
    "lock_order": own_report("lock order: circle of 2: 'provoked first' -> 'provoked second' -> 'provoked first'",
                             TAKE_BOTH, (TAKE_BOTH, "provoke_lock_order"),
                             stacks={**order(1, 2, "second", "first", "provoke_lock_order", is_now=True),
                                     **order(2, 2, "first", "second", "provoke_lock_order")}),
    "lock_order_of_three": own_report(
        "lock order: circle of 3: 'provoked first' -> 'provoked second' -> 'provoked third' -> 'provoked first'",
        TAKE_BOTH, (TAKE_BOTH, "provoke_lock_order_of_three"),
        stacks={**order(1, 3, "third", "first", "provoke_lock_order_of_three", is_now=True),
                **order(2, 3, "first", "second", "provoke_lock_order_of_three"),
                **order(3, 3, "second", "third", "provoke_lock_order_of_three")}),
    "lock_in_interrupt": own_report(
        "lock and interrupts: 'provoked first' is taken in an interrupt, and held elsewhere with interrupts on",
        "fault_take_one", IN_INTERRUPT[:-1] + ("fault_interrupt", "provoke_lock_in_interrupt"),
        stacks={**usage(1, "first", "taken in an interrupt", IN_INTERRUPT),
                **usage(2, "first", "held elsewhere with interrupts on",
                        ("fault_take_one", "provoke_lock_in_interrupt", "run_fault"))},
        fields={"advice": "^take 'provoked first' with an irqsave form everywhere$", "locks held": "1",
                "context": "interrupt, interrupt depth 1"}),
    "lock_behind_interrupt": own_report(
        "lock and interrupts: 'provoked first' is taken in an interrupt, and held while 'provoked second' is taken, which "
        "is held elsewhere with interrupts on", TAKE_BOTH, (TAKE_BOTH, "provoke_lock_behind_interrupt"),
        stacks={**usage(1, "first", "taken in an interrupt", IN_INTERRUPT),
                **usage(2, "second", "held elsewhere with interrupts on",
                        ("fault_take_one", "provoke_lock_behind_interrupt", "run_fault")),
                **order(1, 1, "first", "second", "provoke_lock_behind_interrupt")},
        fields={"advice": "^take 'provoked second' with an irqsave form everywhere$"}),
}
LOCK_FAULTS["wait_for_timer"] = own_report(
    r"lock order: circle of 2: 'timer take_first_in_timer\(\)' -> 'provoked first' -> 'timer take_first_in_timer\(\)'", "timer_cancel",
    ("timer_cancel", "fault_cancel_with_lock", "provoke_wait_for_timer"),
    stacks={"order 1 of 2": (r"'provoked first' held, 'timer take_first_in_timer\(\)' waited for, now",
                             ("'provoked first' taken at:", ("fault_cancel_with_lock", "provoke_wait_for_timer", "run_fault")),
                             ("'timer take_first_in_timer()' waited for at:", ("timer_cancel", "fault_cancel_with_lock", "provoke_wait_for_timer"))),
            "order 2 of 2": (r"'timer take_first_in_timer\(\)' running, 'provoked first' taken, as seen before",
                             ("'timer take_first_in_timer()' begun at:", ("run_due", "timer_kicked", "irq_dispatch")),
                             ("'provoked first' taken at:", ("take_first_in_timer", "run_due", "timer_kicked")))},
    fields={"locks held": "1"})
LOCK_FAULTS["allocate_in_interrupt"] = own_report(
    r"allocation in an interrupt: vm_area_alloc; allocate before, use kmalloc, or leave it to a piece of work \(dev/work\.h\)",
    "allocation_is_forbidden",
    ("allocation_is_forbidden", "vm_area_alloc", "vmalloc", "fault_allocate", "allocate_in_interrupt", "irq_dispatch",
     "trap_dispatch", "fault_interrupt", "provoke_allocate_in_interrupt"),
    fields={"context": "interrupt, interrupt depth 1"})
TOO_LONG = {"lock_held_too_long", "interrupts_off_too_long"}
FAULTS["lock_recursion"] = own_report(
    r"lock recursion: 'provoked first' taken at 0x\w+ provoke_lock_recursion\+0x\w+ \(src/fault/lock\.c:\d+\), "
    r"again at 0x\w+ fault_take_again[.\w]*\+0x\w+ \(src/fault/lock\.c:\d+\)", "spinlock_wait_",
    ("spinlock_wait_", "fault_take_again", "provoke_lock_recursion"), fields={"locks held": "1"})
FAULTS["sleep_in_atomic"] = own_report(
    r"sleeping where it is forbidden: fault_sleep: lock 'provoked first', taken at 0x\w+ provoke_sleep_in_atomic\+0x\w+ "
    r"\(src/fault/lock\.c:\d+\), is held; give it back first, or take a mutex instead", "sleep_is_forbidden",
    ("sleep_is_forbidden", "fault_sleep", "provoke_sleep_in_atomic"), fields={"locks held": "1"})

for off, words in (("preemption", r"preemption is off \(depth 1\)"), ("interrupts", "interrupts are off")):
    # Who turned it off is noted in the debug build.
    place = rf", since 0x\w+ provoke_sleep_without_{off}\+0x\w+ \(include/cpu/(preempt|interrupts)\.h:\d+\)"
    FAULTS[f"sleep_without_{off}"] = own_report(
        {"debug": f"sleeping where it is forbidden: fault_sleep: {words}{place}", "release": f"sleeping where it is forbidden: fault_sleep: {words}"},
        "sleep_is_forbidden", ("sleep_is_forbidden", "fault_sleep", f"provoke_sleep_without_{off}"))

GOES_ON = ("warning", "line_between", "reference_from_zero", "reference_overflow", "reference_underflow")
MACHINE = Machine(memory="64M", command_line="keel.panic=exit")


def kernel_of(run):
    return reports.Kernel(os.path.join(run.build, "keel.elf"))


def only_report(run, output):
    found = reports.find_reports(output)
    if len(found) != 1:
        run.fail(f"{len(found)} reports, expected one")
    return found[0]


def check(run, output, expected):
    try:
        reports.check(only_report(run, output), kernel_of(run), output, expected)
    except reports.ReportError as error:
        run.fail(str(error))


def boot_with(run, commands, **changes):
    line = f'keel.panic=exit keel.run="{commands}"'
    return run.boot(Machine(memory="64M", command_line=line, **changes))


def fault_scenario(name, expected, builds):
    def function(run):
        goes_on = name in GOES_ON
        with boot_with(run, f"fault {name}" + ("; exit" if goes_on else "")) as vm:
            vm.wait_end(outcome.PASS if goes_on else outcome.FAIL)
            words = expected["class_words"]
            check(run, vm.output, expected if isinstance(words, str) else dict(expected, class_words=words[run.build_kind]))

    register(f"fault/{name}", f"fault {name}: the report is complete and true", function, builds=builds, timeout=30)


for fault_name, fault_expected in FAULTS.items():
    fault_scenario(fault_name, fault_expected, BUILDS)
for fault_name, fault_expected in LOCK_FAULTS.items():
    fault_scenario(fault_name, fault_expected, ("debug",))


def too_long(run, name, *expected):
    with boot_with(run, f"fault {name}; exit") as vm:
        vm.wait_end(outcome.PASS)
    found = reports.find_reports(vm.output)
    assert len(found) == len(expected), f"{len(found)} reports, expected {len(expected)}"
    try:
        for each, wanted in zip(found, expected):
            reports.check(each, kernel_of(run), vm.output, wanted)
            milliseconds = int(re.search(r"(\d+) ms$", each.fields["class"])[1])
            assert 1200 <= milliseconds < 10000, each.fields["class"]
    except reports.ReportError as error:
        run.fail(str(error))


@scenario("fault/lock_held_too_long", builds=("debug",), timeout=30)
def lock_held_too_long(run):
    """a lock held for more than a second is a warning when it is given back, and so is that preemption was off"""
    provoke = "provoke_lock_held_too_long"
    too_long(run, "lock_held_too_long",
             own_report(r"held too long: lock 'provoked first', \d+ ms", provoke, (provoke,), outcome="goes on",
                        stacks={"hold 1 of 1": (r"'provoked first' is given back after \d+ ms",
                                                ("'provoked first' taken at:", (provoke, "run_fault")))}),
             own_report(r"off too long: preemption, \d+ ms", provoke, (provoke,), outcome="goes on",
                        fields={"since": rf" {provoke}\+"}))


@scenario("fault/interrupts_off_too_long", builds=("debug",), timeout=30)
def interrupts_off_too_long(run):
    """interrupts off for more than a second are a warning when they are on again"""
    provoke = "provoke_interrupts_off_too_long"
    too_long(run, "interrupts_off_too_long",
             own_report(r"off too long: interrupts, \d+ ms", ("irq_restore", provoke), (provoke,), outcome="goes on",
                        fields={"since": rf" (irq_save|{provoke})\+"}))


@scenario("fault/locks_not_checked", builds=("release",), timeout=30)
def locks_not_checked(run):
    """without the lock checker its faults hang nothing: nobody else wants the locks"""
    with boot_with(run, "; ".join(f"fault {name}" for name in LOCK_FAULTS) + "; exit") as vm:
        vm.wait_end(outcome.PASS)
        assert not re.search("^error: |KEEL REPORT", vm.output, re.M)


@scenario("fault/list", builds=BUILDS, timeout=30)
def fault_list(run):
    """`fault list` names every fault there is a scenario for, one a line, and nothing else"""
    others = {"lock_kept", "lock_in_report", "lock_classes", "lock_classes_at_once", "soft_lockup", "hard_lockup", "hard_lockups", "hung_thread", "hung_circle", "crowd", "every_vector", "interrupt_storm", "interrupt_storm_shared", "inside_report", "serial_dead", "nmi", "other_cpu", "all_cpus", "deaf_cpus", "machine_check", "machine_check_corrected"}
    with run.boot(Machine(memory="64M")) as vm:
        vm.wait_prompt()
        listed = vm.command("fault list").split()
        assert sorted(listed) == sorted(set(FAULTS) | set(LOCK_FAULTS) | TOO_LONG | others), f"listed {sorted(set(listed) ^ (set(FAULTS) | set(LOCK_FAULTS) | TOO_LONG | others))}"
        vm.exit()


@scenario("fault/interrupt_storm", builds=BUILDS, timeout=30)
def interrupt_storm(run):
    """a storm is masked with a message, twice, and the kernel goes on; a machine that sleeps afterwards wakes"""
    with boot_with(run, "fault interrupt_storm; fault interrupt_storm; test time/timers_fire; exit") as vm:
        vm.wait_end(outcome.PASS)
        storms = re.findall(r"irq: storm on GSI 8 \(interrupt_storm\), 0 handled and 1000 unclaimed in 0.1 s: masked",
                            vm.output)
        assert len(storms) == 2, f"{len(storms)} storms were masked, expected 2"


@scenario("fault/interrupt_storm_shared", builds=BUILDS, timeout=30)
def interrupt_storm_shared(run):
    """of two devices on one line one is stuck: masked with a message, and the other one's requests are served"""
    with boot_with(run, "fault interrupt_storm_shared; interrupts; test time/timers_fire; audit; exit") as vm:
        vm.wait_end(outcome.PASS)
        assert not re.search("^error: ", vm.output, re.M)
        storms = re.findall(r"irq: storm on GSI 8 \(interrupt_storm\), 0 handled and 1000 unclaimed in 0.1 s: masked",
                            vm.output)
        assert len(storms) == 1, f"{len(storms)} storms were masked, expected 1"
        assert "neighbour" not in vm.output.split("+ interrupts", 1)[1], "the line was not given back"


EXCEPTION_NAMES = "DE DB NMI BP OF BR UD NM DF 9 TS NP SS GP PF 15 MF AC MC XM VE CP".split()


@scenario("fault/every_vector", builds=BUILDS, timeout=60)
def every_vector(run):
    """all 256 vectors sent to oneself: each is named, its owner if it has one, and an exception's as none

    The local APIC is to refuse 0 to 15, and so do Bochs' and a real one (bochs/timers-*, irq/all_256_vectors). QEMU's
    takes them, which is the harder case; but 0 never comes out of it."""
    with boot_with(run, "interrupts; fault every_vector; echo still here; exit", extra=("-device", "edu")) as vm:
        vm.wait_end(outcome.PASS)
        assert "\nstill here\n" in vm.output and not re.search("^error: ", vm.output, re.M)
        owners = {int(vector): name for vector, name in
                  re.findall(r"^ *(\d+) +(?:\d+|all) +\d+ +\d+  .{26} (\S.*?)(?: \(masked\))?$", vm.output, re.M)}
        assert owners[255] == "spurious" and owners[254] == "APIC errors" and "timer" in owners.values(), owners
        told = dict(re.findall(r"^vector (\d+): (.*)$", vm.output, re.M))
        raised = {int(v) for v in re.findall(r"trap: vector (\d+) raised, nobody has claimed it \(1 so far\)$",
                                             vm.output, re.M)}
        for vector in range(256):
            words = told.get(str(vector))
            if vector == 0:
                assert words == "neither refused nor taken", words
            elif vector in owners:
                assert words == f"taken by {owners[vector]}", (vector, words)
            else:
                name = EXCEPTION_NAMES[vector] if vector < len(EXCEPTION_NAMES) else None
                assert words == "taken, nobody's" or (vector < 32 and words.startswith("taken, nobody's, no exception: ")
                                                      and (name is None or name in words)), (vector, words)
                assert vector in raised, f"vector {vector} is not in the log"


@scenario("fault/inside_report", builds=BUILDS, timeout=30)
def inside_report(run):
    """a fault inside the report ends in two lines that name it, and a stop"""
    with boot_with(run, "fault inside_report") as vm:
        vm.wait_end(outcome.FAIL)
        match = re.search(r"^KEEL: fault inside the report: #PF error 0x2 cr2 0x0000000000000018 at (.*)\n"
                          r"KEEL: the report above is incomplete; fatal, leaves QEMU\n", vm.output, re.MULTILINE)
        assert match, "the two lines are not there"
        try:
            _, function = kernel_of(run).check_location(match.group(1), False, "nested fault")
        except reports.ReportError as error:
            run.fail(str(error))
        assert function == "fault_write"
        assert vm.output.count("KEEL: fault inside the report") == 1


@scenario("fault/serial_dead", builds=BUILDS, timeout=30)
def serial_dead(run):
    """with a serial port that takes bytes and sends none, the other consoles have the whole report"""
    expected = memory_fault("NULL pointer write", WRITE, "0x0000000000000020 the NULL page", "fault_write",
                            "provoke_serial_dead")
    with boot_with(run, "fault serial_dead") as vm:
        vm.wait_end(outcome.FAIL)
        assert reports.BEGIN not in vm.output, "the serial port was not dead"
        check(run, vm.debug_output, expected)


@scenario("fault/no_serial", builds=BUILDS, timeout=30)
def no_serial(run):
    """without any serial port a fault is reported in full on the debug port"""
    with boot_with(run, "fault null_write", serial=False) as vm:
        vm.wait_end(outcome.FAIL)
        check(run, vm.debug_output, FAULTS["null_write"])


@scenario("fault/nmi", builds=BUILDS, timeout=30)
def nmi(run):
    """an NMI from the monitor: every CPU's stack, and the kernel goes on"""
    expected = dict(class_words=r"NMI: from outside \(monitor, watchdog or button\)", vector=2, rip="any",
                    outcome="goes on", calls=("provoke_nmi", *DISPATCH))
    with run.boot(MACHINE) as vm:
        vm.wait_prompt()
        vm.send("fault nmi\r")
        vm.expect("waiting for `nmi`")
        vm.monitor("nmi")
        vm.wait_prompt()
        vm.exit()
        check(run, vm.output, expected)


@scenario("fault/nmi_at_prompt", builds=BUILDS, timeout=30)
def nmi_at_prompt(run):
    """an NMI while the prompt waits: reported, and the next command works"""
    expected = dict(class_words=r"NMI: from outside \(monitor, watchdog or button\)", vector=2, rip="any", outcome="goes on")
    places = {"boot": dict(calls=("prompt_run", "kernel_main", "kernel_entry")),  # looks at memory while nothing is typed
              "thread": dict(calls=("idle_loop", "thread_start"), end=r"bottom of stack of thread \d+ 'idle 0'")}
    with run.boot(MACHINE) as vm:
        vm.wait_prompt()
        for _ in range(3):
            vm.monitor("nmi")
            vm.expect("KEEL REPORT END")
        vm.send("echo still here\r")
        vm.expect("^still here$")
        vm.exit()
        found = reports.find_reports(vm.output)
        assert len(found) == 3, f"{len(found)} reports of 3 NMIs"
        try:
            for each in found:
                place = "thread" if "of thread" in each.end else "boot"
                reports.check(each, kernel_of(run), vm.output, {**expected, **places[place]})
        except reports.ReportError as error:
            run.fail(str(error))


@scenario("fault/machine_check", builds=BUILDS, timeout=30)
def machine_check(run):
    """a machine check that cannot be corrected: bank, address and the owner of the page"""
    expected = dict(class_words="fatal machine check in bank 3: cache hierarchy: data read, data cache, level 0",
                    vector=18, rip="any", calls=("kernel_entry",))
    with run.boot(MACHINE) as vm:
        vm.wait_prompt()
        vm.send("fault machine_check\r")
        vm.expect("waiting for `mce")
        vm.monitor("mce 0 3 0xbe00000000000134 0x5 0x1234000 0x8c")
        vm.wait_end(outcome.FAIL)
        check(run, vm.output, expected)
        details = only_report(run, vm.output).details
        assert details[0] == "global status 0x0000000000000005", details
        assert details[1] == ("bank 3 status 0xbe00000000000134 VAL UC EN MISCV ADDRV PCC: cache hierarchy: data read, "
                              "data cache, level 0"), details
        assert re.fullmatch(r"bank 3 address 0x0000000001234000 misc 0x000000000000008c: frame 0x1234: owner "
                            r"[a-z ]+, references \d+", details[2]), details


@scenario("fault/machine_check_corrected", builds=BUILDS, timeout=30)
def machine_check_corrected(run):
    """a corrected machine check, at the prompt: logged within a second, with the owner of the page, and only once"""
    with run.boot(MACHINE) as vm:
        vm.wait_prompt()
        vm.monitor("mce 0 3 0x9c00000000000134 0 0x1234000 0x8c")
        started = time.monotonic()
        vm.expect(r"machine check: corrected error: CPU 0 bank 3 status 0x9c00000000000134 VAL EN MISCV ADDRV: "
                  r"cache hierarchy: data read, data cache, level 0")
        vm.expect(r"machine check: corrected error: CPU 0 bank 3 address 0x0000000001234000 misc 0x000000000000008c: "
                  r"frame 0x1234: owner [a-z ]+, references \d+")
        assert time.monotonic() - started < 1, "it took more than a second"
        vm.send("fault machine_check_corrected\r")
        vm.expect("waiting for `mce")
        vm.monitor("mce 0 3 0x9c00000000000134 0 0x1234000 0x8c")
        vm.wait_prompt()
        vm.exit()
        assert vm.output.count("bank 3 status") == 2


def without_machine_check(feature):
    @scenario(f"fault/cpu_max,-{feature}", timeout=30)
    def function(run):
        """a CPU that reports no hardware errors boots and survives"""
        with run.boot(Machine(memory="64M", cpu=f"max,-{feature}")) as vm:
            vm.wait_prompt()
            vm.exit()
            assert "this CPU does not report hardware errors" in vm.output


for feature in ("mce", "mca"):
    without_machine_check(feature)


@scenario("fault/halt", timeout=30)
def panic_halt(run):
    """keel.panic=halt: after the report the CPU is halted, interrupts off"""
    with run.boot(Machine(memory="64M", command_line='keel.panic=halt keel.run="fault null_write"')) as vm:
        vm.expect("KEEL REPORT END")
        vm.wait_halted()
        vm.kill()
        assert "outcome: fatal, halts" in vm.output


@scenario("fault/reboot", timeout=30)
def panic_reboot(run):
    """keel.panic=reboot: after the report the machine is reset, and not by a triple fault"""
    with run.boot(Machine(memory="64M", command_line='keel.panic=reboot keel.run="fault null_write"')) as vm:
        vm.wait_end(outcome.RESET)
        assert "KEEL REPORT END" in vm.output and "outcome: fatal, reboots" in vm.output
