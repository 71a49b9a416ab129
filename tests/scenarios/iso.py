"""The image itself: what it promises to firmware, its size, and that it depends on nothing but its contents."""
import filecmp
import os
import shutil
import subprocess

from harness import scenario
from harness.machine import ROOT

ISO_BYTES_MAX = 6 * 1000 * 1000


@scenario("iso/catalogue")
def catalogue(run):
    """the boot catalogue names BIOS and UEFI, the partition for sticks is active, and the size is within its bound"""
    run.need("xorriso")
    iso = os.path.join(run.build, "keel.iso")
    report = subprocess.run(["xorriso", "-indev", iso, "-report_el_torito", "plain"], check=True, capture_output=True,
                            text=True).stdout
    run.check_output(report, [r"^El Torito boot img : +\d+ +BIOS +y", r"^El Torito boot img : +\d+ +UEFI +y"])
    with open(iso, "rb") as file:
        sector = file.read(512)
    assert sector[510:] == b"\x55\xaa", "no master boot record"
    assert any(sector[446 + 16 * n] == 0x80 for n in range(4)), "no active partition"
    size = os.path.getsize(iso)
    print(f"keel.iso: {size} bytes (bound {ISO_BYTES_MAX})")
    assert size <= ISO_BYTES_MAX, f"keel.iso has {size} bytes"


@scenario("iso/identical", timeout=300)
def identical(run):
    """kernel and image built again, in another folder and at another time, are the same bytes"""
    run.need("cmake", "ninja")
    again = run.path("again/release")  # the folder's name is the preset, which the kernel knows
    shutil.rmtree(again, ignore_errors=True)
    subprocess.run(["cmake", "-S", ROOT, "-B", again, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DKEEL_HOST_TESTS=OFF",
                    "-DCMAKE_TOOLCHAIN_FILE=" + os.path.join(ROOT, "cmake/toolchain-x86_64.cmake")], check=True,
                   capture_output=True)
    subprocess.run(["cmake", "--build", again, "--target", "iso"], check=True, capture_output=True)
    for name in ("iso/tree/boot/keel.elf", "keel.iso"):
        same = filecmp.cmp(os.path.join(run.build, name), os.path.join(again, name), shallow=False)
        assert same, f"{name} differs between two builds"
    shutil.rmtree(os.path.dirname(again))
