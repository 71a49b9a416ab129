"""The address sanitizer (preset `kasan`): each kind of bad access is found where it happens, with its object."""
import re

import faults
from faults import own_report
from harness import outcome
from harness.registry import register

SITES = r"allocated at provoke_{0}\+\w+"
FREED = SITES + r", freed at provoke_{0}\+\w+"
OBJECT = r"object 0x\w+ of '{0}', {1} bytes, offset {2}, "


def found(name, class_words, details, rip="fault_write_byte"):
    expected = own_report("kasan: " + class_words.format(name), rip, (rip, f"provoke_{name}"))
    return expected, tuple(pattern.format(name) for pattern in details)


# name: the class, and what its details have to say
FOUND = {
    "kasan_read_after_free": found(
        "kasan_read_after_free", "use after free read: " + OBJECT.format(r"kmalloc-\d+", r"\d+", 8) + FREED,
        (r"^read of 1 byte at ", r"^allocated (at|called from) provoke_{0}\+", r"^freed (at|called from) provoke_{0}\+"),
        "fault_read_byte"),
    "kasan_write_after_free": found(
        "kasan_write_after_free", "use after free write: " + OBJECT.format(r"kmalloc-\d+", r"\d+", 16) + FREED,
        (r"^write of 1 byte at ",)),
    "kasan_heap_overflow": found(
        "kasan_heap_overflow", "heap buffer overflow write: " + OBJECT.format(r"kmalloc-\d+", 37, 37) + SITES,
        (r"slab object 'kmalloc-\d+' \+37 \(in use, 37 bytes", r"\[05\]")),
    "kasan_large_overflow": found(
        "kasan_large_overflow", "heap buffer overflow read: " + OBJECT.format("large", 12288, 12288) + SITES,
        (r"large allocation \+12288",), "fault_read_byte"),
    "kasan_copy": found(
        "kasan_copy", "heap buffer overflow write: " + OBJECT.format(r"kmalloc-\d+", 40, 0) + SITES,
        (r"^write of 41 bytes at .*slab object 'kmalloc-\d+' \+40 ",), "fault_copy"),
    "kasan_stack_overflow": found(
        "kasan_stack_overflow", "stack buffer overflow write",
        (r"stack 'boot' \+", r"^variable 'buffer(:\d+)?', 24 bytes, at 0x\w+: the access is at offset 24$")),
    "kasan_global_overflow": found(
        "kasan_global_overflow", "global buffer overflow read", (r"^behind \.bss: victim\+0x17$",), "fault_read_byte"),
    "kasan_vmalloc_overflow": found(
        "kasan_vmalloc_overflow", "vmalloc buffer overflow write", (r"vmalloc memory \+1000 \(1000 bytes, " + SITES,)),
    "kasan_free_page": found(
        "kasan_free_page", "use of a free page read", (r"physmap of frame 0x\w+ \(free\)$",), "fault_read_byte"),
}


def kasan_scenario(name, expected, details):
    def function(run):
        with faults.boot_with(run, f"fault {name}") as vm:
            vm.wait_end(outcome.FAIL)
            faults.check(run, vm.output, expected)
            said = faults.only_report(run, vm.output).details
            for pattern in details:
                if not any(re.search(pattern, line) for line in said):
                    run.fail(f"'{pattern}' is not among {said}")

    register(f"kasan/{name.removeprefix('kasan_')}", f"the address sanitizer finds {name}, and tells all of it", function,
             builds=("kasan",), timeout=60)


for fault_name, (fault_expected, fault_details) in FOUND.items():
    kasan_scenario(fault_name, fault_expected, fault_details)


def other_cpu_scenario(name, cpu, class_words, sites):
    def function(run):
        with faults.boot_with(run, f"fault kasan_{name}", cpus="2") as vm:
            vm.wait_end(outcome.FAIL)
            found_report = faults.only_report(run, vm.output)
            assert re.fullmatch(f"kasan: {class_words}: object .*", found_report.fields["class"]), found_report.fields
            assert found_report.fields["cpu"].startswith(str(cpu)), found_report.fields["cpu"]
            for site in sites:
                assert any(re.match(site, line) for line in found_report.details), (site, found_report.details)

    register(f"kasan/{name}", f"the address sanitizer finds {name}, with the place of the other CPU", function,
             builds=("kasan",), timeout=60)


other_cpu_scenario("freed_on_another_cpu", 0, "use after free read",
                   (r"allocated (at|called from) provoke_kasan_freed_on_another_cpu\+", r"freed (at|called from) fault_free_here\+"))
other_cpu_scenario("written_on_another_cpu", 1, "use after free write",
                   (r"allocated (at|called from) provoke_kasan_written_on_another_cpu\+",
                    r"freed (at|called from) provoke_kasan_written_on_another_cpu\+"))

# What the always-on checks find is still found.
for fault_name in ("double_free", "wrong_cache", "middle_of_object", "null_write", "recursion", "double_fault",
                   "execute_stack", "warning"):
    def still_found(run, name=fault_name):
        goes_on = name in faults.GOES_ON
        with faults.boot_with(run, f"fault {name}" + ("; exit" if goes_on else "")) as vm:
            vm.wait_end(outcome.PASS if goes_on else outcome.FAIL)
            faults.check(run, vm.output, faults.FAULTS[name])

    register(f"kasan/fault/{fault_name}", f"fault {fault_name} is reported as without the address sanitizer", still_found,
             builds=("kasan",), timeout=60)
