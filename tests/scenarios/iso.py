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


def copy_sources(to):
    """The tree without what is built in it."""
    def left_out(folder, names):
        return [name for name in names if name in ("build", ".git") and folder == ROOT]
    shutil.copytree(ROOT, to, ignore=left_out)


@scenario("iso/identical", timeout=300)
def identical(run):
    """kernel and image built from a copy of the sources elsewhere, at another time, are the same bytes"""
    run.need("cmake", "ninja")
    copy = run.path("copy")
    again = os.path.join(copy, "build/release")
    shutil.rmtree(copy, ignore_errors=True)
    copy_sources(copy)
    for command in (["cmake", "--preset", "release", "-DKEEL_HOST_TESTS=OFF"], ["cmake", "--build", again, "--target", "iso"]):
        step = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
        if step.returncode != 0:
            run.fail(f"{' '.join(command)}: {(step.stdout + step.stderr)[-2000:]}")
    for name in ("iso/tree/boot/keel.elf", "keel.iso"):
        same = filecmp.cmp(os.path.join(run.build, name), os.path.join(again, name), shallow=False)
        assert same, f"{name} differs between two builds"
    shutil.rmtree(copy)
