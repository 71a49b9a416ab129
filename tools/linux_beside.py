"""Debian's Linux for clouds, with one program in its initramfs: what the tools/compare-* measure beside Keel."""
import glob
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def kernel():
    kernels = sorted(glob.glob("/boot/vmlinuz-*cloud-amd64"))
    if not kernels:
        sys.exit(f"{os.path.basename(sys.argv[0])}: no Linux here: tools/install-packages compare")
    return kernels[-1]


def initramfs(linux, folder, program, modules=()):
    """The path of an initramfs with the program, a source file of tools/compare, as /init, and drivers in /modules."""
    tree = os.path.join(folder, "tree")
    os.makedirs(os.path.join(tree, "modules"))
    subprocess.run(["musl-gcc", "-static", "-O2", os.path.join(ROOT, "tools/compare", program), "-o",
                    os.path.join(tree, "init")], check=True)
    drivers = f"/lib/modules/{os.path.basename(linux).removeprefix('vmlinuz-')}/kernel/drivers"
    for module in modules:
        with open(f"{drivers}/{module}.ko", "rb") as source:
            with open(os.path.join(tree, "modules", os.path.basename(module) + ".ko"), "wb") as copy:
                copy.write(source.read())
    names = [os.path.relpath(os.path.join(at, name), tree) for at, folders, files in os.walk(tree) for name in folders + files]
    path = os.path.join(folder, "initramfs")
    with open(path, "wb") as archive:
        subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], input="\n".join(sorted(names)).encode(), stdout=archive,
                       cwd=tree, check=True)
    return path


def output_of(command, timeout_seconds):
    """What the machine printed on its serial line."""
    return subprocess.run([*command, "-display", "none", "-serial", "stdio"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, timeout=timeout_seconds, check=False).stdout.decode(errors="replace")
